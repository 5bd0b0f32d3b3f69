"""S27: what was issued to a client that was removed counts for nobody who is given its name later.

The store of the first house does not walk, so nothing of a client is found and revoked as it is removed.
"""

import json

import pytest
from support import backchannel, devices
from support.exchanges import GRANT, TYPE, Policy
from support.pushing import bring, reference, refused_on_page, to_login

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import AccessToken, FetchResponse
from portula_testing.memory import MemoryStore
from security.driving import answered, bearer, error_of
from security.house import House


class PlainStore(MemoryStore):
    """A store of the four verbs alone."""

    @property
    def walk(self):
        raise AttributeError("walk")


class Plain:
    @hookimpl
    def portula_stores(self, provider):
        return {"plain": PlainStore}


@pytest.fixture
def house():
    return House(
        Plain(),
        STORAGE="plain",
        TOKEN_EXCHANGE_POLICY=Policy(),
        OIDC_ENABLED=True,
        REQUEST_APPROVAL_PROMPT="auto",
    )


SECRET = "a secret that both have, of enough characters"


def made(house, **fields):
    return house.client(
        client_id="app",
        secret=SECRET,
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        **fields,
    )


def made_anew(house, after=60):
    house.provider.clients.remove("app")
    house.clock.forward(after)
    return made(house)


def test_the_store_revokes_nothing(house):
    app = made(house)
    house.tokens(app)
    made_anew(house)
    (token,) = house.provider.storage.select(AccessToken)
    assert token.revoked_at is None


def test_access_tokens_do_not_count(house):
    app, door, watcher = made(house), house.door(), house.client()
    own = door.token(app, grant_type="client_credentials").json["access_token"]
    persons = house.tokens(app)["access_token"]
    assert all(door.is_active(watcher, token) for token in (own, persons))
    app = made_anew(house)
    for token in (own, persons):
        assert not door.is_active(watcher, token)
        assert not door.is_active(app, token)
        assert door.resource(token).status_code == 401
        assert (
            house.provider.validator.why_not_live(token)
            == "the token is of a client that had the name before"
        )
    assert door.is_active(watcher, house.tokens(app)["access_token"])


def test_a_refresh_token_and_a_code_are_not_redeemed(house):
    app, door = made(house), house.door()
    refresh = house.tokens(app)["refresh_token"]
    code, verifier = house.browser().code(app)
    app = made_anew(house, after=20)
    assert error_of(door.token(app, grant_type="refresh_token", refresh_token=refresh)) == "invalid_grant"
    assert error_of(door.redeem(app, code, verifier)) == "invalid_grant"
    assert not door.is_active(app, refresh)
    assert house.tokens(app)["refresh_token"]


def test_what_was_exchanged_does_not_count(house):
    app, door, watcher = made(house), house.door(), house.client()
    gateway = house.client(grant_types=(GRANT,), redirect_uris=())
    own = door.token(app, grant_type="client_credentials").json["access_token"]
    tokens = house.tokens(app, scope="openid read")
    exchanged = [
        door.token(
            gateway, grant_type=GRANT, subject_token=token, subject_token_type=f"{TYPE}access_token"
        ).json["access_token"]
        for token in (own, tokens["access_token"])
    ]
    assert all(door.is_active(watcher, token) for token in exchanged)
    made_anew(house)
    assert not any(door.is_active(watcher, token) for token in exchanged)


def test_an_id_token_is_not_exchanged(house):
    door = house.door()

    def exchange(client_id, id_token):
        grants = ("authorization_code", GRANT)
        house.change(client_id, grant_types=grants)
        form = {"subject_token": id_token, "subject_token_type": f"{TYPE}id_token"}
        return door.token(client_id, grant_type=GRANT, **form)

    app = made(house)
    token = house.tokens(app, scope="openid read")["id_token"]
    assert exchange(app, token).status_code == 200
    assert error_of(exchange(made_anew(house), token)) == "invalid_request"


def test_nobody_is_passed_by_for_what_they_allowed_the_former(house):
    app, browser = made(house), house.browser()
    assert answered(browser.authorize(app))["code"]
    assert answered(browser.consent_page(app, scope="read"))["code"], "it is remembered"
    app = made_anew(house)
    page = browser.consent_page(app, scope="write")
    assert page.status_code == 200
    assert answered(browser.submit(page, "consent-allow"))["code"]
    assert answered(browser.consent_page(app, scope="write"))["code"]
    assert browser.consent_page(app, scope="read").status_code == 200, "what the former had is not joined"


def test_clocks_of_nodes_may_differ_a_little(house):
    app = made(house)
    house.clock.forward(-5)
    token = house.tokens(app)["access_token"]
    assert house.door().is_active(app, token)


# --- What waits, and what a client was given to look after itself by ---


@pytest.fixture
def busy():
    """A house at which much waits for clients, on a store that walks: what is no token is not found there either."""
    return House(
        OIDC_ENABLED=True,
        DCR_ENABLED=True,
        DCR_REGISTRATION_MODE="open",
        OIDC_RP_INITIATED_LOGOUT_ENABLED=True,
        OIDC_FRONTCHANNEL_LOGOUT_ENABLED=True,
    )


def waiting(house, **fields):
    grants = ("authorization_code", devices.GRANT, backchannel.GRANT)
    return house.client(client_id="app", secret=SECRET, grant_types=grants, **fields)


def waiting_anew(house, after=60, **fields):
    house.provider.clients.remove("app")
    house.clock.forward(after)
    return waiting(house, **fields)


