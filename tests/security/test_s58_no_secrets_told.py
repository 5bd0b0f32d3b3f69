"""S58: logs, representations, events and error pages hold no secret, even at DEBUG and when something breaks."""

import logging
import re
import sqlite3
import traceback
from contextlib import closing

import pytest
from support.browser import forms_of

from portula import Plugin, hookimpl
from portula.plugin import Message, display_value
from security.driving import PASSWORD, answered, basic, bearer, pkce

CHOSEN_SECRET = "a secret that a person chose, long enough"
WRONG_PASSWORD = "a long password of hear"
SECRET_KEY = "the first key, of enough bytes"


class Listener:
    """Keeps what plugins are told and given."""

    def __init__(self):
        self.heard = []
        self.requests = []
        self.breaks = False

    @hookimpl
    def portula_validate_token_request(self, exchange):
        self.requests.append((exchange.request, exchange))

    @hookimpl
    def portula_record_token(self, event):
        self.heard.append(event)
        if self.breaks:
            raise RuntimeError("the outbox is broken")


def listens(name):
    def hear(self, event):
        self.heard.append(event)

    hear.__name__ = name
    return hookimpl(hear)


EVENTS = [
    "token_issued",
    "token_refused",
    "token_revoked",
    "code_replayed",
    "refresh_replayed",
    "consent_given",
]
for event_name in [*EVENTS, "client_saved", "login_succeeded", "login_failed"]:
    setattr(Listener, f"portula_{event_name}", listens(f"portula_{event_name}"))


class Life:
    """Everything that happens, with what was secret in it."""

    def __init__(self, house):
        self.house, self.door = house, house.door()
        self.pages = []
        self.values = {"password": PASSWORD, "wrong password": WRONG_PASSWORD, "secret key": SECRET_KEY}

    def keep(self, name, response):
        """Note the tokens of a response."""
        for member in ("access_token", "refresh_token"):
            if member in response.json:
                self.values[f"{name} {member}"] = response.json[member]
        return response.json

    def people(self, client):
        browser = self.house.browser()
        self.pages += [browser.sign_in("ann", WRONG_PASSWORD), browser.sign_in("nobody", WRONG_PASSWORD)]
        page = browser.consent_page(client)
        self.values |= {f"consent {name}": value for name, value in forms_of(page.text)[0].fields.items()}
        browser.submit(page, "consent-deny")
        self.pages.append(browser.submit(page, "consent-allow"))
        self.pages.append(browser.submit(browser.consent_page(client), "consent-allow", csrf_token="x"))
        code, verifier = browser.code(client)
        unused, _ = browser.code(client)
        self.values |= {"code": code, "verifier": verifier, "unused code": unused}
        self.values |= dict(cookie.split("=", 1) for cookie in browser.cookies.split("; "))
        query = {"client_secret": client.secret, "password": PASSWORD, "code": code, "client_id": "nobody"}
        self.pages.append(browser.get("/o/authorize/", query_string=query))
        self.pages.append(browser.get("/o/authorize/", query_string=[("code", code), ("code", unused)]))
        self.pages.append(browser.post("/o/authorize/", query))
        return code, verifier

    def machines(self, client, code, verifier):
        door = self.door
        self.pages += [door.redeem(client, "unknown code", verifier), door.redeem(client, code, pkce()[0])]
        first = self.keep("first", door.redeem(client, code, verifier))
        second = self.keep("second", door.refresh(client, first["refresh_token"]))
        self.pages.append(door.refresh(client, second["refresh_token"], scope="offline_access"))
        self.keep("machine's", door.token(client, grant_type="client_credentials"))
        asked = {"grant_type": "password", "username": "ann"}
        self.keep("password's", door.token(client, **asked, password=PASSWORD))
        self.pages.append(door.token(client, **asked, password=WRONG_PASSWORD))
        for token in (*self.values.values(), "unknown"):
            door.introspect(client, token)
            door.resource(token)
        self.pages.append(
            door.token(grant_type="client_credentials", headers=basic(client.client_id, WRONG_PASSWORD))
        )
        self.pages.append(door.token(client, client_secret=client.secret, grant_type="client_credentials"))
        self.pages.append(door.post("/o/introspect/", {"token": second["access_token"]}, bearer(code)))
        door.revoke(client, second["access_token"])
        self.pages.append(door.refresh(client, first["refresh_token"]))
        self.pages.append(door.redeem(client, code, verifier))
        door.revoke(client, second["refresh_token"])

    def live(self):
        grants = ("authorization_code", "refresh_token", "client_credentials", "password")
        client = self.house.client(grant_types=grants)
        chosen, sealed = self.house.client(secret=CHOSEN_SECRET), self.house.sealed_client()
        self.values |= {
            "secret": client.secret,
            "chosen secret": CHOSEN_SECRET,
            "sealed secret": sealed.secret,
        }
        self.values |= {f"stored {name}": self.house.find(client).secret_hashes[0] for name in ("secret",)}
        for party in (chosen, sealed):
            self.keep(f"{party.client_id}'s", self.door.token(party, grant_type="client_credentials"))
        self.machines(client, *self.people(client))
        return self

    def told_in(self, text):
        """Return the names of the secrets that stand in a text."""
        return [name for name, value in self.values.items() if value in text]


@pytest.fixture(scope="module")
def listener():
    return Listener()


@pytest.fixture(scope="module")
def lived(make_house, listener):
    """A life, and all that was logged meanwhile at DEBUG, by us and by everybody."""
    records = []
    handler = logging.Handler(logging.NOTSET)
    handler.emit = records.append
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        life = Life(make_house(listener, PASSWORD_GRANT_ENABLED=True)).live()
        logging.getLogger("portula").debug("the life is over")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    return life, records


