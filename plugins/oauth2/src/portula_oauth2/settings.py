"""Settings of OAuth 2.0 itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar, cast

from oauthlib.oauth2.rfc6749.endpoints import TokenEndpoint
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, StrictBool, TypeAdapter, field_validator

from portula import OAuth2Validator
from portula.errors import HookFailed
from portula.plugin import (
    FORBIDDEN_SCHEMES,
    AnswersSlot,
    Backend,
    Server,
    StandAlone,
    sorted_response_type,
    subclass_of,
)

V = TypeVar("V")

MAX_CODE_SECONDS = 600
"""RFC 6749 §4.1.2: ten minutes at the most."""

Lifetime = PositiveInt | Annotated[timedelta, Field(ge=timedelta(seconds=1))]
CodeSeconds = Annotated[int, Field(ge=1, le=MAX_CODE_SECONDS)]
GraceSeconds = Annotated[int, Field(ge=0, le=3600)]
PerRequest = Callable[[Any], Any]
"""Is given oauthlib's request, and returns what could stand in its place; anything else refuses the request."""

_LIFETIME: TypeAdapter[int | timedelta] = TypeAdapter(Lifetime)
_LIFETIME_OR_NONE: TypeAdapter[int | timedelta | None] = TypeAdapter(Lifetime | None)
_CODE: TypeAdapter[int] = TypeAdapter(CodeSeconds)
_GRACE: TypeAdapter[int] = TypeAdapter(GraceSeconds)
_BOOL: TypeAdapter[bool] = TypeAdapter(StrictBool)


