"""A resource server in a process without a provider: settings, asking, keeping, failing."""

import base64
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import parse_qsl

import httpx
import pytest
from flask import Flask

import portula_resource_server
from portula import ConfigError, Provider
from portula_resource_server import VerifiedToken, current_token, remote, require_oauth
from portula_resource_server.remote import RemoteVerifier, client_for
from portula_resource_server.settings import ResourceServerSettings
from portula_resource_server.tokens import VerifierUnavailable

URL = "https://id.example/o/introspect/"
NOW = 1_700_000_000
ACTIVE = {"active": True, "scope": "read", "client_id": "app", "sub": "1"}
ACTIVE |= {"exp": NOW + 600, "token_type": "Bearer"}
SECRET = "a secret of 32 characters + more"


class Chunks(httpx.SyncByteStream):
    """A body that arrives in pieces."""

    def __init__(self, *chunks):
        self.chunks = chunks

    def __iter__(self):
        return iter(self.chunks)


class Issuer:
    """The provider elsewhere: answers as told and counts what it is asked."""

    def __init__(self):
        self.requests = []
        self.time = NOW
        self.answer = lambda: httpx.Response(200, json=ACTIVE)

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answer()
        if isinstance(answer.stream, httpx.ByteStream):  # it counts as read already; a real answer does not
            answer = httpx.Response(answer.status_code, headers=answer.headers, stream=Chunks(answer.content))
        return answer

    def verifier(self, **changes):
        asking = {"URL": URL, "CREDENTIALS": ("api", SECRET)}
        given = {f"RESOURCE_SERVER_INTROSPECTION_{name}": value for name, value in asking.items()}
        settings = ResourceServerSettings(**{**given, **changes})
        own = client_for(settings)
        client = httpx.Client(
            headers=own.headers,
            transport=httpx.MockTransport(self),
            follow_redirects=own.follow_redirects,
        )
        own.close()
        return RemoteVerifier(client, settings, lambda: self.time)


@pytest.fixture
def issuer():
    return Issuer()


# --- Settings ---


def start(**settings):
    app = Flask("resource")
    app.config.update(TESTING=True, SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER=settings)
    return Provider(app, plugins=[portula_resource_server], discover=False)


def test_a_process_without_storage_and_provider_starts():
    provider = start(RESOURCE_SERVER_INTROSPECTION_URL=URL, RESOURCE_SERVER_AUTH_TOKEN="abc")
    assert provider.app.test_client().get("/o/token/").status_code == 404


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "needs RESOURCE_SERVER_AUTH_TOKEN, RESOURCE_SERVER_INTROSPECTION_CREDENTIALS or"),
        ({"RESOURCE_SERVER_INTROSPECTION_URL": "http://id.example/introspect"}, "http is for loopback only"),
        ({"RESOURCE_SERVER_INTROSPECTION_URL": "https://ann:pw@id.example/"}, "without user"),
        ({"RESOURCE_SERVER_INTROSPECTION_URL": "https://id.example:x/"}, "RESOURCE_SERVER_INTROSPECTION_URL"),
        ({"RESOURCE_SERVER_INTROSPECTION_URL": "/introspect"}, "an https URL"),
        ({"RESOURCE_SERVER_AUTH_TOKEN": "two words"}, "RESOURCE_SERVER_AUTH_TOKEN: <hidden>"),
        ({"RESOURCE_SERVER_AUTH_TOKEN": "line\n"}, "RESOURCE_SERVER_AUTH_TOKEN: <hidden>"),
        (
            {"RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": ("api",)},
            "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS",
        ),
        (
            {"RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": ("api", "")},
            "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS",
        ),
        (
            {"AUTHENTICATION_SERVER_EXP_TIME_ZONE": "Atlantis/Poseidonis"},
            "AUTHENTICATION_SERVER_EXP_TIME_ZONE",
        ),
        ({"AUTHENTICATION_SERVER_EXP_TIME_ZONE": "../../etc/passwd"}, "is no time zone"),
        ({"AUTHENTICATION_SERVER_EXP_TIME_ZONE": ""}, "AUTHENTICATION_SERVER_EXP_TIME_ZONE"),
        ({"RESOURCE_SERVER_TOKEN_CACHING_SECONDS": -1}, "RESOURCE_SERVER_TOKEN_CACHING_SECONDS"),
        (
            {"RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS": 0},
            "RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS",
        ),
    ],
)
def test_a_configuration_that_cannot_work_stops_the_start(settings, said):
    with pytest.raises(ConfigError) as raised:
        start(**{"RESOURCE_SERVER_INTROSPECTION_URL": URL, **settings})
    assert said in str(raised.value)


