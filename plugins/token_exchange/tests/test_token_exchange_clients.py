"""A token of a client itself is exchanged as one of a person is: in its name, narrower, and ending with it."""

import json
from contextlib import closing

import pytest
from security.driving import error_of
from support.exchanges import API, GRANT, MAIL, TYPE, own_token
from support.proofs import Prover

from portula import Plugin, hookimpl
from portula.cli.main import flask_group
from portula.plugin import AccessToken, Authorization, revoke_authorization, revoke_client
from portula_testing.jws import taken_apart
from portula_testing.writing import change_in


@pytest.fixture
def robot(house):
    """A service account."""
    return house.client(client_id="robot", grant_types=("client_credentials",), redirect_uris=())


def told(house, token, party=None):
    return house.door().introspect(party or house.client(), token).json


def test_the_new_token_is_in_the_name_of_the_client_and_says_who_acts(
    house, robot, gateway, exchange, policy
):
    answer = exchange(gateway, own_token(house, robot), scope="read")
    assert answer.status_code == 200, answer.text
    assert {"refresh_token", "id_token"}.isdisjoint(answer.json)
    (request,) = policy.requests
    assert (request.subject.subject, request.subject.client_id) == (None, "robot")
    shown = told(house, answer.json["access_token"])
    assert (shown["sub"], shown["client_id"], shown["scope"]) == ("robot", gateway.client_id, "read")
    assert shown["act"] == {"sub": gateway.client_id, "client_id": gateway.client_id}
    assert "username" not in shown
    assert "sub" not in told(house, own_token(house, robot)), "its own token says it by client_id"
    assert house.door().resource(answer.json["access_token"]).status_code == 200


def test_a_policy_that_asks_for_a_person_refuses_it(house, robot, gateway, exchange, policy):
    policy.may_delegate = lambda request: request.subject.subject is not None
    assert error_of(exchange(gateway, own_token(house, robot))) == "invalid_request"
    assert house.provider.storage.select(Authorization) == []
    policy.may_delegate, policy.impersonates = lambda request: False, True
    shown = told(house, exchange(gateway, own_token(house, robot)).json["access_token"])
    assert shown["sub"] == "robot"
    assert "act" not in shown


def test_it_has_no_more_scopes_and_no_other_target(house, robot, gateway, exchange):
    door = house.door()
    form = {"grant_type": "client_credentials", "scope": "read"}
    narrow = door.token(robot, **form, resource=API).json["access_token"]
    assert error_of(exchange(gateway, narrow)) == "invalid_request", "it is for the API, not for the gateway"
    token = door.token(robot, **form).json["access_token"]
    assert error_of(exchange(gateway, token, scope="read write")) == "invalid_scope"
    made = exchange(gateway, token, resource=MAIL).json["access_token"]
    (kept,) = [each for each in house.provider.storage.select(AccessToken) if each.audience == (MAIL,)]
    assert (kept.client_id, kept.subject) == (gateway.client_id, None)
    assert error_of(exchange(gateway, made, resource=API)) == "invalid_target"


def test_it_ends_no_later(house, robot, gateway, exchange):
    token = own_token(house, robot)
    left = told(house, token)["exp"] - house.clock.time
    house.clock.forward(left - 60)
    made = exchange(gateway, token).json
    assert made["expires_in"] == 60
    house.clock.forward(60)
    assert not house.door().is_active(gateway, made["access_token"])
    assert error_of(exchange(gateway, token)) == "invalid_request"


WAYS = [
    "given back",
    "revoked client",
    "disabled client",
    "revoked token",
    "other client",
    "its authorization",
]


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_it_dies_with_the_token_and_the_client_that_it_is_of(house, robot, gateway, exchange, way, chained):
    token = own_token(house, robot)
    made = exchange(gateway, token).json["access_token"]
    if chained:
        made = exchange(gateway, made).json["access_token"]
        assert told(house, made)["act"]["act"]["sub"] == gateway.client_id
    assert told(house, made)["sub"] == "robot"
    watcher, provider = house.client(), house.provider
    assert house.door().is_active(watcher, made)
    if way == "given back":
        house.door().revoke(robot, token)
    elif way == "revoked client":
        revoke_client(provider, "robot")
    elif way == "disabled client":
        house.change(robot, disabled=True)
    elif way == "revoked token":
        (own,) = [each for each in provider.storage.select(AccessToken) if each.client_id == "robot"]
        provider.app.cli.add_command(flask_group, "portula")
        runner = provider.app.test_cli_runner()
        words = ["portula", "tokens", "revoke", own.digest[:12], "--yes"]
        assert runner.invoke(args=words).exit_code == 0
        listed = runner.invoke(args=["portula", "clients", "tokens", gateway.client_id, "--json"]).output
        assert {each["state"] for each in json.loads(listed)} == {"revoked"}
    elif way == "other client":
        revoke_client(provider, gateway.client_id)
    else:
        (under,) = provider.storage.select(Authorization)
        revoke_authorization(provider, under.id)
    assert not house.door().is_active(watcher, made)
    assert house.door().resource(made).status_code == 401


