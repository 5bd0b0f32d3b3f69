import threading

import pytest
from click.testing import CliRunner
from support.signing_out import NOW, SHOP, TEA, SessionLogin, deliver, heard, sign_out, with_servers

import portula_logout
from portula import Plugin
from portula.errors import EmptySlot, InvalidClientMetadata
from portula_testing.provider import make_provider

GIVE_UP = 24 * 3600


@pytest.fixture
def house(make):
    return with_servers(make())


# --- Switches ---


def test_it_stands_in_the_metadata_when_it_is_on(make):
    members = {"backchannel_logout_supported": True, "backchannel_logout_session_supported": True}
    assert make().provider.metadata_document.items() >= members.items()
    off = make(OIDC_BACKCHANNEL_LOGOUT_ENABLED=False)
    assert not members.keys() & off.provider.metadata_document.keys()
    assert "backchannel_logout_uri" not in off.provider.client_members
    assert "logout" not in [command.name for command in off.provider.hooks.collect(Plugin.portula_commands)]


def test_switched_off_nobody_is_told(make):
    house = with_servers(make(OIDC_BACKCHANNEL_LOGOUT_ENABLED=False))
    sign_out(house.browser("ada", "teapot"))
    assert house.artifacts("logout-token") == []


def test_without_openid_connect_the_room_is_silent():
    provider = make_provider(portula_logout, settings={"OIDC_RP_INITIATED_LOGOUT_ENABLED": True})
    assert not [name for name in provider.metadata_document if "logout" in name or "session" in name]
    assert provider.client_members == {}
    assert provider.app.test_client().get("/o/logout/").status_code == 404
    assert provider.deliveries.kinds == {}


def test_without_a_fetcher_the_provider_does_not_start(make):
    house = make()
    rooms = [portula_logout, house.jose, SessionLogin()]
    with pytest.raises(EmptySlot, match="portula-fetch"):
        make_provider(*rooms)


# --- Who hears, and of what ---


def test_the_server_of_each_app_of_the_session_hears_of_it_and_no_other(house):
    ada, elsewhere = house.browser("ada", "teapot", "shop", "quiet"), house.browser("ada", "teapot")
    house.browser("bob", "teapot")
    sign_out(ada)
    assert deliver(house) == {"delivered": 2, "failed": 0, "given_up": 0, "next_at": None}
    assert heard(house) == [SHOP, TEA]
    for url, form in house.fetcher.posts:
        assert list(form) == ["logout_token"]
        claims = house.jose.read(form["logout_token"]).claims
        assert claims["aud"] == ("teapot" if url == TEA else "shop")
        assert claims["sid"] == house.sid_of(ada.sid, claims["aud"]) != ada.sid
    assert deliver(house)["delivered"] == 0
    sign_out(elsewhere)
    assert deliver(house)["delivered"] == 1


def end_by_the_page(house, ada):
    house.provider.hooks.ask(Plugin.portula_sessions).end_one("ada", ada.sid)


def end_all(house, ada):
    house.provider.hooks.ask(Plugin.portula_sessions).end_all("ada")


@pytest.mark.parametrize("end", [end_by_the_page, end_all])
def test_a_session_that_is_ended_from_elsewhere_is_told_of(house, end):
    ada = house.browser("ada", "teapot")
    with house.app.app_context():
        end(house, ada)
    assert deliver(house)["delivered"] == 1


def test_somebody_else_signing_in_is_told_of_and_signing_in_again_is_not(house):
    ada = house.browser("ada", "teapot")
    ada.get("/in/ada")
    assert deliver(house)["delivered"] == 0
    ada.get("/in/bob")
    assert deliver(house)["delivered"] == 1


def test_an_app_that_is_used_often_hears_once(house):
    sign_out(house.browser("ada", *["teapot"] * 3))
    assert deliver(house)["delivered"] == 1


def test_who_was_not_asked_about_identity_is_not_told(house):
    """Without the scope openid an app has no ID token and no session of ours."""
    ada = house.browser("ada")
    ada.get("/use/teapot?scope=read")
    sign_out(ada)
    assert deliver(house)["delivered"] == 0


def test_an_app_that_registers_a_server_later_hears_too(house):
    ada = house.browser("ada", "quiet")
    house.change("quiet", metadata={"backchannel_logout_uri": TEA})
    sign_out(ada)
    assert deliver(house)["delivered"] == 1


def test_nothing_is_kept_of_sessions_and_deliveries_that_are_over(house):
    before = house.artifacts("session-client", "logout-token")
    sign_out(house.browser("ada", "teapot", "quiet"))
    deliver(house)
    assert house.artifacts("session-client", "logout-token") == before == []


def test_apps_are_remembered_as_long_as_the_session_lasts(make):
    house = with_servers(make(SESSION_LIFETIME_SECONDS=90 * 24 * 3600, SESSION_IDLE_SECONDS=90 * 24 * 3600))
    ada = house.browser("ada", "teapot")
    (known,) = house.artifacts("session-client")
    assert known.expires_at == NOW + 90 * 24 * 3600
    house.clock.advance(3600)
    ada.get("/in/ada")
    ada.get("/use/teapot")
    (known,) = house.artifacts("session-client")
    assert known.expires_at == NOW + 3600 + 90 * 24 * 3600


# --- Failing servers ---


