"""What one instance of a client gets is of no use to another: refresh tokens, codes, device codes, CIBA requests."""

from contextlib import closing
from dataclasses import replace

import pytest
from security.driving import PASSWORD, answered, error_of
from support import backchannel, devices, exchanges, pushing
from support.attesting import METHOD, WITH_DPOP, Instance
from support.proofs import Prover

from portula.plugin import Authorization, jwk_thumbprint


def bare(party):
    """Return a client that has no credentials but the headers that a test gives."""
    return replace(party, secret=None)


@pytest.fixture
def refresh(house, client):
    return lambda token, headers, **form: house.door().refresh(bare(client), token, headers=headers, **form)


def test_a_refresh_token_is_the_instances_that_got_it(redeem, refresh, client, instance, other):
    token = redeem(bare(client), instance.headers()).json["refresh_token"]
    for _ in range(3):
        assert error_of(refresh(token, other.headers())) == "invalid_grant"
        answer = refresh(token, instance.headers())
        assert answer.status_code == 200, answer.text
        token = answer.json["refresh_token"]
    assert error_of(refresh(token, {}), 401) == "invalid_client"
    assert refresh(token, instance.headers(instance.attestation(iss=None))).status_code == 200


def test_the_access_token_is_a_bearers(house, redeem, client, instance, other):
    tokens = redeem(bare(client), instance.headers()).json
    assert tokens["token_type"] == "Bearer"
    assert house.door().resource(tokens["access_token"]).status_code == 200
    answer = house.door().post("/o/introspect/", {"token": tokens["access_token"]}, other.headers()).json
    assert answer["active"] is True
    assert "cnf" not in answer


def test_who_tries_with_anothers_refresh_token_ends_nothing(redeem, refresh, client, instance, other):
    """It is not used, so the instance that has it goes on."""
    token = redeem(bare(client), instance.headers()).json["refresh_token"]
    assert error_of(refresh(token, other.headers())) == "invalid_grant"
    again = refresh(token, instance.headers()).json["refresh_token"]
    assert error_of(refresh(token, other.headers())) == "invalid_grant", (
        "it was replaced, which only the other may learn"
    )
    assert again != token


def test_the_binding_outlives_another_way_to_authenticate(house, redeem, refresh, client, instance):
    token = redeem(bare(client), instance.headers()).json["refresh_token"]
    house.change(client, token_endpoint_auth_method="client_secret_basic")
    assert error_of(refresh(token, client.auth)) == "invalid_grant"
    assert error_of(refresh(token, {**client.auth, **instance.headers()})) == "invalid_grant"
    house.change(client, token_endpoint_auth_method=METHOD)
    assert refresh(token, instance.headers()).status_code == 200


def test_a_refresh_token_from_before_is_bound_to_who_uses_it_first(
    house, redeem, refresh, client, instance, other
):
    house.change(client, token_endpoint_auth_method="client_secret_basic")
    token = redeem(client, client.auth).json["refresh_token"]
    house.change(client, token_endpoint_auth_method=METHOD)
    token = refresh(token, instance.headers()).json["refresh_token"]
    assert error_of(refresh(token, other.headers())) == "invalid_grant"
    assert refresh(token, instance.headers()).status_code == 200


def test_without_a_refresh_token_nothing_is_bound(house, make_client, attester, ask, client, instance):
    assert ask(instance.headers()).status_code == 200
    assert house.provider.storage.select(Authorization) == []


def test_in_its_grace_period_a_refresh_token_is_the_instances_too(make_house, make_client, attester):
    house = make_house(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=60)
    party = bare(make_client(house))
    instance, other = (Instance(attester, party.client_id) for _ in range(2))
    code, verifier = house.browser().code(party)
    token = house.door().redeem(party, code, verifier, headers=instance.headers()).json["refresh_token"]
    first = house.door().refresh(party, token, headers=instance.headers()).json
    assert house.door().refresh(party, token, headers=instance.headers()).json == first
    assert error_of(house.door().refresh(party, token, headers=other.headers())) == "invalid_grant"


