"""`portula try`: each grant comes to its end, and what happens on the way is explained."""

import re
import socket
import threading
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner
from security.driving import HOST, ISSUER, PASSWORD, Browser
from security.house import House
from support.exchanges import Policy

import portula_playground
from portula import Plugin
from portula.plugin import Application
from portula_playground import display as display_module
from portula_playground import player as player_module
from portula_playground.commands import try_command
from portula_playground.trial_clients import CLIENT_IDS, LIFE_SECONDS, NAME, take


def play_tea(player):
    """Tea for nobody in particular."""
    player.post(
        "Our manual", "token_endpoint", grant_type="client_credentials", scope=player.require("leaves")
    )


class Tea(Plugin):
    def portula_grant_trials(self, provider):
        return {"tea": (("client_credentials",), play_tea)}


@pytest.fixture(scope="module")
def house():
    return House(
        portula_playground,
        Tea(),
        OIDC_ENABLED=True,
        TOKEN_EXCHANGE_POLICY=Policy(),
    )


class Person:
    """Whose browser is opened."""

    def __init__(self, house, button="consent-allow"):
        self.house, self.button, self.threads = house, button, []

    def decide(self):
        """Return once the person has decided."""
        for thread in self.threads:
            thread.join(30)

    def open(self, url):
        self.threads.append(threading.Thread(target=self._go, args=(url.removeprefix(HOST),)))
        self.threads[-1].start()

    def _go(self, path):
        browser = Browser(self.house.app)
        page = browser.get(path)
        if "/device/" in path:
            page = browser.submit(page, "device-continue")
        while page.status_code in (302, 303) and page.location.startswith("/"):
            page = browser.get(page.location)
            if "login-submit" in page.text:
                page = browser.submit(page, "login-submit", username="ann", password=PASSWORD)
            if "Review" in page.text:
                page = browser.get(re.findall(r'href="([^"]*backchannel_request=[^"]*)"', page.text)[0])
        answer = browser.submit(page, self.button)
        if answer.location and answer.location.startswith("http:"):
            back = urlsplit(answer.location)
            with socket.create_connection(
                (back.hostname, back.port)
            ):  # browsers open one more, for what may follow
                httpx.get(answer.location, timeout=30)


@pytest.fixture
def person(house, monkeypatch):
    found = Person(house)
    monkeypatch.setattr(display_module.webbrowser, "open", found.open)
    monkeypatch.setattr(player_module, "PATIENCE_SECONDS", 30)
    yield found
    found.decide()


@pytest.fixture
def run(house, person, monkeypatch):
    """Return a function that runs the command; the second poll of a client finds what the person decided."""
    made = httpx.Client
    transport = httpx.WSGITransport(app=house.app)
    monkeypatch.setattr(player_module.httpx, "Client", lambda **given: made(transport=transport, **given))
    polls = []

    def sleep(seconds):
        if polls:
            person.decide()
        polls.append(seconds)
        house.clock.forward(int(seconds) + 1)

    monkeypatch.setattr(player_module, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))

    def invoke(*words, typed=None):
        polls.clear()
        with house.app.app_context():
            return CliRunner().invoke(try_command(house.provider), words, input=typed)

    return invoke


def clients(house):
    found = house.provider.storage.select(Application, limit=500)
    return [client for client in found if client.name == NAME]


def test_without_a_grant_they_are_listed_those_of_plugins_too(run):
    listed = run().output
    for name in (
        "authorization_code",
        "ciba",
        "client_credentials",
        "device",
        "refresh_token",
        "tea",
        "token_exchange",
    ):
        (line,) = [line for line in listed.splitlines() if line.startswith(f"{name} ")]
        assert line.endswith((".", ")."))
    assert "jwt_bearer" not in listed, "it is not enabled"


def test_what_a_client_polls_with_is_shortened(run, person):
    shown = run("ciba", "--set", "login_hint=ann").output
    polled = re.findall(r"auth_req_id = (\S+)", shown)
    assert polled
    assert all(len(value) < 20 for value in polled), polled


