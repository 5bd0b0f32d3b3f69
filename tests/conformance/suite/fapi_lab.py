"""Servers for the FAPI plans, each with the clients of its variants."""

import runpy
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from conformance.suite.ciba import CibaClient
from conformance.suite.clock import Clock
from conformance.suite.fapi import CIBA, FapiLab, FapiVariant
from conformance.suite.fapi_client import FapiClient
from conformance.suite.lab import PLUGINS, ROOT, PortulaCommand, documented, free_issuer, serving
from conformance.suite.pages import Browser, Person
from conformance.suite.parties import OP, Suite
from portula_testing.tls import Authority

CONFIG = ROOT / "examples" / "certification_fapi.py"
CLIENTS = ROOT / "examples" / "certification" / "fapi_clients.py"
EXAMPLE_PLUGINS = ROOT / "examples" / "certification" / "plugins"

Clients = Callable[[FapiVariant, int], FapiClient]
"""Returns the first or the second client of a variant, at the server of its plan."""


@contextmanager
def fapi_clients(
    authority: Authority, trust: ssl.SSLContext, suite: Suite, make_folder: Callable[[str], Path]
) -> Iterator[Clients]:
    """Start the server of a plan when its first client is asked for, and end all of them afterwards."""
    with ExitStack() as running:

        @cache
        def lab(plan: str) -> FapiLab:
            place = make_folder(plan)
            (place / "suite.pem").write_bytes(authority.pem)
            command = _command(place, plan)
            op = OP(command.issuer, Clock(place / "clock"), trust)
            person = _populate(command, suite)
            certificates = "--tls-client-ca", str(place / "clients.pem")
            running.enter_context(serving(command, authority.issue(place), op, *certificates))
            browser = running.enter_context(Browser(suite.origin, trust))
            return FapiLab(op, suite, person, place, browser)

        @cache
        def client(variant: FapiVariant, number: int) -> FapiClient:
            kind = CibaClient if variant.plan == CIBA else FapiClient
            made = kind(lab(variant.plan), variant, number)
            running.callback(made.close)
            return made

        yield client


def _command(place: Path, plan: str) -> PortulaCommand:
    """Return the command of a FAPI plan, with the plugins of its example and of these tests."""
    plugins = place / "plugins"
    plugins.mkdir()
    for folder in (PLUGINS, EXAMPLE_PLUGINS):
        for plugin in folder.glob("*.py"):
            shutil.copy(plugin, plugins)
    return PortulaCommand(place, free_issuer(), {"PLUGINS_DIR": str(plugins)}, CONFIG, plan)


def _populate(command: PortulaCommand, suite: Suite) -> Person:
    """Make the user of the manual, and the clients of a FAPI plan as its script has them."""
    prepare = runpy.run_path(str(CLIENTS))["prepare"]
    clients = prepare(command.place, command.plan, command.issuer, suite.callback)
    command("init")
    for words in clients:
        command(*words)
    return command.create_user(next(words for words in documented(suite) if words[0] == "createuser"))
