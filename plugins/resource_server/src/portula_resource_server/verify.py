"""Chooses how tokens are checked: by the keys of an issuer, by introspection elsewhere, or by the provider here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import EmptySlot
from portula.plugin import IntrospectionResponse
from portula_resource_server.hooks import ResourceServerHooks
from portula_resource_server.jwt_tokens import JwtVerifier
from portula_resource_server.settings import ResourceServerSettings
from portula_resource_server.tokens import TokenVerifier, VerifiedToken

if TYPE_CHECKING:
    from portula import Provider


def verifier_of(provider: Provider) -> TokenVerifier:
    """Return what answers the slot.

    Raises:
        EmptySlot: nothing does.
    """
    verifier = provider.hooks.ruling(ResourceServerHooks.portula_token_verifier).answer
    if verifier is None:
        remedy = provider.hooks.remedy(Plugin.portula_backend_class)
        raise EmptySlot(
            "slot 'token_verifier': nothing answers; set RESOURCE_SERVER_INTROSPECTION_URL or RESOURCE_SERVER_ISSUER, "
            f"or let the provider here answer, by the slot 'backend_class': {remedy}"
        )
    return verifier


def named_scope(provider: Provider, setting: str) -> str:
    """Return the scope that READ_SCOPE or WRITE_SCOPE names: whichever plugin has the setting; else DOT's default."""
    return str(provider.all_settings.value(setting, setting.partition("_")[0].lower()))


def choose(provider: Provider) -> TokenVerifier | None:
    """Return our verifier, None when there is neither an issuer, nor a URL, nor a provider that issues tokens."""
    settings, introspected = provider.settings(ResourceServerSettings), None
    if settings.RESOURCE_SERVER_INTROSPECTION_URL is not None:
        from portula_resource_server.remote import remote_verifier  # httpx only where it is used

        introspected = remote_verifier(provider, settings)
    if settings.RESOURCE_SERVER_ISSUER is not None:
        return JwtVerifier(provider, introspected)
    if introspected is not None:
        return introspected
    return _local(provider) if provider.hooks.ruling(Plugin.portula_backend_class).winner else None


def _local(provider: Provider) -> TokenVerifier:
    """Ask the validator, whose rules on live tokens are the only ones."""

    def verify(token: str) -> VerifiedToken | None:
        live = provider.validator.find_live_access_token(token)
        if live is None:
            return None
        found, under = live.token, live.authorization
        # Without a person it is in the name of the client whose token it was made of (RFC 8693).
        subject = found.subject or (under.client_id if under is not None else None)
        members = {
            "active": True,
            "scope": found.scope,
            "client_id": found.client_id,
            "token_type": provider.token_presentations.token_type(found.confirmation),
            "exp": found.expires_at,
            "iat": found.issued_at,
            **({"sub": subject} if subject is not None else {}),
            **({"cnf": found.confirmation} if found.confirmation else {}),
            **({"aud": list(found.audience)} if found.audience else {}),
        }
        answer = IntrospectionResponse(
            provider=provider, token=found, authorization=live.authorization, response=members
        )
        found_here = VerifiedToken.of(provider.hooks.enrich(Plugin.portula_introspection_response, answer))
        return replace(found_here, client=live.client)

    return verify
