"""Instances of a client authenticate by an attestation of their key, wherever clients authenticate."""

import pytest
from security.driving import bearer, error_of
from support.attesting import ATTESTER, METHOD, WITH_DPOP, Attester, Instance

from portula import Plugin
from portula.errors import ConfigError, InvalidClientMetadata
from portula.plugin import ClientAuthenticated
from portula_testing.jws import ASYMMETRIC, TokenKey

MEMBERS = (
    "challenge_endpoint",
    "client_attestation_signing_alg_values_supported",
    "client_attestation_pop_signing_alg_values_supported",
    "client_attestation_pop_methods_supported",
)


def findings_of(house):
    """Return the identifiers of what `portula check` finds about this room."""
    found = house.provider.hooks.collect(Plugin.portula_checks)
    return {finding.id for finding in found if finding.id.startswith("attestation.")}


def metadata_of(house):
    return house.door().open("/o/.well-known/openid-configuration").json


def test_an_instance_authenticates(door, client, instance, recorder):
    answer = door.token(headers=instance.headers(), grant_type="client_credentials", scope="read")
    assert answer.status_code == 200, answer.text
    assert answer.json["token_type"] == "Bearer"
    assert door.resource(answer.json["access_token"]).status_code == 200
    (event,) = recorder.of(ClientAuthenticated)
    assert (event.client_id, event.method) == (client.client_id, METHOD)


