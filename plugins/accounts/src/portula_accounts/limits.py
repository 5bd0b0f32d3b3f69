"""The limit on failed sign-ins: one artifact a failure, counted before the password is looked at."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.plugin import Artifact, Plan, network_of, plan_to_add
from portula_accounts.settings import AccountsSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "login-failure"
PARALLEL_ATTEMPTS = 200
"""Rows read beyond the limits: attempts that are under way at one moment."""
MAX_DOUBLINGS = 16
"""Of a pause that grows; a window is shorter."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in under way; it counts as failed until it is forgiven."""

    retry_after: int
    """Seconds until another attempt is heard; 0 lets this one through."""
    digests: tuple[str, ...]
    families: tuple[str, ...]
    """Those of this name from this address, which a success clears."""


@dataclass(frozen=True, slots=True)
class _Counter:
    families: tuple[str, str]
    """Of the present window of the clock and of the one before: no family grows without end."""
    limit: int
    growing: bool = False
    """Whether a pause follows the limit that doubles with each further failure; else the oldest has to be over."""

    def wait(self, times: Sequence[int], now: int, window: int) -> int:
        """Return the seconds until another attempt is heard, after failures at these times, the oldest first."""
        surplus = len(times) - self.limit
        if surplus < 0:
            return 0
        if self.growing:
            return times[-1] + min(1 << min(surplus, MAX_DOUBLINGS), window) - now
        return max(times[surplus] + window - now, 1)


class FailureLimit:
    """Counts failures per name and address, per address, and per name.

    An attempt is written down as a failure first and counted then, so that any number of attempts at one moment, in
    any number of processes, cannot pass together. Refused attempts are not counted, so that they make nobody wait
    longer. A browser at which the person has signed in before is counted by itself, apart from what others do.
    """

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider

    def begin(self, username: str, client_address: str, browser: str | None = None) -> Attempt:
        """Write an attempt down, and say whether it may go on; `browser` is one that knows the person."""
        settings = self._provider.settings(AccountsSettings)
        storage, now = self._provider.storage, self._provider.now()
        counters = self._counters(username, network_of(client_address), browser, settings)
        refused = self._retry_after(counters, settings)
        if refused:  # without a write, so that further attempts cost little
            return Attempt(refused, (), ())
        failures = [
            Artifact(
                digest=secrets.token_urlsafe(32),
                kind=KIND,
                payload={},
                issued_at=now,
                expires_at=now + settings.LOGIN_FAILURE_WINDOW_SECONDS,
                family=counter.families[0],
            )
            for counter in counters
        ]
        storage.apply(plan_to_add(*failures))
        digests = tuple(failure.digest for failure in failures)
        retry_after = self._retry_after(counters, settings, own=digests)
        if retry_after:
            withdrawn = Plan()
            withdrawn.remove(Artifact, digest=digests)
            storage.apply(withdrawn)
        return Attempt(retry_after, digests, counters[0].families)

    def forgive(self, attempt: Attempt) -> None:
        """Take back an attempt that succeeded, with what failed before under this name from this address."""
        plan = Plan()
        plan.remove(Artifact, digest=attempt.digests)
        plan.remove(Artifact, family=attempt.families)
        self._provider.storage.apply(plan)

    def _counters(
        self, username: str, network: str, browser: str | None, settings: AccountsSettings
    ) -> tuple[_Counter, ...]:
        number = self._provider.now() // settings.LOGIN_FAILURE_WINDOW_SECONDS
        digest = self._provider.keys.digest

        def families(key: str) -> tuple[str, str]:
            return digest(KIND, f"{key}\0{number}"), digest(KIND, f"{key}\0{number - 1}")

        if browser is not None:
            return (_Counter(families(f"browser\0{browser}\0{username}"), settings.LOGIN_FAILURE_LIMIT),)
        per_address, per_name = (
            settings.LOGIN_FAILURE_LIMIT_PER_ADDRESS,
            settings.LOGIN_FAILURE_LIMIT_PER_USERNAME,
        )
        return (
            _Counter(families(f"both\0{network}\0{username}"), settings.LOGIN_FAILURE_LIMIT),
            _Counter(families(f"address\0{network}"), per_address, growing=True),
            _Counter(families(f"name\0{username}"), per_name, growing=True),
        )

    def _retry_after(
        self, counters: Sequence[_Counter], settings: AccountsSettings, own: Sequence[str] = ()
    ) -> int:
        """Return the seconds until every counter allows an attempt, whose `own` failures do not count."""
        now, window = self._provider.now(), settings.LOGIN_FAILURE_WINDOW_SECONDS
        families = tuple(family for counter in counters for family in counter.families)
        most = 2 * sum(counter.limit for counter in counters) + PARALLEL_ATTEMPTS
        failures = [
            failure
            for failure in self._provider.storage.select(Artifact, limit=most, family=families)
            if failure.digest not in own and failure.issued_at > now - window
        ]
        waits = [0]
        for counter in counters:
            times = sorted(failure.issued_at for failure in failures if failure.family in counter.families)
            waits.append(counter.wait(times, now, window))
        return max(waits)
