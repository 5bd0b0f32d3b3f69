"""What was acknowledged, by whom, and what that says of every later answer."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(eq=False)
class Family:
    """An authorization, as its client knows it."""

    access: str = ""
    refresh: str = ""
    before: str = ""
    """The refresh token that was given for this one."""
    rotated_at: float = 0.0
    code: str = ""
    verifier: str = ""
    revoked: bool = False
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Fault:
    """Something that must not happen."""

    kind: str
    what: str
    at: float


class Ledger:
    """Counts answers, and keeps what they promised."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = Counter()
        self.acknowledged = Counter()
        self.unknown = 0
        """Authorizations of which nobody knows how they stand: a request had no answer, and a later one was refused."""
        self.faults: list[Fault] = []
        self.families: list[Family] = []
        self.first_answer: dict[int, float] = {}
        self.last_failure: dict[int, float] = {}
        self.latencies: list[float] = []

    def answered(self, node, endpoint, response, took):
        """Count an answer; one that is none is told as None."""
        status = response.status_code if response is not None else "none"
        with self.lock:
            self.answers[endpoint, status] += 1
            if response is None or status == 503:
                self.last_failure[node] = time.monotonic()
            else:
                self.latencies.append(took)
        if response is None:
            return
        if status >= 500 and status != 503:
            self.fault("500", f"{endpoint}: {status} {response.text[:200]}")
        elif status == 503 and "retry-after" not in response.headers:
            self.fault("no Retry-After", f"{endpoint}: 503 {response.text[:100]}")

    def fault(self, kind, what):
        """Write down what must not happen."""
        with self.lock:
            self.faults.append(Fault(kind, what, time.monotonic()))

    def acknowledge(self, what):
        """Count what was answered for good."""
        with self.lock:
            self.acknowledged[what] += 1

    def keep(self, family):
        """Know an authorization from now on."""
        with self.lock:
            self.families.append(family)

    def forget(self, family):
        """Know nothing of an authorization any more: an outcome is unknown."""
        with self.lock:
            self.unknown += 1
            if family in self.families:
                self.families.remove(family)

    def counted(self, kind):
        """Return how many faults of a kind there were."""
        return sum(fault.kind == kind for fault in self.faults)