def test_an_attestation_is_used_again_with_a_new_proof_each_time(ask, instance):
    attestation = instance.attestation()
    assert [ask(instance.headers(attestation)).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("claims", [{}, {"iss": None}, {"iat": None}, {"wallet_name": "W", "aud": "anybody"}])
def test_what_an_attestation_may_say_besides(ask, instance, claims):
    assert ask(instance.headers(instance.attestation(**claims))).status_code == 200


@pytest.mark.parametrize("typ", ["OAUTH-client-attestation+JWT", "application/oauth-client-attestation+jwt"])
def test_the_type_is_compared_as_a_media_type(ask, instance, typ):
    assert ask(instance.headers(instance.attestation(typ=typ))).status_code == 200


@pytest.mark.parametrize("aud", ["https://id.example/o", ["https://id.example/o"]])
def test_a_proof_is_for_us_alone(ask, instance, aud):
    assert ask(instance.headers(aud=aud)).status_code == 200


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA", "PS256", "RS256"])
def test_attesters_and_instances_sign_by_what_the_metadata_says(make_house, make_client, attester, algorithm):
    attester.__init__(attester.now, algorithm=algorithm)
    house = make_house()
    instance = Instance(attester, make_client(house).client_id, algorithm)
    answer = house.door().token(headers=instance.headers(), grant_type="client_credentials", scope="read")
    assert answer.status_code == 200, answer.text
    assert all(algorithm in metadata_of(house)[name] for name in MEMBERS[1:3])
    assert set(metadata_of(house)[MEMBERS[1]]) <= set(ASYMMETRIC)


def test_client_id_may_stand_in_the_form(ask, client, instance):
    assert ask(instance.headers(), client_id=client.client_id).status_code == 200


def test_it_works_wherever_clients_authenticate(house, door, ask, client, instance):
    token = ask(instance.headers()).json["access_token"]

    def post(path, **form):
        return door.post(path, form, instance.headers())

    assert post("/o/introspect/", token=token).json["active"] is True
    asked = {"response_type": "code", "client_id": client.client_id, "redirect_uri": client.redirect_uri}
    asked |= {"code_challenge": "x" * 43, "code_challenge_method": "S256", "scope": "read"}
    assert post("/o/par/", **asked).status_code == 201
    assert post("/o/revoke_token/", token=token).status_code == 200
    assert post("/o/introspect/", token=token).json == {"active": False}
    for path in ("/o/introspect/", "/o/revoke_token/", "/o/par/"):
        refused = door.post(path, {**asked, "token": token}, instance.headers(pop="x"))
        assert error_of(refused) == "invalid_client_attestation"
        assert error_of(door.post(path, {**asked, "token": token}), 401) == "invalid_client"


def test_beside_an_access_token_it_is_refused(house, ask, instance):
    token = ask(instance.headers()).json["access_token"]
    both = {**bearer(token), **instance.headers()}
    assert error_of(house.door().post("/o/introspect/", {"token": token}, both)) == "invalid_request"


# --- Off, on, and what is said of it ---


def test_it_is_off_until_somebody_is_trusted(make_house, make_client, attester, refuse):
    house = make_house(ATTESTATION_TRUSTED_ATTESTERS={}, ATTESTATION_CHALLENGE_REQUIRED=True)
    published = metadata_of(house)
    assert published.keys().isdisjoint(MEMBERS)
    assert not [name for name in published["token_endpoint_auth_methods_supported"] if METHOD in name]
    assert house.door().post("/o/challenge/").status_code == 404
    with pytest.raises(InvalidClientMetadata, match="no attester is trusted"):
        make_client(house)
    instance, party = Instance(attester, house.client().client_id), house.client()
    answer = house.door().token(headers=instance.headers(), grant_type="client_credentials")
    assert error_of(answer, 401) == "invalid_client"
    with_secret = {**party.auth, **instance.headers()}
    assert (
        house.door().token(headers=with_secret, grant_type="client_credentials", scope="read").status_code
        == 200
    )


def test_what_is_published(house):
    published = metadata_of(house)
    for endpoint in ("token", "revocation", "introspection"):
        assert {METHOD, WITH_DPOP} <= set(published[f"{endpoint}_endpoint_auth_methods_supported"])
    assert published[MEMBERS[3]] == ["attestation_pop_jwt", "dpop_combined", "none"]
    assert "challenge_endpoint" not in published
    assert house.door().post("/o/challenge/").status_code == 404


def test_a_method_may_be_left_out(make_house, make_client, attester):
    named = ["client_secret_basic", WITH_DPOP]
    house = make_house(OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED=named)
    assert metadata_of(house)[MEMBERS[3]] == ["dpop_combined", "none"]
    with pytest.raises(InvalidClientMetadata):
        make_client(house, METHOD)
    assert make_client(house, WITH_DPOP)


def test_without_jose_nothing_is_offered(attester):
    from portula_testing.provider import make_provider

    attester.now = lambda: 0
    rooms = ("attestation", "consent", "generators", "oauth2", "scopes_settings")
    provider = make_provider(
        *rooms, settings={**attester.trust(), "OIDC_ISS_ENDPOINT": "https://id.example/o"}
    )
    assert METHOD not in provider.client_auth_methods


@pytest.mark.parametrize(
    "trusted",
    [
        {"": {"jwks": TokenKey("ES256").jwks}},
        {ATTESTER: {"jwks": {"keys": []}}},
        {ATTESTER: {"jwks": {"keys": {}}}},
        {ATTESTER: {"jwks": TokenKey("ES256").jwk}},
        {ATTESTER: {"jwks": {"keys": [{**TokenKey("ES256").jwk, "d": "x"}]}}},
        {ATTESTER: {"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}},
        {ATTESTER: {}},
        {ATTESTER: {"jwks_uri": "http://attester.example/keys"}},
        {ATTESTER: {"jwks": TokenKey("ES256").jwks, "jwks_uri": "https://attester.example/keys"}},
        {ATTESTER: {"jwks": TokenKey("ES256").jwks, "issuer": "x"}},
    ],
)
def test_a_wrong_setting_stops_the_start(make_house, trusted):
    with pytest.raises(ConfigError, match="ATTESTATION_TRUSTED_ATTESTERS"):
        make_house(ATTESTATION_TRUSTED_ATTESTERS=trusted)


def test_check_finds_attesters_who_could_attest_each_others_clients(make_house, attester):
    one, two = {"jwks": attester.key.jwks}, {"jwks": attester.key.jwks, "clients": ["wallet"]}
    mixed = make_house(ATTESTATION_TRUSTED_ATTESTERS={"a": one, "b": two})
    assert findings_of(mixed) == {"attestation.attesters"}
    limited = make_house(ATTESTATION_TRUSTED_ATTESTERS={"a": {**one, "clients": ["x"]}, "b": two})
    assert not findings_of(limited)
    assert not findings_of(make_house())


# --- Whom an attester may attest ---


@pytest.mark.parametrize(
    ("clients", "error"),
    [
        (["wallet"], None),
        (["wal*"], None),
        (["*"], None),
        (["x", "wallet"], None),
        (["wallet2"], "invalid_client_attestation"),
        (["wall"], "invalid_client_attestation"),
        ([], "invalid_client_attestation"),
        (["WALLET"], "invalid_client_attestation"),
    ],
)
@pytest.mark.parametrize("named", [ATTESTER, None])
def test_an_attester_attests_whom_it_is_trusted_with(
    make_house, make_client, attester, clients, error, named
):
    house = make_house(trust={"clients": clients})
    instance = Instance(attester, make_client(house, client_id="wallet").client_id)
    headers = instance.headers(instance.attestation(iss=named))
    answer = house.door().token(headers=headers, grant_type="client_credentials", scope="read")
    assert (answer.status_code == 200) if error is None else (error_of(answer) == error)


def test_of_several_attesters_the_one_that_is_named_counts(make_house, make_client, attester):
    second = Attester(attester.now, "https://second.example")
    both = {
        **attester.trust()["ATTESTATION_TRUSTED_ATTESTERS"],
        **second.trust()["ATTESTATION_TRUSTED_ATTESTERS"],
    }
    house = make_house(ATTESTATION_TRUSTED_ATTESTERS=both)
    client = make_client(house)

    def asked(by, **claims):
        instance = Instance(by, client.client_id)
        headers = instance.headers(instance.attestation(**claims))
        return house.door().token(headers=headers, grant_type="client_credentials", scope="read").status_code

    assert [asked(attester), asked(second)] == [200, 200]
    assert [asked(attester, iss=None), asked(second, iss=None)] == [200, 200]
    assert [asked(attester, iss=second.name), asked(second, iss=attester.name)] == [400, 400]
    assert asked(attester, iss="https://third.example") == 400


def test_an_attestation_that_many_may_have_made_has_to_say_whose_it_is(make_house, make_client, attester):
    named = {f"https://a{number}.example": {"jwks": attester.key.jwks} for number in range(9)}
    house = make_house(ATTESTATION_TRUSTED_ATTESTERS=named)
    instance = Instance(attester, make_client(house).client_id)
    for issuer, status in ((None, 400), ("https://a8.example", 200)):
        headers = instance.headers(instance.attestation(iss=issuer))
        answer = house.door().token(headers=headers, grant_type="client_credentials", scope="read")
        assert answer.status_code == status


# --- Registration ---


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"client_type": "public", "grant_types": ("authorization_code",)}, "confidential"),
        ({"metadata": {MEMBERS[1]: ["none"]}}, "asymmetric"),
        ({"metadata": {MEMBERS[1]: ["HS256"]}}, "asymmetric"),
        ({"metadata": {MEMBERS[2]: ["ES256", "HS256"]}}, "asymmetric"),
        ({"metadata": {MEMBERS[2]: ["RS512"]}}, "none of these is taken"),
    ],
)
def test_a_client_whose_instances_could_not_authenticate_is_refused(house, make_client, fields, match):
    with pytest.raises(InvalidClientMetadata, match=match):
        make_client(house, **fields)


