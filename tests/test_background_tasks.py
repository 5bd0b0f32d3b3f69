"""Tasks beside requests: when they run, and that no request hears of them."""

import logging
import os
import threading
from base64 import b64encode
from itertools import pairwise

import pytest
from support.children import wait_until
from werkzeug.test import Client

from portula import hookimpl
from portula.plugin import Artifact, BackgroundTask, plan_to_add
from portula_testing.provider import client_for, make_provider


class Washing:
    """A plugin with a task that writes down which thread did it."""

    def __init__(self, every):
        self.every = every
        self.threads = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.failure = None

    @hookimpl
    def portula_background_tasks(self, provider):
        return [BackgroundTask(what="washing the cups", every=self.every, run=self.run)]

    def run(self):
        self.threads.append(threading.current_thread())
        assert self.may_end.wait(10)
        if self.failure is not None:
            raise self.failure


class World:
    def __init__(self, every, *, ahead=False):
        self.washing = Washing(every)
        self.provider = make_provider(
            "oauth2",
            "generators",
            "scopes_settings",
            "consent",
            self.washing,
            settings={"SCOPES": {"read": "Reading"}},
        )
        client, secret = client_for(self.provider, "client_credentials")
        pair = b64encode(f"{client.client_id}:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}"}
        self.browser = Client(self.provider.wsgi()) if ahead else self.provider.app.test_client()
        self.ask()  # that a secret is used is noted once a day
        self.wait()
        self.washing.threads.clear()

    def ask(self, **form):
        given = {"grant_type": "client_credentials", **form}
        return self.browser.post("/o/token/", data=given, headers=self.headers)

    def wait(self):
        for thread in threading.enumerate():
            if thread.name == "portula background":
                thread.join(10)

    def runs_after(self, requests):
        """Return how often the task has run behind each of so many requests."""
        seen = []
        for _ in range(requests):
            assert self.ask().status_code == 200
            self.wait()
            seen.append(len(self.washing.threads))
        return seen


@pytest.fixture
def make():
    return World


@pytest.mark.parametrize("ahead", [True, False], ids=["ahead of Flask", "in Flask"])
@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_a_task_runs_each_time_that_requests_have_applied_so_many_plans(make, every, ahead):
    world = make(every, ahead=ahead)
    seen = world.runs_after(3 * every)
    assert seen[-1] == 3
    assert max(later - former for former, later in pairwise(seen)) <= 1
    assert threading.current_thread() not in world.washing.threads


@pytest.mark.parametrize("every", [0, -1])
def test_a_task_of_no_plans_never_runs(make, every):
    world = make(every)
    assert world.runs_after(5) == [0] * 5


def test_what_is_refused_applies_no_plan(make):
    world = make(1)
    for _ in range(4):
        assert world.ask(scope="nobody knows").status_code == 400
    world.wait()
    assert world.washing.threads == []


def test_plans_of_commands_do_not_count(make):
    world = make(1)
    with world.provider.app.app_context():
        record = Artifact(digest="d", kind="cup", payload={}, issued_at=1)
        world.provider.storage.apply(plan_to_add(record))
    world.wait()
    assert world.washing.threads == []


def test_requests_do_not_wait_for_a_task_which_never_runs_twice_at_once(make):
    world = make(1)
    world.washing.may_end.clear()
    assert [world.ask().status_code for _ in range(5)] == [200] * 5
    wait_until(lambda: world.washing.threads)
    assert len(world.washing.threads) == 1
    world.washing.may_end.set()
    world.wait()
    assert world.runs_after(1) == [2]


@pytest.mark.parametrize("failure", [RuntimeError("no water"), MemoryError(), OSError(5, "broken")])
def test_a_task_that_fails_is_logged_and_runs_again(make, caplog, failure):
    world = make(1)
    world.washing.failure = failure
    with caplog.at_level(logging.ERROR, logger="portula"):
        assert world.runs_after(3) == [1, 2, 3]
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert messages == ["washing the cups failed"] * 3


def test_a_system_without_a_further_thread_answers_all_the_same(make, monkeypatch, caplog):
    world = make(1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda self: (_ for _ in ()).throw(RuntimeError("full")))
        assert world.ask().status_code == 200
    assert "washing the cups failed" in caplog.text
    assert world.runs_after(1) == [1]


def test_after_a_fork_a_process_counts_for_itself(make, monkeypatch):
    world = make(1)
    world.washing.may_end.clear()
    assert world.ask().status_code == 200  # and the thread runs when the process forks
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert world.ask().status_code == 200
    world.washing.may_end.set()
    world.wait()
    assert len(world.washing.threads) == 2