def test_secrets_are_in_no_error_and_no_repr():
    with pytest.raises(ConfigError) as raised:
        start(
            RESOURCE_SERVER_INTROSPECTION_URL="http://id.example/",
            RESOURCE_SERVER_AUTH_TOKEN=f"{SECRET}\n",
            RESOURCE_SERVER_INTROSPECTION_CREDENTIALS=("api", SECRET, SECRET),
        )
    assert SECRET not in str(raised.value)
    settings = ResourceServerSettings(RESOURCE_SERVER_INTROSPECTION_CREDENTIALS=("api", SECRET))
    assert SECRET not in repr(settings)
    with client_for(settings) as client:
        assert SECRET not in repr(client.headers)
        assert base64.b64encode(SECRET.encode()).decode() not in repr(client.headers)


def test_http_on_loopback_is_allowed_and_uses_no_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    settings = ResourceServerSettings(
        RESOURCE_SERVER_AUTH_TOKEN="abc",
        RESOURCE_SERVER_INTROSPECTION_URL="http://127.0.0.1:8000/o/introspect/",
    )
    with client_for(settings) as client:
        assert client.trust_env is False


# --- Asking ---


def test_the_token_goes_into_the_body_and_the_credentials_are_form_encoded_first(issuer):
    verifier = issuer.verifier(RESOURCE_SERVER_INTROSPECTION_CREDENTIALS=("a:b c", "s%+é"))
    assert verifier("tok") == VerifiedToken.of(ACTIVE)
    request = issuer.requests[0]
    assert (request.method, str(request.url)) == ("POST", URL)
    assert dict(parse_qsl(request.content.decode())) == {"token": "tok", "token_type_hint": "access_token"}
    sent = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == "a%3Ab+c:s%25%2B%C3%A9"


def test_the_bearer_token_wins_over_the_credentials(issuer):
    issuer.verifier(RESOURCE_SERVER_AUTH_TOKEN="abc")("tok")
    assert issuer.requests[0].headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    "members",
    [
        {"active": False},
        {**ACTIVE, "active": False},
        {**ACTIVE, "exp": NOW},
        {**ACTIVE, "nbf": NOW + 1},
        {"active": True, "scope": "read", "token_use": "refresh_token"},
    ],
)
def test_what_is_not_a_live_access_token_does_not_count(issuer, members):
    issuer.answer = lambda: httpx.Response(200, json=members)
    assert issuer.verifier()("tok") is None


@pytest.mark.parametrize(
    "members", [{"active": True}, {"active": True, "scope": "read", "token_type": "bearer"}]
)
def test_optional_members_may_be_missing(issuer, members):
    issuer.answer = lambda: httpx.Response(200, json=members)
    assert issuer.verifier()("tok").expires_at is None


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("UTC", 0), ("Etc/UTC", 0), ("Asia/Kolkata", -5.5), ("America/New_York", 5), ("Europe/Berlin", -1)],
)
def test_an_exp_made_of_local_time_is_read_in_the_zone_of_its_server(issuer, zone, hours):
    """NOW lies in winter, so that no summer time applies."""
    verifier = issuer.verifier(AUTHENTICATION_SERVER_EXP_TIME_ZONE=zone)
    issuer.answer = lambda: httpx.Response(200, json={**ACTIVE, "exp": NOW + 600 - int(hours * 3600)})
    token = verifier("tok")
    assert token.expires_at == NOW + 600
    assert token.claims["exp"] == NOW + 600 - int(hours * 3600)
    issuer.time += 600
    assert verifier("tok") is None