@pytest.mark.parametrize(
    ("words", "sections"),
    [
        (["client_credentials"], ["RFC 8414 §3", "RFC 6749 §4.4.2"]),
        (["authorization_code"], ["RFC 6749 §4.1.1", "RFC 6749 §4.1.3"]),
        (["authorization_code", "--scope", "openid read"], ["RFC 6749 §4.1.3", "OpenID Connect Core §5.3"]),
        (["refresh_token"], ["RFC 6749 §4.1.1", "RFC 6749 §4.1.3", "RFC 6749 §6"]),
        (["device"], ["RFC 8628 §3.1", "RFC 8628 §3.3", "RFC 8628 §3.4"]),
        (["ciba", "--set", "login_hint=ann"], ["CIBA Core §7.1", "CIBA Core §8", "CIBA Core §10.1"]),
        (["tea", "--set", "leaves=read"], ["RFC 8414 §3", "Our manual"]),
    ],
    ids=str,
)
def test_each_comes_to_its_end(house, run, person, words, sections):
    done = run(*words)
    assert done.exit_code == 0, done.output
    places = [done.output.index(section) for section in sections]
    assert places == sorted(places)
    assert "access_token = " in done.output
    assert "steps read, grant_type, client" in done.output
    assert clients(house) == [], "the client that is made is removed"


def test_a_step_of_a_plugin_is_named_with_it(run):
    assert "(portula_dpop)" in run("client_credentials").output


@pytest.mark.parametrize("section", ["RFC 6749 §4.1.1", "RFC 6749 §4.1.3", "OpenID Connect Core §5.3"])
def test_each_request_has_the_steps_of_its_endpoint(run, person, section):
    lines = run("authorization_code", "--scope", "openid read").output.splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith(section)]
    assert lines[place + 1].startswith("  steps ")


def test_a_device_shows_its_code_and_waits(run, person):
    output = run("device").output
    code = re.search(r"the person types ([A-Z]{4}-[A-Z]{4})", output)[1]
    assert f"/o/device/?user_code={code}" in output
    assert "█" in output, "and a code to scan"


@pytest.mark.parametrize("shown", [False, True])
def test_secrets_are_shortened_unless_they_are_to_be_shown(run, shown):
    output = run("client_credentials", *(["--show-secrets"] if shown else [])).output
    value = re.search(r"access_token = (\S+)", output)[1]
    assert (len(value) > 20) == shown
    assert ("characters)" in output) != shown


def test_an_exchange_needs_what_is_exchanged(house, run):
    token = house.tokens(house.client(), scope="read")["access_token"]
    assert "--set subject_token=" in run("token_exchange").output
    done = run("token_exchange", "--set", f"subject_token={token}")
    assert done.exit_code == 0, done.output
    assert token not in done.output
    refused = run("token_exchange", "--set", "subject_token=x")
    assert refused.exit_code == 1
    assert "invalid_request: a parameter is missing, malformed" in refused.output
    assert clients(house) == []


def test_a_person_who_says_no_is_told_and_it_fails(house, run, person):
    person.button = "consent-deny"
    done = run("authorization_code")
    assert done.exit_code == 1
    assert "access_denied: the person, or a rule, says no (RFC 6749 §4.1.2.1)" in done.output
    assert clients(house) == []


def test_a_client_that_is_registered_may_be_tried(house, run):
    party = house.client()
    words = ["client_credentials", "--client-id", party.client_id, "--client-secret"]
    assert run(*words, party.secret).exit_code == 0
    refused = run(*words, "wrong")
    assert refused.exit_code == 1
    assert "invalid_client: the client is unknown" in refused.output
    assert "WWW-Authenticate = Basic" in refused.output
    assert house.find(party) is not None


