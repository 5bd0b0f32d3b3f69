"""The harness sees what it is there to see: a room that does one thing wrong is found out."""

import pytest
from flask import Blueprint
from hook_samples import sample_exchange

import portula_consent
import portula_generators
import portula_oauth2
import portula_scopes_settings
from portula import Plugin, hookimpl
from portula.plugin import Artifact, Endpoint, Mount, Plan, json_answer
from portula_testing.crossings import MESSAGE, Crossing, Crossings, DriverError, labels_of
from portula_testing.failures import Flow, cases, crossings, failing
from portula_testing.provider import make_provider
from portula_testing.writing import remove_from

ROOMS = (portula_consent, portula_generators, portula_oauth2, portula_scopes_settings)


class Counter:
    """A machine endpoint that counts: the number goes up by one, and is answered."""

    @hookimpl
    def portula_endpoints(self, provider):
        self.provider = provider
        return [Endpoint("count", "count/", ("POST",), self.answer)]

    def answer(self, message):
        number = self.next()
        self.keep(number)
        return json_answer(200, {"number": number})

    def next(self):
        known = self.provider.storage.find(Artifact, digest="number")
        return 1 + (known.payload["number"] if known else 0)

    def keep(self, number):
        plan = Plan()
        plan.remove(Artifact, digest="number")
        plan.add(Artifact(digest="number", kind="number", payload={"number": number}, issued_at=1))
        self.provider.storage.apply(plan)


class HalfDone(Counter):
    def keep(self, number):
        remove_from(self.provider.storage, Artifact, digest="number")
        super().keep(number)


class Remembers(Counter):
    number = 0

    def answer(self, message):
        self.number += 1
        self.keep(self.next())
        return json_answer(200, {"number": self.number})


class Blames(Counter):
    def answer(self, message):
        try:
            return super().answer(message)
        except DriverError:
            return json_answer(400, {"error": "invalid_request"})


class Talks(Counter):
    def answer(self, message):
        try:
            return super().answer(message)
        except DriverError as down:
            return json_answer(503, {"error": "temporarily_unavailable", "error_description": str(down)})


class Hides(Counter):
    def answer(self, message):
        try:
            return super().answer(message)
        except DriverError:
            return json_answer(200, {"number": 1})


class Dies(Counter):
    dead = False

    def answer(self, message):
        if self.dead:
            raise RuntimeError
        self.dead = True
        answer = super().answer(message)
        self.dead = False
        return answer


def counting(room):
    class Counting(Flow):
        name = room.__name__

        def start(self, *plugins):
            return make_provider(*ROOMS, room(), *plugins)

        def run(self):
            answer = self.browser().post("/o/count/")
            assert answer.status_code == 200
            self.number = answer.json["number"]

        def check(self):
            found = self.provider.storage.find(Artifact, digest="number")
            assert found is not None
            assert found.payload["number"] == self.number
            return self.number

    return Counting


CALLS = ("store.find Artifact", "store.apply Artifact, Artifact number")


def test_calls_are_told_by_name_and_number():
    assert crossings(counting(Counter)) == CALLS
    assert labels_of([Crossing("a"), Crossing("b"), Crossing("a")]) == ["a", "b", "a (2)"]


@pytest.mark.parametrize("call", CALLS)
def test_a_room_that_does_nothing_wrong_is_not_accused(call):
    assert failing(counting(Counter), call) == []


@pytest.mark.parametrize(
    ("room", "call", "problem"),
    [
        (Remembers, "store.apply Artifact, Artifact number", "glitch: AssertionError: "),
        (Blames, "store.find Artifact", "glitch: the answer is 400 with the error 'invalid_request'"),
        (Talks, "store.find Artifact", "glitch: the answer tells what failed inside"),
        (Hides, "store.apply Artifact, Artifact number", "glitch: AssertionError: "),
        (Dies, "store.find Artifact", "glitch: AssertionError: "),
    ],
)
def test_a_room_that_does_something_wrong_is_found_out(room, call, problem):
    (found, *_) = failing(counting(room), call)
    assert found.startswith(problem)


