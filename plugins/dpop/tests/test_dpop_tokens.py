"""Tokens that are bound to a key, where they are asked for: RFC 9449 §5, §6, §10."""

import pytest
from security.driving import answered, error_of
from support.proofs import Prover

from portula.errors import ConfigError, InvalidClientMetadata
from portula.plugin import Artifact, Authorization, read_client_metadata
from portula_dpop.proofs import PURGED_EACH


def refresh(house, party, tokens, headers):
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return house.door().token(party, {**party.auth, **headers}, **form)


def test_a_token_is_bound_to_the_key_that_is_proven(house, redeem, client, prover):
    tokens = redeem(client, prover.proof()).json
    assert tokens["token_type"] == "DPoP"
    told = house.door().introspect(client, tokens["access_token"]).json
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": prover.thumbprint})


def test_without_a_proof_a_token_is_a_bearers(redeem, client):
    assert redeem(client, {}).json["token_type"] == "Bearer"


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "PS256", "RS256"])
def test_each_algorithm_that_is_told_signs_a_proof(house, door, client, algorithm):
    prover = Prover(lambda: house.clock.time, algorithm)
    headers = {**client.auth, **prover.proof()}
    tokens = door.token(client, headers, grant_type="client_credentials", scope="read").json
    assert tokens["token_type"] == "DPoP"
    assert door.open("/resource", headers=prover.at("/resource", tokens["access_token"])).status_code == 200
    document = door.open("/o/.well-known/oauth-authorization-server").json
    assert algorithm in document["dpop_signing_alg_values_supported"]


WRONG = {
    "no token": {"DPoP": "proof"},
    "empty": {"DPoP": ""},
    "another method": {"htm": "GET"},
    "a method in small letters": {"htm": "post"},
    "no method": {"htm": None},
    "another path": {"htu": "https://id.example/o/userinfo/"},
    "another host": {"htu": "https://evil.example/o/token/"},
    "another port": {"htu": "https://id.example:8443/o/token/"},
    "another scheme": {"htu": "http://id.example/o/token/"},
    "a person before the host": {"htu": "https://a@id.example/o/token/"},
    "no URL": {"htu": 7},
    "no URL at all": {"htu": None},
    "an old one": {"iat": 1_600_000_000},
    "one of the future": {"iat": 4_000_000_000},
    "no time": {"iat": None},
    "a time that is text": {"iat": "1700000000"},
    "a time that is true": {"iat": True},
    "a time without end": {"iat": 10**400},
    "no name": {"jti": None},
    "an empty name": {"jti": ""},
    "a long name": {"jti": "x" * 513},
    "a name that is a number": {"jti": 7},
    "another typ": {"header": {"typ": "JWT"}},
    "no typ": {"header": {"typ": None}},
    "no key": {"header": {"jwk": None}},
    "a key that is text": {"header": {"jwk": "key"}},
    "a secret": {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    "an unknown type of key": {"header": {"jwk": {"kty": "XX"}}},
    "half a key": {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AAAA"}}},
    "a key of numbers": {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}}},
    "something critical": {"header": {"crit": ["exp"]}},
    "another algorithm": {"header": {"alg": "RS256"}},
    "no algorithm": {"header": {"alg": "none"}},
    "a secret's algorithm": {"header": {"alg": "HS256"}},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_proof_is_refused_and_costs_nothing(house, door, client, prover, changes):
    code, verifier = house.browser().code(client)
    proof = changes if "DPoP" in changes else prover.proof(**changes)
    refused = door.redeem(client, code, verifier, headers={**client.auth, **proof})
    assert error_of(refused) == "invalid_dpop_proof"
    redeemed = door.redeem(client, code, verifier, headers={**client.auth, **prover.proof()})
    assert redeemed.json["token_type"] == "DPoP"


def test_a_proof_signed_by_another_key_or_with_a_private_one_is_refused(house, door, client, prover, other):
    private = {**prover.public, "d": "AAAA"}
    for jwk in (other.public, private):
        headers = {**client.auth, **prover.proof(header={"jwk": jwk})}
        assert error_of(door.token(client, headers, grant_type="client_credentials")) == "invalid_dpop_proof"


def test_two_proofs_are_none(door, client, prover, other):
    first, second = prover.proof()["DPoP"], other.proof()["DPoP"]
    for both in (f"{first}, {second}", f"{first},{first}"):
        headers = {**client.auth, "DPoP": both}
        assert error_of(door.token(client, headers, grant_type="client_credentials")) == "invalid_dpop_proof"


@pytest.mark.parametrize(
    "uri",
    [
        "https://id.example/o/token/?a=b#c",
        "HTTPS://ID.example:443/o/token/",
        "https://id.example/o/%74oken/",
    ],
)
def test_urls_are_compared_normalized(door, client, prover, uri):
    headers = {**client.auth, **prover.proof(htu=uri, exp=1, nbf=2, nonce="of nobody", more=[])}
    assert door.token(client, headers, grant_type="client_credentials", scope="read").status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(-60, 200), (-61, 400), (30, 200), (31, 400)])
