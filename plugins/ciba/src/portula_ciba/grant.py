"""The grant type by which a client comes for its tokens, when it polls or was told (CIBA Core §10.1, §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import PollingGrant
from portula_ciba import requests
from portula_ciba.settings import GRANT_TYPE, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Artifact, AuthorizationServer, GrantFactory


class CibaGrant(PollingGrant):
    """Gives a client what its person allowed, once."""

    parameter = "auth_req_id"
    with_id_token = True
    confidential = True
    too_often_status = 503
    """Clients know it and come again; after the `invalid_request` that §11 has for this they would have to give up."""

    def find(self, provider: AuthorizationServer, value: str) -> Artifact | None:
        """Return the record of a request."""
        return requests.of_client(provider, value)


@hookimpl
def portula_grant_types(provider: Provider) -> dict[str, GrantFactory]:
    """Return the grant type."""
    return {GRANT_TYPE: CibaGrant} if is_on(provider) else {}
