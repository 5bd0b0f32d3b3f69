"""S55: who registers itself gets nothing that only an operator gives, and not more clients than it may."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, replace

import pytest

from portula import hookimpl
from portula.cli.main import flask_group
from portula.plugin import Application, ClientMember
from security.driving import PASSWORD, Party, bearer, error_of
from security.registering import OPEN, PRIVILEGED, Elsewhere, record, register, told_by, update
from security.test_s31_storage import dump

OF_CLIENTS = {
    "scope",
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "application_type",
    "token_endpoint_auth_method",
}
"""Fields of Application that are client metadata under the same name."""


@pytest.fixture(scope="module")
def house(make_house):
    """A house at which everybody may register clients, of OpenID Connect too."""
    return make_house(Elsewhere(), **Elsewhere.chosen, **OPEN)


@pytest.fixture
def door(house, kind):
    return house.door(kind)


# --- Closed ---


@pytest.mark.parametrize("settings", [{}, {"DCR_ENABLED": True}], ids=["default", "enabled"])
def test_by_default_no_stranger_registers(make_house, kind, settings):
    house = make_house(**settings)
    assert register(house.door(kind)).status_code in {404, 401}
    assert house.provider.storage.select(Application) == []


# --- Privileged fields ---


def plain(house, told):
    """Return what must be the same of every client that registers with the same metadata."""
    changing = {"client_id", "secret_hashes", "version"}  # another each time
    client = record(house, told)
    assert client.version != PRIVILEGED["version"]
    return {field.name: getattr(client, field.name) for field in fields(Application)} | dict.fromkeys(
        changing
    )


@pytest.mark.parametrize(
    "name", sorted({*PRIVILEGED, *(field.name for field in fields(Application))} - OF_CLIENTS)
)
def test_no_privileged_field_is_set_by_registering(house, door, name):
    usual = plain(house, told_by(register(door)))
    told = told_by(register(door, **{name: PRIVILEGED.get(name, "x")}))
    assert plain(house, told) == usual
    assert told["client_id"] != PRIVILEGED["client_id"]
    assert told["client_secret"] != PRIVILEGED["client_secret"]


@pytest.mark.parametrize("name", sorted(PRIVILEGED.keys() - {"client_id"}))
def test_no_privileged_field_is_set_by_an_update(house, door, name):
    told = told_by(register(door))
    before, version = plain(house, told), record(house, told).version
    answer = update(door, told, **{name: PRIVILEGED[name]})
    assert answer.status_code in {200, 400}
    assert record(house, told).version == version + (answer.status_code == 200)
    assert plain(house, told) == before


class Meanwhile:
    """A rule that takes its time, in which something else happens once."""

    does = None

    @hookimpl
    def portula_validate_client_registration(self, registration):
        happens, Meanwhile.does = Meanwhile.does, None
        if happens is not None:
            happens()


class Generous:
    """A plugin that says it merely observes, and maps members onto every field."""

    @hookimpl
    def portula_client_metadata(self, provider):
        taken = {
            "redirect_uris",
            "grant_types",
            "scope",
            "application_type",
            "token_endpoint_auth_method",
            "name",
        }
        kinds = {
            "disabled": bool,
            "skip_authorization": bool,
            "require_pkce": bool,
            "created_at": int,
            "updated_at": int,
            "version": int,
        }
        return [
            ClientMember(field.name, kinds.get(field.name, str), field=field.name)
            for field in fields(Application)
            if field.name
            not in {*taken, "secret_hashes", "metadata", "allowed_origins", "post_logout_redirect_uris"}
        ] + [
            ClientMember("client_secret", str),
            ClientMember("secret_hashes", list[str], field="secret_hashes"),
        ]


@pytest.mark.parametrize(
    "name",
    [
        "client_type",
        "created_at",
        "disabled",
        "require_pkce",
        "secret_hashes",
        "skip_authorization",
        "updated_at",
        "user",
        "version",
    ],
)
def test_not_even_a_plugin_lets_clients_set_them(make_house, kind, name):
    house = make_house(Generous(), **OPEN)
    door = house.door(kind)
    usual = plain(house, told_by(register(door)))
    given = {"client_type": "public", "disabled": True, "user": "1"} | PRIVILEGED
    assert plain(house, told_by(register(door, **{name: given[name]}))) == usual


# --- What a client may do ---


@pytest.mark.parametrize("grant_type", ["client_credentials", "password", "implicit"])
def test_no_grant_without_a_person_in_front_of_a_page(make_house, kind, grant_type):
    house = make_house(PASSWORD_GRANT_ENABLED=True, **OPEN)
    door = house.door(kind)
    assert error_of(register(door, grant_types=[grant_type])) == "invalid_client_metadata"
    told = told_by(register(door, grant_types=["authorization_code", grant_type], scope="read"))
    party = Party(told["client_id"], told["client_secret"])
    login = {"username": "ann", "password": PASSWORD} if grant_type == "password" else {}
    answer = door.token(party, grant_type=grant_type, **login)
    assert answer.json["error"] in {"unauthorized_client", "unsupported_grant_type"}


def test_no_privileged_scope(house, door):
    """CVE-2026-22752: a scope in the registration became a scope of tokens."""
    told = told_by(register(door, scope="read introspection", grant_types=["authorization_code"]))
    party = Party(told["client_id"], told["client_secret"])
    assert "introspection" not in told["scope"].split()
    page = house.browser().ask(
        party, scope="introspection", code_challenge="c" * 43, code_challenge_method="S256"
    )
    assert "error=invalid_scope" in page.location


def test_people_are_always_asked(house, door):
    told = told_by(register(door, skip_authorization=True))
    party = Party(told["client_id"], told["client_secret"])
    browser = house.browser()
    assert browser.consent_page(party).status_code == 200
    assert "asks for access to your account" in browser.seen[-1].text


def test_a_registered_client_completes_the_code_flow(house, door):
    grants = ["authorization_code", "refresh_token"]
    told = told_by(register(door, grant_types=grants, client_name="Tea house"))
    party = Party(told["client_id"], told["client_secret"])
    tokens = house.tokens(party, door)
    assert door.resource(tokens["access_token"]).status_code == 200
    again = door.refresh(party, tokens["refresh_token"])
    assert again.status_code == 200


# --- Its secrets ---


def test_a_stolen_database_registers_nobody_and_changes_nothing(make_house, tmp_path):
    with_token = {**OPEN, "DCR_REGISTRATION_MODE": "initial_access_token"}
    house = make_house(folder=tmp_path, **with_token)
    with closing(house):
        runner = house.app.test_cli_runner()
        made = runner.invoke(flask_group, ["registration", "token", "create", "ci", "--uses", "9", "--json"])
        initial = json.loads(made.stdout)["initial_access_token"]
        door = house.door()
        told = told_by(register(door, bearer(initial)))
        updated = told_by(update(door, told), 200)
        stolen = dump(tmp_path)
    values = (initial, told["client_secret"])
    values += (told["registration_access_token"], updated["registration_access_token"])
    assert told["client_id"].encode() in stolen
    assert [value for value in values if value.encode() in stolen] == []


def test_nothing_of_a_token_is_logged(house, door, caplog):
    told = told_by(register(door))
    caplog.clear()
    update(door, {**told, "registration_access_token": "wrong-token-value"})
    told_by(update(door, told), 200)
    assert "wrong-token-value" not in caplog.text
    assert told["registration_access_token"] not in caplog.text


# --- Races ---


def at_once(count, ask):
    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(lambda _: ask().status_code, range(count)))


def test_at_one_moment_no_address_registers_more_than_it_may(make_house, tmp_path):
    limited = {**OPEN, "DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR": 3}
    with closing(make_house(folder=tmp_path, **limited)) as house:
        assert at_once(12, lambda: register(house.door())) == [201] * 3 + [429] * 9
        assert len(house.provider.storage.select(Application)) == 3


def test_at_one_moment_no_initial_access_token_is_used_more_than_it_may(make_house, tmp_path):
    with_token = {**OPEN, "DCR_REGISTRATION_MODE": "initial_access_token"}
    with closing(make_house(folder=tmp_path, **with_token)) as house:
        runner = house.app.test_cli_runner()
        made = runner.invoke(flask_group, ["registration", "token", "create", "ci", "--uses", "3", "--json"])
        headers = bearer(json.loads(made.stdout)["initial_access_token"])
        assert at_once(12, lambda: register(house.door(), headers)) == [201] * 3 + [401] * 9
        assert len(house.provider.storage.select(Application)) == 3


def test_while_another_server_is_asked_nobody_waits(make_house, tmp_path):
    """A stranger chooses whom `sector_identifier_uri` makes us ask, and so how long that takes."""
    elsewhere = Elsewhere()
    settings = {**OPEN, **Elsewhere.chosen}
    with closing(make_house(elsewhere, folder=tmp_path, **settings)) as house, ThreadPoolExecutor(1) as pool:
        told = told_by(register(house.door()))
        statuses = []
        elsewhere.meanwhile = lambda: statuses.append(
            pool.submit(lambda: register(house.door()).status_code).result(timeout=30)
        )
        sector = {"sector_identifier_uri": "https://sector.example/"}
        assert error_of(register(house.door(), **sector)) == "invalid_client_metadata"
        assert error_of(update(house.door(), told, **sector)) == "invalid_client_metadata"
        assert statuses == [201, 201]


def test_who_may_register_no_more_makes_us_ask_nobody(make_house, kind):
    elsewhere = Elsewhere()
    limited = {**OPEN, **Elsewhere.chosen, "DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR": 1}
    door = make_house(elsewhere, **limited).door(kind)
    told_by(register(door))
    assert register(door, sector_identifier_uri="https://sector.example/").status_code == 429
    assert elsewhere.asked == []


def test_a_client_that_is_disabled_while_it_updates_stays_disabled(make_house, kind):
    house = make_house(Meanwhile(), **OPEN)
    told = told_by(register(house.door(kind)))
    Meanwhile.does = lambda: house.provider.clients.edit(
        told["client_id"], lambda found: replace(found, disabled=True)
    )
    answer = update(house.door(kind), told)
    assert error_of(answer, status=503) == "temporarily_unavailable"
    assert answer.headers["Retry-After"] == "1"
    assert record(house, told).disabled


def test_of_two_updates_with_one_token_one_counts(make_house, tmp_path):
    with closing(make_house(folder=tmp_path, **OPEN)) as house:
        told = told_by(register(house.door()))
        assert at_once(8, lambda: update(house.door(), told)) == [200] + [401] * 7
