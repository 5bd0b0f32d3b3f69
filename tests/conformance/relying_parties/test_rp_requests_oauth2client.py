"""requests_oauth2client as FAPI 2.0 has it: pushed requests, private_key_jwt, tokens bound to a key (DPoP).

Without OpenID Connect: 1.8.0 cannot copy a bound token, which it does when it has validated an ID token.
"""

from pathlib import Path

import pytest
import requests
from conformance.suite.fapi import SP, FapiVariant
from conformance.suite.fapi_lab import Clients
from conformance.suite.pages import Arrival
from requests_oauth2client import DPoPToken, OAuth2Client, PrivateKeyJwt

from portula_testing.tls import Authority

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("relying-parties")]


def test_requests_oauth2client_completes_its_flow(
    fapi_client: Clients, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.write(tmp_path)))
    party = fapi_client(FapiVariant(SP, "private_key_jwt", "dpop"), 1)
    issuer, key = party.op.issuer, party.key.as_dict(private=True)
    client = OAuth2Client.from_discovery_endpoint(
        issuer=issuer,
        auth=PrivateKeyJwt(party.client_id, key, alg="PS256", aud=issuer),
        redirect_uri=party.callback,
        dpop_bound_access_tokens=True,
    )
    request = client.authorization_request(scope="read")
    assert request.dpop_jkt
    pushed = client.pushed_authorization_request(request)
    landed = party.person.go_through(party.browser, party.browser.open(str(pushed)))
    assert isinstance(landed, Arrival)
    first = client.authorization_code(request.validate_callback(landed.url))
    assert isinstance(first, DPoPToken)
    second = client.refresh_token(first)
    assert second.access_token != first.access_token
    called = requests.get(party.resource, auth=second, timeout=30)
    assert called.json()["of"]
    bearer = requests.get(
        party.resource, headers={"Authorization": f"Bearer {second.access_token}"}, timeout=30
    )
    assert bearer.status_code == 401
