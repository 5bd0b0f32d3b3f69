"""S09: a client's parameters can make consent stricter, never laxer."""

import pytest


def asked_again(browser, client, **parameters):
    """Say whether a person who allowed this before is asked again."""
    assert browser.authorize(client).status_code == 302
    response = browser.consent_page(client, **parameters)
    assert response.status_code in (200, 302)
    return response.status_code == 200


@pytest.mark.parametrize("value", ["auto", "AUTO", "none", "force", ""])
@pytest.mark.parametrize("name", ["approval_prompt", "prompt"])
def test_where_consent_is_forced_no_parameter_skips_it(browser, client, name, value):
    assert asked_again(browser, client, **{name: value})


@pytest.mark.parametrize(
    "extra", [{"skip_authorization": "true"}, {"allow": "yes"}, {"allow": "true", "interaction": "x"}]
)
def test_a_request_cannot_answer_itself(browser, client, extra):
    assert browser.sign_in().status_code == 302
    response = browser.ask(client, **extra)
    assert "Location" not in response.headers or "code=" not in response.location


@pytest.fixture(scope="module")
def lenient(make_house):
    """A house that remembers consent."""
    return make_house(REQUEST_APPROVAL_PROMPT="auto")


def test_remembered_consent_is_not_asked_again(lenient):
    assert not asked_again(lenient.browser(), lenient.client())


def test_where_consent_is_remembered_a_client_may_ask_for_the_page(lenient):
    assert asked_again(lenient.browser(), lenient.client(), approval_prompt="force")


def test_more_scopes_than_were_allowed_are_asked(lenient):
    assert asked_again(lenient.browser(), lenient.client(), scope="read write")


def test_what_one_person_allowed_is_asked_of_another(lenient):
    client = lenient.client()
    assert lenient.browser().authorize(client).status_code == 302
    other = lenient.user()
    assert lenient.browser().consent_page(client, other.username).status_code == 200


def test_what_one_client_was_allowed_another_must_ask(lenient):
    browser = lenient.browser()
    assert browser.authorize(lenient.client()).status_code == 302
    assert browser.consent_page(lenient.client()).status_code == 200


def test_a_refusal_is_not_remembered_as_consent(lenient):
    browser, client = lenient.browser(), lenient.client()
    browser.authorize(client, "consent-deny")
    assert browser.consent_page(client).status_code == 200


def test_consent_that_was_taken_back_is_asked_again(lenient):
    browser, client, person = lenient.browser(), lenient.client(), lenient.user().username
    assert browser.authorize(client, username=person).status_code == 302
    assert browser.ask(client).location.startswith(client.redirect_uri)
    apps = browser.get("/o/authorized_tokens/")
    assert browser.submit(apps, "").status_code == 303
    assert browser.consent_page(client).status_code == 200


def test_a_public_client_on_loopback_is_asked_each_time(lenient):
    client = lenient.public_client(redirect_uris=("http://127.0.0.1:8000/cb",))
    assert asked_again(lenient.browser(), client)
