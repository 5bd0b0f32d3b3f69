"""How it is measured: CPU time of this thread, in small batches that take turns, and the median of them."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def sent(application: WSGIApplication, environ: WSGIEnvironment) -> bytes:
    """Call an application as a server does, and return the body.

    Raises:
        RuntimeError: the answer is not 200; then the figure would be of something else.
    """
    seen: list[str] = []

    def start_response(status: str, _headers: object, _info: object = None) -> Callable[[bytes], object]:
        seen.append(status)
        return seen.append

    answer = application(environ, start_response)
    body = b"".join(answer)
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    if seen[0] != "200 OK":
        raise RuntimeError(f"{environ['PATH_INFO']} answered {seen[0]}: {body.decode()}")
    return body


def sent_json(application: WSGIApplication, environ: WSGIEnvironment) -> dict[str, Any]:
    """Return the JSON of the answer."""
    answer: dict[str, Any] = json.loads(sent(application, environ))
    return answer


def cpu_ms(application: WSGIApplication, batch: Sequence[WSGIEnvironment]) -> float:
    """Return the CPU milliseconds of this thread that one request of a batch took.

    Garbage of earlier batches is collected before, not during; what the batch itself leaves behind counts.
    """
    gc.collect()
    gc.freeze()
    before = time.thread_time()
    for environ in batch:
        sent(application, environ)
    return (time.thread_time() - before) * 1000 / len(batch)


def call_us(function: Callable[[], object], number: int = 20_000, rounds: int = 7) -> float:
    """Return the CPU microseconds of one call, without what the loop itself costs."""

    def nothing() -> None:
        pass

    def loop(called: Callable[[], object]) -> float:
        before = time.thread_time()
        for _ in range(number):
            called()
        return time.thread_time() - before

    gc.collect()
    gc.freeze()
    differences = [loop(function) - loop(nothing) for _ in range(rounds)]
    return statistics.median(differences) * 1e6 / number


def spread(values: Sequence[float]) -> float:
    """Return half the distance between the quartiles, as a share of the median."""
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / 2 / middle


def in_turn(rounds: int, cases: Iterable[Callable[[], None]]) -> Iterator[int]:
    """Run every case once a round, each round beginning with another, so that no case always follows the same one."""
    order = list(cases)
    for done in range(rounds):
        for case in order:
            case()
        order.append(order.pop(0))
        yield done + 1
