"""The endpoints of rooms are lists of steps too: a room mounts its list, and plugins insert into it."""

from dataclasses import dataclass, replace

import flask
import pytest

from portula import ConfigError, Provider, hookimpl
from portula.errors import InvalidRequestError
from portula.plugin import Answer, Endpoint, Mount, Step, Steps, current_provider, json_answer, step
from portula_testing.provider import make_provider

ISSUER = "http://localhost/o"


@dataclass(kw_only=True, eq=False)
class Order:
    """An exchange that inherits nothing."""

    provider: Provider
    method: str
    tea: str = ""
    answer: Answer | None = None


def read(order):
    """Read the order."""
    order.tea = "green"


def sweeten(order):
    """Sweeten it, if it is changed."""
    order.tea += " with sugar"


def write(order):
    """Serve."""
    order.answer = json_answer(200, {"tea": order.tea})


def refuse(order, error):
    """Say that there is none."""
    return json_answer(418, {"none": order.tea}) if isinstance(error, InvalidRequestError) else None


TEA = Steps(
    "tea",
    [
        step(read, reads="order", sets="tea"),
        step(sweeten, reads="tea", when=["PUT"]),
        step(write, reads="tea", sets="answer"),
    ],
    begin=lambda provider, message: Order(provider=provider, method=message.method),
    refuse=refuse,
    variant=lambda order: order.method,
    variants=("GET", "PUT"),
    given="order",
)


def none_left(order):
    """Refuse."""
    raise InvalidRequestError


def broken(order):
    """Fail."""
    raise KeyError("tea")


NONE_LEFT = Step(endpoint="tea", name="none_left", run=none_left, after="read", reads=frozenset({"tea"}))


class Room:
    def __init__(self, *endpoints):
        self.endpoints = endpoints or (Endpoint("tea", "tea", ("GET", "PUT", "POST"), steps=TEA),)

    @hookimpl
    def portula_endpoints(self, provider):
        return list(self.endpoints)


class Page:
    """A room whose list is run by a view of a blueprint."""

    @hookimpl
    def portula_blueprints(self, provider):
        blueprint = flask.Blueprint("tea", __name__)
        blueprint.add_url_rule("/tea", "tea", self.view)
        return [Mount(blueprint, steps=(TEA,))]

    def view(self):
        provider = current_provider()
        answer = provider.steps(TEA).answer(Order(provider=provider, method=flask.request.method))
        return flask.Response(answer.body, answer.status)


class Inserting:
    def __init__(self, *steps):
        self.steps = steps

    @hookimpl
    def portula_steps(self, provider):
        return list(self.steps)


def started(*plugins):
    return make_provider(*plugins, settings={"OIDC_ISS_ENDPOINT": ISSUER})


def ask(provider, method="GET"):
    answer = provider.app.test_client().open("/o/tea", method=method)
    return answer.status_code, answer.get_json(force=True)


@pytest.mark.parametrize("room", [Room, Page])
def test_a_list_answers_and_says_who_brings_each_step(room):
    provider = started(room())
    assert ask(provider) == (200, {"tea": "green"})
    assert {each.source.name for each in provider.step_lists["tea"]} == {room.__name__}


@pytest.mark.parametrize("room", [Room, Page])
def test_a_plugin_inserts_a_step_and_the_list_writes_its_error(room):
    assert ask(started(room(), Inserting(NONE_LEFT))) == (418, {"none": "green"})


def test_a_step_that_fails_is_no_refusal():
    status, answer = ask(started(Room(), Inserting(replace(NONE_LEFT, run=broken))))
    assert (status, answer["error"]) == (500, "server_error")


def test_a_step_runs_for_its_variant_alone():
    assert ask(started(Room()), "PUT") == (200, {"tea": "green with sugar"})
    provider = started(Room(), Inserting(replace(NONE_LEFT, when=frozenset({"PUT"}))))
    assert [ask(provider, method)[0] for method in ("GET", "PUT")] == [200, 418]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"after": "raed"}, "'none_left' of plugin 'Inserting' stands beside 'raed', .* did you mean 'read'"),
        (
            {"when": frozenset({"PUST"})},
            "'none_left' of plugin 'Inserting' is for 'PUST', .* did you mean 'PUT'",
        ),
        ({"reads": frozenset({"milk"})}, "reads milk, which no step before it sets"),
    ],
)
def test_a_step_that_does_not_fit_stops_the_start(changed, message):
    with pytest.raises(ConfigError, match=message):
        started(Room(), Inserting(replace(NONE_LEFT, **changed)))


def test_a_room_whose_own_steps_do_not_fit_stops_the_start():
    backwards = Steps("tea", list(reversed(list(TEA))), begin=TEA.begin, given="order")
    with pytest.raises(ConfigError, match="'write' of plugin 'Room' reads tea, which no step before it sets"):
        started(Room(Endpoint("tea", "tea", ("GET",), steps=backwards)))


def test_all_lists_are_judged_before_the_start_stops():
    milk = Endpoint("milk", "milk", ("GET",), steps=replace(TEA, endpoint="milk", given=""))
    with pytest.raises(ConfigError) as caught:
        started(Room(*Room().endpoints, milk), Inserting(replace(NONE_LEFT, after="raed")))
    assert len(caught.value.findings) == 2


@pytest.mark.parametrize("steps", [None, replace(TEA, begin=None)])
def test_an_endpoint_has_a_handler_or_steps_that_begin(steps):
    with pytest.raises(ConfigError, match="'tea' has neither a handler nor steps with `begin`"):
        started(Room(Endpoint("tea", "tea", ("GET",), steps=steps)))


def test_what_is_closed_has_to_exist():
    closed = replace(TEA, closed=("raed", "write"))
    with pytest.raises(ConfigError, match="steps of tea: 'raed' in `closed` does not exist"):
        started(Room(Endpoint("tea", "tea", ("GET",), steps=closed)))


def test_two_lists_of_one_name_stop_the_start():
    twice = Room(*Room().endpoints, Endpoint("milk", "milk", ("GET",), steps=TEA))
    with pytest.raises(ConfigError, match="there is a list of steps 'tea'"):
        started(twice)
