"""Types that fail: nothing is granted, and nobody is told why."""

import json

import pytest
from security.driving import answered, error_of
from support.browser import forms_of
from support.details import ACCOUNTS, AccountInformation

from portula.errors import StorageDown
from portula.plugin import AccessToken, Authorization
from portula_rar import InvalidAuthorizationDetails

NAMED = {"authorization_details": json.dumps([ACCOUNTS])}
FAULTS = (ValueError("secret reason"), RuntimeError("secret reason"), KeyError("secret reason"))


@pytest.fixture
def failing(monkeypatch):
    """Return a function that lets a method of the accounts' type raise."""

    def let(method, error):
        def fail(*_):
            raise error

        monkeypatch.setattr(AccountInformation, method, fail)

    return let


def kept(world, party, cls):
    return [each for each in world.provider.storage.select(cls) if each.client_id == party.client_id]


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", ["problem", "describe"])
def test_a_type_that_fails_at_an_authorization_request_denies_it(browser, party, failing, method, error):
    browser.sign_in()
    failing(method, error)
    sent = answered(browser.consent_page(party, **NAMED))
    assert sent["error"] == "access_denied"
    assert "secret" not in str(sent)


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("problem", (500, "server_error")),
        ("narrower", (500, "server_error")),
        ("enrich", (400, "access_denied")),
    ],
)
def test_a_type_that_fails_at_a_token_request_denies_it_and_the_code_may_come_again(
    world, browser, party, failing, monkeypatch, method, told
):
    code = browser.code(party, **NAMED)
    for error in FAULTS:
        failing(method, error)
        answer = world.door().redeem(party, *code, **NAMED)
        assert (answer.status_code, answer.json["error"]) == told
        assert "secret" not in answer.text
    assert kept(world, party, AccessToken) == []
    monkeypatch.undo()
    assert world.door().redeem(party, *code, **NAMED).status_code == 200


def test_a_type_whose_database_is_down_lets_the_client_come_later(world, browser, party, failing):
    code = browser.code(party, **NAMED)
    for method in ("narrower", "problem", "enrich"):
        failing(method, StorageDown("it is down"))
        answer = world.door().redeem(party, *code, **NAMED)
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")


@pytest.mark.parametrize("method", ["narrower", "enrich", "problem"])
def test_a_type_refuses_by_the_error_of_its_own(world, browser, party, failing, method):
    code = browser.code(party, **NAMED)
    failing(method, InvalidAuthorizationDetails(description="That account is closed."))
    answer = world.door().redeem(party, *code, **NAMED)
    assert error_of(answer) == "invalid_authorization_details"
    assert answer.json["error_description"] == "That account is closed."


@pytest.mark.parametrize("answer", [1, "yes", None, object()])
def test_only_true_lets_details_pass(world, browser, party, monkeypatch, answer):
    code = browser.code(party, **NAMED)
    monkeypatch.setattr(AccountInformation, "narrower", lambda *_: answer)
    assert error_of(world.door().redeem(party, *code, **NAMED)) == "invalid_authorization_details"


def test_who_looks_at_what_was_allowed_is_not_kept_from_ending_it(world, browser, party, failing):
    browser.submit(browser.consent_page(party, scope="read", **NAMED), "consent-allow")
    failing("describe", ValueError("secret reason"))
    page = browser.get("/o/authorized_tokens/")
    assert page.status_code == 200
    assert "cannot be shown now" in page.text
    assert "secret" not in page.text
    (form,) = [form for form in forms_of(page.text) if form.fields.get("client_id") == party.client_id]
    assert browser.post(form.action, form.fields).status_code == 303
    (given,) = kept(world, party, Authorization)
    assert given.revoked_at is not None