def test_a_registration_access_token_does_not_manage_the_client_of_the_same_name(busy):
    """RFC 7592 §2: it is the token of one registration, and would make the new client's answers go elsewhere."""
    door, document = busy.door(), {"redirect_uris": ["https://former.example/cb"]}
    json_body = {"Content-Type": "application/json"}
    given = door.post("/o/register/", json.dumps(document), json_body).json
    path, token = f"/o/register/?client_id={given['client_id']}", bearer(given["registration_access_token"])
    assert door.open(path, headers=token).status_code == 200
    busy.provider.clients.remove(given["client_id"])
    busy.clock.forward(60)
    party = busy.client(client_id=given["client_id"])
    changed = json.dumps({**document, "client_id": party.client_id})
    for method, body in (("GET", None), ("PUT", changed), ("DELETE", None)):
        answer = door.open(path, method=method, data=body, headers={**token, **json_body})
        assert error_of(answer, 401) == "invalid_token", method
    assert busy.find(party).redirect_uris == (party.redirect_uri,)


def test_what_a_device_asked_for_is_neither_shown_nor_redeemed(busy):
    app, browser = waiting(busy), busy.browser()
    allowed, shown = devices.begun(busy, app), devices.begun(busy, app)
    assert devices.answered(browser, allowed["user_code"]).status_code == 200
    app = waiting_anew(busy)
    assert devices.to_page(browser, shown["user_code"]).status_code == 400
    for codes in (allowed, shown):
        assert error_of(devices.poll(busy, app, codes)) == "invalid_grant"
    assert devices.answered(browser, devices.begun(busy, app)["user_code"]).status_code == 200


def test_whom_a_client_asked_for_elsewhere_is_not_asked_for_another(busy):
    app, browser = waiting(busy), busy.browser()
    browser.sign_in()
    members = backchannel.begun(busy, app)
    (page,) = backchannel.pages(browser)
    app = waiting_anew(busy)
    assert browser.get(page).status_code == 400
    assert error_of(backchannel.poll(busy, app, members)) == "invalid_grant"


def test_an_id_token_of_the_former_names_nobody_to_the_next(busy):
    app, door = waiting(busy), busy.door()
    given = door.redeem(app, *busy.browser().code(app, scope="openid read")).json["id_token"]
    hint = {"login_hint": None, "id_token_hint": given}
    assert backchannel.asked(busy, app, **hint).status_code == 200
    assert error_of(backchannel.asked(busy, waiting_anew(busy), **hint)) == "invalid_request"


def test_a_pushed_request_is_not_taken_for_one_of_the_next(busy):
    app = waiting(busy)
    brought = reference(busy, app)
    assert refused_on_page(bring(busy.browser(), {**brought, "client_id": busy.client().client_id}))
    assert to_login(busy.browser(), brought).status_code == 200
    waiting_anew(busy, after=30)
    assert refused_on_page(bring(busy.browser(), brought))


class Listeners(backchannel.Receiver):
    """Servers of apps: none is there while `status` says so."""

    def post(self, url, body, *, headers=None, max_bytes=65536):
        self.heard.append(url)
        if self.status >= 300:
            raise FetchFailed("nobody is there", status=self.status)
        return FetchResponse(self.status, "", b"")


def test_what_could_not_be_delivered_to_the_former_is_not_sent_to_the_next():
    """A logout names the person as the app knows them, and a ping has what only its client knows (CIBA Core §10.2)."""
    servers = Listeners(status=503)
    house = House(servers, PLUGINS_CHOICE={"fetcher": "Listeners"}, OIDC_ENABLED=True, DELIVERY_THREADS=0)
    out, told = "https://client.example/out", backchannel.NOTIFICATIONS
    metadata = {
        "backchannel_logout_uri": out,
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": told,
    }

    def heard_while_it_is_replaced(replaced):
        app, browser = waiting(house, metadata=metadata), house.browser()
        browser.sign_in()
        backchannel.begun(house, app, client_notification_token="token")
        backchannel.decided(browser)
        browser.authorize(app, scope="openid")
        browser.submit(browser.get("/accounts/logout/"), "logout-confirm")
        servers.status = 503
        assert house.provider.deliveries.deliver().failed == 2
        if replaced:
            waiting_anew(house, after=20, metadata=metadata)
        servers.heard, servers.status = [], 204
        house.clock.forward(60)
        house.provider.deliveries.deliver()
        house.provider.clients.remove("app")
        house.clock.forward(60)
        return sorted(servers.heard)

    assert heard_while_it_is_replaced(replaced=False) == [out, told]
    assert heard_while_it_is_replaced(replaced=True) == []


def test_the_next_does_not_hear_of_sessions_of_the_former(busy):
    """A logout names the person as the app knows them (Front-Channel Logout §3)."""

    def frames():
        browser.authorize(watcher, scope="openid")
        page = browser.submit(browser.get("/o/logout/"), "logout-confirm")
        return [url for url in (app_url, "https://client.example/watcher") if url in page.text]

    app_url, browser = "https://client.example/app", busy.browser()
    watcher = busy.client(metadata={"frontchannel_logout_uri": "https://client.example/watcher"})
    metadata = {"frontchannel_logout_uri": app_url}
    app = waiting(busy, metadata=metadata)
    browser.authorize(app, scope="openid")
    assert app_url in frames()
    browser.authorize(app, scope="openid")
    app = waiting_anew(busy, metadata=metadata)
    assert frames() == ["https://client.example/watcher"]
    browser.authorize(app, scope="openid")
    app = waiting_anew(busy, metadata=metadata)
    browser.authorize(app, scope="openid")
    assert app_url in frames(), "this one the person signed in to"