def test_a_restart_forgets_no_binding(make_house, make_client, attester, tmp_path):
    with closing(make_house(folder=tmp_path)) as before:
        party = bare(make_client(before))
        instance, other = (Instance(attester, party.client_id) for _ in range(2))
        code, verifier = before.browser().code(party)
        token = before.door().redeem(party, code, verifier, headers=instance.headers()).json["refresh_token"]
    with closing(make_house(folder=tmp_path)) as after:
        assert error_of(after.door().refresh(party, token, headers=other.headers())) == "invalid_grant"
        assert after.door().refresh(party, token, headers=instance.headers()).status_code == 200


def test_without_the_room_nobody_refreshes(make_house, make_client, attester, tmp_path):
    with closing(make_house(folder=tmp_path)) as before:
        party = make_client(before)
        instance = Instance(attester, party.client_id)
        code, verifier = before.browser().code(bare(party))
        token = (
            before.door()
            .redeem(bare(party), code, verifier, headers=instance.headers())
            .json["refresh_token"]
        )
    with closing(make_house(folder=tmp_path, ATTESTATION_TRUSTED_ATTESTERS={})) as off:
        for headers in (instance.headers(), party.auth):
            assert error_of(off.door().refresh(bare(party), token, headers=headers), 401) == "invalid_client"


# --- Codes of pushed requests ---


@pytest.fixture
def push(house, client):
    """Return a function that pushes a request as an instance, and brings its code."""

    def run(headers, **form):
        reference = pushing.reference(house, bare(client), headers=headers, **form)
        browser = house.browser()
        browser.sign_in()
        page = browser.get("/o/authorize/", query_string=reference)
        return answered(browser.submit(page, "consent-allow"))["code"]

    return run


def test_a_code_of_a_pushed_request_is_the_instances_that_pushed_it(house, push, client, instance, other):
    code = push(instance.headers())
    door = house.door()
    for wrong in (other.headers(), instance.headers(instance.attestation(), other.pop())):
        assert door.redeem(bare(client), code, pushing.VERIFIER, headers=wrong).status_code == 400
    tokens = door.redeem(bare(client), code, pushing.VERIFIER, headers=instance.headers())
    assert tokens.status_code == 200, tokens.text
    assert (
        error_of(door.refresh(bare(client), tokens.json["refresh_token"], headers=other.headers()))
        == "invalid_grant"
    )


def test_a_pushed_request_names_no_other_instance(house, push, client, instance, other):
    code = push(instance.headers(), **{"portula.client_instance": other.key.kid * 43})
    tokens = house.door().redeem(bare(client), code, pushing.VERIFIER, headers=instance.headers())
    assert tokens.status_code == 200, tokens.text


def test_a_code_without_a_pushed_request_is_any_instances(house, client, instance, other):
    for one in (instance, other):
        code, verifier = house.browser().code(client)
        assert house.door().redeem(bare(client), code, verifier, headers=one.headers()).status_code == 200


@pytest.mark.parametrize("value", ["", "x", "x" * 43, "x" * 5000, "\u00e4" * 43])
def test_a_parameter_of_the_browser_says_nothing(house, client, instance, value):
    code, verifier = house.browser().code(client, **{"portula.client_instance": value})
    answer = house.door().redeem(bare(client), code, verifier, headers=instance.headers())
    assert answer.status_code == 200, answer.text


# --- Devices and CIBA ---


def test_a_device_code_is_the_instances_that_asked_for_it(house, make_client, attester):
    party = make_client(house, grant_types=devices.GRANTS, redirect_uris=())
    instance, other = (Instance(attester, party.client_id) for _ in range(2))
    refused = devices.asked(house, bare(party), headers=instance.headers(aud="x"))
    assert error_of(refused) == "invalid_client_attestation"
    codes = devices.asked(house, bare(party), headers=instance.headers()).json
    devices.answered(house.browser(), codes["user_code"])

    def poll(one):
        return devices.poll(house, bare(party), codes, headers=one.headers())

    assert error_of(poll(other)) == "invalid_grant"
    house.clock.forward(10)
    tokens = poll(instance)
    assert tokens.status_code == 200, tokens.text
    token = tokens.json["refresh_token"]
    assert error_of(house.door().refresh(bare(party), token, headers=other.headers())) == "invalid_grant"
    assert house.door().refresh(bare(party), token, headers=instance.headers()).status_code == 200


