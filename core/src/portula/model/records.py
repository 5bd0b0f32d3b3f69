"""Record types, and the records of core: immutable values, no SQL, no Flask.

A record is a frozen dataclass; a RecordType says which of its fields are unique keys, which are looked up, and
when it expires. Times are Unix seconds, UTC. Tokens, codes and secrets appear as digests only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, ClassVar

from portula.model.uris import origin_matches, redirect_uri_matches

SELF_REGISTERED = "self_registered"
"""The member of a client's metadata that says who registered it; see `ApplicationPolicy.is_self_registered`."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """How one kind of record is kept. A room adds its own with `portula_records`."""

    name: str
    """Name in settings, table names and reports, e.g. `access_token`."""
    cls: type[Any]
    """The frozen dataclass. Fields may be str, int, bool, each `| None`, tuple[str, ...] or dict[str, Any]."""
    keys: tuple[str, ...]
    """Fields unique by themselves, within a realm where there are realms; the first is the primary key."""
    indexes: tuple[str, ...] = ()
    """Fields that may be searched although not unique."""
    expires: str | None = None
    """Field with the Unix second after which `purge` may delete; a None value there never expires."""
    orders: tuple[tuple[str, ...], ...] = ()
    """What `Store.walk` goes along: the field that gives the order comes last, before it those that are compared."""
    text: tuple[str, ...] = ()
    """Fields of unbounded length; every other str field holds at most 255 characters."""
    replaces: type[Any] | None = None
    """The class that rooms ask for, where `cls` is a deployment's own that took its place (`portula.host.models`)."""
    model: type[Any] | None = None
    """The class of a storage's own that `cls` was derived from, e.g. a mapped class of SQLAlchemy."""
    surrogate: bool = False
    """Whether two realms may have records of one primary key: a name, and no digest or random identifier."""

    @property
    def in_realm(self) -> bool:
        """Whether each record belongs to a realm: its class has a field `realm`, and so has the model if there is one.

        `portula.model.storage.Storage` fills it in and compares it, so that rooms have nothing to do.
        """
        fields = self.cls.__dataclass_fields__
        return "realm" in fields and (self.model is None or hasattr(self.model, "realm"))

    def check_order(self, by: str, where: Mapping[str, object]) -> None:
        """Refuse what `Store.walk` has no order for; ValueError."""
        names = (*(name for name in where if name != "realm" or not self.in_realm), by)
        if names not in ((self.keys[0],), *self.orders):
            raise ValueError(f"{self.name}: there is no order {', '.join(names)}")