def test_a_client_is_held_to_the_algorithms_it_is_registered_with(
    house, make_client, attester, ask, recorder
):
    for name in MEMBERS[1:3]:
        party = make_client(house, metadata={name: ["RS256", "ES384"]})
        instance = Instance(attester, party.client_id)
        assert error_of(ask(instance.headers())) == "invalid_client_attestation"
    party = make_client(house, metadata={name: ["ES256"] for name in MEMBERS[1:3]})
    assert ask(Instance(attester, party.client_id).headers()).status_code == 200


def test_a_client_may_register_itself_so(make_house, attester):
    house = make_house(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    document = {
        "token_endpoint_auth_method": METHOD,
        "redirect_uris": ["https://wallet.example/cb"],
        MEMBERS[1]: ["ES256"],
        MEMBERS[3]: ["attestation_pop_jwt"],
    }
    answer = house.door().open("/o/register/", method="POST", json=document)
    assert answer.status_code == 201, answer.text
    assert "client_secret" not in answer.json
    assert (answer.json["token_endpoint_auth_method"], answer.json[MEMBERS[1]]) == (METHOD, ["ES256"])
    headers = Instance(attester, answer.json["client_id"]).headers()
    form = {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43}
    assert error_of(house.door().token(headers=headers, **form)) == "invalid_grant"