def test_a_request_for_a_person_elsewhere_is_the_instances_that_made_it(house, make_client, attester):
    grants = (backchannel.GRANT, "refresh_token")
    party = make_client(house, grant_types=grants, redirect_uris=())
    instance, other = (Instance(attester, party.client_id) for _ in range(2))
    form = {**bare(party).body, "scope": "openid read", "login_hint": "ann"}
    here = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}}

    def begin(headers):
        return house.door().post(backchannel.PATH, form, headers, **here)

    assert error_of(begin(instance.headers(aud="x"))) == "invalid_client_attestation"
    members = begin(instance.headers()).json
    browser = house.browser()
    browser.sign_in()
    backchannel.decided(browser)
    assert error_of(backchannel.poll(house, bare(party), members, headers=other.headers())) == "invalid_grant"
    tokens = backchannel.poll(house, bare(party), members, headers=instance.headers())
    assert tokens.status_code == 200, tokens.text


# --- Token exchange ---


def test_another_client_may_exchange_what_an_instance_got(make_house, make_client, attester):
    house = make_house(TOKEN_EXCHANGE_POLICY=exchanges.Policy())
    party = bare(make_client(house, grant_types=("authorization_code", "refresh_token", exchanges.GRANT)))
    instance, other = (Instance(attester, party.client_id) for _ in range(2))
    service = house.client(grant_types=(exchanges.GRANT,), redirect_uris=())
    code, verifier = house.browser().code(party)
    token = house.door().redeem(party, code, verifier, headers=instance.headers()).json["access_token"]
    form = {"subject_token": token, "subject_token_type": f"{exchanges.TYPE}access_token"}
    assert house.door().token(service, grant_type=exchanges.GRANT, **form).status_code == 200
    assert (
        house.door().token(party, instance.headers(), grant_type=exchanges.GRANT, **form).status_code == 200
    )
    refused = house.door().token(party, other.headers(), grant_type=exchanges.GRANT, **form)
    assert error_of(refused) == "invalid_grant"


# --- With the proof of DPoP ---


@pytest.fixture
def combined(house, make_client, attester):
    """Return an instance that proves its key by DPoP, and its headers for a path."""
    party = bare(make_client(house, WITH_DPOP))
    prover = Prover(attester.now)
    instance = Instance(attester, party.client_id)

    def headers(path="/o/token/", by=prover, **proof):
        return {
            "OAuth-Client-Attestation": instance.attestation(cnf={"jwk": by.public}),
            **by.proof(path=path, **proof),
        }

    return party, prover, headers


def test_one_proof_is_for_the_client_and_for_its_token(house, combined):
    party, prover, headers = combined
    code, verifier = house.browser().code(party)
    tokens = house.door().redeem(party, code, verifier, headers=headers())
    assert tokens.status_code == 200, tokens.text
    assert tokens.json["token_type"] == "DPoP"
    token = tokens.json["access_token"]
    assert house.door().open("/resource", headers=prover.at("/resource", token)).status_code == 200
    answer = house.door().post("/o/introspect/", {"token": token}, headers("/o/introspect/")).json
    assert answer["cnf"] == {"jkt": prover.thumbprint}
    stolen, refresh = Prover(prover.now), tokens.json["refresh_token"]
    assert error_of(house.door().refresh(party, refresh, headers=headers(by=stolen))) == "invalid_grant"
    assert house.door().refresh(party, refresh, headers=headers()).json["token_type"] == "DPoP"


def test_it_works_where_requests_are_pushed(house, combined):
    party, prover, headers = combined
    reference = pushing.reference(house, party, headers=headers("/o/par/"))
    browser = house.browser()
    browser.sign_in()
    page = browser.get("/o/authorize/", query_string=reference)
    code = answered(browser.submit(page, "consent-allow"))["code"]
    stolen = Prover(prover.now)
    wrong = house.door().redeem(party, code, pushing.VERIFIER, headers=headers(by=stolen))
    assert error_of(wrong) == "invalid_grant"
    assert house.door().redeem(party, code, pushing.VERIFIER, headers=headers()).status_code == 200


def test_what_is_wrong_with_a_combined_proof(house, combined, ask):
    _, prover, headers = combined
    used = headers()
    assert ask(used).status_code == 200
    assert error_of(ask(used)) == "invalid_dpop_proof"
    other = Prover(prover.now)
    assert error_of(ask({**headers(), **other.proof()})) == "invalid_client_attestation"
    for wrong in ({"htu": "https://id.example/o/par/"}, {"htm": "GET"}, {"iat": 1}, {"jti": None}):
        assert error_of(ask(headers(**wrong))) == "invalid_dpop_proof"
    two = headers()
    assert error_of(ask([*two.items(), *other.proof().items()])) == "invalid_dpop_proof"
    without = headers()
    del without["DPoP"]
    assert error_of(ask(without), 401) == "invalid_client"
    del two["OAuth-Client-Attestation"]
    assert error_of(ask(two), 401) == "invalid_client"


