import pytest

import portula_sessions
from portula import Plugin, hookimpl
from portula.errors import HookFailed
from portula.plugin import Artifact, plan_to_add
from portula_sessions.sessions import MAX_ENDED
from portula_testing.provider import make_provider
from portula_testing.writing import remove_from

LIFETIME = 12 * 3600
IDLE = 2 * 3600
COOKIE = "portula_session"


def who(client):
    return client.get("/who").text


def stored(app):
    return stored_in(app.extensions["portula"]["portula"])


def stored_in(provider):
    family = provider.keys.digests("session-subject", "ada")
    return provider.storage.select(Artifact, family=family)


def test_nobody_is_signed_in_at_first(app):
    assert who(app.test_client()) == "nobody"


def test_a_session_says_who_since_when_and_how(app, clock):
    client = app.test_client()
    client.get("/in/ada")
    assert who(client) == f"ada Ada {clock.time} pwd"


def test_the_cookie_is_a_pointer_that_is_stored_nowhere(app):
    client = app.test_client()
    client.get("/in/ada", headers={"User-Agent": "Browser\u202e" * 50})
    cookie = client.get_cookie(COOKIE)
    (artifact,) = stored(app)
    assert len(cookie.value) == 43
    assert cookie.value not in repr(artifact)
    assert artifact.payload["address"] == "127.0.0.1"
    assert len(artifact.payload["agent"]) == 200
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert cookie.expires is None


def test_the_end_of_a_session_is_told_once_when_it_is_kept(make_app):
    told = []

    class Handler:
        @hookimpl
        def portula_session_ended(self, event):
            told.append((event.subject, stored_in(event.provider)))

    app = make_app(Handler())
    client = app.test_client()
    client.get("/in/ada")
    assert told == []
    client.get("/out")
    client.get("/out")
    assert told == [("ada", [])]


def test_a_cookie_over_https_has_the_host_prefix(make_app):
    client = make_app(OIDC_ISS_ENDPOINT="https://id.example/o").test_client()
    client.get("/in/ada", base_url="https://id.example")
    assert client.get_cookie(f"__Host-{COOKIE}", "id.example").secure


def test_a_persistent_cookie_lasts_as_long_as_the_session(make_app):
    client = make_app(SESSION_COOKIE_PERSISTENT=True).test_client()
    client.get("/in/ada")
    assert client.get_cookie(COOKIE).max_age == LIFETIME


def test_signing_in_changes_the_identifier_and_ends_the_old_session(app):
    client, thief = app.test_client(), app.test_client()
    first = client.get("/in/eve").text
    planted = client.get_cookie(COOKIE).value
    thief.set_cookie(COOKIE, planted)
    second = client.get("/in/ada").text
    assert first != second
    assert client.get_cookie(COOKIE).value != planted
    assert who(thief) == "nobody"


@pytest.mark.parametrize("value", ["", "x", "a" * 43, "ü" * 43, "a" * 10_000, '"><svg onload=1>'])
def test_an_invented_cookie_is_nobody(app, value):
    assert app.test_client().get("/who", headers={"Cookie": f"{COOKIE}={value}"}).text == "nobody"


def test_a_session_ends_when_idle(app, clock):
    client = app.test_client()
    client.get("/in/ada")
    clock.time += IDLE - 1
    assert who(client).startswith("ada")
    clock.time += IDLE
    assert who(client) == "nobody"


