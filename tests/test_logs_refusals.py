"""Every refusal has one line in the log with its reason, whatever endpoint refuses; and what commands do names them."""

import logging
from dataclasses import replace
from types import MappingProxyType

import pytest
from failures.houses import House, as_json
from support.browser import forms_of

from portula import Plugin
from portula.cli.main import flask_group
from portula.flow import strangers
from portula.host.logs import Line
from portula.plugin import Application

OTHER_BASIC = {"Authorization": "Basic bm9ib2R5Ondyb25n"}
"""nobody:wrong"""


class Open(House):
    """Where everybody may register clients."""

    settings = MappingProxyType({"DCR_ENABLED": True, "DCR_REGISTRATION_MODE": "open"})


@pytest.fixture
def house():
    made = Open()
    made.restart()
    made.client("authorization_code", "refresh_token", "client_credentials")
    made.person()
    return made


@pytest.fixture
def lines(caplog, house):
    """Return a function that takes the events logged so far at INFO or louder, refusals of them."""
    caplog.set_level(logging.DEBUG, "portula")

    def taken():
        found = [
            (record.msg.event, record.msg.fields)
            for record in caplog.records
            if isinstance(record.msg, Line) and record.levelno >= logging.INFO
        ]
        caplog.clear()
        return [(event, fields) for event, fields in found if event.endswith(("refused", "failed"))]

    return taken


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def expire(house):
    house.clock.advance(100_000)


def revoke(house):
    house.post("/o/revoke_token/", {"token": house.tokens["access_token"]})


def revoke_all(house):
    house.post("/o/revoke_token/", {"token": house.tokens["refresh_token"]})


def disable_client(house):
    client = house.storage.find(Application, client_id=house.client_id)
    house.provider.clients.save(replace(client, disabled=True))


def disable_person(house):
    house.provider.hooks.ask(Plugin.portula_login).users.disable(house.ann)


def nothing(house):
    house.tokens["access_token"] = "sesame"


REASONS = [
    (nothing, "unknown token"),
    (expire, "the token has expired"),
    (revoke, "the token is revoked"),
    (revoke_all, "the authorization is revoked"),
    (disable_client, "the client is gone or disabled"),
    (disable_person, "the authorization is revoked"),
]


@pytest.mark.parametrize(("happens", "reason"), REASONS, ids=[happens.__name__ for happens, _ in REASONS])
@pytest.mark.parametrize(
    ("path", "endpoint"),
    [("/o/userinfo/", "userinfo"), ("/resource", "resource"), ("/o/introspect/", "introspect")],
)
def test_an_access_token_that_does_not_count(house, lines, path, endpoint, happens, reason):
    house.code_flow()
    happens(house)
    lines()
    headers = bearer(house.tokens["access_token"])
    ask = house.browser().post if endpoint == "introspect" else house.browser().get
    answer = ask(path, headers=headers)
    assert answer.status_code == 401
    assert reason not in answer.text + answer.headers["WWW-Authenticate"]
    ((event, told),) = lines()
    assert (event, told["endpoint"], told["error"], told["reason"]) == (
        "request_refused",
        endpoint,
        "invalid_token",
        reason,
    )
    assert told["request_id"]
    assert "sesame" not in str(told)


@pytest.mark.parametrize(("path", "endpoint"), [("/o/userinfo/", "userinfo"), ("/resource", "resource")])
def test_a_request_without_a_token_or_with_too_little_scope(house, lines, path, endpoint):
    house.browser().get(path)
    ((_, missing),) = lines()
    assert (missing["endpoint"], missing["error"]) == (endpoint, "missing_token")
    token = house.token(grant_type="client_credentials", scope="write")["access_token"]
    lines()
    assert house.browser().get(path, headers=bearer(token)).status_code == 403
    ((_, refused),) = lines()
    assert (refused["endpoint"], refused["error"]) == (endpoint, "insufficient_scope")


@pytest.mark.parametrize(
    ("path", "endpoint"), [("/o/introspect/", "introspect"), ("/o/revoke_token/", "revoke_token")]
)
def test_a_client_that_does_not_authenticate_has_one_line_everywhere(house, lines, path, endpoint):
    house.post(path, {"token": "x"}, 401, OTHER_BASIC)
    ((event, told),) = lines()
    assert (event, told["reason"]) == ("client_authentication_failed", "unknown client")
    house.post(path, {}, 400)
    ((event, told),) = lines()
    assert (event, told["endpoint"], told["error"]) == ("request_refused", endpoint, "invalid_request")
    assert told["client_id"] == house.client_id


def test_a_registration(house, lines):
    browser = house.browser()
    assert browser.post("/o/register/", **as_json({"redirect_uris": ["javascript:x"]})).status_code == 400
    ((event, told),) = lines()
    assert (event, told["endpoint"], told["error"]) == ("request_refused", "register", "invalid_redirect_uri")
    assert "javascript" in told["reason"]
    assert browser.get("/o/register/?client_id=x", headers=bearer("sesame")).status_code == 401
    ((event, told),) = lines()
    assert (event, told["error"]) == ("request_refused", "invalid_token")
    assert "sesame" not in str(told)


