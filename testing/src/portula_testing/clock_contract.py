"""The contract of the slot `clock`. Subclass ClockContract and override its fixture `clock`."""

from __future__ import annotations

import math
import time

import pytest

from portula.plugin import Clock
from portula_testing.storage_samples import in_thread

LAST_PLAUSIBLE = 2**33
"""The year 2242: milliseconds and nanoseconds lie beyond it."""


class ClockContract:
    """What is true of every clock.

    Example:
        class TestMyClock(ClockContract):
            @pytest.fixture
            def clock(self):
                return MyClock()
    """

    tolerance: float | None = 300
    """Seconds by which it may differ from the machine's clock; None for one that is meant to differ."""

    @pytest.fixture
    def clock(self) -> Clock:
        """Return the clock. Override it."""
        raise NotImplementedError

    def test_it_tells_a_number(self, clock: Clock) -> None:
        now = clock()
        assert type(now) in (int, float)
        assert math.isfinite(now)

    def test_it_counts_seconds_since_1970(self, clock: Clock) -> None:
        assert 0 <= clock() < LAST_PLAUSIBLE

    def test_it_is_right(self, clock: Clock) -> None:
        off = abs(clock() - time.time())
        assert off <= (math.inf if self.tolerance is None else self.tolerance)

    def test_it_never_runs_backwards(self, clock: Clock) -> None:
        times = [clock() for _ in range(1000)]
        assert times == sorted(times)

    def test_every_thread_is_told_the_same_time(self, clock: Clock) -> None:
        before = clock()
        assert before <= in_thread(clock) <= before + 60
