"""Client metadata as it is registered (RFC 7591 §2): each room contributes the members that it understands.

A member is kept in a field of `Application`, or else in its `metadata` under its own name. What one member may be is
said here; what several have to do with each other is a rule of `portula_validate_client_registration`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from portula.model.errors import InvalidClientMetadata
from portula.model.records import Application

BINDING = "_bound_access_tokens"
CHANGED_ITSELF_AT = "changed_itself_at"
"""Name in the metadata of a client, which no document sets: when it last became by itself more than a part of what it
was, Unix seconds."""

MAX_TAG_CHARACTERS = 64
"""Of a language tag that a browser or a request names: 35 are enough for any that is in use (RFC 5646 §4.4.1)."""


@dataclass(frozen=True, slots=True)
class ClientMember:
    """One member of client metadata."""

    name: str
    """As registered with IANA, e.g. `redirect_uris`."""
    type: Any = str
    """What a value may be, as an annotation that pydantic understands, e.g. `list[str]` or a Literal; read strictly."""
    field: str | None = None
    """The field of Application that keeps it; None keeps it in `metadata`."""
    localized: bool = False
    """Whether it may come in several languages, as `client_name#ja` (RFC 7591 §2.2)."""
    error: str = "invalid_client_metadata"
    """The error code of a value that is refused (RFC 7591 §3.2.2)."""
    label: str = ""
    """What its field is called on pages of administrators; empty for none. It is for a `bool` or a `list[str]` in
    `metadata`."""
    hint: str = ""
    """What the page says of the field."""
    confirmation: str = ""
    """Member of `cnf` (RFC 7800 §3.1) that a client's access tokens have where the value is true; such a client gets no
    token without its proof, and, where the name ends in `_bound_access_tokens`, none without a plugin that understands
    it. Empty for a member that binds nothing."""
    fixes_redirect_uris: bool = False
    """Whether a value stands for the redirect URIs that the client may have, so that no request may bring others, as
    RFC 9126 §2.4 allows otherwise."""


def required_confirmations(
    members: Mapping[str, ClientMember], application: Application
) -> dict[str, ClientMember]:
    """Return the members by which a client has its access tokens bound, by the member of `cnf`."""
    return {
        member.confirmation: member
        for member in members.values()
        if member.confirmation and application.metadata.get(member.name)
    }


def unknown_binding(members: Mapping[str, ClientMember], application: Application) -> str | None:
    """Return a member by which a client has its access tokens bound, and which nobody here understands.

    It was registered while a plugin did, and all such members have names of one form (RFC 9449 §5.2, RFC 8705 §3.4).
    """
    return next(
        (
            name
            for name, value in application.metadata.items()
            if value and name.endswith(BINDING) and name not in members
        ),
        None,
    )


def has_changed_itself(application: Application, since: int) -> bool:
    """Say whether a client has since then made of itself what nobody knew who trusted it before (RFC 7592 §5)."""
    changed_at = application.metadata.get(CHANGED_ITSELF_AT)
    return isinstance(changed_at, int) and since <= changed_at


def read_client_metadata(members: Mapping[str, ClientMember], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for `Application(**…)` that client metadata stands for; what nobody understands is left out.

    Raises:
        InvalidClientMetadata: a value is of the wrong type; it names the member.
    """
    fields: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for name, value in document.items():
        plain, _, language = name.partition("#")
        member = members.get(plain)
        if (
            member is None
            or value is None
            or (name != plain and not (member.localized and _is_tag(language)))
        ):
            continue
        checked = _check(member, name, value)
        if member.field is None or language:
            metadata[name] = checked
        else:
            fields[member.field] = tuple(checked) if isinstance(checked, list) else checked
    return {**fields, "metadata": metadata}


def write_client_metadata(members: Mapping[str, ClientMember], application: Application) -> dict[str, Any]:
    """Return the client metadata of an application: what `read` would read again."""
    document: dict[str, Any] = {}
    for member in members.values():
        if member.field is None:
            continue
        value = getattr(application, member.field)
        if value not in (None, "", ()):
            document[member.name] = list(value) if isinstance(value, tuple) else value
    metadata = {
        name: value for name, value in application.metadata.items() if name.partition("#")[0] in members
    }
    return {**document, **metadata}


def in_language(metadata: Mapping[str, Any], name: str, languages: Iterable[str]) -> Any:
    """Return the value of a member in the first of these languages that it is registered in, else the plain one.

    A language that is not there is looked for without its last parts: `de` for `de-CH` (RFC 4647 §3.4). A tag of more
    than MAX_TAG_CHARACTERS is none: each of its parts would cost a look. None when there is no such member.
    """
    known = {
        key.partition("#")[2].lower(): value
        for key, value in metadata.items()
        if key.partition("#")[0] == name and key != name
    }
    for language in languages if known else ():
        tag = language.lower() if len(language) <= MAX_TAG_CHARACTERS else ""
        while tag:
            if tag in known:
                return known[tag]
            tag = tag.rpartition("-")[0]
    return metadata.get(name)


def _is_tag(language: str) -> bool:
    """Say whether a text looks like a language tag (RFC 5646 §2.1)."""
    parts = language.split("-")
    return all(part.isascii() and part.isalnum() and len(part) <= 8 for part in parts)


def _check(member: ClientMember, name: str, value: object) -> Any:
    try:
        return TypeAdapter(member.type).validate_python(value, strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        where = "".join(f"[{part!r}]" for part in problem["loc"])
        raise InvalidClientMetadata(f"{name}{where}: {problem['msg']}", member.error) from None
