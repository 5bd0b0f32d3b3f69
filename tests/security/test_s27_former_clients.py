"""S27: what was issued to a client that was removed counts for nobody who is given its name later.

The store of this house does not walk, so nothing of a client is found and revoked as it is removed.
"""

import pytest
from support.exchanges import GRANT, TYPE, Policy

from portula import hookimpl
from portula.plugin import AccessToken
from portula_testing.memory import MemoryStore
from security.driving import answered, error_of
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
