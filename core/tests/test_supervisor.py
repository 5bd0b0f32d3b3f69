"""The parent of the workers: what it does when one ends, hangs, or does not stop."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.children import alive, children, signalled, wait_until

PARENT = """
import logging, os, signal, socket, sys
from portula.cli.supervisor import Supervisor, Times
for each in (signal.SIGINT, signal.SIGHUP):  # who runs the tests may ignore them
    signal.signal(each, signal.SIG_DFL)
logging.basicConfig(format="%(message)s", stream=sys.stdout)
listener = socket.create_server(("127.0.0.1", 0))
times = Times(hang=float(sys.argv[3]), stop=float(sys.argv[4]), boot=10, first_pause=0.05, longest_pause=0.4)
def serve(listener, line):
    exec(sys.argv[1], {"line": line})
Supervisor(serve, listener, int(sys.argv[2]), times).run()
print("done")
"""

NEEDS = "import os, signal, sys, time\n"
BEAT = "line.send(b'.')\nos.write(1, b'it beats\\n')\n"  # `print` may write a line in two parts
DEAF_EAR = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
ON_AND_ON = "while True:\n    time.sleep(0.1)\n    line.send(b'.')\n"
STEADY = NEEDS + "line.send(b'.')\n" + ON_AND_ON
DEAF = NEEDS + DEAF_EAR + BEAT + ON_AND_ON
HANGING = NEEDS + DEAF_EAR + BEAT + "time.sleep(600)\n"
ENDING = NEEDS + "line.send(b'.')\nsys.exit(3)\n"


class Parent:
    """A supervisor in a process of its own."""

    def __init__(
        self, worker: str, *, number: int = 1, hang: float = 60, stop: float = 10, before: str = ""
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + PARENT, worker, str(number), str(hang), str(stop)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def told_until(self, words: str, times: int) -> list[str]:
        """Return what it prints until `words` were there so often."""
        assert self.process.stdout is not None
        lines: list[str] = []
        while sum(words in line for line in lines) < times:
            line = self.process.stdout.readline()
            assert line, lines
            lines.append(line)
        return lines

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Send a signal and return the rest of what it prints."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def parent():
    made = []

    def make(*arguments, **keywords):
        made.append(Parent(*arguments, **keywords))
        return made[-1]

    yield make
    for each in made:
        workers = children(each.process.pid)
        if each.process.poll() is None:
            each.process.kill()
        signalled(filter(alive, workers), signal.SIGKILL)  # some hear nothing else
        each.process.wait()
        if each.process.stdout:
            each.process.stdout.close()


def test_a_worker_that_ends_is_started_anew_after_a_pause_that_grows_and_without_end(parent):
    began = time.monotonic()
    supervisor = parent(ENDING)
    lines = supervisor.told_until("ended", 7)
    assert time.monotonic() - began > 0.05 + 0.1 + 0.2 + 0.4 * 2
    assert [line.rpartition("starts in ")[2].strip() for line in lines] == [
        *("0.05 s", "0.1 s", "0.2 s"),
        *["0.4 s"] * 4,
    ]
    assert "worker 1 (process " in lines[0]
    assert "exit status 3" in lines[0]
    assert supervisor.stop().endswith("done\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_all_workers_and_says_nothing(parent, number):
    supervisor = parent(STEADY, number=3)
    wait_until(lambda: len(children(supervisor.process.pid)) == 3)
    workers = children(supervisor.process.pid)
    assert supervisor.stop(number) == "done\n"
    assert not any(map(alive, workers))
    assert supervisor.process.returncode == 0


def test_a_worker_that_was_killed_is_named_with_the_signal(parent):
    supervisor = parent(STEADY)
    wait_until(lambda: children(supervisor.process.pid))
    subprocess.run(["kill", "-KILL", str(children(supervisor.process.pid)[0])], check=True)
    assert "killed by SIGKILL" in supervisor.told_until("ended", 1)[0]


def test_a_worker_that_hangs_is_replaced_and_killed(parent):
    supervisor = parent(HANGING, hang=1, stop=0.5)
    lines = supervisor.told_until("hangs", 2)
    assert any("does not stop; it is killed" in line for line in lines)


def test_a_worker_that_is_stopped_is_replaced(parent):
    supervisor = parent(STEADY, hang=2, stop=0.5)
    wait_until(lambda: children(supervisor.process.pid))
    worker = children(supervisor.process.pid)[0]
    subprocess.run(["kill", "-STOP", str(worker)], check=True)
    supervisor.told_until("killed", 1)
    wait_until(lambda: not alive(worker) and children(supervisor.process.pid))


def test_a_worker_that_does_not_stop_is_killed_in_time(parent):
    supervisor = parent(DEAF, number=2, stop=1)
    supervisor.told_until("it beats", 2)
    began = time.monotonic()
    told = supervisor.stop()
    assert told.count("does not stop") == 2
    assert 0.9 < time.monotonic() - began < 15


def test_a_worker_that_cannot_be_forked_is_tried_again(parent):
    """The second fork fails: there are too many processes."""
    begun = """
import os
fork, made = os.fork, []
def failing():
    made.append(1)
    if len(made) == 2:
        raise BlockingIOError(11, "too many processes")
    return fork()
os.fork = failing
"""
    supervisor = parent(STEADY, before=begun)
    wait_until(lambda: children(supervisor.process.pid))
    subprocess.run(["kill", "-KILL", str(children(supervisor.process.pid)[0])], check=True)
    lines = supervisor.told_until("cannot be started", 1)
    assert "too many processes; tried again in" in lines[-1]
    wait_until(lambda: children(supervisor.process.pid))
    assert supervisor.stop().endswith("done\n")


def test_a_second_signal_kills_at_once(parent):
    supervisor = parent(DEAF, stop=60)
    supervisor.told_until("it beats", 1)
    supervisor.process.send_signal(signal.SIGINT)
    assert supervisor.stop(signal.SIGTERM).endswith(
        "done\n"
    )  # another one: two that are alike may come as one


def test_a_worker_sees_the_end_of_a_parent_that_was_killed(parent, tmp_path):
    seen = Path(tmp_path / "seen")
    waiting = f"""
line.setblocking(True)
try:
    while line.recv(1): pass
except ConnectionResetError:  # the parent had not read all beats
    pass
open({str(seen)!r}, "w").close()
"""
    orphan = NEEDS + BEAT + waiting
    supervisor = parent(orphan)
    supervisor.told_until("it beats", 1)
    supervisor.process.kill()
    wait_until(seen.exists)