def test_methods_do_not_stand_in_for_each_other(house, combined, client, instance, ask):
    _, prover, headers = combined
    assert (
        error_of(ask({**headers(), "OAuth-Client-Attestation-PoP": instance.pop()}), 401) == "invalid_client"
    )
    with_dpop = {
        "OAuth-Client-Attestation": instance.attestation(cnf={"jwk": prover.public}),
        **prover.proof(),
    }
    assert error_of(ask(with_dpop), 401) == "invalid_client"


def test_a_proof_of_another_key_binds_the_token_beside_that_of_the_instance(house, ask, client, instance):
    """The proof of possession decides; DPoP is of the token alone then (draft §7)."""
    prover = Prover(lambda: house.clock.time)
    answer = ask({**instance.headers(), **prover.proof()})
    assert (answer.status_code, answer.json["token_type"]) == (200, "DPoP")


def test_a_nonce_takes_the_place_of_a_challenge(make_house, make_client, attester):
    house = make_house(DPOP_NONCE_REQUIRED=True, ATTESTATION_CHALLENGE_REQUIRED=True)
    party, prover = bare(make_client(house, WITH_DPOP)), Prover(attester.now)
    instance = Instance(attester, party.client_id)

    def ask(**proof):
        attestation = instance.attestation(cnf={"jwk": prover.public})
        headers = {"OAuth-Client-Attestation": attestation, **prover.proof(**proof)}
        return house.door().token(party, headers, grant_type="client_credentials", scope="read")

    refused = ask()
    assert error_of(refused) == "use_dpop_nonce"
    assert ask(nonce=refused.headers["DPoP-Nonce"]).status_code == 200
    given = house.door().post("/o/challenge/")
    assert given.json.keys() == {"attestation_challenge"}
    assert ask(nonce=given.headers["DPoP-Nonce"]).status_code == 200


def test_without_dpop_its_method_is_not_offered(make_house, make_client, attester):
    house = make_house(DPOP_ENABLED=False)
    published = house.door().open("/o/.well-known/openid-configuration").json
    assert WITH_DPOP not in published["token_endpoint_auth_methods_supported"]
    assert published["client_attestation_pop_methods_supported"] == ["attestation_pop_jwt", "none"]
    instance, prover = Instance(attester, make_client(house).client_id), Prover(attester.now)
    headers = {"OAuth-Client-Attestation": instance.attestation(cnf={"jwk": prover.public}), **prover.proof()}
    answer = house.door().token(headers=headers, grant_type="client_credentials", scope="read")
    assert error_of(answer) == "invalid_client_attestation"


def test_a_grant_that_begins_an_authorization_binds_its_refresh_token(make_house, make_client, attester):
    """The password grant, where it is switched on for clients of old."""
    house = make_house(PASSWORD_GRANT_ENABLED=True)
    party = bare(make_client(house, grant_types=("password", "refresh_token")))
    instance, other = (Instance(attester, party.client_id) for _ in range(2))
    form = {"grant_type": "password", "username": "ann", "password": PASSWORD, "scope": "read"}
    token = house.door().token(party, instance.headers(), **form).json["refresh_token"]
    (kept,) = house.provider.storage.select(Authorization)
    assert kept.facts["attestation"] == {"key": jwk_thumbprint(instance.jwk)}
    assert error_of(house.door().refresh(party, token, headers=other.headers())) == "invalid_grant"
    assert house.door().refresh(party, token, headers=instance.headers()).status_code == 200


def test_what_is_pushed_by_others_is_no_instances(house):
    party = house.client()
    form = {"portula.client_instance": "x" * 43}
    browser = house.browser()
    browser.sign_in()
    page = browser.get("/o/authorize/", query_string=pushing.reference(house, party, **form))
    code = answered(browser.submit(page, "consent-allow"))["code"]
    assert house.door().redeem(party, code, pushing.VERIFIER).status_code == 200
    (kept,) = house.provider.storage.select(Authorization)
    assert "attestation" not in kept.facts