def test_a_clock_may_be_wrong_by_a_little(house, door, client, prover, seconds, status):
    headers = {**client.auth, **prover.proof(iat=house.clock.time + seconds)}
    answer = door.token(client, headers, grant_type="client_credentials", scope="read")
    assert answer.status_code == status


def test_a_proof_counts_once(house, door, client, prover):
    headers = {**client.auth, **prover.proof()}
    form = {"grant_type": "client_credentials", "scope": "read"}
    assert door.token(client, headers, **form).status_code == 200
    assert error_of(door.token(client, headers, **form)) == "invalid_dpop_proof"
    (kept,) = [
        each for each in house.provider.storage.select(Artifact, limit=10_000) if each.kind == "dpop-proof"
    ][-1:]
    assert house.clock.time < kept.expires_at <= house.clock.time + 91


def test_proofs_that_are_over_do_not_pile_up(make_house):
    house = make_house()
    client, door, prover = house.client(), house.door("wsgi"), Prover(lambda: house.clock.time)
    for _ in range(3):
        for _ in range(PURGED_EACH):
            headers = {**client.auth, **prover.proof()}
            assert (
                door.token(client, headers, grant_type="client_credentials", scope="read").status_code == 200
            )
        house.clock.forward(100)
    found = house.provider.storage.select(Artifact, limit=1000)
    assert PURGED_EACH <= len([each for each in found if each.kind == "dpop-proof"]) < 2 * PURGED_EACH


def test_who_does_not_authenticate_uses_up_nothing(house, door, client, prover):
    def kept():
        return [
            each
            for each in house.provider.storage.select(Artifact, limit=10_000)
            if each.kind == "dpop-proof"
        ]

    proof, before = prover.proof(), len(kept())
    wrong = {**house.client().auth, **proof}
    assert door.token(None, proof, grant_type="client_credentials").status_code == 401
    assert door.token(None, wrong, grant_type="refresh_token", refresh_token="x").status_code == 400
    assert len(kept()) == before
    headers = {**client.auth, **proof}
    assert door.token(client, headers, grant_type="client_credentials", scope="read").status_code == 200


# --- Refresh ---


def test_a_public_client_refreshes_with_its_key_alone(house, redeem, public, prover, other):
    tokens = redeem(public, prover.proof()).json
    for headers in ({}, other.proof()):
        assert error_of(refresh(house, public, tokens, headers)) == "invalid_grant"
    assert refresh(house, public, tokens, prover.proof()).json["token_type"] == "DPoP"
    (bound,) = [
        each
        for each in house.provider.storage.select(Authorization)
        if each.client_id == public.client_id and each.confirmation
    ]
    assert bound.confirmation == {"jkt": prover.thumbprint}


def test_a_confidential_client_may_take_another_key(house, redeem, client, prover, other):
    tokens = redeem(client, prover.proof()).json
    fresh = refresh(house, client, tokens, other.proof()).json
    told = house.door().introspect(client, fresh["access_token"]).json
    assert told["cnf"] == {"jkt": other.thumbprint}


# --- Codes ---


def test_a_code_is_redeemed_with_the_key_that_it_names(house, redeem, client, prover, other):
    for headers in ({}, other.proof()):
        assert error_of(redeem(client, headers, dpop_jkt=prover.thumbprint)) == "invalid_grant"
    tokens = redeem(client, prover.proof(), dpop_jkt=prover.thumbprint).json
    assert tokens["token_type"] == "DPoP"
    assert refresh(house, client, tokens, other.proof()).status_code == 200


def test_a_code_that_another_key_tried_is_still_good(house, door, client, prover, other):
    code, verifier = house.browser().code(client, dpop_jkt=prover.thumbprint)
    refused = door.redeem(client, code, verifier, headers={**client.auth, **other.proof()})
    assert error_of(refused) == "invalid_grant"
    redeemed = door.redeem(client, code, verifier, headers={**client.auth, **prover.proof()})
    assert redeemed.json["token_type"] == "DPoP"


