"""What is decided for each client, and clients that were there before their profile, or are after it."""

import pytest
from security.driving import answered, bearer, error_of
from security.house import House
from support.high_security import register

import portula_profiles
from portula.errors import InvalidClientMetadata


@pytest.fixture(scope="module")
def modern():
    return House(OIDC_ENABLED=True, PROFILE="oauth2.1")


def rotated(house, party):
    first = house.tokens(party)
    again = house.door().refresh(party, first["refresh_token"])
    assert again.status_code == 200, again.text
    return again.json.get("refresh_token", first["refresh_token"]) != first["refresh_token"]


def test_rotation_is_decided_for_each_client(modern):
    assert rotated(modern, modern.public_client())
    strict = register(modern, metadata={"profile": "fapi2"})
    pushed, verifier = strict.push()
    first = strict.redeem(answered(strict.back(pushed))["code"], verifier).json
    for _ in range(2):
        again = strict.refresh(first["refresh_token"]).json
        assert again.get("refresh_token", first["refresh_token"]) == first["refresh_token"]


def test_oauth21(modern):
    found = modern.door().open("/o/.well-known/openid-configuration").json
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert "client_secret_post" in found["token_endpoint_auth_methods_supported"]
    assert not {"implicit", "password"}.intersection(found["grant_types_supported"])
    assert found["response_types_supported"] == ["code"]
    party = modern.client()
    form = {"grant_type": "client_credentials", "client_id": party.client_id, "client_secret": party.secret}
    assert modern.door().token(**form).status_code == 200
    assert answered(modern.browser().ask(party))["error"] == "invalid_request"
    first = modern.tokens(modern.public_client())["refresh_token"]
    modern.clock.forward(30 * 24 * 3600 + 1)
    answer = modern.door().refresh(modern.public_client(), first)
    assert error_of(answer) == "invalid_grant"


def test_a_client_of_oauth21_alone_names_no_redirect_uri_in_its_token_request(modern, plain):
    of_profile = plain.client(metadata={"profile": "oauth2.1"})
    for house, party in ((modern, modern.client()), (modern, modern.public_client()), (plain, of_profile)):
        code, verifier = house.browser().code(party)
        assert house.door().redeem(party, code, verifier, redirect_uri=None).status_code == 200
    code, verifier = plain.browser().code(party := plain.client())
    assert error_of(plain.door().redeem(party, code, verifier, redirect_uri=None)) == "invalid_grant"


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("require_pkce", {"require_pkce": False}),
        ("grant_types", {"grant_types": ("authorization_code", "password")}),
        ("grant_types", {"grant_types": ("authorization_code", "implicit")}),
        (
            "response_types",
            {"grant_types": ("implicit",), "metadata": {"response_types": ["id_token token"]}},
        ),
    ],
)
@pytest.mark.parametrize("where", ["modern", "plain"])
def test_clients_below_oauth21_are_not_registered(request, where, field, fields):
    house = request.getfixturevalue(where)
    own = {"profile": "oauth2.1"} if where == "plain" else {}
    with pytest.raises(InvalidClientMetadata, match=rf"{field}: .* is not allowed.*profile oauth2\.1"):
        house.client(**{**fields, "metadata": {**fields.get("metadata", {}), **own}})


def test_id_tokens_may_come_in_front(plain):
    members = {"profile": "oauth2.1", "response_types": ["code id_token"]}
    assert plain.client(grant_types=("authorization_code", "implicit"), metadata=members).client_id


@pytest.fixture
def old(tmp_path):
    """A client that was registered before its server came under a profile, and that server."""
    before = House(folder=tmp_path, OIDC_ENABLED=True)
    party = before.client()
    before.close()
    house = House(folder=tmp_path, OIDC_ENABLED=True, PROFILE="fapi2")
    yield house, party
    house.close()


def test_a_client_below_a_profile_gets_nothing_until_it_is_changed(old):
    house, party = old
    assert error_of(house.door().token(party, grant_type="client_credentials"), 401) == "invalid_client"
    page = house.browser().ask(party)
    assert page.status_code == 400
    assert "Location" not in page.headers


def test_a_client_whose_profile_is_gone_gets_nothing(tmp_path):
    before = House(folder=tmp_path)
    party = before.client(metadata={"profile": "oauth2.1"})
    before.close()
    house = House(folder=tmp_path, PLUGINS_BLOCKED=["profiles"], discover=True)
    try:
        assert error_of(house.door().token(party, grant_type="client_credentials"), 401) == "invalid_client"
        assert house.door().token(house.client(), grant_type="client_credentials").status_code == 200
    finally:
        house.close()


def test_tokens_come_in_headers_alone(fapi, plain):
    token = plain.tokens(plain.client(), scope="openid")["access_token"]
    for house, status in ((plain, 200), (fapi, 401)):
        answer = house.door().post("/o/userinfo/", {"access_token": token})
        assert answer.status_code == status
    assert plain.door().open("/o/userinfo/", headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("own", [0, 300])
def test_a_client_is_held_to_the_times_of_its_profile(own):
    house = House(OIDC_ENABLED=True, CLIENT_ASSERTION_LEEWAY=own, DPOP_CLOCK_SKEW_SECONDS=own)
    strict, now = register(house, metadata={"profile": "fapi2"}), house.clock.time

    def token(assertion, proof):
        auth = strict.proof(iat=now + assertion, nbf=now + assertion)
        return strict.token(
            auth=auth, headers=strict.prover.proof(iat=now + proof), grant_type="client_credentials"
        )

    assert token(10, 10).status_code == 200
    assert error_of(token(61, 0), 401) == "invalid_client"
    assert error_of(token(0, 61)) == "invalid_dpop_proof"


def test_the_room_says_what_it_offers():
    names = [profile.name for profile in portula_profiles.portula_profiles(None)]
    assert names == ["fapi2", "fapi2-message-signing", "fapi-ciba", "oauth2.1", "mcp"]
