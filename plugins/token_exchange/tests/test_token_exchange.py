"""Tokens are exchanged as RFC 8693 and the policy say, over HTTP."""

from contextlib import closing
from dataclasses import replace

import pytest
from security.driving import bearer, error_of
from support.browser import forms_of
from support.exchanges import API, GRANT, MAIL, TYPE, own_token
from support.proofs import Prover

from portula import hookimpl
from portula.cli.main import flask_group
from portula.plugin import Application, revoke_client, revoke_person
from portula_testing.jws import TokenKey, taken_apart, unsigned_token
from portula_testing.writing import remove_from

# --- What one gets ---


def test_a_token_is_exchanged_for_one_of_the_client_in_the_same_name(house, app, gateway, exchange):
    token = house.tokens(app, scope="openid read write")["access_token"]
    answer = exchange(gateway, token, scope="read")
    assert answer.status_code == 200, answer.text
    made = answer.json
    assert made["issued_token_type"] == f"{TYPE}access_token"
    assert (made["token_type"], made["scope"]) == ("Bearer", "read")
    assert {"refresh_token", "id_token"}.isdisjoint(made)
    assert answer.headers["Cache-Control"] == "no-store"
    shown = house.door().introspect(gateway, made["access_token"]).json
    assert (shown["client_id"], shown["sub"], shown["scope"]) == (gateway.client_id, house.ann.sub, "read")
    assert shown["act"] == {"sub": gateway.client_id, "client_id": gateway.client_id}
    assert house.door().resource(made["access_token"]).status_code == 200


def test_without_a_scope_it_has_those_of_its_subject(house, app, gateway, exchange):
    token = house.tokens(app, scope="read write")["access_token"]
    assert exchange(gateway, token).json["scope"] == "read write"


def test_it_ends_when_its_subject_ends(house, app, gateway, exchange):
    token = house.tokens(app)["access_token"]
    left = house.door().introspect(app, token).json["exp"] - house.clock.time
    house.clock.forward(left - 60)
    made = exchange(gateway, token).json
    assert made["expires_in"] == 60
    house.clock.forward(60)
    assert not house.door().is_active(gateway, made["access_token"])
    assert error_of(exchange(gateway, token)) == "invalid_request"


@pytest.mark.parametrize("way", ["refresh token", "person", "disabled person", "disabled client", "client"])
def test_it_dies_with_the_authorization_of_its_subject(house, app, gateway, exchange, way):

    tokens = house.tokens(app)
    made = exchange(gateway, tokens["access_token"]).json["access_token"]
    watcher = house.client()
    assert house.door().is_active(watcher, made)
    if way == "refresh token":
        house.door().revoke(app, tokens["refresh_token"])
    elif way == "person":
        revoke_person(house.provider, house.ann.sub, client_id=app.client_id)
    elif way == "disabled person":
        house.users.disable(house.ann)
    elif way == "disabled client":
        house.change(gateway, disabled=True)
    else:
        revoke_client(house.provider, app.client_id)
    assert not house.door().is_active(watcher, made)


def test_whoever_ends_all_that_a_client_has_ends_exchanged_tokens_too(house, app, gateway, exchange):

    token = house.tokens(app)["access_token"]
    made = exchange(gateway, token).json["access_token"]
    assert revoke_client(house.provider, gateway.client_id) == 1
    assert not house.door().is_active(app, made)
    assert house.door().is_active(app, token), "that of the other client stays"


@pytest.mark.parametrize("gone", [False, True])
def test_it_counts_nowhere_while_the_client_of_its_subject_does_not(house, gateway, exchange, gone):
    app, door, watcher = house.client(), house.door(), house.client()
    token = house.tokens(app, scope="openid read")["access_token"]
    made = exchange(gateway, token).json["access_token"]
    again = exchange(gateway, made).json["access_token"]
    if gone:
        remove_from(house.provider.storage, Application, client_id=app.client_id)
    else:
        house.change(app, disabled=True)
    for each in (made, again):
        assert not door.is_active(watcher, each)
        assert not door.is_active(gateway, each)
        assert door.resource(each).status_code == 401
        assert door.open("/o/userinfo/", headers=bearer(each)).status_code == 401
        assert error_of(exchange(gateway, each)) == "invalid_request"
    reason = house.provider.validator.why_not_live(made)
    assert reason == "the client that it was exchanged from is gone or disabled"
    if not gone:
        house.change(app, disabled=False)
        assert door.is_active(watcher, made)
        assert door.open("/o/userinfo/", headers=bearer(made)).status_code == 200


