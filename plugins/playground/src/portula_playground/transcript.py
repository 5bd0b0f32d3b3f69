"""Transcripts of runs in the browser, kept in the storage for all processes of the server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from portula.errors import Conflict, DuplicateRecord
from portula.plugin import Artifact, Plan, plan_to_add
from portula_playground.trial_clients import LIFE_SECONDS

if TYPE_CHECKING:
    from portula import Provider
    from portula_playground.display import Answers

KIND, ANSWER = "playground run", "playground answer"
RUNNING, WAITING, DONE, FAILED = "running", "waiting", "done", "failed"
MAX_PARTS = 500
"""Of what a run shows."""
PAUSE_SECONDS = 0.1


class RunSuperseded(click.ClickException):
    """Another run has the place of this one, which took too long."""


class Transcript:
    """Keeps what the player of a run shows, for the browser that began it. One thread writes it."""

    def __init__(self, provider: Provider, run: str, number: int, grant: str, redirect_uri: str) -> None:
        """Begin it; what is kept of the run before in its place goes. Called in the request that begins the run.

        Args:
            provider: whose storage keeps it.
            run: name of the run, which nobody guesses.
            number: of its place.
            grant: what is played.
            redirect_uri: of its client.
        """
        self._provider, self._run, self._redirect_uri = provider, run, redirect_uri
        family = provider.keys.digest(KIND, str(number))
        self._parts: list[dict[str, Any]] = []
        self._state = RUNNING
        self._kept = _artifact(
            provider,
            KIND,
            run,
            {
                "browser": provider.keys.digest(KIND, provider.pages.browser()),
                "grant": grant,
                "state": RUNNING,
                "parts": [],
                "family": family,
            },
            family,
        )
        plan = Plan()
        plan.remove(Artifact, family=family)
        plan.add(self._kept)
        provider.storage.apply(plan)

    # --- What a player calls ---

    def title(self, section: str, steps: str) -> None:
        """Keep them."""
        self._keep({"title": section, "steps": steps})

    def message(self, line: str, members: Mapping[str, str]) -> None:
        """Keep it."""
        self._keep({"line": line, "members": dict(members)})

    def say(self, text: str) -> None:
        """Keep it."""
        self._keep({"text": text})

    def visit(self, url: str, *, qr: bool) -> None:
        """Keep the address, and that the person has to go there."""
        self._state = WAITING
        self._keep({"url": url})

    @contextmanager
    def answers(self) -> Iterator[Answers]:
        """Yield the address of the page that takes the answer."""
        yield _PageAnswers(self._provider, self._run, self._redirect_uri)
        self._state = RUNNING

    # --- The end ---

    def end(self, refusal: str | None = None) -> None:
        """Keep that the run is over, and why it failed if it did."""
        self._state = DONE if refusal is None else FAILED
        self._keep({} if refusal is None else {"refusal": refusal})

    def _keep(self, part: dict[str, Any]) -> None:
        if part and len(self._parts) < MAX_PARTS:
            self._parts.append(part)
        plan = Plan()
        payload = {**self._kept.payload, "state": self._state, "parts": list(self._parts)}
        plan.change(self._kept, payload=payload)
        try:
            self._provider.storage.apply(plan)
        except Conflict as error:
            raise RunSuperseded("another run has its place") from error


class _PageAnswers:
    """The answer that the page of a run was given."""

    def __init__(self, provider: Provider, run: str, url: str) -> None:
        self._provider, self._run, self.url = provider, run, url

    def wait(self, seconds: float) -> dict[str, str]:
        """Return the parameters with which the browser came back, as `Answers` says."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            found = _find(self._provider, ANSWER, self._run)
            opened = found and self._provider.keys.unseal(ANSWER, found.payload["sealed"])
            if opened:
                return dict(json.loads(opened))
            if _find(self._provider, KIND, self._run) is None:
                raise RunSuperseded("another run has its place")
            time.sleep(PAUSE_SECONDS)
        raise click.ClickException("nobody came back from the browser")


def find(provider: Provider, run: str) -> dict[str, Any] | None:
    """Return what is kept of a run, if the browser of the current request began it."""
    found = _find(provider, KIND, run)
    if found is None or not provider.keys.verify(KIND, provider.pages.browser(), found.payload["browser"]):
        return None
    return dict(found.payload)


def answer(provider: Provider, run: str, kept: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    """Keep the answer for a run, sealed: it has a code. Only the first counts."""
    sealed = provider.keys.seal(ANSWER, json.dumps(dict(parameters)))
    try:
        provider.storage.apply(
            plan_to_add(_artifact(provider, ANSWER, run, {"sealed": sealed}, kept["family"]))
        )
    except DuplicateRecord:
        return


def _artifact(provider: Provider, kind: str, run: str, payload: dict[str, Any], family: str) -> Artifact:
    return Artifact(
        digest=provider.keys.digest(kind, run),
        kind=kind,
        family=family,
        payload=payload,
        issued_at=provider.now(),
        expires_at=provider.now() + LIFE_SECONDS,
    )


def _find(provider: Provider, kind: str, run: str) -> Artifact | None:
    found = provider.storage.find(Artifact, digest=provider.keys.digests(kind, run))
    return found if found is not None and (found.expires_at or 0) > provider.now() else None
