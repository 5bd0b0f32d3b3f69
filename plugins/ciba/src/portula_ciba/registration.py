"""The client metadata of backchannel authentication (CIBA Core §4), and what it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ClientMember, origin_of, redirect_uri_problem
from portula_ciba.hooks import CibaHooks
from portula_ciba.settings import GRANT_TYPE, CibaSettings, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationServer, ClientRegistration

MODE = "backchannel_token_delivery_mode"
ENDPOINT = "backchannel_client_notification_endpoint"
SIGNING_ALG = "backchannel_authentication_request_signing_alg"
USER_CODE_PARAMETER = "backchannel_user_code_parameter"


def delivery_mode(client: Application) -> str:
    """Return how a client hears of an answer: it polls, unless it is registered otherwise."""
    return str(client.metadata.get(MODE, "poll"))


def takes_user_codes(provider: AuthorizationServer) -> bool:
    """Say whether somebody compares the codes of people."""
    return provider.hooks.ruling(CibaHooks.portula_ciba_user_code_verifier).answer is not None


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members that this room understands."""
    if not is_on(provider):
        return []
    settings = provider.settings(CibaSettings)
    return [
        ClientMember(MODE, Literal[settings.CIBA_DELIVERY_MODES]),
        ClientMember(ENDPOINT),
        ClientMember(SIGNING_ALG, Literal[settings.CIBA_REQUEST_SIGNING_ALGS]),
        ClientMember(USER_CODE_PARAMETER, bool),
    ]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse what does not fit together.

    Raises:
        InvalidClientMetadata: names the member and what is wrong.
    """
    provider, application = registration.provider, registration.application
    if not is_on(provider):
        return
    metadata, mode = application.metadata, delivery_mode(application)
    modes = provider.settings(CibaSettings).CIBA_DELIVERY_MODES
    if mode not in modes and GRANT_TYPE in application.grant_types:
        raise InvalidClientMetadata(f"{MODE} is one of {', '.join(modes)}")
    if mode == "ping" and ENDPOINT not in metadata:
        raise InvalidClientMetadata(f"{MODE} ping needs {ENDPOINT}")
    if ENDPOINT in metadata:
        _check_address(metadata[ENDPOINT])
    if metadata.get(USER_CODE_PARAMETER) and not takes_user_codes(provider):
        raise InvalidClientMetadata(f"{USER_CODE_PARAMETER}: nobody here compares user codes")


def _check_address(uri: object) -> None:
    """Let the address be an https URL without a fragment (§4)."""
    problem = redirect_uri_problem(uri, ("https",)) if isinstance(uri, str) else "is no address"
    if problem is None and origin_of(str(uri)) is None:
        problem = "is no https address"
    if problem:
        raise InvalidClientMetadata(f"{ENDPOINT} {problem}")