def test_a_session_in_use_ends_with_its_lifetime(app, clock):
    client = app.test_client()
    client.get("/in/ada")
    for _ in range(LIFETIME // 3600 - 1):
        clock.time += 3600
        assert who(client).startswith("ada")
    clock.time += 3599
    assert who(client).startswith("ada")
    clock.time += 1
    assert who(client) == "nobody"


def test_use_is_written_once_a_minute(app, clock):
    client = app.test_client()
    client.get("/in/ada")
    (before,) = stored(app)
    clock.time += 59
    who(client)
    assert stored(app) == [before]
    clock.time += 1
    who(client)
    (after,) = stored(app)
    assert after.expires_at == before.expires_at + 60


def test_ending_takes_the_cookie_and_the_record(app):
    client, copy = app.test_client(), app.test_client()
    client.get("/in/ada")
    copy.set_cookie(COOKIE, client.get_cookie(COOKIE).value)
    assert client.get("/out").text == "ada"
    assert client.get_cookie(COOKIE) is None
    assert who(copy) == "nobody"
    assert stored(app) == []
    assert client.get("/out").text == "nobody"


def test_all_sessions_of_one_person_end_and_no_others(app):
    laptop, phone, other = app.test_client(), app.test_client(), app.test_client()
    laptop.get("/in/ada")
    phone.get("/in/ada")
    other.get("/in/bob")
    assert laptop.get("/all-out/ada").text == "2 True GET"
    assert (who(laptop), who(phone)) == ("nobody", "nobody")
    assert who(other).startswith("bob")


def test_sessions_end_from_the_command_line_too(app):
    client = app.test_client()
    client.get("/in/ada")
    with app.app_context():
        assert app.extensions["portula"]["portula"].hooks.ask(Plugin.portula_sessions).end_all("ada") == 1
    assert who(client) == "nobody"


def test_a_session_survives_a_new_secret_key_and_ends_when_the_old_one_goes(make_app):
    old, new = "first key, 16 bytes or more", "second key, 16 bytes or more"
    client = make_app(SECRET_KEYS=[old]).test_client()
    client.get("/in/ada")
    pointer = client.get_cookie(COOKIE).value
    for keys, expected in (([new, old], "ada"), ([new], "nobody")):
        later = make_app(SECRET_KEYS=keys).test_client()
        later.set_cookie(COOKIE, pointer)
        assert who(later).startswith(expected)
    rotated = make_app(SECRET_KEYS=[new, old]).test_client()
    assert rotated.get("/all-out/ada").text.startswith("1 ")


@pytest.mark.parametrize("way", ["/out", "/all-out/ada", "/in/bob"])
def test_a_session_whose_end_cannot_be_recorded_does_not_end(clock, way):
    class Full:
        @hookimpl
        def portula_record_session_end(self, event):
            raise OSError(f"the disk is full for {event.subject}")

    provider = make_provider(portula_sessions, Full(), clock=clock)
    sessions = provider.hooks.ask(Plugin.portula_sessions)
    provider.app.add_url_rule("/in/<subject>", "in", lambda subject: sessions.start(subject, subject, []).sid)
    provider.app.add_url_rule("/out", "out", lambda: str(sessions.end()))
    provider.app.add_url_rule("/all-out/<subject>", "all", lambda subject: str(sessions.end_all(subject)))
    provider.app.add_url_rule("/who", "who", lambda: getattr(sessions.current(), "subject", "nobody"))
    client = provider.app.test_client()
    client.get("/in/ada")
    with pytest.raises(HookFailed, match="portula_record_session_end"):
        client.get(way)
    assert who(client) == "ada"


@pytest.mark.parametrize("number", [MAX_ENDED, MAX_ENDED + 1, 2 * MAX_ENDED + 1])
def test_however_many_sessions_there_are_all_end_and_what_is_planned_with_them_once(make_app, number):
    told = []

    class Handler:
        @hookimpl
        def portula_session_ended(self, event):
            told.append(event.sid)

    app = make_app(Handler())
    provider = app.extensions["portula"]["portula"]
    for _ in range(number):
        app.test_client().get("/in/ada")
    plan = plan_to_add(Artifact(digest="planned", kind="planned", payload={}, issued_at=1))
    with app.app_context():
        assert provider.hooks.ask(Plugin.portula_sessions).end_all("ada", plan) == number
    assert len(set(told)) == len(told) == number
    assert stored(app) == []
    assert provider.storage.find(Artifact, digest="planned")


def test_a_session_that_somebody_else_ends_in_this_moment_is_not_ended_again(make_app):
    told, ended = [], []

    class Quicker:
        @hookimpl
        def portula_record_session_end(self, event):
            if not ended:
                ended.append(min(stored_in(event.provider), key=lambda artifact: artifact.digest))
                remove_from(event.provider.storage, Artifact, digest=ended[0].digest)

        @hookimpl
        def portula_session_ended(self, event):
            told.append(event.sid)

    app = make_app(Quicker())
    clients = [app.test_client() for _ in range(3)]
    sids = {client.get("/in/ada").text for client in clients}
    assert clients[0].get("/all-out/ada").text == "2 True GET"
    assert set(told) == sids - {ended[0].payload["sid"]}
    assert [who(client) for client in clients] == ["nobody"] * 3
