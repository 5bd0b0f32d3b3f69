"""`portula plugin new`: writes a distribution with one typed hook implementation, its tests and its README.

It needs no provider and no data folder. What is written stands in `scaffold/`: in `scaffold/hooks/` a file for each
hook, and one for each kind, for hooks without a file.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import inspect
import keyword
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, PackageLoader, StrictUndefined

from portula import plugin as plugin_names
from portula.host.classes import NEEDS_TRUST, facts_of
from portula.host.defaults import DEFAULT_ROOMS
from portula.host.hookspecs import SPECIFICATIONS
from portula.model.errors import PortulaError, nearest

PREFIX = "portula-"
_PROJECT_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_SECTION = re.compile(r"^\[([a-z-]+)\]\n", re.MULTILINE)
_TYPING = re.compile(r"\b[A-Za-z_]\w*")


class CannotWrite(PortulaError):
    """A distribution cannot be written as asked for; the message says what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a new plugin is called, in each of its places."""

    distribution: str
    """On PyPI, e.g. `portula-tea`."""
    package: str
    """Import name, e.g. `portula_tea`."""
    plugin: str
    """Entry point, e.g. `tea`: the name in reports and settings."""


def names_of(name: str) -> Names:
    """Return what a plugin of this name is called.

    Raises:
        CannotWrite: it is no project name (PEP 508), makes no import name, or is taken by portula or Python.
    """
    if not _PROJECT_NAME.fullmatch(name):
        raise CannotWrite(
            f"{name!r} is no name of a distribution (PEP 508): letters and digits, joined by '-', '_' or '.'"
        )
    normal = re.sub(r"[-_.]+", "-", name).lower()
    package = normal.replace("-", "_")
    plugin = normal.removeprefix(PREFIX).replace("-", "_")
    for word in (package, plugin):
        if not word.isidentifier() or keyword.iskeyword(word):
            raise CannotWrite(
                f"{name!r} makes the import name {word!r}, which Python does not read as a name"
            )
    if plugin in DEFAULT_ROOMS or normal in (*DEFAULT_ROOMS.values(), "portula", "portula-core"):
        raise CannotWrite(f"{plugin!r} is a plugin of portula's own; choose another name")
    if package in sys.stdlib_module_names or importlib.util.find_spec(package) is not None:
        raise CannotWrite(f"a module {package!r} is there already; choose another name")
    return Names(normal, package, plugin)


def specification(hook: str) -> Callable[..., Any]:
    """Return the specification of a hook, with or without `portula_` in front.

    Raises:
        CannotWrite: there is no such hook.
    """
    known: dict[str, Callable[..., Any]] = {
        name: function
        for module in SPECIFICATIONS
        for name, function in vars(module).items()
        if hasattr(function, "portula_spec")
    }
    found = known.get(hook) or known.get(f"portula_{hook}")
    if found is None:
        words = [*known, *(name.removeprefix("portula_") for name in known)]
        raise CannotWrite(f"there is no hook {hook!r}{nearest(hook, words)}; `portula hooks` lists them")
    return found


def write(name: str, hook: str, directory: Path) -> list[Path]:
    """Write a distribution into a new folder of `directory`; return its files.

    Raises:
        CannotWrite: name or hook do not do, or the folder is there already.
    """
    names, function = names_of(name), specification(hook)
    folder = directory / names.distribution
    if folder.exists():
        raise CannotWrite(f"{folder} is there already; choose another name or --directory")
    files = {folder / path: text for path, text in files_of(names, function).items()}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def files_of(names: Names, function: Callable[..., Any]) -> dict[str, str]:
    """Return the texts of a distribution by path."""
    facts = facts_of(function.__name__)
    words: dict[str, Any] = {
        "distribution": names.distribution,
        "package": names.package,
        "plugin": names.plugin,
        "version": ".".join(importlib.metadata.version("portula-core").split(".")[:2]),
        "hook": function.__name__,
        "word": function.__name__.removeprefix("portula_"),
        "said": (inspect.getdoc(function) or "").partition("\n")[0],
        "trust": facts.hook_class.value,
        "trusted": facts.hook_class in NEEDS_TRUST,
        **_shape(function),
    }
    templates = Environment(
        loader=PackageLoader("portula.cli", "scaffold"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it writes Python and Markdown, no pages
    )
    choice = [f"hooks/{words['word']}.txt", f"hooks/{facts.kind.value}.txt"]
    template = templates.select_template(choice)
    if template.name == choice[0]:  # it has an answer
        words["returns"] = words["returns"].removesuffix(" | None")
    words |= _sections(template.render(words))
    words |= _imports(words, function)
    made = {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"src/{names.package}/__init__.py": "door.py.txt",
        f"tests/test_{names.package}.py": "test.py.txt",
    }
    texts = {path: templates.get_template(template).render(words) for path, template in made.items()}
    return {
        **{path: text.rstrip() + "\n" for path, text in texts.items()},
        f"src/{names.package}/py.typed": "",
    }


def _shape(function: Callable[..., Any]) -> dict[str, str]:
    signature = inspect.signature(function)
    parameters = [f"{parameter.name}: {parameter.annotation}" for parameter in signature.parameters.values()]
    return {"parameters": ", ".join(parameters), "returns": str(signature.return_annotation)}


def _sections(text: str) -> dict[str, str]:
    """Return the parts of a hook's template; those named twice are joined."""
    parts = _SECTION.split(text)
    found: dict[str, str] = dict.fromkeys(
        ("needs", "imports", "typing", "code", "body", "test-imports", "test"), ""
    )
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        found[name] += f"{part.strip()}\n"
    sections = {name.replace("-", "_"): part.strip() for name, part in found.items()}
    sections["code"] = f"\n\n{sections['code']}\n" if sections["code"] else ""
    sections["answer"] = "Say what this implementation does."
    return sections


