"""Definitions of authorization details types: fields, texts, and the comparison of two (RFC 9396 §2, §6.1)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from portula.plugin import ConsentItem, Exchange


class DetailFields(BaseModel):
    """Fields that stand together inside an object, e.g. an amount with its currency; any other field is refused.

    Values are read strictly, as JSON: a number is no text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AuthorizationDetail(DetailFields):
    """One object: `type`, and the fields that a subclass declares (RFC 9396 §2).

    A subclass declares no field that its type does not put into words, or else a person allows what they never read.
    """

    type: str


class CommonDetail(AuthorizationDetail):
    """The fields that many types have (RFC 9396 §2.2); a subclass says by a narrower annotation what they may hold."""

    locations: tuple[str, ...] = ()
    """Servers where it is used; tokens and introspection tell no other server of it."""
    actions: tuple[str, ...] = ()
    """What is done there."""
    datatypes: tuple[str, ...] = ()
    """Kinds of data that it is done to."""
    identifier: str | None = None
    """What it is done to, e.g. an account."""
    privileges: tuple[str, ...] = ()
    """Levels or roles in which it is done."""


D = TypeVar("D", bound=AuthorizationDetail)


class AuthorizationDetailsType(ABC, Generic[D]):
    """A type of authorization details. Contributed by `portula_authorization_details_types`, or named by a setting.

    A method that raises InvalidAuthorizationDetails, or another OAuth2Error, refuses the request by that; any other
    exception refuses it too, and the client is not told why.
    """

    schema: type[D]
    """The fields of its objects."""
    may_be_remembered: ClassVar[bool] = False
    """Whether a person who allowed the very same object before need not be asked again."""
    for_clients: ClassVar[bool] = False
    """Whether a client may have it for itself, where there is nobody to be asked (RFC 6749 §4.4)."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Refuse a schema that would let unknown fields pass anywhere in an object (RFC 9396 §5); TypeError."""
        super().__init_subclass__(**arguments)
        schema = vars(cls).get("schema")
        if schema is not None and _is_open(schema.model_json_schema()):
            raise TypeError(f"{cls.__qualname__}: all models of its schema derive from DetailFields")

    def problem(self, detail: D, exchange: Exchange) -> str | None:
        """Say what is wrong with an object whose fields are of the right kind; None when nothing is.

        It is asked of what a client sends, in an authorization request and a token request: `exchange.client`.
        """
        return None

    @abstractmethod
    def describe(self, detail: D) -> ConsentItem:
        """Return what the person is asked to allow: every field that matters, as plain text.

        The pages escape it (RFC 9396 §12). `memory` is filled in where the type may be remembered.
        """

    @abstractmethod
    def narrower(self, details: Sequence[D], granted: Sequence[D]) -> bool:
        """Say whether all of these objects together allow no more than the granted ones together (RFC 9396 §6.1).

        Both are of this type; an object may stand in `details` twice. What was granted is no more than itself.
        """

    def enrich(self, detail: D, exchange: Exchange) -> D:
        """Return the object with what a token of it says besides, e.g. the accounts that were chosen (RFC 9396 §7.1).

        Called for each token, once it is known whom and what that is for. It adds and never widens: a result that is
        not `narrower` than what was granted refuses the request.
        """
        return detail


def _is_open(schema: object) -> bool:
    """Say whether a JSON Schema has an object with named members that takes others besides."""
    if isinstance(schema, list):
        return any(map(_is_open, schema))
    if not isinstance(schema, dict):
        return False
    named = schema.get("type") == "object" and "properties" in schema
    return (named and schema.get("additionalProperties") is not False) or any(map(_is_open, schema.values()))
