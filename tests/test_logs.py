"""One line for each event, with the reason that the client is not told, and nothing that anybody could present."""

import json
import logging
import re
from base64 import b64decode, b64encode
from types import MappingProxyType

import pytest
from failures.houses import PASSWORD, House, expect
from failures.people_flows import LISTS
from support.browser import forms_of

from portula import Plugin
from portula.errors import ConfigError, StorageDown
from portula.host.core_settings import CoreSettings
from portula.host.logs import Line, configure_logging
from portula.model.requests import CurrentRequest, answering
from portula.plugin import ClientSaved, log_failure
from portula_testing.provider import make_provider

log = logging.getLogger("portula")


@pytest.fixture
def lines(tmp_path):
    """Return a function that configures logging as settings say, and one that returns what was written."""
    file, level, propagate = tmp_path / "portula.log", log.level, log.propagate

    def configure(form):
        configure_logging(CoreSettings(LOG_FORMAT=form, LOG_DESTINATION=str(file)))
        return lambda: file.read_text().splitlines()

    yield configure
    for handler in [known for known in log.handlers if known.get_name() == "portula"]:
        log.removeHandler(handler)
        handler.close()
    log.setLevel(level)
    log.propagate = propagate


def test_json_has_the_fields_of_an_event(lines):
    written = lines("json")
    with answering(CurrentRequest("request-1", "192.0.2.7", actor="root")):
        provider = make_provider()
        provider.hooks.tell(
            Plugin.portula_client_saved, ClientSaved(provider=provider, client_id="tea", created=True)
        )
    (line,) = map(json.loads, written())
    known = {name: line[name] for name in ("event", "level", "request_id", "address", "actor", "client_id")}
    assert known == {
        "event": "client_saved",
        "level": "info",
        "request_id": "request-1",
        "address": "192.0.2.7",
        "actor": "root",
        "client_id": "tea",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["timestamp"])


def test_the_console_has_one_line_whatever_a_client_sends(lines):
    written = lines("console")
    log.warning(
        Line("client_authentication_failed", {"client_id": "a\n2026 [info] token_issued", "x": "\u202e"})
    )
    log.warning("a message of %s", "two\nlines")
    first, second = written()
    assert "client_authentication_failed" in first
    assert "\\n2026" in first
    assert "\\u202e" in first
    assert "two\\nlines" in second


def test_a_failure_has_its_traceback_and_a_storage_that_is_down_has_none(lines):
    written = lines("json")
    try:
        json.loads("{")
    except ValueError as failure:
        log_failure(failure, "the %s is refused", "request")
    log_failure(StorageDown("DATABASE_URL: it does not answer"), "the %s is refused", "request")
    bug, down = map(json.loads, written())
    assert "Traceback" in bug["exception"]
    assert (down["event"], "exception" in down) == (
        "the request is refused: DATABASE_URL: it does not answer",
        False,
    )


def test_a_value_has_an_end():
    assert len(str(Line("x", {"client_id": "é" * 10_000}))) < 5000


def test_a_file_is_readable_by_its_owner_only(lines, tmp_path):
    lines("json")
    assert (tmp_path / "portula.log").stat().st_mode & 0o777 == 0o600


def test_a_destination_that_cannot_be_written_stops_the_start(tmp_path):
    with pytest.raises(ConfigError, match="LOG_DESTINATION"):
        configure_logging(CoreSettings(LOG_DESTINATION=str(tmp_path / "none" / "x.log")))


def test_an_application_of_its_own_is_left_alone():
    before = list(log.handlers), log.level, log.propagate
    make_provider()
    assert (log.handlers, log.level, log.propagate) == before


def test_an_application_may_ask_for_lines(lines, tmp_path):
    lines("json")
    make_provider(settings={"LOG_FORMAT": "json", "LOG_DESTINATION": str(tmp_path / "own.log")})
    log.warning("boiling")
    assert json.loads((tmp_path / "own.log").read_text())["event"] == "boiling"


# --- What is told of each event ---


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.DEBUG, "portula")

    def find(event, least=logging.DEBUG):
        found = [
            record.msg
            for record in caplog.records
            if isinstance(record.msg, Line) and record.levelno >= least
        ]
        return [line.fields for line in found if event in (None, line.event)]

    return find


@pytest.fixture
def house():
    made = House()
    made.restart()
    made.client("client_credentials", "authorization_code", "refresh_token")
    return made


def token_request(house, form, headers):
    return house.browser().post("/o/token/", data=form, headers=headers)


def basic(client_id, secret):
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


@pytest.mark.parametrize(("client_id", "reason"), [(None, "wrong secret"), ("nobody", "unknown client")])
def test_a_client_that_does_not_authenticate(house, told, client_id, reason):
    named = client_id or house.client_id
    answer = token_request(house, {"grant_type": "client_credentials"}, basic(named, "sesame"))
    assert answer.status_code == 401
    assert reason not in answer.text
    (failed,) = told("client_authentication_failed")
    assert (failed["client_id"], failed["method"], failed["reason"]) == (named, "client_secret_basic", reason)
    (refused,) = told("token_refused")
    assert (refused["error"], refused["reason"]) == ("invalid_client", reason)
    assert failed["request_id"] == refused["request_id"]
    assert told(None, logging.INFO)[-1:] == [failed]  # one line of each