class ApplicationPolicy:
    """What a client may do, as questions. Subclass to change an answer, with any storage.

    The names are those of django-oauth-toolkit's AbstractApplication. An answer that differs from what is registered is
    a method here; only `skip_authorization`, which is a field there, may be a property or a method of the same name.
    """

    __slots__ = ()

    _skip_authorization: ClassVar[property | FunctionType | None] = None
    """What a subclass defined under the name of the field; aside, so that the field keeps what is registered."""

    client_id: str
    client_type: str
    grant_types: tuple[str, ...]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    application_type: str
    skip_authorization: bool
    disabled: bool
    metadata: dict[str, Any]

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Take note of a `skip_authorization` that is computed."""
        if isinstance(computed := vars(cls).get("skip_authorization"), property | FunctionType):
            cls._skip_authorization = computed
            del cls.skip_authorization
        super().__init_subclass__(**arguments)

    def skips_authorization(self, request: object) -> bool:
        """Say whether people are not asked for this client: by the subclass's `skip_authorization`, or the field.

        Called with the request if it is a method. Inside, `self.skip_authorization` is what is registered.
        """
        computed = type(self)._skip_authorization  # noqa: SLF001 - through self a property would be asked at once
        if isinstance(computed, property):
            return bool(computed.__get__(self))
        return self.skip_authorization if computed is None else bool(computed(self, request))

    @property
    def default_redirect_uri(self) -> str | None:
        """The only registered redirect URI; None when there are several (RFC 6749 §3.1.2.3)."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    @property
    def is_self_registered(self) -> bool:
        """Whether software registered the client itself, so that nobody vouches for what it says (RFC 7591 §5)."""
        return self.metadata.get(SELF_REGISTERED) is True

    def is_usable(self, request: object) -> bool:
        """Say whether the client may be used at all for this request."""
        return not self.disabled

    def allows_grant_type(self, *grant_types: str) -> bool:
        """Say whether one of these grant types is registered for the client."""
        return not set(grant_types).isdisjoint(self.grant_types)

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Compare exactly; native clients may use any port on 127.0.0.1 and [::1] (RFC 8252 §7.3)."""
        native = self.application_type == "native"
        return any(redirect_uri_matches(known, uri, native=native) for known in self.redirect_uris)

    def post_logout_redirect_uri_allowed(self, uri: str) -> bool:
        """Compare exactly with the registered post-logout redirect URIs."""
        return uri in self.post_logout_redirect_uris

    def origin_allowed(self, origin: str) -> bool:
        """Say whether a browser page of this origin may call the token endpoint (CORS)."""
        registered = (*self.allowed_origins, *self.redirect_uris)
        return origin in self.allowed_origins or any(origin_matches(known, origin) for known in registered)

    def get_allowed_schemes(self) -> tuple[str, ...] | None:
        """Schemes this client's redirect URIs may have; None means ALLOWED_REDIRECT_URI_SCHEMES."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(ApplicationPolicy):
    """A client (RFC 6749 §2), named as django-oauth-toolkit names it."""

    client_id: str
    realm: str = ""
    """Whose clients it is of (REALM, CLIENTS_SHARED); the storage says it, in this and every other record."""
    name: str = ""
    client_type: str = "confidential"
    """`confidential` or `public` (RFC 6749 §2.1)."""
    grant_types: tuple[str, ...] = ()
    """Grant type names as on the wire, e.g. `authorization_code`."""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    secret_hashes: tuple[str, ...] = field(default=(), repr=False)
    """Live secrets as the secret_hasher slot wrote them; two while one is being replaced."""
    token_endpoint_auth_method: str | None = None
    """RFC 7591 §2; None lets a confidential client use any method it holds credentials for."""
    application_type: str = "web"
    """`web` or `native` (OpenID Connect Registration §2)."""
    scope: str | None = None
    """Space-separated scopes this client may ask for; None means all of the scopes backend."""
    require_pkce: bool | None = None
    """Overrides PKCE_REQUIRED for this client; public clients need PKCE in any case."""
    skip_authorization: bool = False
    algorithm: str = ""
    user: str | None = None
    """Subject of the owner, if any."""
    disabled: bool = False
    created_at: int = 0
    updated_at: int = 0
    version: int = 0
    """Counts changes, from a random number on: who saves a client changes the version that was read, or nothing."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Further client metadata (RFC 7591 §2), contributed and read by the rooms that understand it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What a person allowed a client, once: codes, access tokens and the refresh token point to it.

    Revoking it ends all of them; nothing is copied to what it points to but what a check reads with one row.
    """

    id: str
    """32 hexadecimal digits, random."""
    realm: str = ""
    client_id: str
    subject: str
    scope: str
    """Space-separated scopes that were granted; a token of it may have fewer (RFC 6749 §6)."""
    issued_at: int
    sid: str | None = None
    """Login session in which it was granted, if the login keeps sessions."""
    auth_time: int | None = None
    """When the person had signed in, Unix seconds; None where nobody sat at a browser (RFC 6749 §4.3)."""
    amr: tuple[str, ...] = ()
    """How the person had signed in (RFC 8176)."""
    resources: tuple[str, ...] = ()
    """Resources it may be used at (RFC 8707 §2); empty for any."""
    confirmation: dict[str, Any] = field(default_factory=dict)
    """Key or certificate that tokens are bound to (RFC 7800 §3.1, `cnf`); empty for bearer tokens."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What rooms remember of the authorization request, each under its own name."""
    revoked_at: int | None = None
    expires_at: int | None = None
    """When the last thing that points to it ends, and it may be purged; None for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An authorization code (RFC 6749 §4.1.2): taken once, then kept so that a replay is found out."""

    digest: str
    realm: str = ""
    authorization: str
    client_id: str
    subject: str
    scope: str
    issued_at: int
    expires_at: int  # once it is taken: that of the access token that was issued for it
    redirect_uri: str | None = None
    """As the authorization request sent it; None when it was left out."""
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    taken_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token (RFC 6749 §1.4)."""

    digest: str
    realm: str = ""
    client_id: str
    scope: str
    issued_at: int
    expires_at: int
    authorization: str | None = None
    """Identifier of the authorization it is of; None for tokens of the client itself (client credentials)."""
    subject: str | None = None
    """None for tokens of the client itself."""
    audience: tuple[str, ...] = ()
    """Whom the token is for (RFC 7662 §2.2, `aud`); empty for anybody."""
    confirmation: dict[str, Any] = field(default_factory=dict)
    """Key or certificate that the token is bound to (RFC 7800 §3.1, `cnf`); empty for a bearer token."""
    revoked_at: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    """What this token alone says besides, by claim (`Issue.claims`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """The refresh token of an authorization (RFC 6749 §1.5): one record, however often it is rotated."""

    authorization: str
    digest: str
    """Of the value that counts now."""
    realm: str = ""
    client_id: str
    subject: str
    scope: str
    issued_at: int
    expires_at: int | None = None
    generation: int = 0
    """How many rotations lie before the value that counts now."""
    previous: str | None = None
    """Digest of the value before it; whoever presents that again gets `sealed`, or ends the authorization."""
    rotated_at: int | None = None
    sealed: str | None = field(default=None, repr=False)
    """The answer to the last rotation, under a key made of SECRET_KEYS and the previous value; for the grace period."""
    access_digest: str | None = None
    """Of the access token that was given with it, which the next refresh ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersededRefreshToken:
    """A refresh token that was rotated, where a generator of the deployment's own makes its whole value.

    Values that portula makes name their authorization, so none of them is kept.
    """

    digest: str
    realm: str = ""
    authorization: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IDToken:
    """An ID token that was issued (OpenID Connect Core §2), for a room that keeps them."""

    digest: str
    """Keyed digest of its `jti`."""
    realm: str = ""
    client_id: str
    subject: str
    scope: str
    issued_at: int
    expires_at: int
    authorization: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Anything small and short-lived a room keeps: a new feature needs no migration."""

    digest: str
    """Keyed digest of kind, issuer, realm and key."""
    realm: str = ""
    kind: str
    payload: dict[str, Any]
    issued_at: int
    client_id: str | None = None
    family: str | None = None
    """A digest that joins artifacts found together, e.g. all consents of one subject."""
    subject: str | None = None
    """The person whom it is about, where `People.find_along` shall read them together with it."""
    expires_at: int | None = None
    taken_at: int | None = None
    version: int = 0
    """Counts changes, for a room whose changes depend on what was read."""


BY_TIME: tuple[tuple[str, ...], ...] = (
    ("issued_at",),
    ("subject", "issued_at"),
    ("client_id", "issued_at"),
)
"""How people look for what was issued: the newest first, of everybody, of one person, of one client."""

CORE_RECORDS: tuple[RecordType, ...] = (
    RecordType(
        "application",
        Application,
        keys=("client_id",),
        indexes=("user",),
        orders=(("created_at",), ("name",)),
        text=("scope",),
        surrogate=True,
    ),
    RecordType(
        "authorization",
        Authorization,
        keys=("id",),
        indexes=("subject", "sid"),
        expires="expires_at",
        orders=BY_TIME,
        text=("scope",),
    ),
    RecordType(
        "grant",
        Grant,
        keys=("digest",),
        indexes=("authorization", "subject"),
        expires="expires_at",
        orders=BY_TIME,
        text=("scope", "redirect_uri"),
    ),
    RecordType(
        "access_token",
        AccessToken,
        keys=("digest",),
        indexes=("authorization", "subject"),
        expires="expires_at",
        orders=(*BY_TIME, ("expires_at",), ("revoked_at",)),
        text=("scope",),
    ),
    RecordType(
        "refresh_token",
        RefreshToken,
        keys=("authorization", "digest"),
        indexes=("subject",),
        expires="expires_at",
        orders=(*BY_TIME, ("expires_at",)),
        text=("scope", "sealed"),
    ),
    RecordType(
        "superseded_refresh_token",
        SupersededRefreshToken,
        keys=("digest",),
        indexes=("authorization",),
        expires="expires_at",
    ),
    RecordType("artifact", Artifact, keys=("digest",), indexes=("family",), expires="expires_at"),
)

ID_TOKEN_RECORD = RecordType(
    "id_token",
    IDToken,
    keys=("digest",),
    indexes=("authorization", "subject"),
    expires="expires_at",
    orders=BY_TIME,
    text=("scope",),
)
"""Kept only where a room contributes it with `portula_records`: none of ours needs to."""