def test_an_exp_beyond_the_calendar_is_no_answer(issuer):
    issuer.answer = lambda: httpx.Response(200, json={**ACTIVE, "exp": 10**18})
    with pytest.raises(VerifierUnavailable):
        issuer.verifier(AUTHENTICATION_SERVER_EXP_TIME_ZONE="Asia/Kolkata")("tok")


# --- Keeping ---


def test_a_positive_answer_is_kept_for_the_caching_seconds(issuer):
    verifier = issuer.verifier(RESOURCE_SERVER_TOKEN_CACHING_SECONDS=60)
    verifier("tok")
    issuer.time += 59
    verifier("tok")
    assert len(issuer.requests) == 1
    issuer.time += 1
    verifier("tok")
    assert len(issuer.requests) == 2


def test_a_positive_answer_is_never_kept_longer_than_the_token_lives(issuer):
    verifier = issuer.verifier(RESOURCE_SERVER_TOKEN_CACHING_SECONDS=36000)
    verifier("tok")
    issuer.time += 600
    assert verifier("tok") is None
    assert len(issuer.requests) == 2


def test_a_revoked_token_is_forgotten_at_the_next_answer(issuer):
    verifier = issuer.verifier()
    verifier("tok")
    issuer.time += 60
    issuer.answer = lambda: httpx.Response(200, json={"active": False})
    assert verifier("tok") is None
    assert verifier("tok") is None


def test_negative_answers_and_failures_are_not_kept(issuer):
    verifier = issuer.verifier()
    issuer.answer = lambda: httpx.Response(200, json={"active": False})
    assert verifier("tok") is None
    issuer.answer = lambda: httpx.Response(500)
    with pytest.raises(VerifierUnavailable):
        verifier("tok")
    issuer.answer = lambda: httpx.Response(200, json=ACTIVE)
    assert verifier("tok") is not None


def test_a_clock_that_is_set_back_keeps_no_answer_for_longer(issuer):
    """A token that was revoked meanwhile would count for as long as the clock was set back."""
    verifier = issuer.verifier(RESOURCE_SERVER_TOKEN_CACHING_SECONDS=60)
    verifier("tok")
    issuer.time -= 3600
    for _ in range(2):
        verifier("tok")
    assert len(issuer.requests) == 2


def test_zero_caching_seconds_ask_each_time(issuer):
    verifier = issuer.verifier(RESOURCE_SERVER_TOKEN_CACHING_SECONDS=0)
    for _ in range(3):
        verifier("tok")
    assert len(issuer.requests) == 3


def test_the_cache_is_bounded_and_drops_what_was_not_used_for_longest(issuer, monkeypatch):
    monkeypatch.setattr(remote, "MAX_CACHED_TOKENS", 2)
    verifier = issuer.verifier()
    for token in ("a", "b", "a", "c", "a", "b"):
        verifier(token)
    assert [dict(parse_qsl(request.content.decode()))["token"] for request in issuer.requests] == [
        "a",
        "b",
        "c",
        "b",
    ]


def test_the_cache_holds_no_token(issuer):
    verifier = issuer.verifier()
    verifier("very-secret-token")
    assert "very-secret-token" not in repr(vars(verifier))


@pytest.fixture
def waiting(monkeypatch):
    """Return what is released by each thread that waits for the answer to another one's question."""
    found = threading.Semaphore(0)

    class Counted(Future):
        def result(self, timeout=None):
            found.release()
            return super().result(timeout)

    monkeypatch.setattr(remote, "Future", Counted)
    return found