@pytest.mark.parametrize("kept", ["memory", "file"])
@pytest.mark.parametrize("way", ["page", "consents", "tokens"])
def test_whoever_takes_access_back_from_a_client_ends_what_it_exchanged(make_house, tmp_path, way, kept):
    grants = ("authorization_code", "client_credentials", GRANT)
    with closing(make_house(folder=tmp_path if kept == "file" else None)) as house:
        app, gateway, browser = house.client(), house.client(grant_types=grants), house.browser()
        door, provider = house.door(), house.provider
        code, verifier = browser.code(gateway)
        own = door.redeem(gateway, code, verifier).json["access_token"]
        token = house.tokens(app)["access_token"]
        form = {"subject_token": token, "subject_token_type": f"{TYPE}access_token"}
        made = door.token(gateway, gateway.auth, grant_type=GRANT, **form).json["access_token"]
        robots = door.token(gateway, grant_type="client_credentials").json["access_token"]
        assert door.is_active(app, own)
        assert door.is_active(app, made)
        if way == "page":
            apps = forms_of(browser.get("/o/authorized_tokens/").text)
            (fields,) = [each.fields for each in apps if each.fields.get("client_id") == gateway.client_id]
            assert browser.post("/o/authorized_tokens/", fields).status_code == 303
        else:
            words = {
                "consents": ["consents", "remove", "ann", gateway.client_id],
                "tokens": ["tokens", "revoke", "--user", "ann", "--client", gateway.client_id],
            }[way]
            provider.app.cli.add_command(flask_group, "portula")
            ran = provider.app.test_cli_runner().invoke(args=["portula", *words, "--yes", "--json"])
            assert ran.exit_code == 0, ran.output
            assert way == "consents" or '"revoked": 2' in ran.output, (
                "an authorization, and a token of another"
            )
        assert not door.is_active(app, own)
        assert not door.is_active(app, made)
        assert door.resource(made).status_code == 401
        assert door.is_active(app, token), "that of the other client stays"
        assert door.is_active(app, robots), "the client's own is of no person"


def test_its_client_gives_it_back_and_nobody_else(house, app, gateway, exchange):
    token = house.tokens(app)["access_token"]
    made = exchange(gateway, token).json["access_token"]
    house.door().revoke(app, made)
    assert house.door().is_active(gateway, made)
    house.door().revoke(gateway, made)
    assert not house.door().is_active(gateway, made)
    assert house.door().is_active(app, token)


@pytest.mark.parametrize("kind", ["id_token", "jwt"])
def test_an_id_token_is_exchanged_by_its_own_client(house, gateway, exchange, kind):
    app = house.client(grant_types=("authorization_code", "refresh_token", GRANT))
    tokens = house.tokens(app, scope="openid read")
    made = exchange(app, tokens["id_token"], kind, scope="read")
    assert made.status_code == 200, made.text
    assert house.door().introspect(app, made.json["access_token"]).json["sub"] == house.ann.sub
    assert error_of(exchange(gateway, tokens["id_token"], kind)) == "invalid_request", "another client"
    house.door().revoke(app, tokens["refresh_token"])
    assert not house.door().is_active(app, made.json["access_token"])
    assert error_of(exchange(app, tokens["id_token"], kind)) == "invalid_request", "revoked"


def test_an_id_token_that_has_expired_or_was_changed_does_not_count(house, exchange):
    app = house.client(grant_types=("authorization_code", "refresh_token", GRANT))
    token = house.tokens(app, scope="openid read")["id_token"]
    _, claims = taken_apart(token)
    forged = TokenKey("RS256").sign(claims)
    for wrong in (forged, unsigned_token(claims), token[:-4] + "AAAA", "x", "a.b.c"):
        assert error_of(exchange(app, wrong, "id_token")) == "invalid_request"
    assert error_of(exchange(app, token, "access_token")) == "invalid_request", "said to be of another type"
    house.clock.forward(claims["exp"] - house.clock.time)
    assert error_of(exchange(app, token, "id_token")) == "invalid_request"


def test_an_id_token_that_the_client_could_have_signed_does_not_count(house, exchange):

    app = house.client(grant_types=("authorization_code", GRANT))
    sealed, secret = house.provider.clients.create(
        replace(house.find(app), client_id="", algorithm="HS256"), hash_secret=False
    )
    party = replace(app, client_id=sealed.client_id, secret=secret)
    token = house.tokens(party, scope="openid read")["id_token"]
    assert taken_apart(token)[0]["alg"] == "HS256"
    assert error_of(exchange(party, token, "id_token")) == "invalid_request"


def test_clients_that_know_people_by_other_names_go_on_doing_so(house, exchange, gateway):
    pairwise = house.client(metadata={"subject_type": "pairwise"})
    token = house.tokens(pairwise)["access_token"]
    mine = house.door().introspect(pairwise, token).json["sub"]
    made = exchange(gateway, token).json["access_token"]
    assert mine != house.ann.sub
    assert house.door().introspect(gateway, made).json["sub"] == house.ann.sub
    app = house.client()
    other = house.client(
        grant_types=(GRANT,), redirect_uris=("https://o.example/",), metadata={"subject_type": "pairwise"}
    )
    made = exchange(other, house.tokens(app)["access_token"]).json["access_token"]
    assert house.door().introspect(other, made).json["sub"] not in (mine, house.ann.sub)


