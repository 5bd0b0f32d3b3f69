"""What the contracts of slots attack with: values that are nearly right, what is stored, and how much is random."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from werkzeug.http import parse_cookie

if TYPE_CHECKING:
    import pytest
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from portula import Provider

BITS = 128
"""RFC 6749 §10.10: what must not be guessed has at least so many bits (attack S32)."""

SAMPLES = 300


def nearly_right(value: str) -> list[str]:
    """Return values that differ from this one by a character, a bit, a case, an end (attack S28)."""
    flipped = [
        value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        for at in (0, len(value) // 2, len(value) - 2, len(value) - 1)
    ]
    near = [
        *(value[:-1], value[1:], value[: len(value) // 2]),
        *(f"{value}A", f"{value}=", f"{value} ", f" {value}", value * 2),
        *(value.lower(), value.upper(), value.swapcase(), value[::-1]),
        *flipped,
    ]
    return [wrong for wrong in dict.fromkeys(near) if wrong != value]


def stored_texts(provider: Provider) -> Iterator[str]:
    """Yield every text in the provider's storage, those within tuples and dicts too."""
    for kind in provider.records:
        after: str | None = None
        while page := provider.storage.select(kind.cls, after=after):
            for record in page:
                yield from _texts(asdict(record))
            after = getattr(page[-1], kind.keys[0])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, Sequence):
        for member in value:
            yield from _texts(member)


def bits_of(values: Sequence[str]) -> float:
    """Estimate how many bits of these values differ from one to the next: constant parts and counters count little."""
    return sum(math.log2(len(set(position))) for position in zip(*values, strict=False))


def drawn_under_one_seed(monkeypatch: pytest.MonkeyPatch, draw: Callable[[], str]) -> list[str]:
    """Draw three values with the predictable generator and the clock set back before each (attack S32)."""
    predictable = import_module("random")  # to seed it, for those who draw from it
    state = predictable.getstate()
    drawn = []
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: 1_700_000_000.0)
        patched.setattr("time.time_ns", lambda: 1_700_000_000_000_000_000)
        for _ in range(3):
            predictable.seed(1)
            drawn.append(draw())
    predictable.setstate(state)
    return drawn


def cookies_set(response: TestResponse) -> dict[str, str]:
    """Return the cookies that a response sets, by name."""
    return {
        name: value
        for line in response.headers.getlist("Set-Cookie")
        for name, value in parse_cookie(line.partition(";")[0]).items()
    }


class Visits:
    """Does something within a real request of a browser: `visit(browser, work)` returns what `work` returned."""

    PATH = "/portula-contract"

    def __init__(self, provider: Provider) -> None:
        """Add a page to the provider's app."""
        self.app: Flask = provider.app
        self._home = provider.root_of(provider.issuer) if provider.issuer else "http://localhost"
        self.app.add_url_rule(self.PATH, "portula_contract", self._view, methods=["GET", "POST"])

    def browser(self) -> FlaskClient:
        """Return a browser that nobody has used."""
        return self.app.test_client()

    def __call__(self, browser: FlaskClient, work: Callable[[], Any], **request: Any) -> Any:
        """Do the work in a request; `response` is then what the browser saw."""
        self._work = work
        self.result: Any = None
        method = "POST" if "data" in request else "GET"
        self.response = browser.open(self.PATH, method=method, base_url=self._home, **request)
        if self.response.status_code >= 500:
            raise AssertionError(f"the app answered {self.response.status}")
        return self.result

    def with_cookies(self, cookies: Mapping[str, str], work: Callable[[], Any]) -> Any:
        """Do the work in a request of a browser that sends these cookies."""
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return self(self.app.test_client(use_cookies=False), work, headers={"Cookie": header})

    def _view(self) -> Response:
        self.result = self._work()
        return self.result if isinstance(self.result, Response) else Response("done")