def written(record):
    """Return all that any formatter could make of a log record."""
    parts = [record.getMessage(), repr(record.args), repr(record.__dict__)]
    if record.exc_info:
        parts += traceback.format_exception(*record.exc_info)
    return "\n".join(parts)


def test_a_whole_life_was_lived(lived, listener):
    """Else the other tests would pass on nothing."""
    life, records = lived
    assert len(life.values) >= 20
    assert all(len(value) >= 15 for value in life.values.values())
    told = (
        "TokenIssued TokenRefused TokenRevoked CodeReplayed RefreshTokenReplayed ConsentGiven ClientSaved "
        "LoginSucceeded LoginFailed"
    )
    assert {type(event).__name__ for event in listener.heard} == set(told.split())
    assert records[-1].getMessage() == "the life is over"


def test_the_log_at_debug(lived):
    life, records = lived
    assert {
        (record.name, tuple(told)) for record in records if (told := life.told_in(written(record)))
    } == set()


def test_the_error_pages_and_error_responses(lived):
    life, _ = lived
    assert len(life.pages) >= 12
    for page in life.pages:
        assert page.status_code >= 400
        given = {value for form in forms_of(page.text) for value in form.fields.values()}
        text = re.sub("|".join(map(re.escape, sorted(given - {""}, key=len))) or "$^", "", page.text)
        assert (
            life.told_in(
                f"{text} {page.headers.get('Location', '')} {page.headers.get('WWW-Authenticate', '')}"
            )
            == []
        )


def test_the_events(lived, listener):
    life, _ = lived
    assert life.told_in(repr(listener.heard)) == []


def test_the_records(lived):
    life, _ = lived
    kept = [
        row for store in life.house.memory.stores for rows in store._rows.values() for row in rows.values()
    ]
    assert {type(row).__name__ for row in kept} >= {
        "Application",
        "Grant",
        "AccessToken",
        "RefreshToken",
        "User",
    }
    assert life.told_in(repr(kept)) == []
    assert "$argon2id$" not in repr(kept)


def test_requests_and_their_state(lived, listener):
    life, _ = lived
    assert listener.requests
    for request, state in listener.requests:
        assert life.told_in(f"{request!r} {request} {state!r}") == []


def test_messages(lived):
    life, _ = lived
    for value in life.values.values():
        message = Message("POST", "/o/token/", headers={"authorization": value}, body=value.encode())
        assert life.told_in(repr(message)) == []


def test_keys_settings_and_the_provider(lived):
    life, _ = lived
    provider = life.house.provider
    settings = [
        provider.all_settings.value(declared.name) for declared in provider.all_settings.declarations()
    ]
    assert (SECRET_KEY,) in settings  # they are there to be read, and not to be shown
    everything = [
        provider.keys,
        provider.keys.across_issuers,
        provider,
        provider.validator,
        provider.hooks.ask(Plugin.portula_secret_hasher),
    ]
    models = [declared.owner for declared in provider.all_settings.declarations()] + [provider.core_settings]
    assert life.told_in(f"{everything!r} {models!r} {provider.core_settings}") == []
    for declared in provider.all_settings.declarations():
        assert life.told_in(display_value(declared.name, provider.all_settings.value(declared.name))) == []


def test_a_setting_that_is_refused(make_house):
    with pytest.raises(Exception, match="SECRET_KEYS") as raised:
        make_house(SECRET_KEYS=["too short", 12345])
    assert "too short" not in str(raised.value).replace("one is shorter", "")
    assert "12345" not in str(raised.value)


def test_what_is_logged_when_a_plugin_fails(caplog, make_house, kind):
    listener = Listener()
    house = make_house(listener)
    client, door = house.client(), house.door(kind)
    code, verifier = house.browser().code(client)
    listener.breaks = True
    with caplog.at_level(logging.DEBUG):
        response = door.redeem(client, code, verifier)
    assert response.status_code == 500
    assert response.json["error"] == "server_error"
    logged = "\n".join(written(record) for record in caplog.records)
    assert "the outbox is broken" in logged
    assert not [value for value in (code, verifier, client.secret) if value in logged + response.text]


def test_what_is_logged_when_the_database_fails(caplog, make_house, tmp_path, kind):
    house = make_house(folder=tmp_path)
    client, door = house.client(), house.door(kind)
    code, verifier = house.browser().code(client)
    with closing(sqlite3.connect(tmp_path / "portula.sqlite3")) as connection:
        connection.execute("DROP TABLE portula_access_token")
    with caplog.at_level(logging.DEBUG):
        answers = [
            door.redeem(client, code, verifier),
            door.introspect(client, code),
            door.revoke(client, code),
        ]
    house.close()
    assert [answer.status_code for answer in answers] == [500, 500, 500]
    logged = "\n".join(written(record) for record in caplog.records)
    assert "portula_access_token" in logged
    texts = logged + "".join(answer.text for answer in answers)
    assert not [value for value in (code, verifier, client.secret, PASSWORD, SECRET_KEY) if value in texts]
    for answer in answers:
        assert "Traceback" not in answer.text
        assert "portula_access_token" not in answer.text


def test_the_person_sees_what_went_where(lived):
    """The one place where a code may stand is the redirect to its client."""
    life, _ = lived
    client = life.house.client(skip_authorization=True)
    browser = life.house.browser()
    browser.sign_in()
    response = browser.authorize(client)
    code = answered(response)["code"]
    assert code in response.location
    assert code not in response.text
    assert code not in str([value for name, value in response.headers if name != "Location"])