# --- Who acts ---


def test_the_policy_may_let_a_client_impersonate(house, app, gateway, exchange, policy):
    policy.impersonates = True
    token = house.tokens(app)["access_token"]
    made = exchange(gateway, token).json["access_token"]
    assert "act" not in house.door().introspect(gateway, made).json
    assert policy.requests == []


def test_impersonation_hides_nobody_who_acted_before(house, app, gateway, exchange, policy):
    first = exchange(gateway, house.tokens(app)["access_token"]).json["access_token"]
    policy.impersonates = True
    made = exchange(gateway, first).json["access_token"]
    assert house.door().introspect(gateway, made).json["act"]["sub"] == gateway.client_id


def test_the_actor_is_whose_token_is_sent(house, app, gateway, exchange, policy):
    policy.impersonates = True  # of no effect: an actor is named
    actor = {"actor_token": own_token(house, gateway), "actor_token_type": f"{TYPE}access_token"}
    made = exchange(gateway, house.tokens(app)["access_token"], **actor).json["access_token"]
    shown = house.door().introspect(gateway, made).json
    assert shown["act"] == {"sub": gateway.client_id, "client_id": gateway.client_id}
    (request,) = policy.requests
    assert (request.actor.client_id, request.subject.subject) == (gateway.client_id, house.ann.sub)


def test_a_service_that_sent_its_token_acts_itself(house, app, exchange):
    service = house.client(grant_types=("client_credentials",), redirect_uris=())
    api = house.client(client_id="api", grant_types=(GRANT,), redirect_uris=())
    form = {"grant_type": "client_credentials", "resource": API}
    actors = {"actor_token_type": f"{TYPE}access_token"}
    actors["actor_token"] = house.door().token(service, **form).json["access_token"]
    made = exchange(api, house.tokens(app)["access_token"], **actors).json["access_token"]
    act = house.door().introspect(app, made).json["act"]
    assert act == {"sub": service.client_id, "client_id": "api"}


def test_a_person_may_act_for_another(house, app, exchange):
    bob = house.users.create("bob", "a long password of hers")
    desk = house.client(grant_types=("authorization_code", GRANT))
    actor = house.tokens(desk, username="bob")["access_token"]
    subject = house.tokens(app)["access_token"]
    actors = {"actor_token": actor, "actor_token_type": f"{TYPE}access_token"}
    made = exchange(desk, subject, **actors).json["access_token"]
    shown = house.door().introspect(desk, made).json
    assert (shown["sub"], shown["act"]["sub"]) == (house.ann.sub, bob.sub)


def test_actors_stand_inside_each_other_up_to_a_depth(house, app, gateway, exchange):
    token = house.tokens(app)["access_token"]
    for depth in range(1, 6):
        token = exchange(gateway, token).json["access_token"]
        act, found = house.door().introspect(gateway, token).json["act"], 0
        while act is not None:
            act, found = act.get("act"), found + 1
        assert found == depth
    assert error_of(exchange(gateway, token)) == "invalid_request"


def test_an_actor_that_is_no_actor_is_refused(house, app, gateway, exchange):
    subject, kind = house.tokens(app)["access_token"], f"{TYPE}access_token"
    of_hers = exchange(gateway, subject).json["access_token"]
    watcher = house.client(grant_types=("client_credentials",), redirect_uris=())
    for actor in (of_hers, own_token(house, watcher), "x"):
        answer = exchange(gateway, subject, actor_token=actor, actor_token_type=kind)
        assert error_of(answer) == "invalid_request"
    for half in ({"actor_token": own_token(house, gateway)}, {"actor_token_type": kind}):
        assert error_of(exchange(gateway, subject, **half)) == "invalid_request"


class Lets:
    """Says in each token who may act."""

    def __init__(self, **may_act):
        self.may_act = may_act

    @hookimpl
    def portula_shape_token(self, exchange):
        if exchange.request.grant_type == "authorization_code":
            exchange.issue.claims["may_act"] = self.may_act


def test_may_act_names_who_may(make_house, policy):
    lets = Lets()
    house = make_house(lets)
    app, gateway = house.client(), house.client(grant_types=(GRANT,), redirect_uris=())

    def exchange():
        form = {"subject_token": token, "subject_token_type": f"{TYPE}access_token"}
        return house.door().token(gateway, grant_type=GRANT, **form)

    lets.may_act = {"sub": gateway.client_id, "iss": "https://id.example/o"}
    token = house.tokens(app)["access_token"]
    made = exchange().json["access_token"]
    shown = house.door().introspect(gateway, made).json
    assert shown["may_act"] == lets.may_act, "the new token lets nobody else act either"
    for wrong in ({"sub": "other"}, {}, {"sub": gateway.client_id, "iss": "https://x.example"}, {"k": 1}):
        lets.may_act = wrong
        token = house.tokens(app)["access_token"]
        assert error_of(exchange()) == "invalid_request"


