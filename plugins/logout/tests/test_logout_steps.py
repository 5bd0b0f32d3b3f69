"""The end session endpoint is a list of steps, and plugins insert into it."""

import json

import pytest
from click.testing import CliRunner
from support.signing_out import BYE

from portula import ConfigError, hookimpl
from portula.cli import reports
from portula.errors import InvalidRequestError
from portula.plugin import Artifact, Step

ORDER = "read hint client redirect_uri come_back person confirm frames tokens write apply tell"


def inserted(run, **place):
    step = Step(endpoint="logout", name="tea", run=run, **place)
    return type("Tea", (), {"portula_steps": hookimpl(lambda self, provider: [step])})()


def explained(house):
    explain = next(command for command in reports.commands(house.provider) if command.name == "explain")
    result = CliRunner().invoke(explain, ["logout", "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)["steps"]


def test_the_order_is_explained(house):
    steps = explained(house)
    assert [step["name"] for step in steps] == ORDER.split()
    assert all(step["doc"] for step in steps)


def test_switched_off_there_is_no_list(make):
    house = make(OIDC_RP_INITIATED_LOGOUT_ENABLED=False)
    assert "logout" not in house.provider.step_lists


def test_a_refusal_is_a_page_and_ends_nothing(make):
    def no_tea(exchange):
        """Refuse tea."""
        if exchange.parameter("logout_hint") == "tea":
            raise InvalidRequestError(description="No tea.")

    house = make(inserted(no_tea, after="client", reads=frozenset({"client"})))
    ada = house.browser("ada")
    page = ada.ask(client_id="tea", post_logout_redirect_uri=BYE, logout_hint="tea")
    assert (page.status_code, page.location) == (400, None)
    assert "No tea." in page.text
    assert ada.who == "ada"


def test_what_a_step_plans_is_applied_with_the_end(make):
    def note(exchange):
        """Note who leaves."""
        if exchange.person is not None:
            exchange.plan.add(
                Artifact(digest="note", kind="note", payload={"who": exchange.person.subject}, issued_at=1)
            )

    house = make(inserted(note, after="tokens", reads=frozenset({"person", "plan"})))
    ada = house.browser("ada")
    page = ada.ask(client_id="tea", post_logout_redirect_uri=BYE)
    assert house.artifacts("note") == []
    assert ada.press(page).location == BYE
    (kept,) = house.artifacts("note")
    assert kept.payload == {"who": "ada"}


def test_nothing_stands_between_the_answer_and_the_end(make):
    with pytest.raises(ConfigError, match="stands between 'write' and 'apply', where nothing may fail"):
        make(inserted(lambda exchange: None, before="apply"))
