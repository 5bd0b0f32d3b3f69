"""Writes the reference from the code: hooks, settings, endpoints, commands.

A page asks with a fenced block, ```` ```{portula} settings ```` and its like; before the page is parsed the block is
replaced by Markdown. So headings are real, links to them are checked, and nothing on these pages can go stale.
"""

# ruff: noqa: INP001 - Sphinx imports it by path
from __future__ import annotations

import functools
import importlib
import inspect
import logging
import re
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from flask import Flask

import portula_settings_reference as settings_reference
from portula import Plugin, Provider, hookimpl
from portula.cli import main as cli
from portula.cli import reports
from portula.flow.deliver_command import deliver_command
from portula.host.declared_hooks import DeclaredHooks
from portula.host.kinds import HookDeclarations
from portula.host.models import ModelSettings
from portula.plugin import CoreSettings
from portula.web.hooks import CORE_HOOKS
from portula_command_reference import command_markdown
from portula_hook_values import value_markdown, where_markdown
from portula_testing.memory import MemoryStore

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```\{portula\} (\w+)(?: (\w+))?\n```$", re.MULTILINE)
CORS = {"none": "no", "open": "any origin", "client": "the client's origins"}

KINDS = {
    "slot": "Slot: all are asked once, at start; the answer of the strongest tier wins, and None is no answer.",
    "contribution": "Contribution: collected once, at start; what two plugins contribute under one key is an error.",
    "veto": "Veto: every implementation is heard; the first denial is raised at the end, and any other exception, "
    "or a value returned, denies too.",
    "shape": "Shape: every implementation may change the documented fields of the value; an exception refuses.",
    "requirement": "Requirement: every implementation is asked and what they require is joined; an OAuth2Error "
    "denies, and any other exception does too.",
    "enrichment": "Enrichment: members are added; those that stand already are not overwritten.",
    "outbox": "Outbox: called before anything is written; records that are returned join the plan of the request, and "
    "an exception refuses it.",
    "event": "Event: called after the plan is applied, each implementation apart; an exception is logged and hurts "
    "nobody.",
}


@dataclass(frozen=True, slots=True)
class HookEntry:
    """One hook as the reference shows it."""

    name: str
    signature: str
    """Name, parameter and answer, as in the declaration."""
    kind: str
    trust: str
    """What an implementation could do if it were hostile."""
    setting: str | None
    """The setting that answers the same question."""
    text: str
    example: str
    """Code; empty when the declaration has none."""
    members: str
    """What the value has, one a line, where its class is a room's."""


def hook_entries() -> list[HookEntry]:
    """Return every hook of core in the order in which it fires."""
    return _entries_of(*CORE_HOOKS)


def _entries_of(*classes: type[HookDeclarations]) -> list[HookEntry]:
    declared = DeclaredHooks(classes)
    return [_hook_entry(declared, name) for name in declared.in_order()]


def _hook_entry(declared: DeclaredHooks, name: str) -> HookEntry:
    function, facts = declared[name], declared.facts(name)
    shape = inspect.signature(function)
    parameter = list(shape.parameters.values())[-1]
    value = "Provider" if parameter.annotation == "P" else parameter.annotation
    text, _, example = (inspect.getdoc(function) or "").partition("Example:\n")
    return HookEntry(
        name=name,
        signature=f"{name}({parameter.name}: {value}) -> {shape.return_annotation}",
        kind=facts.kind.value,
        trust=facts.hook_class.value,
        setting=facts.setting,
        text=text.strip(),
        example=textwrap.dedent(example).strip(),
        members=value_markdown(function),
    )


def hooks_markdown() -> str:
    """Return the reference of all hooks of core."""
    return "\n".join(hook_markdown(entry) for entry in hook_entries())


def hook_markdown(entry: HookEntry) -> str:
    """Return the section of one hook."""
    setting = f" Setting: [`{entry.setting}`](#setting-{entry.setting.lower()})." if entry.setting else ""
    return (
        f"({entry.name})=\n### `{entry.signature}`\n\n{entry.text}\n\n"
        f"*{KINDS[entry.kind]}* An implementation *{entry.trust}*.{setting}\n\n{entry.members}\n"
        f"```python\n{entry.example}\n```\n"
    )


def rooms() -> dict[str, ModuleType]:
    """Return the door of every room by its name."""
    folders = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))
    return {name: importlib.import_module(f"portula_{name}") for name in folders}


def models() -> dict[str, list[type[BaseModel]]]:
    """Return the settings models of core and of every room that has some."""
    found: dict[str, list[type[BaseModel]]] = {"core": [CoreSettings, ModelSettings]}
    for name, door in rooms().items():
        if hasattr(door, "portula_settings"):
            found[name] = list(door.portula_settings(example_provider()))
    return found


def settings_markdown() -> str:
    """Return the reference of all settings, those of the host first."""
    parts = []
    for room, room_models in models().items():
        title = "The host" if room == "core" else f"[`{room}`](rooms/{room}.md)"
        parts.append(f"## {title}\n")
        for model in room_models:
            parts.append(f"{inspect.getdoc(model)}\n")
            parts += [settings_reference.markdown(entry) for entry in settings_reference.entries(model)]
    return "\n".join(parts)