@pytest.mark.parametrize("named", ["x", "x" * 42, "x" * 44, "=" * 43, "é" * 43])
def test_what_is_no_thumbprint_is_refused_at_the_redirect_uri(house, client, named):
    answer = answered(house.browser().authorize(client, dpop_jkt=named))
    assert (answer["error"], answer["iss"]) == ("invalid_request", "https://id.example/o")


# --- Clients that are registered so ---


def test_a_client_that_is_registered_so_gets_nothing_without_a_proof(house, door, prover):
    client = house.client(metadata={"dpop_bound_access_tokens": True})
    form = {"grant_type": "client_credentials", "scope": "read"}
    assert error_of(door.token(client, **form)) == "invalid_request"
    assert door.token(client, {**client.auth, **prover.proof()}, **form).json["token_type"] == "DPoP"


def test_nor_in_the_redirect_where_nothing_can_be_proven(make_house):
    house = make_house(IMPLICIT_GRANT_ENABLED=True)
    for required in (True, False):
        grants = ("authorization_code", "implicit")
        client = house.client(grant_types=grants, metadata={"dpop_bound_access_tokens": required})
        answer = answered(
            house.browser().authorize(
                client, response_type="token", code_challenge=None, code_challenge_method=None
            )
        )
        assert ("access_token" in answer, answer.get("error")) == (
            (False, "invalid_request") if required else (True, None)
        )


@pytest.mark.parametrize(
    "required", [True, lambda client: client.name == "An app"], ids=["all", "by a callable"]
)
def test_a_proof_may_be_required_of_clients(make_house, required):
    house = make_house(DPOP_REQUIRED=required)
    client, door, prover = house.client(), house.door(), Prover(lambda: house.clock.time)
    form = {"grant_type": "client_credentials", "scope": "read"}
    assert error_of(door.token(client, **form)) == "invalid_request"
    assert door.token(client, {**client.auth, **prover.proof()}, **form).json["token_type"] == "DPoP"
    spared = house.client(name="Another app")
    assert door.token(spared, **form).status_code == (400 if required is True else 200)


def test_the_member_is_a_boolean(house):
    members = house.provider.client_members
    with pytest.raises(InvalidClientMetadata, match="dpop_bound_access_tokens"):
        read_client_metadata(members, {"dpop_bound_access_tokens": "yes"})


# --- Off ---


def test_where_it_is_off_a_proof_is_nothing(make_house, prover):
    house = make_house(DPOP_ENABLED=False)
    client, door = house.client(), house.door()
    form = {"grant_type": "client_credentials", "scope": "read"}
    assert door.token(client, {**client.auth, **prover.proof()}, **form).json["token_type"] == "Bearer"
    document = door.open("/o/.well-known/oauth-authorization-server").json
    assert not [member for member in document if "dpop" in member]
    tied = house.client(metadata={"dpop_bound_access_tokens": True})
    assert error_of(door.token(tied, {**tied.auth, **prover.proof()}, **form)) == "invalid_request"


def test_a_server_class_that_runs_no_steps_binds_nothing(make_house, prover):
    house = make_house(OAUTH2_SERVER_CLASS="oauthlib.oauth2.BackendApplicationServer")
    tied = house.client(metadata={"dpop_bound_access_tokens": True})
    for client, status in ((house.client(), 200), (tied, 400)):
        headers = {**client.auth, **prover.proof()}
        answer = house.door().token(client, headers, grant_type="client_credentials", scope="read")
        assert answer.status_code == status
    assert answer.json["error"] == "invalid_request"
    document = house.door().open("/o/.well-known/oauth-authorization-server").json
    assert "dpop_signing_alg_values_supported" not in document


@pytest.mark.parametrize(
    "settings",
    [
        {"DPOP_ENABLED": False, "DPOP_REQUIRED": True},
        {"DPOP_SIGNING_ALGS": ["HS256"]},
        {"DPOP_SIGNING_ALGS": []},
        {"DPOP_SIGNING_ALGS": ["none"]},
        {"DPOP_PROOF_LIFETIME_SECONDS": 0},
        {"DPOP_NONCE_LIFETIME_SECONDS": 1},
        {"DPOP_BASE_URLS": ["id.example"]},
        {"DPOP_BASE_URLS": ["https://id.example/"]},
        {"DPOP_BASE_URLS": ["https://id.example?a"]},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_stop_the_start(make_house, settings):
    with pytest.raises(ConfigError, match=next(reversed(settings))):
        make_house(**settings)
