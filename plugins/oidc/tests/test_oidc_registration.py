"""What web clients may register where tokens come in the redirect: OpenID Connect Dynamic Client Registration §2."""

import json

import pytest
from security.driving import CALLBACK

HYBRID, IMPLICIT = {"response_types": ["code id_token"]}, {"grant_types": ["implicit"]}
AT_HOME = ["http://localhost/cb", "https://localhost/cb", "https://LOCALHOST:8443/cb", "http://127.0.0.1/cb"]


@pytest.fixture(scope="module")
def register(make_world):
    """Return the function by which a client registers itself."""
    door = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open").door()

    def register(*redirect_uris, **members):
        document = json.dumps({"redirect_uris": redirect_uris, **members})
        return door.post("/o/register/", document, content_type="application/json")

    return register


@pytest.mark.parametrize("uri", AT_HOME)
@pytest.mark.parametrize("members", [HYBRID, IMPLICIT], ids=["hybrid", "implicit"])
def test_with_the_implicit_grant_web_clients_have_https_and_no_localhost(register, uri, members):
    refused = register(CALLBACK, uri, **members)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_redirect_uri")
    assert register(CALLBACK, **members).status_code == 201


@pytest.mark.parametrize("uri", AT_HOME)
def test_others_may_be_answered_at_home(register, uri):
    assert register(uri).status_code == 201
    assert register(uri, application_type="native", **IMPLICIT).status_code == 201


def test_an_operator_may_register_what_a_client_may_not(make_world):
    party = make_world().client(grant_types=("implicit",), redirect_uris=("http://localhost/cb",))
    assert party.client_id