def test_a_registration_over_its_quota(house, lines, monkeypatch):
    for _ in range(200):
        answer = house.browser().post("/o/register/", **as_json({"redirect_uris": ["https://c.example/"]}))
        if answer.status_code != 201:
            break
    assert answer.status_code == 429
    ((event, told),) = lines()
    assert (event, told["endpoint"], told["error"]) == (
        "request_refused",
        "register",
        "temporarily_unavailable",
    )


@pytest.mark.parametrize("path", ["/o/token/", "/o/userinfo/", "/o/.well-known/openid-configuration"])
@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        ({"method": "DELETE"}, 405, "This method is not allowed here."),
        ({"method": "POST", "data": {"a": "x" * 100_000}}, 413, "A request has at most 65536 bytes."),
        ({"method": "POST", "headers": {"X-Client-Cert": "none"}}, 400, None),
    ],
    ids=["method", "size", "certificate"],
)
def test_what_is_refused_before_it_is_read(lines, path, sent, status, reason):
    class Behind(House):
        settings = MappingProxyType({"TRUSTED_PROXIES": 1, "CLIENT_CERTIFICATE_HEADER": "X-Client-Cert"})

    house = Behind()
    house.restart()
    if path.startswith("/o/.well-known") and sent["method"] == "POST":
        status, reason = 405, "This method is not allowed here."
    answer = house.browser().open(path, **sent)
    assert answer.status_code == status, answer.text
    ((event, told),) = lines()
    assert (event, told["error"], told.get("reason", reason)) == (
        "request_refused",
        "invalid_request",
        reason or told.get("reason"),
    )
    assert told["endpoint"]


def test_a_sign_out(house, lines):
    assert house.browser().get("/o/logout/?post_logout_redirect_uri=https://evil.example/").status_code == 400
    ((event, told),) = lines()
    assert (event, told["endpoint"], told["error"]) == ("request_refused", "logout", "invalid_request")
    assert house.browser().get("/o/logout/").status_code == 200  # a page is no refusal
    assert lines() == []


def test_a_person_who_says_no(house, lines):
    browser = house.browser()
    login = browser.get(house.ask(browser).location)
    consent = browser.get(house.sign_in(browser, login).location)
    assert "consent-deny" in [button for form in forms_of(consent.text) for button in form.buttons]
    answer = house.press(browser, consent, "consent-deny")
    assert "error=access_denied" in answer.location
    ((event, told),) = lines()
    assert (event, told["error"], told["redirected"]) == (
        "authorization_request_refused",
        "access_denied",
        True,
    )
    assert told["client_id"] == house.client_id


def test_a_quota_has_its_line_although_nothing_failed(house, lines, monkeypatch):
    """Its error is one of those of which else the failure has the line."""
    monkeypatch.setattr(strangers, "MAX_BYTES", 1)
    house.ask(house.browser(), prompt="login")
    ((event, told),) = lines()
    assert (event, told["error"]) == ("authorization_request_refused", "temporarily_unavailable")


def test_a_failure_has_one_line_only(house, lines, caplog, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("out of order")

    monkeypatch.setattr(type(house.provider.hooks.ask(Plugin.portula_login)), "current", fail)
    house.ask(house.browser())
    assert [record.levelname for record in caplog.records if record.levelno >= logging.INFO] == ["ERROR"]
    assert lines() == []


def test_a_listener_hears_of_refusals():
    heard = []

    class Listener(Plugin):
        def portula_request_refused(self, event):
            heard.append((event.endpoint, event.error, event.repeats))

    class Heard(House):
        def plugins(self):
            return (Listener(),)

    house = Heard()
    house.restart()
    house.client("client_credentials")
    house.browser().get("/o/userinfo/", headers=bearer("x"))
    house.post("/o/introspect/", {"token": "x"}, 401, OTHER_BASIC)
    assert heard == [("userinfo", "invalid_token", False), ("introspect", "invalid_client", True)]


# --- Who did it ---


@pytest.mark.parametrize(
    ("words", "event"),
    [
        (["clients", "set", "CLIENT", "--name", "Tea"], "client_saved"),
        (["clients", "disable", "CLIENT"], "client_saved"),
        (["createapplication", "--name", "New", "confidential", "client-credentials"], "client_saved"),
        (["tokens", "revoke", "--user", "ann"], "token_revoked"),
        (["sessions", "end", "ann", "--all"], "session_ended"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else words,
)
def test_what_a_command_does_names_it(house, caplog, words, event):
    house.code_flow()
    caplog.set_level(logging.INFO, "portula")
    caplog.clear()
    given = [house.client_id if word == "CLIENT" else word for word in words]
    result = house.provider.app.test_cli_runner().invoke(flask_group, given, input="y\n")
    assert result.exit_code == 0, result.output
    told = [
        record.msg.fields
        for record in caplog.records
        if isinstance(record.msg, Line) and record.msg.event == event
    ]
    assert told
    named = f"portula {' '.join(words[: 1 if words[0] == 'createapplication' else 2])}"
    assert {line["actor"] for line in told} == {named}
