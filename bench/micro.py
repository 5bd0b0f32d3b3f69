"""What the plugin machinery costs: a hook call of each policy, a slot, a signature, start-up, and 200 plugins."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from measure import call_us, cpu_ms, in_turn
from rich.console import Console
from rich.table import Table
from start import KINDS, PLUGINS, Listener, plugins
from workloads import client_credentials, in_memory

from portula import Plugin
from portula.plugin import CoreSettings, OAuthRequest, Plan, TokenExchange, TokenIssued, TokenResponse

if TYPE_CHECKING:
    from portula import Provider

IMPLEMENTATIONS = (0, 1, 10)
STARTER = Path(__file__).with_name("start.py")
STARTS = 5
BATCH = 100
SIGNATURES = 300
ID_TOKEN = {
    "iss": "https://id.example.com/o",
    "sub": "5f0c2f1e-6a53-4e0a-9a43-4f3e6a1f0c11",
    "aud": "xJ8a0pZc4Qd7rT2vLw9yB1nM3kH5gF6sD0eUiOqA",
    "exp": 1_800_036_000,
    "iat": 1_800_000_000,
    "auth_time": 1_799_999_990,
    "nonce": "n-0S6_WzA2Mj",
    "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    "amr": ["pwd"],
    "sid": "2X6u1kq7f0Zl3mB9cD8eFg",
}
ROUNDS = 15


def hook_calls(provider: Provider) -> dict[str, Callable[[], object]]:
    """Return a call of each policy, as a token request makes it."""
    hooks = provider.hooks
    request = OAuthRequest("/o/token/", body=[("grant_type", "client_credentials")])
    exchange = TokenExchange(provider=provider, request=request)
    issued = TokenIssued(
        provider=provider,
        client_id="client",
        subject=None,
        grant_type="client_credentials",
        scopes=("read",),
        authorization="authorization",
        at=0,
    )
    response = {"access_token": "x" * 43, "expires_in": 36000, "token_type": "Bearer", "scope": "read write"}
    answer = TokenResponse(provider=provider, request=request, response=response)
    return {
        "veto": lambda: hooks.hear(Plugin.portula_validate_token_request, exchange),
        "enrichment": lambda: hooks.enrich(Plugin.portula_token_response, answer),
        "record": lambda: hooks.record(Plugin.portula_record_token, issued),
        "event": lambda: hooks.tell(Plugin.portula_token_issued, issued),
    }


def lookups(provider: Provider) -> dict[str, Callable[[], object]]:
    """Return what rooms ask the provider for while they answer."""
    hooks = provider.hooks
    return {
        "slot": lambda: hooks.ask(Plugin.portula_secret_hasher),
        "settings of a room": lambda: provider.settings(CoreSettings),
        "clock": provider.now,
        "plan in which nothing is": lambda: provider.storage.apply(Plan()),
        "digest of a token": lambda: provider.keys.digest("access token", "x" * 43),
    }


def tokens(provider: Provider) -> dict[str, tuple[float, float, int]]:
    """Return what signing and verifying a token of an ID token's size take, in microseconds, and its characters."""
    jose, found = provider.hooks.ask(Plugin.portula_jose), {}
    for algorithm in jose.signing_algorithms():
        sign = partial(jose.sign, ID_TOKEN, typ="JWT", algorithm=algorithm)
        token = sign()
        verify = partial(jose.verify_own, token, typ={"JWT"})
        found[algorithm] = (call_us(sign, SIGNATURES), call_us(verify, SIGNATURES), len(token))
    return found


def calls(folder: Path) -> dict[str, float]:
    """Return microseconds a call."""
    found: dict[str, float] = {}
    for number in IMPLEMENTATIONS:
        provider = in_memory(folder, *(Listener() for _ in range(number))).provider
        for policy, call in hook_calls(provider).items():
            found[f"{policy}, {number} implementations"] = call_us(call)
    for name, call in lookups(in_memory(folder).provider).items():
        found[name] = call_us(call)
    return dict(sorted(found.items(), key=lambda entry: entry[0].split(",")[0] not in hook_calls(provider)))


def requests(folder: Path) -> dict[str, float]:
    """Return microseconds of CPU a client-credentials request takes (fast door, memory), by further plugins."""
    made = {kind: in_memory(folder, *plugins(kind)) for kind in KINDS}
    seen: dict[str, list[float]] = {kind: [] for kind in KINDS}

    def run(kind: str) -> None:
        batch = client_credentials(made[kind], BATCH)
        seen[kind].append(cpu_ms(made[kind].doors["fast"], batch) * 1000)

    for _ in in_turn(ROUNDS, [lambda kind=kind: run(kind) for kind in KINDS]):
        pass
    return {kind: statistics.median(values) for kind, values in seen.items()}


def starts(folder: Path) -> dict[str, list[float]]:
    """Return CPU milliseconds of a start in a new interpreter, its schema up to date: imports, provider."""
    found: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}

    def run(kind: str) -> None:
        command = [sys.executable, str(STARTER), str(folder), kind]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        found[kind].append(json.loads(done.stdout))

    for _ in in_turn(STARTS + 1, [lambda kind=kind: run(kind) for kind in KINDS]):
        pass
    return {
        kind: [statistics.median(figure) for figure in zip(*values[1:], strict=True)]
        for kind, values in found.items()
    }


def shown(title: str, headings: tuple[str, ...], rows: list[list[str]]) -> Table:
    """Return a table; all but its first column are numbers."""
    table = Table(title=title)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portula-bench-") as name:
        folder = Path(name)
        report = {
            "calls": calls(folder),
            "tokens": tokens(in_memory(folder).provider),
            "requests": requests(folder),
            "starts": starts(folder / "start"),
        }
    called = [[name, f"{figure:.2f}"] for name, figure in report["calls"].items()]
    grown = [
        [
            "no further plugins" if kind == "none" else f"{PLUGINS} {kind}",
            f"{imports:.0f}",
            f"{provider:.0f}",
            f"{report['requests'][kind]:.0f}",
        ]
        for kind, (imports, provider) in report["starts"].items()
    ]
    console = Console()
    signed = [
        [algorithm, f"{sign:.0f}", f"{verify:.0f}", str(characters)]
        for algorithm, (sign, verify, characters) in report["tokens"].items()
    ]
    console.print(shown("CPU microseconds a call", ("call", "µs"), called))
    console.print(shown("An ID token", ("algorithm", "sign, µs", "verify, µs", "characters"), signed))
    console.print(
        shown("With many plugins", ("plugins", "imports, ms", "provider, ms", "token request, µs"), grown)
    )
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
