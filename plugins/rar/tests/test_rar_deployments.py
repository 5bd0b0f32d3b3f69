"""Details in a database, beside a server class of oauthlib's own, in a guarded view, and in reports."""

import json

import pytest
from support.details import ACCOUNTS, BANK, PAYMENT, TYPES, AccountInformation, PaymentInitiation

from portula import hookimpl
from portula.cli.main import flask_group
from portula.errors import ConfigError, DuplicateContribution
from portula_resource_server import current_token, require_oauth
from portula_testing import jws

NAMED = {"authorization_details": json.dumps([PAYMENT, ACCOUNTS])}
CHOSEN = {**ACCOUNTS, "identifier": AccountInformation.chosen}


def settings(**more):
    return {"AUTHORIZATION_DETAILS_TYPES": TYPES, "PROTECTED_RESOURCES": {}, **more}


@pytest.fixture
def stored(make_world, tmp_path):
    """A house whose records are in a SQLite file."""
    world = make_world(folder=tmp_path, **settings())
    yield world
    world.close()


def test_a_database_keeps_details_of_authorizations_and_tokens(stored):
    party = stored.client(metadata={"authorization_details_types": list(TYPES)})
    tokens = stored.tokens(party, scope="read", **NAMED)
    for _ in range(2):
        told = stored.door().introspect(party, tokens["access_token"]).json
        assert told["authorization_details"] == tokens["authorization_details"] == [PAYMENT, CHOSEN]
        tokens = stored.door().refresh(party, tokens["refresh_token"]).json


def test_a_view_reads_the_details_of_its_token(make_world):
    world = make_world(**settings())
    view = require_oauth("read")(lambda: json.dumps(current_token.claims["authorization_details"]))
    world.app.add_url_rule("/pay", "pay", view)
    party = world.client(metadata={"authorization_details_types": list(TYPES)})
    token = world.tokens(party, scope="read", **NAMED)["access_token"]
    answer = world.door().open("/pay", headers={"Authorization": f"Bearer {token}"})
    assert json.loads(answer.text) == [PAYMENT, CHOSEN]


def test_a_jwt_says_the_details_that_are_for_its_audience(make_world):
    resources = {BANK: {}, "https://other.example/": {}}
    world = make_world(**settings(ACCESS_TOKEN_FORMAT="jwt", PROTECTED_RESOURCES=resources))
    party = world.client(metadata={"authorization_details_types": list(TYPES)})
    tokens = world.tokens(party, scope="read", resource=[BANK, "https://other.example/"], **NAMED)
    assert jws.taken_apart(tokens["access_token"])[1]["authorization_details"] == [PAYMENT, CHOSEN]
    other = world.door().refresh(party, tokens["refresh_token"], resource="https://other.example/").json
    assert jws.taken_apart(other["access_token"])[1]["authorization_details"] == [CHOSEN]


def test_a_server_class_that_runs_no_steps_cannot_stand_in(make_world):
    with pytest.raises(ConfigError, match="OAUTH2_SERVER_CLASS"):
        make_world(OAUTH2_SERVER_CLASS="oauthlib.oauth2.BackendApplicationServer", **settings())


@pytest.mark.parametrize("given", [TYPES, {"payment_initiation": "support.details.PaymentInitiation"}])
def test_types_are_classes_or_their_names_and_are_shown(make_world, given):
    world = make_world(**settings(AUTHORIZATION_DETAILS_TYPES=given))
    world.app.cli.add_command(flask_group, "portula")
    runner = world.app.test_cli_runner()
    for words in (["settings"], ["settings", "--json"], ["explain", "token"], ["check"]):
        done = runner.invoke(args=["portula", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        if words[0] == "settings":
            assert "AUTHORIZATION_DETAILS_TYPES" in done.stdout
            assert "payment_initiation" in done.stdout


def test_a_plugin_is_asked_for_its_types_at_start_alone(make_world):
    calls = []

    class Bank:
        @hookimpl
        def portula_authorization_details_types(self, provider):
            calls.append(provider)
            return {"payment_initiation": PaymentInitiation()}

    world = make_world(Bank(), PROTECTED_RESOURCES={})
    party = world.client(metadata={"authorization_details_types": ["payment_initiation"]})
    for _ in range(2):
        world.tokens(party, scope="read", authorization_details=json.dumps([PAYMENT]))
    assert len(calls) == 1


def test_two_plugins_with_one_type_stop_the_start(make_world):
    class Bank:
        @hookimpl
        def portula_authorization_details_types(self, provider):
            return {"payment_initiation": PaymentInitiation()}

    with pytest.raises(DuplicateContribution, match="payment_initiation"):
        make_world(Bank(), **settings())


def test_a_client_registered_with_types_stays_when_they_go(make_world):
    world, metadata = (
        make_world(PROTECTED_RESOURCES={}),
        {"authorization_details_types": ["payment_initiation"]},
    )
    party = world.client(metadata=metadata)
    world.change(party, name="Another name")
    assert world.find(party).metadata == metadata