def _imports(words: Mapping[str, Any], function: Callable[..., Any]) -> dict[str, str]:
    """Return the import blocks: what runs, what only annotations name, what the tests use."""
    runs = [
        "from typing import TYPE_CHECKING",
        "from portula import hookimpl",
        *words["imports"].splitlines(),
    ]
    used = set(_TYPING.findall(f"{words['parameters']} {words['returns']}"))
    named = [*_known_names(function, used), *words["typing"].splitlines()]
    tests = [
        "import pytest",
        f"import {words['package']}",
        "from portula import Provider",
        "from portula_testing.provider import make_provider",
        *words["test_imports"].splitlines(),
    ]
    held = _lines(runs)
    typed = [line for line in _lines(named) if line not in held]
    return {
        "imports": _block(held),
        "typing_imports": _block(typed),
        "test_imports": _block(_lines(tests), words["package"]),
    }


def _known_names(function: Callable[..., Any], used: set[str]) -> Iterable[str]:
    """Yield the imports of the specification's module that its signature needs."""
    module = inspect.getmodule(function)
    for node in ast.walk(ast.parse(inspect.getsource(module) if module else "")):
        if isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names if alias.name in used)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name in used:
                    public = alias.name in plugin_names.__all__
                    yield f"from {'portula.plugin' if public else node.module} import {alias.name}"


def _lines(imports: Iterable[str]) -> list[str]:
    """Return one line a name."""
    found: dict[str, None] = {}
    for line in imports:
        start, joined, names = line.partition(" import ")
        found.update(
            dict.fromkeys(f"{start} import {name}" for name in names.split(", ")) if joined else {line: None}
        )
    return list(found)


def _block(lines: Iterable[str], own: str = "") -> str:
    """Return imports as they are written: joined by module, the standard library first, the plugin itself last."""
    modules: dict[str, set[str]] = {}
    for line in lines:
        start, joined, name = line.partition(" import ")
        modules.setdefault(start, set()).update([name] if joined else [])
    groups: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for start in sorted(modules, key=lambda start: (start.startswith("from "), start.casefold())):
        names = sorted(modules[start], key=lambda name: (not name.isupper(), name[0].islower(), name))
        top = start.split()[1].partition(".")[0]
        group = 0 if top in sys.stdlib_module_names else 2 if top == own else 1
        groups[group].append(f"{start} import {', '.join(names)}" if names else start)
    return "\n\n".join("\n".join(group) for group in groups.values() if group)


@click.group("plugin")
def plugin() -> None:
    """Write plugins."""


@plugin.command("new")
@click.argument("name")
@click.option("--hook", required=True, metavar="HOOK", help="What it implements; `portula hooks` lists them.")
@click.option(
    "--directory",
    default=".",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its folder is made.",
)
def new(name: str, hook: str, directory: Path) -> None:
    """Write a distribution with one hook implementation, its tests and its README."""
    try:
        files = write(name, hook, directory)
    except CannotWrite as error:
        raise click.ClickException(str(error)) from error
    folder = files[0].parent
    for path in files:
        click.echo(path)
    click.echo(f'Now: cd {folder} && python -m pip install --editable ".[test]" && python -m pytest')
