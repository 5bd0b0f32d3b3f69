"""The limit on failed sign-ins: one artifact a failure, counted before the password is looked at."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.plugin import Artifact, Plan, added, network_of
from portula_accounts.settings import AccountsSettings

if TYPE_CHECKING:
    from portula import Provider

KIND = "login-failure"
PARALLEL_ATTEMPTS = 200
"""Rows read beyond the limits: attempts that are under way at one moment."""


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


class FailureLimit:
    """Counts failures per name and address, per address, and per name.

    An attempt is written down as a failure first and counted then, so that any number of attempts at one moment, in
    any number of processes, cannot pass together. Refused attempts are not counted: knocking on does not lock longer.
    """

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider

    def begin(self, username: str, client_address: str) -> Attempt:
        """Write an attempt down, and say whether it may go on."""
        settings = self._provider.settings(AccountsSettings)
        storage, now = self._provider.storage, self._provider.now()
        window = settings.LOGIN_FAILURE_WINDOW_SECONDS
        counters = self._counters(username, network_of(client_address), now, settings)
        refused = self._retry_after(counters, now, window, coming=1)
        if refused:  # without a write: who knocks on costs little
            return Attempt(refused, (), ())
        failures = [
            Artifact(
                digest=secrets.token_urlsafe(32),
                kind=KIND,
                payload={},
                issued_at=now,
                expires_at=now + window,
                family=counter.families[0],
            )
            for counter in counters
        ]
        storage.apply(added(*failures))
        retry_after = self._retry_after(counters, now, window, coming=0)
        digests = tuple(failure.digest for failure in failures)
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
        self, username: str, network: str, now: int, settings: AccountsSettings
    ) -> tuple[_Counter, ...]:
        number = now // settings.LOGIN_FAILURE_WINDOW_SECONDS
        digest = self._provider.keys.digest
        return tuple(
            _Counter((digest(KIND, f"{key}\0{number}"), digest(KIND, f"{key}\0{number - 1}")), limit)
            for key, limit in (
                (f"both\0{network}\0{username}", settings.LOGIN_FAILURE_LIMIT),
                (f"address\0{network}", settings.LOGIN_FAILURE_LIMIT_PER_ADDRESS),
                (f"name\0{username}", settings.LOGIN_FAILURE_LIMIT_PER_USERNAME),
            )
        )

    def _retry_after(self, counters: Sequence[_Counter], now: int, window: int, *, coming: int) -> int:
        """Return the seconds until no counter is above its limit, with `coming` attempts not yet written down."""
        families = tuple(family for counter in counters for family in counter.families)
        most = 2 * sum(counter.limit for counter in counters) + PARALLEL_ATTEMPTS
        failures = self._provider.storage.select(Artifact, limit=most, family=families)
        waits = [0]
        for counter in counters:
            times = sorted(
                failure.issued_at
                for failure in failures
                if failure.family in counter.families and failure.issued_at > now - window
            )
            surplus = len(times) + coming - counter.limit
            if surplus > 0:
                waits.append(max(times[surplus - 1] + window - now, 1))
        return max(waits)
