"""The client metadata of logout, and what it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ClientMember, origin_of, redirect_uri_problem
from portula_logout import metadata

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, ClientRegistration

BACKCHANNEL_URI = "backchannel_logout_uri"
FRONTCHANNEL_URI = "frontchannel_logout_uri"


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members for what is on."""
    found: list[ClientMember] = []
    if metadata.rp_initiated(provider):
        found.append(ClientMember("post_logout_redirect_uris", list[str], field="post_logout_redirect_uris"))
    if metadata.back_channel(provider):
        found += [ClientMember(BACKCHANNEL_URI), ClientMember("backchannel_logout_session_required", bool)]
    if metadata.front_channel(provider):
        found += [ClientMember(FRONTCHANNEL_URI), ClientMember("frontchannel_logout_session_required", bool)]
    return found


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse addresses that nobody may be sent to.

    Raises:
        InvalidClientMetadata: names the member and what is wrong.
    """
    if metadata.back_channel(registration.provider):
        _check_address(registration.application, BACKCHANNEL_URI, ("https",))
    if metadata.front_channel(registration.provider):
        _check_address(registration.application, FRONTCHANNEL_URI, ("https", "http"))
        uri = registration.application.metadata.get(FRONTCHANNEL_URI)
        if uri and origin_of(uri) not in map(origin_of, registration.application.redirect_uris):
            raise InvalidClientMetadata(f"{FRONTCHANNEL_URI} has another origin than the redirect URIs")


def _check_address(application: Application, member: str, schemes: tuple[str, ...]) -> None:
    """Let an address be an absolute URL without fragment (Back-Channel Logout §2.2, Front-Channel Logout §2)."""
    if member not in application.metadata:
        return
    uri = application.metadata[member]
    problem = redirect_uri_problem(uri, schemes) if isinstance(uri, str) else "is no address"
    if problem is None and origin_of(uri) is None:
        problem = "is no https address"
    if problem:
        raise InvalidClientMetadata(f"{member} {problem}")