class OAuth2Settings(BaseModel):
    """Lifetimes, PKCE, redirect URIs, refresh tokens, and the classes that may be replaced."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    ACCESS_TOKEN_EXPIRE_SECONDS: Lifetime | PerRequest = 36000
    """Seconds an access token lives, as a number or a timedelta, or a callable that is given the request."""

    AUTHORIZATION_CODE_EXPIRE_SECONDS: CodeSeconds | PerRequest = 60
    """Seconds a code may be redeemed, at most 600 (RFC 6749 §4.1.2), or a callable that is given the request."""

    REFRESH_TOKEN_EXPIRE_SECONDS: Lifetime | PerRequest | None = None
    """Seconds a refresh token lives, as a number or a timedelta, or a callable that is given the request; None: without
    end. Enforced here; in django-oauth-toolkit it only says what `cleartokens` removes."""

    REFRESH_TOKEN_GRACE_PERIOD_SECONDS: Annotated[GraceSeconds | PerRequest, StandAlone(10)] = 0
    """Seconds in which a superseded refresh token may be used again, by a client that lost the answer or has several
    workers; or a callable that is given the request. It gets the same tokens again. 10 is the default under `portula
    serve`."""

    ROTATE_REFRESH_TOKEN: bool | PerRequest = True
    """Whether a refresh gives a new refresh token, or a callable that is given the request. Public clients always get a
    new one (RFC 9700 §2.2.2), which django-oauth-toolkit gives them only if this says so."""

    REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS: bool = False
    """Whether a refresh token is given only when the scope `offline_access` was granted (OpenID Connect Core §11)."""

    PKCE_REQUIRED: bool | Literal["public", "or_nonce"] | Callable[[str], bool] = True
    """Whether the code flow needs PKCE (RFC 7636): True, False, `public`, or a callable that is given the client_id.
    `or_nonce`: unless an OpenID Connect request has a nonce, which its client has to check (RFC 9700 §2.1.1).
    A client's own `require_pkce` overrides it. Public clients always need PKCE, in django-oauth-toolkit only if this
    says so."""

    IGNORE_UNKNOWN_SCOPES: bool | Literal["openid"] = "openid"
    """Whether scopes that nobody here knows are left out of a request (RFC 6749 §3.3). `openid`: of one with the scope
    openid (OpenID Connect Core §3.1.2.1). A request that is refused for them is told their names."""

    CODE_CHALLENGE_METHODS: tuple[Literal["S256", "plain"], ...] = Field(default=("S256",), min_length=1)
    """Allowed values of code_challenge_method."""

    TOKEN_REQUEST_REDIRECT_URI_REQUIRED: bool = True
    """Whether a code that was sent to a redirect URI which its request named is redeemed by naming that again (RFC 6749
    §4.1.3). False: one with a code_challenge is redeemed without (OAuth 2.1 §10.2). Where one is named, it has to be
    the same in any case."""

    ALLOWED_REDIRECT_URI_SCHEMES: tuple[str, ...] = ("http", "https")
    """Schemes a redirect URI may have. With http only loopback hosts go, in django-oauth-toolkit all."""

    ALLOW_LOCALHOST_LOOPBACK: bool = False
    """Whether native clients may use any port on `localhost`, as they may on 127.0.0.1 and [::1] (RFC 8252 §7.3). It is
    a name, which may lead elsewhere (§8.3)."""

    ALLOWED_SCHEMES: tuple[str, ...] = ("https",)
    """Schemes of a client's allowed_origins: `https`, or that of an app's web view, e.g. `capacitor`."""

    REQUEST_APPROVAL_PROMPT: Literal["force", "auto"] = "force"
    """`force` asks for consent each time, `auto` not when the person allowed the same before. A client's
    approval_prompt can only make it stricter, where django-oauth-toolkit lets it say `auto` too."""

    PASSWORD_GRANT_ENABLED: bool = False
    """Whether clients registered for the grant type `password` may use it (RFC 9700 §2.4 says no)."""

    IMPLICIT_GRANT_ENABLED: bool = False
    """Whether access tokens may be sent in the redirect, to clients registered for the grant type `implicit`: the
    response types `token`, `id_token token`, `code token` and `code id_token token` (RFC 9700 §2.1.2 says no). False
    leaves them out whatever OIDC_RESPONSE_TYPES_SUPPORTED lists."""

    OIDC_RESPONSE_TYPES_SUPPORTED: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Response types that are advertised and answered; those with an access token need IMPLICIT_GRANT_ENABLED as well.
    None: all that installed plugins contribute. A list, which django-oauth-toolkit only advertises, excludes all
    others."""

    OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Ways in which clients may authenticate. None: all that installed plugins contribute. A list, which
    django-oauth-toolkit only advertises, excludes all others: without `none` it refuses public clients, without
    `private_key_jwt` those that authenticate by a key."""

    RESPONSE_MODES_SUPPORTED: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Response modes that are advertised and answered, such as `query` or `form_post`. None: all that installed plugins
    contribute. A request that names no mode has that of its response type, `query` or `fragment`."""

    SENDER_CONSTRAINED_TOKENS_REQUIRED: bool = False
    """Whether access tokens are given only when they are bound to a key or a certificate that the client proves (RFC
    9700 §2.2.1)."""

    EXTRA_SERVER_KWARGS: Mapping[str, Any] = Field(default_factory=dict)
    """Further keywords for the server class: token_expires_in (seconds, or a callable that is given the request),
    token_generator and refresh_token_generator (callables). They win over the settings of the same meaning."""

    OAUTH2_SERVER_CLASS: Annotated[
        Any,
        AnswersSlot(
            "server_class",
            subclass_of(Server, TokenEndpoint),
            ("oauthlib.oauth2.Server", "oauthlib.openid.Server"),
        ),
    ] = "oauthlib.oauth2.Server"
    """Import string or class with the interface of oauthlib's Server. The names of oauthlib's own two mean ours, which
    answers the grant types of all plugins."""

    OAUTH2_VALIDATOR_CLASS: Annotated[
        Any,
        AnswersSlot(
            "validator_class",
            subclass_of(OAuth2Validator),
            ("oauth2_provider.oauth2_validators.OAuth2Validator",),
        ),
    ] = "oauth2_provider.oauth2_validators.OAuth2Validator"
    """Import string or class, a subclass of `portula.OAuth2Validator`, that overrides single questions; the name of
    django-oauth-toolkit's means ours."""

    OAUTH2_BACKEND_CLASS: Annotated[
        Any,
        AnswersSlot("backend_class", subclass_of(Backend), ("oauth2_provider.oauth2_backends.OAuthLibCore",)),
    ] = "oauth2_provider.oauth2_backends.OAuthLibCore"
    """Import string or class, a subclass of `portula.plugin.Backend`; the name of django-oauth-toolkit's means
    ours."""

    @field_validator("OIDC_RESPONSE_TYPES_SUPPORTED")
    @classmethod
    def _words_in_order(cls, response_types: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return response_types and tuple(dict.fromkeys(map(sorted_response_type, response_types)))

    @field_validator("ALLOWED_REDIRECT_URI_SCHEMES", "ALLOWED_SCHEMES")
    @classmethod
    def _no_dangerous_scheme(cls, schemes: tuple[str, ...]) -> tuple[str, ...]:
        dangerous = FORBIDDEN_SCHEMES.intersection(scheme.lower() for scheme in schemes)
        if dangerous:
            raise ValueError(f"{', '.join(sorted(dangerous))} may never be redirected to")
        return tuple(scheme.lower() for scheme in schemes)

    @field_validator("EXTRA_SERVER_KWARGS")
    @classmethod
    def _no_token_without_a_life(cls, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
        seconds = keywords.get("token_expires_in")
        if seconds is not None and not callable(seconds) and (not isinstance(seconds, int) or seconds < 1):
            raise ValueError("token_expires_in is a whole number of seconds above 0, or a callable")
        return keywords

    def access_seconds(self, request: Any) -> int:
        """Return ACCESS_TOKEN_EXPIRE_SECONDS for a request.

        Raises:
            HookFailed: here and below, the callable raised, or returned what could not stand in the settings.
        """
        return _seconds(self._value("ACCESS_TOKEN_EXPIRE_SECONDS", _LIFETIME, request))

    def code_seconds(self, request: Any) -> int:
        """Return AUTHORIZATION_CODE_EXPIRE_SECONDS for a request."""
        return self._value("AUTHORIZATION_CODE_EXPIRE_SECONDS", _CODE, request)

    def refresh_seconds(self, request: Any) -> int | None:
        """Return REFRESH_TOKEN_EXPIRE_SECONDS for a request; None for never."""
        value = self._value("REFRESH_TOKEN_EXPIRE_SECONDS", _LIFETIME_OR_NONE, request)
        return None if value is None else _seconds(value)

    def grace_seconds(self, request: Any) -> int:
        """Return REFRESH_TOKEN_GRACE_PERIOD_SECONDS for a request."""
        return self._value("REFRESH_TOKEN_GRACE_PERIOD_SECONDS", _GRACE, request)

    def rotates(self, request: Any) -> bool:
        """Return ROTATE_REFRESH_TOKEN for a request."""
        return self._value("ROTATE_REFRESH_TOKEN", _BOOL, request)

    def _value(self, name: str, allowed: TypeAdapter[V], request: Any) -> V:
        value = getattr(self, name)
        if not callable(value):
            return cast("V", value)
        try:
            return allowed.validate_python(value(request))
        except Exception as error:
            raise HookFailed(f"{name}: the callable failed for this request: {error}") from error


def _seconds(value: int | timedelta) -> int:
    return int(value.total_seconds()) if isinstance(value, timedelta) else value
