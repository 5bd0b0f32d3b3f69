"""The client metadata that this room understands (RFC 7591 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import hookimpl
from portula.plugin import ClientMember

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members; the rules on what they may be are in `registration`."""
    return [
        ClientMember("redirect_uris", list[str], field="redirect_uris", error="invalid_redirect_uri"),
        ClientMember(
            "token_endpoint_auth_method",
            Literal[tuple(provider.client_auth_methods)],
            field="token_endpoint_auth_method",
        ),
        ClientMember("grant_types", list[str], field="grant_types"),
        ClientMember("response_types", list[str]),
        ClientMember("client_name", str, field="name", localized=True),
        ClientMember("client_uri", str, localized=True),
        ClientMember("logo_uri", str, localized=True),
        ClientMember("policy_uri", str, localized=True),
        ClientMember("tos_uri", str, localized=True),
        ClientMember("scope", str, field="scope"),
        ClientMember("contacts", list[str]),
        ClientMember("software_id", str),
        ClientMember("software_version", str),
        ClientMember("application_type", Literal["web", "native"], field="application_type"),
    ]