def test_a_server_that_fails_is_tried_again_twice_as_late_each_time_and_given_up_in_the_end(house, caplog):
    house.fetcher.answers[TEA] = 503
    ada = house.browser("ada", "teapot", "shop")
    sign_out(ada)
    assert deliver(house) == {"delivered": 1, "failed": 1, "given_up": 0, "next_at": NOW + 10}
    assert deliver(house)["failed"] == 0
    waits = []
    for _ in range(60):
        at = deliver(house)["next_at"]
        if at is None:
            break
        waits.append(at - house.clock())
        house.clock.advance(waits[-1] - 1)
        assert deliver(house)["failed"] == 0
        house.clock.advance(1)
        deliver(house)
    assert waits[:10] == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
    assert GIVE_UP - 3600 <= sum(waits) <= GIVE_UP
    assert house.artifacts("logout-token") == []
    said = [record.getMessage() for record in caplog.records if "will not hear" in record.getMessage()]
    assert len(said) == 1
    assert "teapot" in said[0]
    assert "503" in said[0]
    assert ada.sid not in caplog.text
    assert "ada" not in caplog.text


def test_how_often_and_how_long_can_be_set(make):
    settings = {"RETRY_SECONDS": 30, "GIVE_UP_SECONDS": 100}
    house = with_servers(
        make(**{f"OIDC_BACKCHANNEL_LOGOUT_{name}": value for name, value in settings.items()})
    )
    house.fetcher.answers[TEA] = None
    sign_out(house.browser("ada", "teapot"))
    assert deliver(house)["next_at"] == NOW + 30
    house.clock.advance(30)
    assert deliver(house)["next_at"] == NOW + 90
    house.clock.advance(60)
    assert deliver(house)["given_up"] == 1


@pytest.mark.parametrize(("status", "outcome"), [(400, "given_up"), (404, "failed"), (302, "failed")])
def test_a_refusal_is_final_and_any_other_failure_is_not(house, status, outcome):
    """Back-Channel Logout §2.8."""
    house.fetcher.answers[TEA] = status
    sign_out(house.browser("ada", "teapot"))
    assert deliver(house)[outcome] == 1
    assert deliver(house, "--all")["failed"] == (1 if outcome == "failed" else 0)


def test_all_does_not_wait_for_the_next_attempt(house):
    house.fetcher.answers[TEA] = 500
    sign_out(house.browser("ada", "teapot"))
    deliver(house)
    house.fetcher.answers[TEA] = 204
    assert deliver(house)["delivered"] == 0
    assert deliver(house, "--all")["delivered"] == 1


def test_each_attempt_sends_a_new_token(house):
    house.fetcher.answers[TEA] = 500
    sign_out(house.browser("ada", "teapot"))
    deliver(house)
    house.clock.advance(200)
    deliver(house)
    first, second = (house.jose.read(form["logout_token"]).claims for _, form in house.fetcher.posts)
    assert first["jti"] != second["jti"]
    assert second["iat"] == first["iat"] + 200


@pytest.mark.parametrize("fault", [RuntimeError("a fault"), "jose"])
def test_a_fault_of_ours_keeps_no_other_app_from_hearing(house, monkeypatch, fault):
    def fail():
        raise fault

    sign_out(house.browser("ada", "teapot", "shop"))
    if fault == "jose":
        house.jose.refuses = "teapot"
    else:
        house.fetcher.answers[TEA] = fail
    assert deliver(house)["delivered"] == 1
    assert SHOP in heard(house)


@pytest.mark.parametrize("change", ["gone", "quiet"])
def test_an_app_that_is_gone_or_wants_to_hear_no_more_is_left_alone(house, change):
    sign_out(house.browser("ada", "teapot"))
    if change == "gone":
        house.remove("teapot")
    else:
        house.change("teapot", metadata={})
    assert deliver(house)["given_up"] == 1
    assert house.fetcher.posts == []


def test_a_failing_server_does_not_keep_a_person_from_signing_out(make):
    house = with_servers(make(DELIVERY_THREADS=1))
    gate = threading.Event()

    def slow():
        gate.wait(20)
        return 500

    house.fetcher.answers[TEA] = slow
    ada = house.browser("ada", "teapot")
    sign_out(ada)
    assert ada.who == "nobody"
    assert house.fetcher.posts == []
    gate.set()
    house.fetcher.wait_for(1)


# --- The command and what may be registered ---


def test_the_command_says_what_it_did(house):
    (group,) = [
        command
        for command in house.provider.hooks.collect(Plugin.portula_commands)
        if command.name == "logout"
    ]
    with house.app.app_context():
        output = CliRunner().invoke(group, ["deliver"]).output
    assert output == "0 delivered, 0 to be tried again, 0 given up.\n"


@pytest.mark.parametrize(
    "uri",
    [
        "http://tea.example/out",
        "http://localhost/out",
        "https://tea.example/out#x",
        "https://ada@tea.example/out",
        "https://tea.example/../out",
        "https://",
        "/out",
        "javascript:alert(1)",
        "ftp://tea.example/out",
        7,
        None,
    ],
)
def test_an_address_that_is_no_https_url_cannot_be_registered(house, uri):
    with pytest.raises(InvalidClientMetadata, match="backchannel_logout_uri"):
        house.client("odd", metadata={"backchannel_logout_uri": uri})


def test_an_address_with_a_query_can_be_registered(house):
    house.client("even", metadata={"backchannel_logout_uri": "https://tea.example:8443/out?a=b"})
    assert {
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
    } <= house.provider.client_members.keys()
