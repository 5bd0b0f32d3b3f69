"""Plugins insert steps into the list of introspection."""

import pytest

from portula import ConfigError, hookimpl
from portula.errors import InsufficientScopeError, InvalidRequestError
from portula.plugin import Answer, Step


def inserted(run, **place):
    step = Step(endpoint="introspect", name="tea", run=run, **place)
    return type("Tea", (), {"portula_steps": hookimpl(lambda self, provider: [step])})()


@pytest.mark.parametrize(
    ("error", "status", "name", "challenge"),
    [
        (InvalidRequestError(description="No tea."), 400, "invalid_request", None),
        (InsufficientScopeError(), 403, "insufficient_scope", "Bearer"),
    ],
)
def test_a_refusal_is_written_as_the_rfc_of_its_error_says(make, error, status, name, challenge):
    def no_tea(exchange):
        """Refuse tea."""
        if exchange.client.client_id == "api" and exchange.parameter("tea") is not None:
            raise error

    world = make(inserted(no_tea, after="confidential", reads=frozenset({"client"})))
    token = world.tokens()["access_token"]
    assert world.ask(token).json["active"] is True
    answer = world.ask(token, tea="green")
    assert (answer.status_code, answer.json["error"]) == (status, name)
    assert answer.headers.get("WWW-Authenticate", "").partition(" ")[0] == (challenge or "")


def test_a_step_hides_a_token(make):
    def hide(exchange):
        """Hide what is for drinking."""
        if exchange.live is not None and exchange.parameter("tea") is not None:
            exchange.live = None

    world = make(inserted(hide, after="visibility", reads=frozenset({"live"})))
    token = world.tokens()["access_token"]
    assert world.ask(token, tea="green").json == {"active": False}


def test_a_step_writes_another_answer(make):
    """As a JWT response does (RFC 9701 §5)."""

    def sign(exchange):
        """Sign the response."""
        assert exchange.response["active"] is True
        exchange.answer = Answer(200, {"Content-Type": "application/token-introspection+jwt"}, b"a.b.c")

    world = make(inserted(sign, after="write", reads=frozenset({"response"})))
    answer = world.ask(world.tokens()["access_token"])
    assert (answer.mimetype, answer.data) == ("application/token-introspection+jwt", b"a.b.c")


def test_a_step_beside_an_unknown_one_stops_the_start(make):
    with pytest.raises(
        ConfigError, match=r"steps of introspect: 'tea' of plugin 'Tea' stands beside 'lvie'.*'live'"
    ):
        make(inserted(lambda exchange: None, after="lvie"))


def test_a_step_knows_who_asks_and_by_which_method(make):
    seen = []
    world = make(inserted(lambda exchange: seen.append(exchange.client_auth_method), after="client"))
    world.ask(world.tokens()["access_token"])
    assert seen == ["client_secret_basic"]
