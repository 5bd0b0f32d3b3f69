"""Bound tokens where they are used: RFC 9449 §7; by userinfo, a guarded view and introspection's caller."""

import pytest
from security.driving import answered, bearer
from support.high_security import register
from support.proofs import Prover

from portula import hookimpl
from portula.plugin import Artifact
from portula_resource_server.tokens import VerifiedToken

PLACES = ("/o/userinfo/", "/resource")


def refused(answer, status, error):
    """Require a refusal in the body and in the challenge of the scheme."""
    assert (answer.status_code, answer.json["error"]) == (status, error)
    return answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", PLACES)
def test_a_bound_token_passes_with_its_proof(door, bound, prover, path):
    for scheme in ("DPoP", "dpop", "DPOP"):
        headers = {**prover.at(path, bound), "Authorization": f"{scheme} {bound}"}
        assert door.open(path, headers=headers).status_code == 200


@pytest.mark.parametrize("path", PLACES)
def test_a_bound_token_is_no_bearers(door, bound, prover, path):
    for proof in ({}, prover.proof("GET", path, token=bound)):
        challenge = refused(door.open(path, headers={**bearer(bound), **proof}), 401, "invalid_token")
        first, second = challenge.split("DPoP ")
        assert 'error="invalid_token"' in first
        assert 'algs="ES256 EdDSA PS256 RS256"' in second
        assert "error" not in second


@pytest.mark.parametrize("path", PLACES)
def test_a_proof_is_signed_by_what_the_profile_of_the_client_allows(house, door, redeem, client, path):
    """FAPI 2.0 Security Profile §5.4.1: RS256 is not, although the token is bound to the same key."""
    strict = register(house, metadata={"profile": "fapi2"})
    strict.prover = Prover(house.provider.now, "PS256")
    pushed, verifier = strict.push()
    token = strict.redeem(answered(strict.back(pushed))["code"], verifier).json["access_token"]
    refused(door.open(path, headers=strict.prover.by("RS256").at(path, token)), 401, "invalid_dpop_proof")
    assert door.open(path, headers=strict.prover.at(path, token)).status_code == 200
    plain = redeem(client, strict.prover.proof()).json["access_token"]
    assert door.open(path, headers=strict.prover.by("RS256").at(path, plain)).status_code == 200


@pytest.mark.parametrize("path", PLACES)
def test_an_unbound_token_does_not_come_by_the_scheme(door, redeem, client, prover, path):
    token = redeem(client, {}).json["access_token"]
    assert door.open(path, headers=bearer(token)).status_code == 200
    refused(door.open(path, headers=prover.at(path, token)), 401, "invalid_token")


@pytest.mark.parametrize("path", PLACES)
def test_who_brings_nothing_is_told_both_schemes_and_no_error(door, path):
    answer = door.open(path)
    assert answer.status_code == 401
    assert "error" not in answer.headers["WWW-Authenticate"]
    assert "DPoP " in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("form", ["DPoP {0}, Bearer {0}", "Bearer x, DPoP {0}"])
def test_two_schemes_are_refused(door, bound, prover, path, form):
    headers = {**prover.at(path, bound), "Authorization": form.format(bound)}
    refused(door.open(path, headers=headers), 400, "invalid_request")


WRONG = {
    "none": None,
    "of another method": {"htm": "POST"},
    "of another view": {"htu": "https://id.example/other"},
    "of another token": {"ath": "x" * 43},
    "of no token": {"ath": None},
    "old": {"iat": 1_600_000_000},
    "without a name": {"jti": None},
}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_proof_is_refused_by_its_name(door, bound, prover, path, changes):
    headers = prover.at(path, bound, **(changes or {}))
    if changes is None:
        del headers["DPoP"]
    challenge = refused(door.open(path, headers=headers), 401, "invalid_dpop_proof")
    assert 'DPoP realm="portula", error="invalid_dpop_proof"' in challenge


@pytest.mark.parametrize("path", PLACES)
def test_the_proof_of_another_key_is_refused(door, bound, other, path):
    refused(door.open(path, headers=other.at(path, bound)), 401, "invalid_token")


@pytest.mark.parametrize("path", PLACES)
def test_a_proof_counts_once(door, bound, prover, path):
    headers = prover.at(path, bound)
    assert door.open(path, headers=headers).status_code == 200
    refused(door.open(path, headers=headers), 401, "invalid_dpop_proof")


def test_a_proof_beside_a_token_that_does_not_count_is_not_kept(house, door, prover):
    def kept():
        return [
            each
            for each in house.provider.storage.select(Artifact, limit=10_000)
            if each.kind == "dpop-proof"
        ]

    before = kept()
    for path in PLACES:
        refused(door.open(path, headers=prover.at(path, "x" * 43)), 401, "invalid_token")
    assert kept() == before


def test_a_caller_of_introspection_proves_its_token_too(house, door, redeem, client, prover):
    caller = house.client(scope="introspection read")
    form = {"grant_type": "client_credentials", "scope": "introspection"}
    token = door.token(caller, {**caller.auth, **prover.proof()}, **form).json["access_token"]
    asked = {"token": redeem(client, {}).json["access_token"]}
    path = "/o/introspect/"
    answer = door.post(path, asked, prover.at(path, token, method="POST"))
    assert answer.json["active"] is True
    refused(door.post(path, asked, {"Authorization": f"DPoP {token}"}), 401, "invalid_dpop_proof")
    refused(door.post(path, asked, bearer(token)), 401, "invalid_token")


# --- Elsewhere ---