def room_markdown(room: str) -> str:
    """Return what the code says about a room: its settings, hooks, endpoints, pages and commands."""
    door = rooms()[room]
    sections = {
        "Settings": _settings_rows(room),
        "Endpoints": _endpoint_rows(door),
        "Pages": _page_rows(door),
        "Commands": [
            f"- [`portula {name}`](#portula-{name.replace(' ', '-')})" for name in _command_names(door)
        ],
        "Hooks it answers": _hook_rows(door),
        "Hooks of its own": [
            *where_markdown(_declarations(door)),
            *(hook_markdown(entry) for entry in _own_hooks(door)),
        ],
    }
    return "\n".join(f"## {title}\n\n" + "\n".join(rows) + "\n" for title, rows in sections.items() if rows)


def _settings_rows(room: str) -> list[str]:
    entries = [entry for model in models().get(room, []) for entry in settings_reference.entries(model)]
    rows = [
        f"| [`{entry.name}`](#setting-{entry.name.lower()}) | {_cell(entry.default)} | {_cell(entry.text)} |"
        for entry in entries
    ]
    return ["| setting | default | meaning |", "|---|---|---|", *rows] if rows else []


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _endpoint_rows(door: ModuleType) -> list[str]:
    provider = example_provider()
    endpoints = door.portula_endpoints(provider) if hasattr(door, "portula_endpoints") else []
    rows = [
        f"| `{endpoint.path if endpoint.path.startswith('/') else f'{provider.mount}/{endpoint.path}'}` "
        f"| {', '.join(endpoint.methods)} | {CORS[endpoint.cors]} |"
        for endpoint in endpoints
    ]
    return ["| path | methods | other sites' pages (CORS) |", "|---|---|---|", *rows] if rows else []


def _page_rows(door: ModuleType) -> list[str]:
    provider = example_provider()
    mounts = door.portula_blueprints(provider) if hasattr(door, "portula_blueprints") else []
    prefixes = tuple(f"{provider.name}_{mount.blueprint.name}." for mount in mounts)
    pages: dict[str, set[str]] = {}
    for rule in provider.app.url_map.iter_rules():
        if prefixes and rule.endpoint.startswith(prefixes):
            pages.setdefault(rule.rule.rstrip("/") + "/", set()).update(
                (rule.methods or set()) & {"GET", "POST"}
            )
    rows = [f"| `{path}` | {', '.join(sorted(methods))} |" for path, methods in pages.items()]
    return ["| path | methods |", "|---|---|", *rows] if rows else []


def _command_names(door: ModuleType) -> list[str]:
    with example_provider().app.app_context():
        commands = door.portula_commands(example_provider()) if hasattr(door, "portula_commands") else []
    return [name for command in commands for name, _ in _leaves(command)]


def _own_hooks(door: ModuleType) -> list[HookEntry]:
    """Return the hooks that a room declares."""
    return _entries_of(*_declarations(door))


def _declarations(door: ModuleType) -> Sequence[type[HookDeclarations]]:
    declare = getattr(door, "portula_declarations", None)
    return declare(example_provider()) if declare else ()


def _hook_rows(door: ModuleType) -> list[str]:
    kinds = {entry.name: entry.kind for entry in (*hook_entries(), *_own_hooks(door))}
    answered = [name for name in vars(door) if name in kinds]
    return [f"- [`{name}`](#{name}) ({kinds[name]})" for name in answered]


def commands_markdown() -> str:
    """Return the reference of all commands of `portula`."""
    provider = example_provider()
    with provider.app.app_context():
        commands = [
            *cli.main.commands.values(),
            *reports.commands(provider),
            deliver_command(provider),
            *provider.hooks.collect(Plugin.portula_commands),
        ]
    leaves = sorted((leaf for command in commands for leaf in _leaves(command)), key=lambda leaf: leaf[0])
    return "\n".join(
        [command_markdown("portula", cli.main), *(command_markdown(f"portula {n}", c) for n, c in leaves)]
    )


def _leaves(command: click.Command, path: Sequence[str] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of a group, each with its whole name; a plain command yields itself."""
    path = path or (str(command.name),)
    children = getattr(command, "commands", None)
    if children is None or getattr(command, "invoke_without_command", False):
        yield " ".join(path), command
    for name, child in (
        children or {}
    ).items():  # the name in the group: a command may have another one elsewhere
        yield from _leaves(child, (*path, name))


@functools.cache
def example_provider() -> Provider:
    """Return a provider with everything installed, in memory."""
    folder = tempfile.mkdtemp(prefix="portula-docs-")
    app = Flask("portula_docs", instance_path=folder)
    settings = {"STORAGE": "memory", "SECRET_KEYS": ("the key of the manual",)}
    return Provider(app, plugins=[_Memory()], settings=settings)


class _Memory:
    @hookimpl
    def portula_stores(self, provider: Provider) -> dict[str, Any]:
        return {"memory": MemoryStore}


WRITERS: dict[str, Callable[..., str]] = {
    "hooks": hooks_markdown,
    "settings": settings_markdown,
    "room": room_markdown,
    "commands": commands_markdown,
}


def expand(text: str) -> str:
    """Replace every `{portula}` block of a page."""
    return BLOCK.sub(lambda match: WRITERS[match[1]](*filter(None, (match[2],))), text)


def _source_read(_app: Sphinx, _docname: str, source: list[str]) -> None:
    source[0] = expand(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx expand the pages it reads."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it greets at import
    app.connect("source-read", _source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