def test_a_code_that_nobody_was_given(house, told):
    token_request(house, {"grant_type": "authorization_code", "code": "sesame"}, house.basic)
    (refused,) = told("token_refused")
    assert (refused["error"], refused["reason"]) == ("invalid_grant", "unknown code")


def test_a_replay(house, told):
    house.person()
    code = house.authorize(house.browser())["code"]
    house.redeem(code)
    house.redeem(code, 400)
    (replayed,) = told("code_replayed")
    assert (replayed["client_id"], replayed["subject"]) == (house.client_id, house.ann.sub)
    assert [refused["reason"] for refused in told("token_refused")] == ["the code was used before"]
    assert told(None, logging.INFO)[-1] == replayed


@pytest.mark.parametrize(("username", "is_named"), [("ann", True), ("a password of hers", False)])
def test_a_login_that_fails_names_an_account_only(house, told, username, is_named):
    house.person()
    browser = house.browser()
    page = browser.get("/accounts/login/")
    house.press(browser, page, "login-submit", username=username, password="sesame")
    (failed,) = told("login_failed")
    assert failed.get("username") == (username if is_named else None)
    assert failed["reason"] == "wrong credentials"


def test_an_authorization_request_that_is_refused(house, told):
    house.ask(house.browser(), redirect_uri="https://evil.example/")
    house.ask(house.browser(), response_type="nonsense")
    on_a_page, redirected = told("authorization_request_refused")
    assert (on_a_page["client_id"], on_a_page["redirected"]) == (house.client_id, False)
    assert (redirected["error"], redirected["redirected"]) == ("unsupported_response_type", True)


def test_the_error_page_shows_the_request_that_the_log_names(house, told):
    answer = house.ask(house.browser(), redirect_uri="https://evil.example/")
    (refused,) = told("authorization_request_refused")
    assert refused["request_id"] in answer.text


@pytest.mark.parametrize(("proxies", "is_taken"), [(0, False), (1, True)])
def test_a_trusted_proxy_names_requests(told, proxies, is_taken):
    class Behind(House):
        settings = MappingProxyType({"TRUSTED_PROXIES": proxies})

    house = Behind()
    house.restart()
    for given in ("abc-123", "not one word", "x" * 129):
        house.browser().post("/o/token/", data={}, headers={"X-Request-ID": given})
    first, second, third = [line["request_id"] for line in told("token_refused")]
    assert (first == "abc-123") is is_taken
    assert re.fullmatch("[0-9a-f]{16}", second)
    assert re.fullmatch("[0-9a-f]{16}", third)


def test_who_did_it_is_told_of_a_change_in_the_admin(house, told):
    house.person(is_admin=True)
    browser = house.browser()
    house.sign_in(browser)
    where = f"/o/admin/application/edit/?id={house.client_id}"
    form = next(form for form in forms_of(browser.get(where).text) if "name" in form.fields)
    expect(browser.post(where, data={**form.fields, "name": "Tea", **LISTS}), 303)
    assert [line.get("actor") for line in told("client_saved")][-1:] == [house.ann.sub]


def test_no_line_holds_what_could_be_presented(house, caplog):
    caplog.set_level(logging.DEBUG)
    house.person()
    browser = house.browser()
    code = house.authorize(browser)["code"]
    tokens = house.redeem(code)
    renewed = house.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    house.token(400, grant_type="refresh_token", refresh_token="sesame-refresh")
    house.redeem(code, 400)
    house.post("/o/revoke_token/", {"token": renewed["access_token"]})
    browser.get("/o/userinfo/", headers={"Authorization": "Bearer sesame-bearer"})
    token_request(house, {"grant_type": "client_credentials"}, basic(house.client_id, "sesame-secret"))
    secrets = [code, PASSWORD, "sesame", house.basic["Authorization"].partition(" ")[2]]
    secrets += [b64decode(secrets[-1]).decode().partition(":")[2]]
    for answer in (tokens, renewed):
        secrets += [answer["access_token"], answer["refresh_token"], answer["id_token"]]
    secrets += [cookie.value for cookie in browser._cookies.values()] if browser._cookies else []
    text = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "token_issued" in text
    assert [secret for secret in secrets if secret in text] == []


def test_listeners_hear_what_is_logged():
    heard = []

    class Listener(Plugin):
        def portula_client_authentication_failed(self, event):
            heard.append(event.reason)

        def portula_authorization_request_refused(self, event):
            heard.append(event.error)

    class Heard(House):
        def plugins(self):
            return (Listener(),)

    house = Heard()
    house.restart()
    house.client("authorization_code")
    token_request(house, {"grant_type": "authorization_code"}, basic(house.client_id, "sesame"))
    house.ask(house.browser(), response_type="nonsense")
    assert heard == ["wrong secret", "unsupported_response_type"]