def test_no_secret_need_stand_on_the_command_line(house, run, tmp_path):
    party = house.client()
    words = ["--client-id", party.client_id, "--client-secret-file", str(tmp_path / "secret")]
    (tmp_path / "secret").write_text(party.secret)
    (tmp_path / "leaves").write_text("read\n")
    assert run("client_credentials", *words).exit_code == 0
    assert "read" in run("tea", *words, "--set-file", f"leaves={tmp_path / 'leaves'}").output
    assert run("tea", *words, "--set-file", f"leaves={tmp_path / 'leaves'}").exit_code == 0
    typed = f"{party.secret}\nread\n"
    both = ["--client-secret-stdin", "--set-stdin", "leaves"]
    assert run("tea", *words[:2], *both, typed=typed).exit_code == 0
    missing = run("tea", *words, "--set-file", f"leaves={tmp_path / 'none'}")
    assert (missing.exit_code, "No such file" in missing.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clientcredentials"], "did you mean 'client_credentials'?"),
        (["tea"], "--set leaves="),
        (["tea", "--set", "leaves"], "NAME=VALUE"),
        (["client_credentials", "--scope", "unheard-of"], "invalid_scope: a scope is unknown"),
        (["client_credentials", "--at", "https://other.example"], "--client-id"),
        (["client_credentials", "--at", f"{ISSUER}x", "--client-id", "x"], "is about"),
    ],
    ids=str,
)
def test_what_cannot_be_is_explained(house, run, words, said):
    done = run(*words)
    assert done.exit_code == 1
    assert re.search(said, done.output)
    assert not isinstance(done.exception, (KeyError, ValueError))
    assert clients(house) == []


def test_a_provider_that_does_not_run_is_said_so(run, monkeypatch):
    def fail(request):
        raise httpx.ConnectError("nobody listens", request=request)

    client = type("Client", (), {"request": lambda self, *a, **k: fail(None), "close": lambda self: None})
    monkeypatch.setattr(player_module.httpx, "Client", lambda **given: client())
    done = run("client_credentials")
    assert done.exit_code == 1
    assert "is the provider running?" in done.output


# --- Runs that were killed ---


@pytest.fixture
def own():
    return House(portula_playground, OIDC_ENABLED=True)


@pytest.fixture
def killed(own):
    """A run that was killed, and a token that it got."""
    place = take(own.provider, ["client_credentials"], "")
    form = {"grant_type": "client_credentials", "client_id": place.client_id, "client_secret": place.secret}
    token = own.door().token(scope="read", **form).json["access_token"]
    assert own.door().resource(token).status_code == 200
    return token


@pytest.fixture
def run_own(own, monkeypatch):
    made, transport = httpx.Client, httpx.WSGITransport(app=own.app)
    monkeypatch.setattr(player_module.httpx, "Client", lambda **given: made(transport=transport, **given))

    def invoke(*words):
        with own.app.app_context():
            return CliRunner().invoke(try_command(own.provider), words)

    return invoke


@pytest.mark.parametrize(("later", "left"), [(LIFE_SECONDS - 1, 1), (LIFE_SECONDS, 0)])
def test_what_a_killed_run_left_is_removed_by_the_next_one(own, killed, run_own, later, left):
    own.clock.forward(later)
    assert run_own("client_credentials").exit_code == 0
    assert len(clients(own)) == left
    assert own.door().resource(killed).status_code == (200 if left else 401)


def test_killed_runs_leave_no_more_than_so_many(own, run_own):
    for _ in CLIENT_IDS:
        take(own.provider, ["client_credentials"], "")
    done = run_own("client_credentials")
    assert (done.exit_code, len(clients(own))) == (1, len(CLIENT_IDS))
    assert "try again later" in done.output
    own.clock.forward(LIFE_SECONDS)
    assert run_own("client_credentials").exit_code == 0
    assert clients(own) == []


def test_a_client_of_that_name_which_somebody_registered_stays(own, run_own):
    party = own.client(client_id=CLIENT_IDS[1])
    own.clock.forward(LIFE_SECONDS)
    assert run_own("client_credentials").exit_code == 0
    assert own.find(party) is not None


def test_a_provider_that_has_no_such_clients_says_so():
    house = House(portula_playground, OIDC_ENABLED=True, PROFILE="fapi2")
    with house.app.app_context():
        done = CliRunner().invoke(try_command(house.provider), ["client_credentials"])
    assert done.exit_code == 1
    assert "no client can be made for this run: token_endpoint_auth_method" in done.output
