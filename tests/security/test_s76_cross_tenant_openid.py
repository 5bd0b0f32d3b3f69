"""S76 with OpenID Connect on: keys, tokens and registrations of one provider count for nothing at the other."""

import pytest
from support.tenants import HOST, ROOMS, Browser, Two

from portula import Plugin
from portula.errors import UntrustedToken
from portula.plugin import Application
from portula_testing import jws
from security.driving import answered

OPENID = (*ROOMS, "dcr", "fetch", "jose", "logout", "oidc")
SETTINGS = {
    "OIDC_ENABLED": True,
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "DCR_ENABLED": True,
    "DCR_REGISTRATION_MODE": "open",
}


@pytest.fixture(scope="module", params=["own keys", "same keys"])
def two(request):
    return Two(rooms=OPENID, same_keys=request.param == "same keys", **SETTINGS)


@pytest.fixture(params=["north to south", "south to north"])
def pair(two, request):
    """The provider that gives, and the other."""
    return (two.north, two.south) if request.param == "north to south" else (two.south, two.north)


@pytest.fixture
def client(pair):
    return pair[0].client(chosen_secret="a secret that a person chose, long enough")


@pytest.fixture
def tokens(pair, client):
    return pair[0].tokens(client, scope="openid")


def kids(tenant):
    return {key["kid"] for key in tenant.open(".well-known/jwks.json").json["keys"]}


def test_each_has_keys_of_its_own(pair, tokens):
    ours, other = pair
    assert kids(ours).isdisjoint(kids(other))
    assert jws.taken_apart(tokens["id_token"])[0]["kid"] in kids(ours)
    assert jws.taken_apart(tokens["id_token"])[1]["iss"] == f"{HOST}/{ours.name}"


def test_an_id_token_is_the_others_neither_as_hint_nor_as_token(two, pair, client, tokens):
    _, other = pair
    with pytest.raises(UntrustedToken):
        other.provider.hooks.ask(Plugin.portula_jose).verify_own(tokens["id_token"], typ=("JWT",))
    browser = Browser(two)
    browser.sign_in(other)
    response = browser.ask(other, client, scope="openid", prompt="none", id_token_hint=tokens["id_token"])
    assert answered(response)["error"] == "invalid_request"
    page = browser.get(f"/{other.name}/logout/", query_string={"id_token_hint": tokens["id_token"]})
    assert page.status_code == 400
    assert browser.is_signed_in(other)
    assert other.open("userinfo/", token=tokens["id_token"]).status_code == 401


def test_an_access_token_tells_nothing_at_the_others_userinfo(pair, tokens):
    ours, other = pair
    assert ours.open("userinfo/", token=tokens["access_token"]).status_code == 200
    assert other.open("userinfo/", token=tokens["access_token"]).status_code == 401


def test_a_registration_is_looked_after_where_it_was_made(pair):
    ours, other = pair
    made = ours.open("register/", "POST", json={"redirect_uris": ["https://client.example/cb"]}).json
    path, token = f"register/?client_id={made['client_id']}", made["registration_access_token"]
    for method in ("GET", "DELETE"):
        assert other.open(path, method, token).status_code == 401
    assert ours.open(path, "GET", token).status_code == 200


def test_pairwise_names_of_a_person_differ(pair):
    ours, _ = pair
    made = ours.open(
        "register/",
        "POST",
        json={"redirect_uris": ["https://client.example/cb"], "subject_type": "pairwise"},
    ).json
    client = ours.provider.storage.find(Application, client_id=made["client_id"])
    names = {tenant.provider.validator.subject_for("ada", client) for tenant in pair}
    assert len(names) == 2
    assert "ada" not in names
