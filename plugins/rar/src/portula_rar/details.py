"""Authorization details as they are sent and kept: JSON, judged object by object (RFC 9396 §2, §5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from portula.errors import HookFailed, InvalidRequestError, OAuth2Error, StorageDown
from portula.plugin import printable, read_array
from portula_rar.definitions import AuthorizationDetail, AuthorizationDetailsType
from portula_rar.hooks import RarHooks
from portula_rar.settings import RarSettings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, Exchange

T = TypeVar("T")

PARAMETER = "authorization_details"
CLIENT_TYPES = "authorization_details_types"
"""Member of client metadata: the types that a client may ask for (RFC 9396 §10)."""
MAX_OBJECTS = 100

ROOM = "rar"
"""Name under which details are kept with an authorization."""
_EXTENSION = "portula_rar"


class InvalidAuthorizationDetails(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """Details are of no known type or form, not this client's, or more than was granted (RFC 9396 §5, §6)."""

    error = "invalid_authorization_details"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One object that its type has read."""

    kind: AuthorizationDetailsType[Any]
    model: AuthorizationDetail
    members: Mapping[str, Any]
    """The same as JSON: as the client sent it."""

    @property
    def name(self) -> str:
        """The name of its type."""
        return self.model.type


def types_of(provider: AuthorizationServer) -> dict[str, AuthorizationDetailsType[Any]]:
    """Return the types that there are, by name: collected once, at start."""
    collected: dict[str, dict[str, AuthorizationDetailsType[Any]]]
    collected = provider.app.extensions.setdefault(_EXTENSION, {})
    if provider.name not in collected:
        collected[provider.name] = provider.hooks.collect(RarHooks.portula_authorization_details_types)
    return collected[provider.name]


def of_type(name: str, call: Callable[[], T]) -> T:
    """Call a method of a type.

    Raises:
        OAuth2Error: the type refuses.
        StorageDown: what it asks does not answer.
        HookFailed: it fails.
    """
    try:
        return call()
    except (OAuth2Error, StorageDown):
        raise
    except Exception as error:
        raise HookFailed(f"authorization details of type {name!r}: {error}") from error


def judge(exchange: Exchange, text: str) -> tuple[Detail, ...]:
    """Return the objects that a client sends, each judged by its type.

    Raises:
        InvalidAuthorizationDetails: they are too long, no JSON, or one of them is refused.
        HookFailed: a type fails.
    """
    data = text.encode(errors="surrogatepass")
    longest = exchange.provider.settings(RarSettings).AUTHORIZATION_DETAILS_MAX_BYTES
    if len(data) > longest:
        raise InvalidAuthorizationDetails(description=f"{PARAMETER} has more than {longest} bytes.")
    try:
        objects = read_array(data)
    except ValueError as error:
        raise InvalidAuthorizationDetails(description=f"{PARAMETER}: {error}.") from None
    if len(objects) > MAX_OBJECTS:
        raise InvalidAuthorizationDetails(description=f"{PARAMETER} has more than {MAX_OBJECTS} objects.")
    return tuple(_judge(exchange, f"{PARAMETER}[{place}]", members) for place, members in enumerate(objects))


def _judge(exchange: Exchange, where: str, members: object) -> Detail:
    try:
        detail = read(exchange, members)
    except ValidationError as error:
        raise InvalidAuthorizationDetails(description=f"{where}{_first_problem(error)}.") from None
    if detail is None:
        raise InvalidAuthorizationDetails(description=f"{where}: its type is none that the client may use.")
    problem = _problem(exchange, detail)
    if problem is not None:
        raise InvalidAuthorizationDetails(description=printable(f"{where}: {problem}"))
    return detail


def read(exchange: Exchange, members: object) -> Detail | None:
    """Return an object as its type reads it; None when it is none, or of no type that the client may use.

    Raises:
        ValidationError: a field is unknown, missing, or of a wrong kind or value.
        HookFailed: the type fails.
    """
    client = exchange.client
    name = members.get("type") if isinstance(members, dict) else None
    known = () if client is None else client.metadata.get(CLIENT_TYPES, ())
    if not isinstance(members, dict) or not isinstance(name, str) or name not in known:
        return None
    return read_as(types_of(exchange.provider), members)


def read_as(types: Mapping[str, AuthorizationDetailsType[Any]], members: Mapping[str, Any]) -> Detail | None:
    """Return an object as its type reads it, whoever asks; None when there is no such type.

    Raises:
        ValidationError: its fields are not those of the type.
        HookFailed: the type fails.
    """
    kind, text = types.get(members["type"]), json.dumps(members)
    if kind is None:
        return None
    try:
        model = kind.schema.model_validate_json(text)
    except ValidationError:
        raise
    except Exception as error:
        raise HookFailed(f"authorization details of type {members['type']!r}: {error}") from error
    return Detail(kind=kind, model=model, members=members)


def recall(exchange: Exchange) -> tuple[Detail, ...]:
    """Return what was granted, or is asked of the person now, as far as types and client still have it."""
    return _read_again(exchange, exchange.facts.get(ROOM, {}).get("details", ()))


def granted_details(exchange: Exchange) -> tuple[Detail, ...]:
    """Return what a token may have at most: what was granted, or what the token or assertion says in whose place it is.

    Of that, what its type finds nothing wrong with: another client asks, or another server granted it.
    """
    if exchange.claims_at_most is None:
        return recall(exchange)
    found = _read_again(exchange, exchange.claims_at_most.get(PARAMETER, ()))
    return tuple(detail for detail in found if _problem(exchange, detail) is None)


def _problem(exchange: Exchange, detail: Detail) -> str | None:
    return of_type(detail.name, lambda: detail.kind.problem(detail.model, exchange))


def _read_again(exchange: Exchange, details: Sequence[Mapping[str, Any]]) -> tuple[Detail, ...]:
    found = []
    for members in details:
        try:
            found.append(read(exchange, members))
        except ValidationError:  # the type has other fields by now
            continue
    return tuple(detail for detail in found if detail is not None)


def remember(exchange: Exchange, details: Sequence[Detail]) -> None:
    """Let the exchange be about these details; an authorization that begins with it keeps them."""
    if details or ROOM in exchange.facts:
        exchange.facts[ROOM] = {"details": [dict(detail.members) for detail in details]}


def are_there(exchange: Exchange) -> bool:
    """Say whether a request is about details, even if none of them are left."""
    return ROOM in exchange.facts


def details_in(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the details that the facts of an authorization hold."""
    details: Sequence[Mapping[str, Any]] = facts.get(ROOM, {}).get("details", ())
    return details


def is_narrower(details: Sequence[Detail], granted: Sequence[Detail]) -> bool:
    """Say whether details allow no more than was granted, by the comparison of each type (RFC 9396 §6.1)."""
    kinds = {detail.name: detail.kind for detail in details}
    return all(
        _is_narrower(kind, _models(details, name), _models(granted, name)) for name, kind in kinds.items()
    )


def _is_narrower(
    kind: AuthorizationDetailsType[Any],
    models: Sequence[AuthorizationDetail],
    granted: Sequence[AuthorizationDetail],
) -> bool:
    return of_type(models[0].type, lambda: kind.narrower(models, granted)) is True


def _models(details: Sequence[Detail], name: str) -> list[AuthorizationDetail]:
    return [detail.model for detail in details if detail.name == name]


def _first_problem(error: ValidationError) -> str:
    """Return where the first wrong field is and what is wrong with it, without its value."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = "".join(f".{part}" if isinstance(part, str) else f"[{part}]" for part in problem["loc"])
    return printable(f"{path}: {problem['msg']}")
