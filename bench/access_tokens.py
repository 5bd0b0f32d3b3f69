"""What an access token costs as a JWT beside an opaque one: made, and checked by a guarded view here and elsewhere."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from flask import Flask
from measure import cpu_ms, in_turn, sent_json
from rich.console import Console
from rich.table import Table
from workloads import CALLBACK, SETTINGS, Deployment, Party, posted

import portula_jose
import portula_resource_server
from portula import Plugin, Provider, hookimpl
from portula.errors import FetchFailed
from portula.plugin import Application, Fetcher, FetchResponse, Message
from portula_resource_server import require_oauth

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
BATCH = 40
ISSUER = str(SETTINGS["OIDC_ISS_ENDPOINT"])


class Documents(Fetcher):
    """The keys of the issuer, as they come over the network."""

    def __init__(self, issuer: Provider) -> None:
        """Take the issuer."""
        self._issuer = issuer

    @hookimpl
    def portula_fetcher(self, provider: Provider) -> Fetcher:
        """Answer the slot."""
        return self

    def get(self, url: str, *, accept: Collection[str], max_bytes: int = 65536) -> FetchResponse:
        """Return the set of keys, whatever is asked for."""
        body = self._issuer.hooks.ask(Plugin.portula_jose).publish(Message("GET", url)).body
        return FetchResponse(200, "application/json", body)

    def post(
        self,
        url: str,
        body: Mapping[str, str] | bytes,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        max_bytes: int = 65536,
    ) -> FetchResponse:
        """Post nowhere."""
        raise FetchFailed("nothing is posted here")


@dataclass(frozen=True)
class Case:
    """One row: requests to an application, and which row it is compared with."""

    name: str
    application: WSGIApplication
    request: Callable[[], WSGIEnvironment]
    beside: str


def client(deployment: Deployment, algorithm: str | None) -> Party:
    """Register a client whose tokens are JWTs by this algorithm, or opaque ones without it."""
    return deployment.party(
        Application(
            client_id="",
            grant_types=("client_credentials",),
            redirect_uris=(CALLBACK,),
            algorithm=algorithm or "",
            metadata={"jwt_access_token": algorithm is not None},
        )
    )


def guarded(app: Flask) -> WSGIApplication:
    """Add the view, and return the application."""
    app.add_url_rule("/guarded", "guarded", require_oauth("read")(dict))
    return app.wsgi_app


def elsewhere(deployment: Deployment) -> WSGIApplication:
    """Return a resource server of another process."""
    app = Flask("elsewhere", static_folder=None)
    own = {
        "RESOURCE_SERVER_ISSUER": ISSUER,
        "RESOURCE_SERVER_JWKS_URL": f"{ISSUER}/.well-known/jwks.json",
        "RESOURCE_SERVER_AUDIENCES": [ISSUER],
    }
    app.config.update(SECRET_KEY="the key of the resource server", OAUTH2_PROVIDER=own)
    plugins = [portula_resource_server, portula_jose, Documents(deployment.provider)]
    Provider(app, plugins=plugins, discover=False)
    return guarded(app)


def visit(token: str) -> WSGIEnvironment:
    """Return the WSGI environment of a GET with a token."""
    environ = posted("/guarded", Party(Application(client_id="x"), f"Bearer {token}"))
    return {**environ, "REQUEST_METHOD": "GET", "CONTENT_LENGTH": "", "CONTENT_TYPE": ""}


def cases(folder: Path) -> list[Case]:
    """Return the rows."""
    deployment = Deployment("SQLite", folder)
    door, here, there = deployment.doors["fast"], guarded(deployment.app), elsewhere(deployment)
    found = []
    for algorithm in (None, *ALGORITHMS):
        party, form = (
            client(deployment, algorithm),
            {"grant_type": "client_credentials", "scope": "read write"},
        )
        ask = partial(posted, "/o/token/", party, **form)
        token = sent_json(door, ask())["access_token"]
        name = algorithm or "opaque"
        found.append(Case(f"{name}: made", door, ask, "opaque: made"))
        found.append(
            Case(f"{name}: beside the provider", here, partial(visit, token), "opaque: beside the provider")
        )
        if algorithm is not None:
            found.append(
                Case(f"{name}: elsewhere", there, partial(visit, token), "opaque: beside the provider")
            )
    return found


def measured(rows: list[Case], rounds: int) -> dict[str, list[float]]:
    """Return the CPU milliseconds of each row in each round."""
    seen: dict[str, list[float]] = {case.name: [] for case in rows}

    def run(case: Case) -> None:
        seen[case.name].append(cpu_ms(case.application, [case.request() for _ in range(BATCH)]))

    for _ in in_turn(rounds, [partial(run, case) for case in rows]):
        pass
    return seen


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portula-bench-") as name:
        rows = cases(Path(name))
        seen = measured(rows, options.rounds)
    table = Table(title="An access token, on SQLite")
    table.add_column("operation")
    for heading in ("ms CPU", "x opaque"):
        table.add_column(heading, justify="right")
    report = {}
    for case in rows:
        ratios = [one / other for one, other in zip(seen[case.name], seen[case.beside], strict=True)]
        report[case.name] = (statistics.median(seen[case.name]), statistics.median(ratios))
        table.add_row(case.name, f"{report[case.name][0]:.3f}", f"{report[case.name][1]:.2f}")
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
