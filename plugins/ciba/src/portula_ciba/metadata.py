"""Server metadata of backchannel authentication (CIBA Core §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_ciba.endpoint import PATH
from portula_ciba.registration import takes_user_codes
from portula_ciba.settings import CibaSettings, is_on

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata."""
    if not is_on(provider):
        return {}
    settings = provider.settings(CibaSettings)
    return {
        "backchannel_authentication_endpoint": PATH,
        "backchannel_token_delivery_modes_supported": list(settings.CIBA_DELIVERY_MODES),
        "backchannel_authentication_request_signing_alg_values_supported": list(
            settings.CIBA_REQUEST_SIGNING_ALGS
        ),
        "backchannel_user_code_parameter_supported": takes_user_codes(provider),
    }