def test_what_is_left_half_done_is_found():
    flow = type("Twice", (counting(HalfDone),), {"prepare": lambda self: self.browser().post("/o/count/")})
    assert "glitch: the request failed, and yet changed: Artifact number" in failing(
        flow, "store.apply Artifact, Artifact number"
    )


class Page:
    """A page whose failure is answered by the app itself."""

    def __init__(self, at_home):
        self.at_home = at_home

    @hookimpl
    def portula_blueprints(self, provider):
        blueprint = Blueprint("tea", __name__)
        view = lambda: str(provider.storage.select(Artifact))  # noqa: E731
        if self.at_home:
            blueprint.add_url_rule("/tea", "tea", view)
        else:
            provider.app.add_url_rule("/o/tea", "tea", view)
        return [Mount(blueprint)]


@pytest.mark.parametrize("at_home", [True, False])
def test_a_bare_error_page_is_found_and_that_of_the_provider_is_none(at_home):
    class Tea(Flow):
        name = "tea"

        def start(self, *plugins):
            return make_provider(*ROOMS, Page(at_home), *plugins)

        def run(self):
            assert self.browser().get("/o/tea").status_code == 200

    bare = "500 is a bare answer, no page of the provider's"
    found = failing(Tea, "store.select Artifact")
    assert found == ([] if at_home else [f"glitch: {bare}", f"outage: {bare}"])


def cross(watched, label):
    with watched.cross(label, OSError):
        pass


def test_an_outage_lasts_and_a_glitch_does_not():
    for lasting in (False, True):
        watched = Crossings(0, lasting=lasting)
        with watched.counting():
            with pytest.raises(OSError, match=MESSAGE):
                cross(watched, "store.find Artifact")
            cross(watched, "slot login.find")
            if lasting:
                with pytest.raises(OSError, match=MESSAGE):
                    cross(watched, "store.apply Artifact")
            else:
                cross(watched, "store.apply Artifact")
        cross(watched, "store.find Artifact")  # outside of a request


def test_a_lost_answer_is_lost_after_the_call():
    watched, done = Crossings(0, losing=True), []
    with watched.counting(), pytest.raises(OSError, match=MESSAGE), watched.cross("store.apply", OSError):
        done.append("written")
    assert done == ["written"]


class Once(Counter):
    """Refuses who asks for what is done."""

    fault = 400

    def answer(self, message):
        if self.next() > 1:
            return json_answer(self.fault, {"error": "invalid_grant"})
        return super().answer(message)


class Broken(Once):
    fault = 500


def test_a_write_whose_answer_is_lost_is_kept_and_what_is_refused_then_begins_again():
    class Counting(counting(Once)):
        def start_over(self):
            assert [outcome.error for outcome in self.refusals] == ["invalid_grant"]
            self.number = 1

    assert failing(Counting, "store.apply Artifact, Artifact number", fault="lost") == []
    assert failing(Counting, "store.find Artifact", fault="lost") == [], "nothing is written there"
    (found, *_) = failing(counting(Once), "store.apply Artifact, Artifact number", fault="lost")
    assert found.startswith("lost: AssertionError: ")
    assert "lost: asked again, it is answered 500 invalid_grant" in failing(
        type("Counting", (Counting,), {"start": counting(Broken).start}),
        "store.apply Artifact, Artifact number",
    )


def test_another_error_may_be_chosen():
    found = failing(counting(Blames), "store.find Artifact", OSError)
    assert found == []  # it is answered as what it is: nobody took it for DriverError


def test_an_unhealthy_flow_says_so():
    class Never(counting(Counter)):
        def run(self):
            raise AssertionError("no tea")

    with pytest.raises(AssertionError, match="no tea"):
        crossings(Never)


def test_cases_are_named_and_may_be_distinct():
    flow = counting(Counter)
    assert [case.id for case in cases(flow)] == [f"Counter: {label}" for label in CALLS]
    assert len(cases(flow, counting(Counter), behind=0)) == len(CALLS)


def test_a_hook_is_named_with_its_plugin():
    class Vetoes(counting(Counter)):
        def run(self):
            self.attempt(
                lambda: self.provider.hooks.hear(
                    Plugin.portula_validate_token_request, sample_exchange(self.provider)
                )
            )

        def check(self):
            return None

    assert "portula_validate_token_request of Bystander" in crossings(Vetoes)
