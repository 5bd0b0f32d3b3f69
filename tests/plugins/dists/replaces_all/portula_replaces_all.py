"""Replaces every class and generator that a setting of django-oauth-toolkit can name.

Each replacement does one thing that is seen from outside. The tests name the same objects in settings.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from portula import OAuth2Validator, hookimpl
from portula.plugin import (
    ID_TOKEN_RECORD,
    AccessToken,
    Application,
    Backend,
    Grant,
    HashGenerator,
    IDToken,
    RecordType,
    RefreshToken,
    ScopesBackend,
    Server,
)
from portula_admin.clients import ApplicationAdmin
from portula_admin.tokens import AccessTokenAdmin, GrantAdmin, IDTokenAdmin, RefreshTokenAdmin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portula import Provider
    from portula.plugin import Answer, Message


class ClientIds(HashGenerator):
    """Identifiers that begin with `own-`."""

    def hash(self) -> str:
        return f"own-{secrets.token_hex(16)}"


class ClientSecrets(HashGenerator):
    """Secrets that begin with `own-`."""

    def hash(self) -> str:
        return f"own-{secrets.token_urlsafe(48)}"


def access_token(request: Any) -> str:
    return f"own-at-{secrets.token_urlsafe(32)}"


def refresh_token(request: Any) -> str:
    return f"own-rt-{secrets.token_urlsafe(32)}"


class Scopes(ScopesBackend):
    """One scope, `own`."""

    def get_all_scopes(self) -> Mapping[str, str]:
        return {"own": "A scope of one's own"}

    def get_available_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        return ["own"]

    def get_default_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        return ["own"]


class Validator(OAuth2Validator):
    """Lets access tokens live a second longer than the rooms say."""

    def access_token_lifetime(self, request: Any) -> int:
        return super().access_token_lifetime(request) + 1


class OwnServer(Server):
    """Says in a header that it served."""

    def create_token_response(self, *args: Any, **kwargs: Any) -> Any:
        headers, body, status = super().create_token_response(*args, **kwargs)
        return {**headers, "X-Server": "own"}, body, status


class OwnBackend(Backend):
    """Says in a header that it answered."""

    def create_token_response(self, message: Message) -> Answer:
        return super().create_token_response(message).with_headers({"X-Backend": "own"})


class Client(Application):
    """Is of no use when its name says so."""

    __slots__ = ()

    def is_usable(self, request: object) -> bool:
        return self.name != "closed" and super().is_usable(request)


class Code(Grant):
    """An authorization code."""

    __slots__ = ()


class OwnAccessToken(AccessToken):
    """An access token."""

    __slots__ = ()


class OwnRefreshToken(RefreshToken):
    """A refresh token."""

    __slots__ = ()


class OwnIDToken(IDToken):
    """An ID token."""

    __slots__ = ()


class Clients(ApplicationAdmin):
    title_plural = "Own clients"


class AccessTokens(AccessTokenAdmin):
    title_plural = "Own access tokens"


class RefreshTokens(RefreshTokenAdmin):
    title_plural = "Own refresh tokens"


class Codes(GrantAdmin):
    title_plural = "Own codes"


class IDTokens(IDTokenAdmin):
    title_plural = "Own ID tokens"


@hookimpl
def portula_records(provider: Provider) -> Sequence[RecordType]:
    """Keep a place for ID tokens, which has a model and a page."""
    return [ID_TOKEN_RECORD]


ANSWERS: Mapping[str, Any] = {
    "client_id_generator": ClientIds(),
    "client_secret_generator": ClientSecrets(),
    "access_token_generator": access_token,
    "refresh_token_generator": refresh_token,
    "scopes_backend": Scopes(),
    "validator_class": Validator,
    "server_class": OwnServer,
    "backend_class": OwnBackend,
    "application_model": Client,
    "grant_model": Code,
    "access_token_model": OwnAccessToken,
    "refresh_token_model": OwnRefreshToken,
    "id_token_model": OwnIDToken,
    "application_admin_class": Clients,
    "access_token_admin_class": AccessTokens,
    "refresh_token_admin_class": RefreshTokens,
    "grant_admin_class": Codes,
    "id_token_admin_class": IDTokens,
}
"""What this plugin answers, by slot."""


def _answering(slot: str) -> Any:
    def answer(provider: Provider) -> Any:
        return ANSWERS[slot]

    answer.__name__ = answer.__qualname__ = f"portula_{slot}"
    return hookimpl(answer)


globals().update({f"portula_{slot}": _answering(slot) for slot in ANSWERS})
