"""The grant management API, over HTTP (Grant Management §6)."""

import pytest
from security.driving import CALLBACK, PASSWORD, Party, answered, bearer, error_of
from support.details import PAYMENT
from support.managed_grants import MANAGED, Managed, details
from support.proofs import Prover

from portula.plugin import Artifact

UNKNOWN = "TSdqirmAxDa0_-DB_1bASQ"


def refused(answer, status, error):
    """Require a refusal in the body and in the challenge."""
    assert (answer.status_code, answer.json["error"]) == (status, error)
    return answer.headers["WWW-Authenticate"]


# --- Query ---


def test_a_grant_says_what_it_holds_and_no_token(world, shop):
    before = int(world.clock.time)
    tokens = shop.tokens(scope="openid profile read", authorization_details=details(PAYMENT))
    world.clock.forward(60)
    held = shop.query(tokens["grant_id"])
    assert [set(each["scope"].split()) for each in held["scopes"]] == [{"openid", "profile", "read"}]
    assert {"name", "given_name"} <= set(held["claims"])
    assert held["authorization_details"] == [PAYMENT]
    assert held["created_at"] == held["last_updated"] == held["last_updated_at"] == before
    assert held["updated_by"] == "client"
    text = str(held)
    assert not [
        value for value in (tokens["access_token"], tokens["refresh_token"], world.ann.sub) if value in text
    ]


def test_it_says_when_it_was_changed_last(world, shop):
    tokens = shop.tokens(scope="read")
    created = shop.query(tokens["grant_id"])["created_at"]
    world.clock.forward(100)
    shop.tokens("merge", tokens["grant_id"], scope="write")
    held = shop.query(tokens["grant_id"])
    assert (held["created_at"], held["last_updated"]) == (created, created + 100)


def test_a_refresh_changes_nothing_of_it(world, shop):
    tokens = shop.tokens(scope="read")
    before = shop.query(tokens["grant_id"])
    world.clock.forward(10)
    shop.refresh(tokens)
    assert shop.query(tokens["grant_id"]) == before


def test_head_is_answered_as_get_without_a_body(shop):
    answer = shop.call(shop.tokens()["grant_id"], "HEAD")
    assert answer.status_code == 200
    assert answer.data == b""


# --- Revoke ---


def test_all_tokens_of_a_grant_end_with_it(shop):
    first = shop.tokens(scope="read")
    second = shop.tokens("merge", first["grant_id"], scope="write")
    other = shop.tokens(scope="read")
    assert shop.door.resource(second["access_token"]).status_code == 200
    answer = shop.call(first["grant_id"], "DELETE")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert shop.active(second["access_token"], second["refresh_token"]) == [False, False]
    assert shop.door.resource(second["access_token"]).status_code == 401
    assert error_of(shop.refresh(second)) == "invalid_grant"
    assert shop.active(other["access_token"]) == [True]


def test_a_grant_that_has_ended_is_unknown_and_nothing_is_left_of_it(world, shop):
    grant_id = shop.tokens()["grant_id"]
    kept = [each for each in world.provider.storage.select(Artifact, limit=10**6) if each.kind == "grant"]
    shop.call(grant_id, "DELETE")
    for method in ("DELETE", "GET"):
        assert error_of(shop.call(grant_id, method), 404) == "invalid_grant_id"
    left = [each for each in world.provider.storage.select(Artifact, limit=10**6) if each.kind == "grant"]
    assert len(left) == len(kept) - 1


# --- Who may ---


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_token_is_needed(shop, method):
    grant_id = shop.tokens()["grant_id"]
    answer = shop.door.open(f"/o/grants/{grant_id}", method=method)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert "error=" not in answer.headers["WWW-Authenticate"]
    for wrong in ("nonsense", "x" * 5000):
        assert "invalid_token" in refused(shop.call(grant_id, method, wrong), 401, "invalid_token")
    assert shop.is_known(grant_id)


@pytest.mark.parametrize(
    ("method", "scope"),
    [("GET", "grant_management_revoke"), ("DELETE", "grant_management_query"), ("GET", "read")],
)
def test_the_scope_of_the_method_is_needed(shop, method, scope):
    grant_id = shop.tokens()["grant_id"]
    challenge = refused(shop.call(grant_id, method, shop.own_token(scope)), 403, "insufficient_scope")
    needed = {"GET": "grant_management_query", "DELETE": "grant_management_revoke"}[method]
    assert f'scope="{needed}"' in challenge
    assert shop.is_known(grant_id)


