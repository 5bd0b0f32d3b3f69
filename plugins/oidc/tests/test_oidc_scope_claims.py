"""Clients that read the ID token alone: `id_token_with_scope_claims` in their metadata, whoever writes it."""

import pytest

MEMBER = "id_token_with_scope_claims"


@pytest.fixture(scope="module")
def lavish(make_world):
    return make_world(ID_TOKEN_WITH_SCOPE_CLAIMS=True)


@pytest.mark.parametrize("own", [True, False, None])
@pytest.mark.parametrize("everywhere", [True, False])
def test_a_clients_own_word_overrides_the_setting(world, lavish, own, everywhere):
    house = lavish if everywhere else world
    party = house.client(metadata={} if own is None else {MEMBER: own})
    tokens = house.sign_in(party, scope="openid email")
    told = everywhere if own is None else own
    for made in (tokens, house.door().refresh(party, tokens["refresh_token"]).json):
        claims = house.read(made["id_token"], party)
        assert ("email" in claims) is told
        assert "given_name" not in claims  # its scope was not granted


def test_userinfo_tells_the_same_either_way(world):
    party = world.client(metadata={MEMBER: True})
    tokens = world.sign_in(party, scope="openid email")
    assert world.userinfo(tokens["access_token"]).json["email"] == "ann@example.com"


def test_it_may_be_registered(make_world):
    world = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    document = {"redirect_uris": ["https://client.example/cb"], MEMBER: True}
    made = world.door().post("/o/register/", json=document)
    assert (made.status_code, made.json[MEMBER]) == (201, True)
    wrong = world.door().post("/o/register/", json={**document, MEMBER: "yes"})
    assert (wrong.status_code, wrong.json["error"]) == (400, "invalid_client_metadata")
