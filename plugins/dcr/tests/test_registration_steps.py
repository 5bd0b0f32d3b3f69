"""Registration is a list of steps, and plugins insert into it."""

import pytest

from portula import ConfigError, hookimpl
from portula.errors import InvalidClientMetadata, InvalidTokenError
from portula.plugin import Step
from portula_testing.provider import CALLBACK


class Inserting:
    def __init__(self, run, **place):
        self.step = Step(endpoint="register", name="tea", run=run, **place)

    @hookimpl
    def portula_steps(self, provider):
        return [self.step]


def statement(exchange):
    """Judge a software statement (RFC 7591 §2.3)."""
    sent = exchange.document.pop("software_statement", None)
    if sent == "forged":
        raise InvalidClientMetadata("it is forged", "invalid_software_statement")
    if sent is not None:
        exchange.document["client_name"] = sent


@pytest.fixture
def judging(make, kind):
    step = Inserting(
        statement, after="document", when=frozenset({"POST", "PUT"}), reads=frozenset({"document"})
    )
    return make(step, kind=kind)


def test_a_step_of_a_plugin_refuses_metadata_as_the_rfc_says(judging):
    assert judging.error_of(judging.register(software_statement="forged")) == "invalid_software_statement"
    assert judging.clients() == []
    told = judging.registered()
    answer = judging.update(told, redirect_uris=[CALLBACK], software_statement="forged")
    assert judging.error_of(answer) == "invalid_software_statement"


def test_a_step_of_a_plugin_changes_what_is_registered(judging):
    assert judging.registered(software_statement="Tea")["client_name"] == "Tea"


def test_a_step_for_some_methods_runs_for_no_others(judging):
    told = judging.registered()
    assert judging.configure("GET", told).status_code == 200
    assert judging.configure("DELETE", told).status_code == 204


def test_a_step_that_guards_the_configuration_refuses_as_a_resource_does(make, kind):
    def closed(exchange):
        """Refuse the clients of yesterday."""
        if exchange.client.name == "Old":
            raise InvalidTokenError

    world = make(Inserting(closed, after="client", when=frozenset({"GET", "PUT", "DELETE"})), kind=kind)
    told = world.registered(client_name="Old")
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = world.configure(method, told, {"client_id": told["client_id"]})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert world.find(told) is not None


def test_an_answer_that_cannot_be_written_registers_and_changes_nothing(make, kind):
    def failing(exchange):
        """Add what JSON has not, once there is a client."""
        if exchange.document.get("client_name") == "Odd":
            exchange.response["odd"] = object()

    world = make(Inserting(failing, after="response", when=frozenset({"POST", "PUT"})), kind=kind)
    assert world.register(client_name="Odd").status_code == 500
    assert world.clients() == []
    told = world.registered(client_name="Even")
    assert world.update(told, redirect_uris=[CALLBACK], client_name="Odd").status_code == 500
    assert world.find(told).name == "Even"
    assert world.update(told, redirect_uris=[CALLBACK], client_name="Still even").status_code == 200


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"after": "documents"}, r"'tea' of plugin 'Inserting' stands beside 'documents'.*'document'"),
        ({"after": "update"}, "stands between 'write' and 'remove', where nothing may fail"),
        ({"after": "document", "when": frozenset({"PATCH"})}, "is for 'PATCH', which does not exist"),
        ({"after": "client", "reads": frozenset({"client"})}, "reads client, which no step before it sets"),
    ],
)
def test_a_step_that_does_not_fit_stops_the_start(make, place, message):
    with pytest.raises(ConfigError, match=message):
        make(Inserting(statement, **place))