def test_a_token_that_is_revoked_or_old_is_none(world, shop):
    grant_id = shop.tokens()["grant_id"]
    revoked, old = shop.own_token(), shop.own_token()
    shop.door.revoke(shop.party, revoked)
    refused(shop.call(grant_id, "DELETE", revoked), 401, "invalid_token")
    world.clock.forward(10**5)
    refused(shop.call(grant_id, "DELETE", old), 401, "invalid_token")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_and_foreign_grants_are_told_alike(world, shop, method):
    foreign = Managed(world).tokens()["grant_id"]
    answers = [
        shop.call(grant_id, method) for grant_id in (UNKNOWN, foreign, "x" * 3000, "%00", "%FF", "a%2Fb")
    ]
    assert {answer.status_code for answer in answers} == {404}
    first, second = answers[:2]
    assert (first.json, dict(first.headers)) == (second.json, dict(second.headers))
    assert first.json["error"] == "invalid_grant_id"


def test_a_token_of_a_person_is_for_grants_of_that_person(world, shop):
    user = world.user()
    theirs = world.browser()
    theirs.sign_in(user.username, PASSWORD)
    of_bob = shop.redeem(shop.code(browser=theirs)).json["grant_id"]
    both = "grant_management_query grant_management_revoke read"
    tokens = shop.tokens(scope=both)
    assert shop.call(tokens["grant_id"], token=tokens["access_token"]).status_code == 200
    for method in ("GET", "DELETE"):
        assert error_of(shop.call(of_bob, method, tokens["access_token"]), 404) == "invalid_grant_id"
    assert shop.call(tokens["grant_id"], "DELETE", tokens["access_token"]).status_code == 204


def test_a_public_client_may_not(world, shop):
    party = world.public_client(grant_types=("authorization_code", "refresh_token"))
    browser = world.browser()
    browser.sign_in()
    code = browser.code(party, scope="grant_management_query")
    token = world.door().redeem(party, *code).json["access_token"]
    refused(shop.call(shop.tokens()["grant_id"], token=token), 403, "insufficient_scope")


def test_a_client_that_registered_itself_has_neither_scope(make_world):
    world = make_world(**MANAGED, DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    made = world.door().open("/o/register/", method="POST", json={"redirect_uris": [CALLBACK]}).json
    party, browser = Party(made["client_id"], made["client_secret"]), world.browser()
    browser.sign_in()
    for scope in ("grant_management_query", "grant_management_revoke"):
        assert answered(browser.consent_page(party, scope=scope))["error"] == "invalid_scope"
    assert browser.consent_page(party, scope="read", grant_management_action="create").status_code == 200


def test_a_client_that_is_disabled_sees_and_ends_nothing(world, shop):
    grant_id, token = shop.tokens()["grant_id"], shop.own_token()
    world.change(shop.party, disabled=True)
    refused(shop.call(grant_id, "DELETE", token), 401, "invalid_token")
    world.change(shop.party, disabled=False)
    assert shop.is_known(grant_id)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_other_methods_are_not_allowed(shop, method):
    answer = shop.call(shop.tokens()["grant_id"], method)
    assert answer.status_code == 405
    assert {"GET", "DELETE"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


def test_a_token_that_is_bound_needs_its_proof(world):
    prover = Prover(lambda: int(world.clock.time))
    shop = Managed(world)
    grant_id = shop.tokens()["grant_id"]
    form = {"grant_type": "client_credentials", "scope": "grant_management_query grant_management_revoke"}
    headers = {**shop.party.auth, **prover.proof()}
    token = shop.door.token(shop.party, headers, **form).json["access_token"]
    path = f"/o/grants/{grant_id}"
    refused(shop.door.open(path, headers=bearer(token)), 401, "invalid_token")
    other = prover.at("/o/userinfo/", token)
    assert shop.door.open(path, headers=other).status_code == 401
    assert shop.door.open(path, headers=prover.at(path, token)).status_code == 200
    wrong = shop.door.open(path, method="DELETE", headers=prover.at(path, token, "GET"))
    assert wrong.status_code == 401
    assert shop.door.open(path, method="DELETE", headers=prover.at(path, token, "DELETE")).status_code == 204


def test_ahead_of_flask_it_is_answered_alike(world, shop):
    grant_id, token = shop.tokens()["grant_id"], shop.own_token()
    answers = [
        world.door(kind).open(f"/o/grants/{grant_id}", headers=bearer(token)).json
        for kind in ("flask", "wsgi")
    ]
    assert answers[0] == answers[1]
