"""HEAD is safe to whoever sends it (RFC 9110 §9.2.1, §9.3.2), such as what previews links: it changes nothing."""

from urllib.parse import urlencode

import pytest
from security.driving import HOST, answered, pkce
from security.house import House
from support.devices import begun, television


@pytest.fixture(scope="module")
def house():
    return House(
        OIDC_ENABLED=True,
        OIDC_RP_INITIATED_LOGOUT_ENABLED=True,
        OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT=False,
    )


@pytest.fixture
def plans(house):
    """The plans that are applied while a test runs, which it may clear."""
    applied = []
    house.provider.storage.on_applied.append(applied.append)
    yield applied
    house.provider.storage.on_applied.remove(applied.append)


@pytest.fixture
def browser(house):
    browser = house.browser()
    browser.sign_in()
    return browser


def head(browser, path):
    return browser.http.head(path, base_url=HOST)


def asked(client, **parameters):
    given = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": "read",
        "code_challenge": pkce()[1],
        "code_challenge_method": "S256",
    }
    return f"/o/authorize/?{urlencode({**given, **parameters})}"


def refused(response):
    return (response.status_code, response.headers["Allow"], response.data) == (
        405,
        "GET, OPTIONS, POST",
        b"",
    )


@pytest.mark.parametrize("skips", [False, True], ids=["a page is shown", "no page is shown"])
def test_head_at_the_authorization_endpoint_makes_no_code_and_keeps_no_request(house, browser, plans, skips):
    client = house.client(skip_authorization=skips)
    plans.clear()
    assert refused(head(browser, asked(client)))
    assert refused(head(house.browser(), asked(client, prompt="login")))
    assert plans == []
    response = browser.get(asked(client))
    assert ("code" in answered(response)) if skips else (response.status_code == 200)
    assert plans


def test_head_at_the_end_of_the_session_signs_nobody_out(house, browser, plans):
    client = house.client()
    code, verifier = browser.code(client, scope="openid")
    token = house.door().redeem(client, code, verifier).json["id_token"]
    plans.clear()
    assert refused(head(browser, f"/o/logout/?id_token_hint={token}"))
    assert plans == []
    assert browser.get("/accounts/").status_code == 200
    browser.get(f"/o/logout/?id_token_hint={token}")
    assert browser.get("/accounts/").status_code == 302


def test_head_claims_no_device_code(house, browser, plans):
    code = begun(house, television(house))["user_code"]
    page = browser.get("/o/device/")
    location = browser.submit(page, "device-continue", user_code=code).location
    plans.clear()
    assert refused(head(browser, location))
    assert plans == []
    assert browser.get(location).status_code == 200
    assert plans


def test_head_at_any_other_view_that_answers_get_changes_nothing(house, browser, plans):
    rules = [rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = [rule.rule for rule in rules if not rule.arguments]
    assert "/accounts/password/" in paths
    for path in paths:
        answer = head(browser, path)
        assert answer.status_code < 500, path
    assert plans == []
    assert browser.get("/accounts/").status_code == 200