# --- Whom it is for ---


def test_it_is_for_the_resource_or_the_audience_that_is_named(house, app, gateway, exchange):
    token = house.tokens(app)["access_token"]
    api = house.client(client_id="api", grant_types=("client_credentials",), redirect_uris=())
    for target in ({"resource": API}, {"audience": API}, {"audience": "api"}):
        made = exchange(gateway, token, **target).json["access_token"]
        assert house.door().introspect(api, made).json["aud"] == [*target.values()]
        assert house.door().introspect(app, made).json == {"active": False}
    made = exchange(gateway, token, resource=API, audience=["api", API]).json["access_token"]
    assert house.door().introspect(api, made).json["aud"] == [API, "api"]


@pytest.mark.parametrize(
    "target",
    [
        {"resource": "https://nobody.example"},
        {"resource": "no uri"},
        {"audience": "nobody"},
        {"audience": "\u00e9"},
        {"audience": ["api"] * 21},
        {"audience": "https://api.example/v11"},
    ],
)
def test_an_unknown_target_is_none(house, app, gateway, exchange, target):
    house.client(client_id="api", grant_types=("client_credentials",), redirect_uris=())
    assert error_of(exchange(gateway, house.tokens(app)["access_token"], **target)) == "invalid_target"


def test_a_resource_is_no_target_where_nobody_knows_resources(make_house):
    house = make_house(PROTECTED_RESOURCES={})
    app, gateway = house.client(), house.client(grant_types=(GRANT,), redirect_uris=())
    form = {"subject_token": house.tokens(app)["access_token"], "subject_token_type": f"{TYPE}access_token"}
    answer = house.door().token(gateway, grant_type=GRANT, resource=API, **form)
    assert error_of(answer) == "invalid_target"


def test_it_is_for_nobody_else_than_its_subject(house, app, exchange):
    api = house.client(client_id="api", grant_types=(GRANT,), redirect_uris=())
    stranger = house.client(grant_types=(GRANT,), redirect_uris=())
    token = house.tokens(app, resource=API)["access_token"]
    assert error_of(exchange(api, token, resource=MAIL)) == "invalid_target"
    assert error_of(exchange(stranger, token)) == "invalid_request", "not for this client"
    made = exchange(api, token).json["access_token"]
    assert house.door().introspect(api, made).json["aud"] == [API]
    assert error_of(exchange(api, made, audience=MAIL)) == "invalid_target", "there and back"


def test_no_plugin_makes_it_wider(make_house):
    class Wider:
        @hookimpl
        def portula_shape_token(self, exchange):
            if exchange.request.grant_type == GRANT:
                exchange.issue.scope += ("write",)

    house = make_house(Wider())
    app, gateway = house.client(), house.client(grant_types=(GRANT,), redirect_uris=())
    form = {"subject_token": house.tokens(app)["access_token"], "subject_token_type": f"{TYPE}access_token"}
    answer = house.door().token(gateway, grant_type=GRANT, **form)
    assert answer.json["error"] == "access_denied", "a rule that fails denies"


# --- Keys ---


@pytest.mark.parametrize("public", [False, True])
def test_a_bound_token_is_exchanged_by_who_proves_its_key(house, gateway, exchange, public):
    prover, other = Prover(lambda: house.clock.time), Prover(lambda: house.clock.time)
    app = house.public_client() if public else house.client()
    code, verifier = house.browser().code(app)
    bound = house.door().redeem(app, code, verifier, headers={**app.auth, **prover.proof()})
    token = bound.json["access_token"]
    for wrong in ({}, other.proof()):
        assert error_of(exchange(gateway, token, headers=wrong)) == "invalid_request"
    made = exchange(gateway, token, headers=prover.proof())
    assert made.json["token_type"] == "DPoP", made.text
    value = made.json["access_token"]
    shown = house.door().introspect(gateway, value).json
    assert shown["cnf"] == {"jkt": prover.thumbprint}
    assert house.door().open("/resource", headers=bearer(value)).status_code == 401
    assert house.door().open("/resource", headers=prover.at("/resource", value)).status_code == 200


def test_a_new_token_is_bound_to_the_key_of_its_request(house, app, gateway, exchange):
    prover = Prover(lambda: house.clock.time)
    made = exchange(gateway, house.tokens(app)["access_token"], headers=prover.proof()).json
    assert made["token_type"] == "DPoP"
    assert error_of(exchange(gateway, made["access_token"])) == "invalid_request", "bound from now on"
