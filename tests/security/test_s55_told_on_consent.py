"""S55: people are told that an app registered itself, and that it keeps its access (RFC 7591 §5)."""

import pytest

from portula import Plugin
from portula.plugin import Application, ClientSource
from security.driving import CALLBACK, Party

TOLD, KEPT = "This app registered itself", "while you are away"
URL = "https://app.example/client"


class Sources(Plugin):
    """Clients that nobody registered, known by a URL."""

    def portula_client_sources(self, provider):
        found = Application(
            client_id=URL,
            client_type="public",
            grant_types=("authorization_code",),
            redirect_uris=(CALLBACK,),
        )
        return [ClientSource(name="urls", claims=lambda name: name == URL, find=lambda _name: found)]


@pytest.fixture(scope="module")
def open_house(make_house):
    return make_house(Sources(), OIDC_ENABLED=True, DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")


def registered(house, **members):
    """Register a client over HTTP and return what asks for its authorization."""
    document = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", **members}
    made = house.door().post("/o/register/", json=document)
    assert made.status_code == 201, made.text
    assert "self_registered" not in made.json
    return Party(made.json["client_id"]), made.json


def page(house, party, **parameters):
    shown = house.browser().consent_page(party, **{"scope": "openid", **parameters})
    assert shown.status_code == 200, shown.text
    return shown.text


@pytest.mark.parametrize("members", [{}, {"self_registered": False}, {"client_name": "An app"}], ids=str)
def test_of_an_app_that_registered_itself_it_is_told(open_house, members):
    party, _ = registered(open_house, **members)
    assert TOLD in page(open_house, party)


def test_after_an_update_too(open_house):
    party, made = registered(open_house)
    document = {
        "client_id": party.client_id,
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
    }
    headers = {"Authorization": f"Bearer {made['registration_access_token']}"}
    path = made["registration_client_uri"].removeprefix("https://id.example")
    updated = open_house.door().open(path, method="PUT", json=document, headers=headers)
    assert updated.status_code == 200, updated.text
    assert TOLD in page(open_house, party)


def test_of_an_app_that_is_known_by_its_url_too(open_house):
    shown = page(open_house, Party(URL))
    assert "This app is described by" in shown
    assert "app.example" in shown


def test_of_one_that_an_operator_made_it_is_not(open_house):
    assert TOLD not in page(open_house, open_house.client())


def test_that_an_app_gets_refresh_tokens_is_told(make_house, open_house):
    assert KEPT in page(open_house, open_house.client())
    house = make_house(OIDC_ENABLED=True, REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS=True)
    assert KEPT not in page(house, house.client())
    assert KEPT in page(house, house.client(), scope="openid offline_access")


@pytest.mark.parametrize(("response_type", "kept"), [("id_token", False), ("code id_token", True)])
def test_without_a_code_there_is_no_refresh_token_to_tell_of(open_house, response_type, kept):
    without = {"code_challenge": None, "code_challenge_method": None} if response_type == "id_token" else {}
    client = open_house.client(grant_types=("authorization_code", "implicit"))
    asked = {"response_type": response_type, "nonce": "n", **without}
    assert (KEPT in page(open_house, client, **asked)) is kept