class Remote:
    """What another provider says of any token."""

    def __init__(self):
        self.members = {}

    @hookimpl
    def portula_token_verifier(self, provider):
        return lambda token: VerifiedToken.of(
            {"active": True, "scope": "read", "client_id": "app", **self.members}
        )


def test_a_token_of_another_provider_is_proven_here(make_house):
    remote = Remote()
    house = make_house(remote, PLUGINS_CHOICE={"token_verifier": "Remote"})
    prover, other = Prover(lambda: house.clock.time), Prover(lambda: house.clock.time)
    remote.members = {"token_type": "DPoP", "cnf": {"jkt": prover.thumbprint}}
    door = house.door()
    assert door.open("/resource", headers=prover.at("/resource", "token")).status_code == 200
    refused(door.open("/resource", headers=bearer("token")), 401, "invalid_token")
    refused(door.open("/resource", headers=other.at("/resource", "token")), 401, "invalid_token")


def test_the_app_may_be_reached_at_another_url(make_house):
    house = make_house(DPOP_BASE_URLS=["https://api.example/v1"])
    client, door, prover = house.client(), house.door(), Prover(lambda: house.clock.time)
    headers = {**client.auth, **prover.proof(htu="https://api.example/v1/o/token/")}
    tokens = door.token(client, headers, grant_type="client_credentials", scope="read").json
    token = tokens["access_token"]
    for uri, status in (("https://api.example/v1/resource", 200), ("https://api.example/resource", 401)):
        answer = door.open("/resource", headers=prover.at("/resource", token, htu=uri))
        assert answer.status_code == status


def test_below_a_path_the_url_has_the_path_once(make_house):
    house = make_house(OIDC_ISS_ENDPOINT="https://id.example/sub/o")
    client, door, prover = house.client(), house.door(), Prover(lambda: house.clock.time)
    below = {"environ_overrides": {"SCRIPT_NAME": "/sub"}}
    proof = prover.proof(path="/sub/o/token/")
    form = {"grant_type": "client_credentials", "scope": "read"}
    token = door.post("/o/token/", form, {**client.auth, **proof}, **below).json["access_token"]
    headers = prover.at("/sub/resource", token)
    assert door.open("/resource", headers=headers, **below).status_code == 200


# --- Nonces ---


@pytest.fixture(scope="module")
def fresh(make_house):
    """A house that asks for nonces."""
    return make_house(DPOP_NONCE_REQUIRED=True, DPOP_NONCE_LIFETIME_SECONDS=300)


def test_a_nonce_is_asked_for_and_given_with_each_answer(fresh):
    client, door, prover = fresh.client(), fresh.door(), Prover(lambda: fresh.clock.time)
    form = {"grant_type": "client_credentials", "scope": "read"}

    def ask(**changes):
        return door.token(client, {**client.auth, **prover.proof(**changes)}, **form)

    answer = ask()
    assert (answer.status_code, answer.json["error"]) == (400, "use_dpop_nonce")
    nonce = answer.headers["DPoP-Nonce"]
    for wrong in ("x" * 43, "", 7, nonce[:-1], "é", None):
        assert ask(nonce=wrong).json["error"] == "use_dpop_nonce"
    given = ask(nonce=nonce, iat=1)  # a clock that is wrong
    assert (given.status_code, given.headers["DPoP-Nonce"]) == (200, nonce)
    token = given.json["access_token"]
    asked = door.open("/resource", headers=prover.at("/resource", token, nonce=nonce))
    assert 'DPoP realm="portula", error="use_dpop_nonce"' in refused(asked, 401, "use_dpop_nonce")
    headers = prover.at("/resource", token, nonce=asked.headers["DPoP-Nonce"])
    passed = door.open("/resource", headers=headers)
    assert (passed.status_code, passed.headers["DPoP-Nonce"]) == (200, asked.headers["DPoP-Nonce"])
    for answer in (given, asked, passed):
        assert answer.headers.getlist("Cache-Control") == ["no-store"]
    userinfo = door.open("/o/userinfo/", headers=prover.at("/o/userinfo/", token))
    assert userinfo.headers["DPoP-Nonce"] == asked.headers["DPoP-Nonce"]
    assert "DPoP-Nonce" in userinfo.headers["Access-Control-Expose-Headers"]


def test_a_nonce_ends(fresh):
    client, door, prover = fresh.client(), fresh.door(), Prover(lambda: fresh.clock.time)
    form = {"grant_type": "client_credentials", "scope": "read"}

    def ask(**changes):
        return door.token(client, {**client.auth, **prover.proof(**changes)}, **form)

    nonce = ask().headers["DPoP-Nonce"]
    fresh.clock.forward(149)
    assert ask(nonce=nonce).status_code == 200
    fresh.clock.forward(151)
    answer = ask(nonce=nonce)
    assert answer.json["error"] == "use_dpop_nonce"
    assert answer.headers["DPoP-Nonce"] != nonce
    assert ask(nonce=answer.headers["DPoP-Nonce"]).status_code == 200


def test_a_nonce_does_not_make_a_proof_count_twice(fresh):
    client, door, prover = fresh.client(), fresh.door(), Prover(lambda: fresh.clock.time)
    form = {"grant_type": "client_credentials", "scope": "read"}
    first = door.token(client, {**client.auth, **prover.proof()}, **form)
    headers = {**client.auth, **prover.proof(nonce=first.headers["DPoP-Nonce"])}
    assert door.token(client, headers, **form).status_code == 200
    fresh.clock.forward(149)
    assert door.token(client, headers, **form).json["error"] == "invalid_dpop_proof"