def test_it_stays_when_another_token_of_the_client_is_given_back(house, robot, gateway, exchange):
    token, other = own_token(house, robot), own_token(house, robot)
    made = exchange(gateway, token).json["access_token"]
    house.door().revoke(robot, other)
    assert house.door().is_active(gateway, made)
    house.door().revoke(gateway, made)
    assert not house.door().is_active(gateway, made)
    assert house.door().is_active(robot, token)


def test_it_is_nobody_at_userinfo_and_among_connected_apps(house, robot, gateway, exchange):
    made = exchange(gateway, own_token(house, robot)).json["access_token"]
    answer = house.door().open("/o/userinfo/", headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code in (401, 403)
    assert house.provider.storage.select(Authorization, subject=house.ann.sub) == []


def test_an_actor_is_another_client_than_the_subject(house, robot, gateway, exchange):
    token = own_token(house, robot)
    own = {"actor_token": own_token(house, gateway), "actor_token_type": f"{TYPE}access_token"}
    shown = told(house, exchange(gateway, token, **own).json["access_token"])
    assert (shown["sub"], shown["act"]["sub"]) == ("robot", gateway.client_id)
    same = {"actor_token": own["actor_token"], "actor_token_type": f"{TYPE}access_token"}
    assert error_of(exchange(gateway, own_token(house, gateway), **same)) == "invalid_request"


def test_a_key_that_it_is_bound_to_is_proven(house, robot, gateway, exchange):
    prover = Prover(lambda: house.clock.time)
    headers = {**robot.auth, **prover.proof()}
    token = house.door().token(robot, headers, grant_type="client_credentials").json["access_token"]
    assert error_of(exchange(gateway, token)) == "invalid_request"
    assert exchange(gateway, token, headers=prover.proof()).json["token_type"] == "DPoP"


def test_its_jwt_says_the_same(make_house):
    house = make_house(ACCESS_TOKEN_FORMAT="jwt")
    robot = house.client(client_id="robot", grant_types=("client_credentials",), redirect_uris=())
    gateway = house.client(grant_types=(GRANT,), redirect_uris=())
    form = {"subject_token": own_token(house, robot), "subject_token_type": f"{TYPE}jwt"}
    made = house.door().token(gateway, grant_type=GRANT, **form).json["access_token"]
    claims = taken_apart(made)[1]
    assert (claims["sub"], claims["client_id"]) == ("robot", gateway.client_id)
    assert claims["act"]["sub"] == gateway.client_id
    assert taken_apart(form["subject_token"])[1]["sub"] == "robot"
    assert "ends_with" not in claims


class Voucher:
    """A type of token for another server."""

    lifetime, is_grant = 60, False

    def judge(self, exchange, request):
        pass

    def make(self, exchange, request):
        return exchange.provider.hooks.ask(Plugin.portula_jose).sign({"sub": exchange.known_as}, typ="v+jwt")

    @hookimpl(optionalhook=True)
    def portula_requested_token_types(self, provider):
        return {"urn:example:voucher": self}


def test_a_token_for_another_server_is_in_its_name_too_and_nothing_is_kept(make_house, policy):
    policy.may_assert = lambda request: True
    house = make_house(Voucher(), TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=["urn:example:voucher"])
    robot = house.client(client_id="robot", grant_types=("client_credentials",), redirect_uris=())
    gateway = house.client(grant_types=(GRANT,), redirect_uris=())
    form = {"subject_token": own_token(house, robot), "subject_token_type": f"{TYPE}access_token"}
    form["requested_token_type"] = "urn:example:voucher"
    made = house.door().token(gateway, grant_type=GRANT, **form).json["access_token"]
    assert taken_apart(made)[1] == {"sub": "robot"}
    assert house.provider.storage.select(Authorization) == []


def test_a_token_of_a_person_without_an_authorization_is_no_subject(house, app, gateway, exchange):
    token = house.tokens(app)["access_token"]
    (kept,) = house.provider.storage.select(AccessToken)
    change_in(house.provider.storage, AccessToken, {"digest": kept.digest}, authorization=None)
    assert house.door().is_active(gateway, token)
    assert error_of(exchange(gateway, token)) == "invalid_request"


def test_it_is_the_same_on_a_database_and_what_it_leaves_is_purged(make_house, tmp_path):
    with closing(make_house(folder=tmp_path)) as house:
        robot = house.client(grant_types=("client_credentials",), redirect_uris=())
        gateway = house.client(grant_types=(GRANT,), redirect_uris=())
        token = own_token(house, robot)
        form = {"subject_token": token, "subject_token_type": f"{TYPE}access_token"}
        made = house.door().token(gateway, grant_type=GRANT, **form).json["access_token"]
        assert told(house, made)["sub"] == robot.client_id
        house.door().revoke(robot, token)
        assert not house.door().is_active(gateway, made)
        house.clock.forward(40_000)
        assert house.provider.storage.purge(Authorization, now=house.provider.now(), limit=10) == 1
