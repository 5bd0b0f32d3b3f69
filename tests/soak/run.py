"""One engine under load, through its bad days; what the ledger says at the end."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from soak.bad_days import BadDay, of_nodes
from soak.clients import Asking, ClientThread, judged, rng_of
from soak.engines import ENGINES, Engine
from soak.ledger import Ledger
from soak.nodes import CALLBACK, PASSWORD, USER, Node
from soak.races import raced

CLIENTS = 6
PAUSE_SECONDS = 0.25
"""Between two doings of one client, on average: some twenty requests a second in all."""
GROWTH, SPARE_MIB = 1.1, 12
"""How much a worker may weigh at its end: so many times what it weighed after a third of its life, and so much more."""
LIVED_SECONDS = 60

Tell = Callable[[str], None]


def soaked(
    name: str, folder: Path, seconds: float, seed: int, tell: Tell, races: tuple[int, int], *, calm: bool
) -> dict[str, Any]:
    """Run an engine for so many seconds, without bad days where it is to be calm; return its part of the report."""
    with ENGINES[name](folder) as engine:
        tell("starting")
        nodes = begun(engine, folder)
        try:
            report: dict[str, Any] = {"faults": [], "bad days": []}
            if seconds:
                report = _under_load(engine, nodes, seconds, seed, tell, calm=calm)
            if races[0]:
                tell(f"races: {races[0]} codes and refresh tokens, {races[1]} tries each")
                report["races"] = raced(engine.settings, nodes[0].secret_key, folder / "races", *races)
            return report
        finally:
            for node in nodes:
                node.stop()


def begun(engine: Engine, folder: Path) -> tuple[Node, Node]:
    """Start both nodes on an engine."""
    first = Node(1, folder / "node-1", engine.settings[0])
    second = Node(2, folder / "node-2", engine.settings[1], first)
    if engine.is_sql:
        first.run("db", "upgrade", issuer=False)
    first.run("createuser", USER, "--password-stdin", text=PASSWORD)
    for node in (first, second):
        node.start()
    return first, second


def _under_load(
    engine: Engine, nodes: tuple[Node, Node], seconds: float, seed: int, tell: Tell, *, calm: bool
) -> dict[str, Any]:
    words = [
        "createapplication",
        "confidential",
        "authorization-code",
        "client-credentials",
        "--redirect-uris",
        CALLBACK,
    ]
    made = json.loads(nodes[0].run(*words, "--json"))
    party = (made["client_id"], made["client_secret"])
    ledger, stop = Ledger(), threading.Event()
    clients = [
        ClientThread(Asking(nodes, party, ledger, rng_of(seed, number)), party, stop, PAUSE_SECONDS)
        for number in range(CLIENTS)
    ]
    began = time.monotonic()
    for client in clients:
        client.start()
    days = [] if calm else [*engine.days, *of_nodes(nodes)]
    rng_of(seed, "days").shuffle(days)
    told = []
    for number, day in enumerate(days):
        _rest(began + seconds * (number + 0.5) / len(days), nodes)
        tell(day.name)
        told.append(_lived(day, nodes, ledger, party))
        tell("load")
    _rest(began + seconds, nodes)
    stop.set()
    for client in clients:
        client.join(90)
    lasted = time.monotonic() - began
    tell("asking about every token")
    live = list(ledger.families)
    judged(live, Asking(nodes, party, ledger, rng_of(seed, "judge")), nodes)
    return _report(engine, nodes, ledger, lasted) | {"bad days": told, "judged at the end": len(live)}


def _rest(until: float, nodes: tuple[Node, Node]) -> None:
    """Let the load go on, and weigh workers meanwhile."""
    while True:
        for node in nodes:
            node.weigh()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 5))


def _lived(day: BadDay, nodes: tuple[Node, Node], ledger: Ledger, party: tuple[str, str]) -> dict[str, Any]:
    """Go through a bad day; return how long each node needed to answer for good after it."""
    before, at = dict(ledger.answers), time.monotonic()
    day.begin()
    time.sleep(day.seconds)
    day.end()
    ended = time.monotonic()
    asking = Asking(nodes, party, ledger, rng_of(0, day.name))
    recovered = {}
    for node in nodes:
        while asking.ask("token", node, grant_type="client_credentials") is None:
            if time.monotonic() > ended + day.recovery:
                ledger.fault("no recovery", f"node {node.number}, {day.name}")
                break
            time.sleep(0.2)
        recovered[f"node {node.number}"] = round(time.monotonic() - ended, 1)
    asking.http.close()
    failed = {
        str(status): sum(
            count - before.get(key, 0) for key, count in list(ledger.answers.items()) if key[1] == status
        )
        for status in (503, "none")
    }
    return {
        "day": day.name,
        "lasted": round(ended - at, 1),
        "recovered after": recovered,
        "not answered": failed,
    }


def _report(engine: Engine, nodes: tuple[Node, Node], ledger: Ledger, lasted: float) -> dict[str, Any]:
    memory = {
        f"node {node.number}, process {pid}": weights
        for node in nodes
        for pid, points in node.memory.items()
        if (weights := _weights(points))
    }
    for name, weights in memory.items():
        if weights["end"] > weights["begin"] * GROWTH + SPARE_MIB:
            ledger.fault("memory", f"{name}: {weights}")
    tracebacks = [line for node in nodes for line in node.tracebacks()]
    answers: dict[str, dict[str, int]] = {}
    for (endpoint, status), count in sorted(ledger.answers.items(), key=str):
        answers.setdefault(endpoint, {})[str(status)] = count
    times = sorted(ledger.latencies)
    return {
        **engine.told,
        "seconds": round(lasted),
        "requests": sum(ledger.answers.values()),
        "answers": answers,
        "acknowledged": dict(ledger.acknowledged),
        "lost": ledger.counted("lost") + ledger.counted("session"),
        "revocations lost": ledger.counted("revocation lost"),
        "doubled": ledger.counted("doubled"),
        "outcomes unknown": ledger.unknown,
        "milliseconds": {
            "median": round(median(times) * 1000, 1) if times else None,
            "99 %": round(times[len(times) * 99 // 100] * 1000, 1) if times else None,
        },
        "MiB": memory,
        "tracebacks": {"number": len(tracebacks), "kinds": sorted({line[:200] for line in tracebacks})[:10]},
        "faults": [f"{fault.kind}: {fault.what}" for fault in ledger.faults],
    }


def _weights(points: list[tuple[float, float]]) -> dict[str, float] | None:
    """Return what a worker weighed after a third of its life and at its end, if it lived long enough."""
    born, died = points[0][0], points[-1][0]
    if died - born < LIVED_SECONDS:
        return None
    settled = next(weight for at, weight in points if at >= born + (died - born) / 3)
    return {
        "begin": round(settled, 1),
        "end": round(points[-1][1], 1),
        "minutes": round((died - born) / 60, 1),
    }
