"""From an HTTP message to an oauthlib request: parsed once, strictly, before oauthlib sees it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote_plus

from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from portula.model.http import Message
from portula.model.records import Application

if TYPE_CHECKING:
    from portula.flow.exchange import Exchange

REPEATABLE = frozenset({"resource", "audience"})
"""Parameters that may stand more than once (RFC 8707 §2, RFC 8693 §2.1)."""

OAUTHLIB_STATE = frozenset({"client", "user", "scopes", "extra_credentials", "request_token", "exchange"})
"""Names under which oauthlib and we keep state on the request: dropped from the wire."""

MAX_PARAMETERS = 64

CLIENT_ADDRESS = "Portula-Client-Address"
"""Header in which the backend tells validators the peer's address; never read from the wire."""

ISSUER = "Portula-Issuer"
"""Header in which the backend tells validators the issuer of this request; never read from the wire."""

FORM = "application/x-www-form-urlencoded"

IMPLICIT = "implicit"
"""Grant type of clients that are answered with tokens in the redirect (RFC 7591 §2); no request names it."""

Pairs = list[tuple[str, str]]


class OAuthRequest(Request):  # type: ignore[misc]
    """oauthlib's request, made of pairs that were parsed before."""

    client: Application | None
    client_id: str | None
    user: str | None
    scopes: list[str] | None
    grant_type: str | None
    expires_in: int
    response_type: str | None
    response_mode: str | None
    redirect_uri: str | None
    state: str | None
    body: dict[str, str]
    """The parameters; of one that stands more than once the last."""
    decoded_body: list[tuple[str, str]]
    """All of them, in order."""

    exchange: Exchange
    """What it belongs to; set by who makes the exchange."""

    def __init__(
        self,
        uri: str,
        http_method: str = "POST",
        body: Sequence[tuple[str, str]] | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take pairs that were parsed before; oauthlib parses nothing again."""
        super().__init__("", http_method, None, headers or {}, encoding=None)
        self.uri = uri
        fill(self, list(body.items()) if isinstance(body, Mapping) else body or ())

    @property
    def duplicate_params(self) -> list[str]:
        """The names that stand more than once, for which oauthlib's grants look again and again."""
        if len(self.body) == len(self.decoded_body) and "?" not in self.uri:
            return []
        return cast("list[str]", super().duplicate_params)

    def __getattr__(self, name: str) -> Any:
        """Return None for a parameter that was not sent."""
        if name.startswith("_") or name == "exchange":
            raise AttributeError(name)
        return None


def fill(request: OAuthRequest, given: Sequence[tuple[str, str]]) -> None:
    """Give a request without parameters those that were parsed of it."""
    pairs = [pair for pair in map(_with_single_spaces, given) if pair[1]]
    request.body = dict(pairs)
    request.decoded_body = pairs
    own = request.__dict__
    for name, value in pairs:
        if name not in own and not hasattr(Request, name) and not name.startswith("_"):
            own[name] = value


def _with_single_spaces(pair: tuple[str, str]) -> tuple[str, str]:
    """Return a parameter; the names in `scope` one space apart (RFC 6749 §3.3), where clients send more."""
    name, value = pair
    return (name, " ".join(filter(None, value.split(" ")))) if name == "scope" else pair


class RepeatedParameter(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """Parameters stand more than once (RFC 6749 §3.1)."""

    def __init__(self, pairs: Pairs, repeated: AbstractSet[str], description: str) -> None:
        """Take all parameters, and the names of those that stand more than once."""
        super().__init__(description=description)
        self.pairs = [pair for pair in pairs if pair[0] not in repeated]
        self.repeated = repeated


def request_of(message: Message, issuer: str, pairs: Pairs | None = None) -> OAuthRequest:
    """Return a message as oauthlib judges it: the one header that it reads, and what validators are told beside it."""
    headers = {CLIENT_ADDRESS: message.client_address, ISSUER: issuer}
    if "authorization" in message.headers:
        headers["Authorization"] = message.headers["authorization"]
    return OAuthRequest(message.path, message.method, pairs, headers)


def issuer_of(request: OAuthRequest) -> str:
    """Return the issuer by whose name a request is answered."""
    issuer: str = request.headers[ISSUER]
    return issuer


def parse_form(message: Message) -> Pairs:
    """Return the parameters of a POST body (RFC 6749 §3.2); the query string is not listened to.

    Raises:
        InvalidRequestError: wrong content type, encoding, repetition or size.
    """
    if message.media_type != FORM and (message.body or message.media_type):
        raise InvalidRequestError(description=f"The body must be {FORM}.")
    pairs = parse_pairs(message.body)
    if message.query:
        names = {name for name, _ in pairs}
        if any(name in names for name, _ in parse_pairs(message.query.encode("latin-1", "replace"))):
            raise InvalidRequestError(description="A parameter stands in both the query and the body.")
    return pairs


def parse_pairs(raw: bytes) -> Pairs:
    """Parse form-encoded bytes. Empty values count as absent (RFC 6749 §3.1).

    Raises:
        InvalidRequestError: not UTF-8, NUL, too many parameters; a `RepeatedParameter` for a repeated name.
    """
    if not raw:
        return []
    try:
        text = raw.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeDecodeError:
        raise InvalidRequestError(description="Parameters must be percent-encoded UTF-8.") from None
    except ValueError:
        raise InvalidRequestError(description=f"At most {MAX_PARAMETERS} parameters are read.") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise InvalidRequestError(description="A parameter contains NUL.")
    kept = [(name, value) for name, value in pairs if value and name not in OAUTHLIB_STATE]
    names = [name for name, _ in pairs if name not in REPEATABLE]
    if len(set(names)) < len(names):
        repeated = {name for name in names if names.count(name) > 1}
        first = next(name for name in names if name in repeated)
        raise RepeatedParameter(kept, repeated, f"The parameter {printable(first)} is repeated.")
    return kept


def printable(text: str) -> str:
    """Return text in the characters that an error_description may have (RFC 6749 §5.2), shortened.

    `§` becomes the word `section`, and three dots in one become three; what has no word becomes `?`.
    """
    spelt = text.replace("§", "section ").replace("…", "...")
    kept = "".join(
        character if " " <= character <= "~" and character not in '"\\' else "?" for character in spelt
    )
    return kept if len(kept) <= 200 else f"{kept[:200]}..."


def sorted_response_type(value: str) -> str:
    """Put the words of a response_type in order: their order has no meaning (RFC 6749 §3.1.1)."""
    return " ".join(sorted(value.split()))


def in_front_channel(response_type: str) -> bool:
    """Say whether a response type answers with tokens in the redirect (OAuth 2.0 Multiple Response Types §5)."""
    return not {"token", "id_token"}.isdisjoint(response_type.split())


def grant_types_needed(response_type: str) -> set[str]:
    """Return the grant types a client must have for a response type (OpenID Connect Registration §2)."""
    needed = {"authorization_code"} if "code" in response_type.split() else set()
    return needed | ({IMPLICIT} if in_front_channel(response_type) else set())


def basic_credentials(header: str) -> list[tuple[str, str]] | None:
    """Return the candidate (client_id, client_secret) pairs of a Basic header (RFC 6749 §2.3.1).

    The form-decoded pair first, then the raw one that many clients send; None when the header is not Basic at all,
    an empty list when it is malformed.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # it is not ASCII, not base64 or not UTF-8
        return []
    try:
        decoded = (unquote_plus(user, errors="strict"), unquote_plus(password, errors="strict"))
    except UnicodeDecodeError:
        decoded = (user, password)
    if not colon or "\0" in "".join(decoded):
        return []
    return [decoded] if decoded == (user, password) else [decoded, (user, password)]


def basic_credentials_of(request: OAuthRequest) -> list[tuple[str, str]] | None:
    """Return what `basic_credentials` makes of a request's Authorization header, which is parsed once."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    own = request.__dict__  # no parameter has a name that begins with an underscore there
    if own.get("_basic", (None,))[0] != header:
        own["_basic"] = (header, basic_credentials(header))
    presented: list[tuple[str, str]] | None = own["_basic"][1]
    return presented