def asked_by_many(issuer, waiting, answer, **settings):
    """Let many threads ask about one token at a time; return what becomes of each."""
    asked, go = threading.Event(), threading.Event()

    def slow():
        asked.set()
        assert go.wait(60)
        return answer()

    issuer.answer = slow
    verifier = issuer.verifier(**settings)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(verifier, "tok")
        assert asked.wait(10)
        others = [pool.submit(verifier, "tok") for _ in range(7)]
        assert all(waiting.acquire(timeout=30) for _ in others)
        go.set()
    assert len(issuer.requests) == 1
    return [first, *others]


def test_many_threads_that_wait_for_one_token_ask_once(issuer, waiting):
    found = asked_by_many(
        issuer,
        waiting,
        lambda: httpx.Response(200, json=ACTIVE),
        RESOURCE_SERVER_TOKEN_CACHING_SECONDS=0,
    )
    assert [future.result(10) for future in found] == [VerifiedToken.of(ACTIVE)] * 8


def test_many_threads_that_wait_for_one_token_all_hear_of_a_failure(issuer, waiting):
    def fail():
        raise httpx.ConnectError("refused")

    for future in asked_by_many(issuer, waiting, fail):
        assert isinstance(future.exception(10), VerifierUnavailable)


# --- Failing ---

FAILURES = {
    "status 401": httpx.Response(401, json={"error": "invalid_client"}),
    "status 204": httpx.Response(204),
    "status 302": httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
    "status 500": httpx.Response(500, json=ACTIVE),
    "no JSON": httpx.Response(200, text="<html>"),
    "not UTF-8": httpx.Response(200, content=b"\xff\xfe\x00"),
    "a list": httpx.Response(200, json=[ACTIVE]),
    "no active": httpx.Response(200, json={"scope": "read"}),
    "active as text": httpx.Response(200, json={**ACTIVE, "active": "true"}),
    "exp as text": httpx.Response(200, json={**ACTIVE, "exp": "soon"}),
    "exp as bool": httpx.Response(200, json={**ACTIVE, "exp": True}),
    "nbf as text": httpx.Response(200, json={**ACTIVE, "nbf": "soon"}),
    "scope as list": httpx.Response(200, json={**ACTIVE, "scope": ["read"]}),
    "active twice": httpx.Response(200, text='{"active": false, "active": true}'),
    "too deep": httpx.Response(200, text="[" * 200_000),
    "too long": httpx.Response(200, text=json.dumps({**ACTIVE, "x": "x" * remote.MAX_ANSWER_BYTES})),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_answer_that_is_not_understood_is_no_answer(issuer, failure, caplog):
    issuer.answer = lambda: FAILURES[failure]
    with pytest.raises(VerifierUnavailable):
        issuer.verifier()("very-secret-token")
    assert len(issuer.requests) == 1
    assert "introspection at" in caplog.text
    assert "very-secret-token" not in caplog.text


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_connection_that_fails_is_no_answer(issuer, error):
    def fail():
        raise error("refused")

    issuer.answer = fail
    with pytest.raises(VerifierUnavailable):
        issuer.verifier()("tok")


def test_an_answer_that_drips_is_not_waited_for(issuer, monkeypatch):
    seconds = iter(range(0, 100, 2))
    monkeypatch.setattr(remote.time, "monotonic", lambda: next(seconds))
    issuer.answer = lambda: httpx.Response(200, stream=Chunks(*[b" "] * 40))
    with pytest.raises(VerifierUnavailable):
        issuer.verifier(RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS=5)("tok")
    assert next(seconds) < 20


def test_a_view_answers_503_while_the_issuer_is_away_and_never_200():
    provider = start(
        RESOURCE_SERVER_INTROSPECTION_URL="http://127.0.0.1:9/", RESOURCE_SERVER_AUTH_TOKEN="abc"
    )
    provider.app.add_url_rule("/", "x", require_oauth("read")(lambda: current_token.subject))
    http = provider.app.test_client()
    answer = http.get("/", headers={"Authorization": "Bearer tok"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert http.get("/").status_code == 401
