"""`portula plugin new`: writes a distribution with one typed hook implementation, its tests and its README.

It needs no data folder. What is written stands in `scaffold/`: in `scaffold/kinds/` a file for each kind of hook.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import inspect
import keyword
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, PackageLoader, StrictUndefined

from portula.cli.serve import ServeOptions, make_app
from portula.host.declared_hooks import DeclaredHooks
from portula.host.defaults import DEFAULT_ROOMS
from portula.host.kinds import NEEDS_TRUST, PREFIX, HookFacts, HookKind
from portula.host.modes import storage_check_deferred
from portula.model.errors import ConfigError, PortulaError, nearest
from portula.web.hooks import CORE_HOOKS

DISTRIBUTION_PREFIX = "portula-"
_PROJECT_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
KINDS = frozenset(HookKind)
"""Names of the decorators of declarations, which stand in no annotation."""

_SECTION = re.compile(r"^\[([a-z-]+)\]\n", re.MULTILINE)
_NAME = re.compile(r"\b[A-Za-z_]\w*")


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
    plugin = normal.removeprefix(DISTRIBUTION_PREFIX).replace("-", "_")
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


@dataclass(frozen=True, slots=True)
class Declaration:
    """A hook, and where it is declared."""

    function: Callable[..., Any]
    facts: HookFacts
    package: str = ""
    """Import name of the package that declares it; empty for core."""

    @property
    def base(self) -> str:
        """Name of the class in which a room declares the hook, from which plugins derive beside `Plugin`."""
        return self.function.__qualname__.partition(".")[0] if self.package else ""

    @property
    def distribution(self) -> str:
        """The distribution of the room."""
        plugin = self.package.removeprefix(DISTRIBUTION_PREFIX.replace("-", "_"))
        return DEFAULT_ROOMS.get(plugin, self.package.replace("_", "-"))


def declaration(hook: str) -> Declaration:
    """Return the declaration of a hook of core or of an installed plugin, with or without `portula_` in front.

    Raises:
        CannotWrite: there is no such hook, or it is not of core and the plugins cannot be read.
    """
    core = DeclaredHooks(CORE_HOOKS)
    found = _find_hook(core, hook)
    if found is not None:
        return Declaration(found, core.facts(found.__name__))
    installed = _installed_hooks()
    found = _find_hook(installed, hook)
    if found is None:
        words = [*installed, *(name.removeprefix(PREFIX) for name in installed)]
        within = [name.removeprefix(PREFIX) for name in sorted(installed) if hook in name]
        meant = f"; there are {', '.join(within)}" if within else nearest(hook, words)
        raise CannotWrite(f"there is no hook {hook!r}{meant}; `portula hooks` lists them")
    return Declaration(found, installed.facts(found.__name__), found.__module__.partition(".")[0])


def _find_hook(hooks: DeclaredHooks, name: str) -> Callable[..., Any] | None:
    return hooks.get(name) or hooks.get(f"{PREFIX}{name}")


def _installed_hooks() -> DeclaredHooks:
    try:
        with storage_check_deferred():
            return make_app(ServeOptions(passing=True))[1].plugins.declared
    except ConfigError as error:
        raise CannotWrite(f"the hooks of plugins cannot be read: {'; '.join(error.findings)}") from error


def write(name: str, hook: str, directory: Path) -> list[Path]:
    """Write a distribution into a new folder of `directory`; return its files.

    Raises:
        CannotWrite: name or hook do not do, or the folder is there already or cannot be made.
    """
    names, found = names_of(name), declaration(hook)
    folder = directory / names.distribution
    files = {folder / path: text for path, text in files_of(names, found).items()}
    try:
        if folder.exists():
            raise CannotWrite(f"{folder} is there already; choose another name or --directory")
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{folder}: {error.strerror}") from error
    return list(files)


def files_of(names: Names, found: Declaration) -> dict[str, str]:
    """Return the texts of a distribution by path."""
    function, facts = found.function, found.facts
    words: dict[str, Any] = {
        "distribution": names.distribution,
        "package": names.package,
        "plugin": names.plugin,
        "cls": f"{names.plugin.title().replace('_', '')}Plugin",
        "version": ".".join(importlib.metadata.version("portula-core").split(".")[:2]),
        "hook": function.__name__,
        "word": function.__name__.removeprefix(PREFIX),
        "said": (inspect.getdoc(function) or "").partition("\n")[0],
        "trust": facts.hook_class.value,
        "trusted": facts.hook_class in NEEDS_TRUST,
        "adds_to": facts.adds_to,
        "base": found.base,
        "room": found.distribution,
        **_shape(function),
    }
    templates = Environment(
        loader=PackageLoader("portula.cli", "scaffold"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it writes Python and Markdown, no pages
    )
    words["made"] = vars(templates.get_template("values.txt").module)["made"]
    words |= _sections(templates.get_template(f"kinds/{facts.kind.value}.txt").render(words))
    words |= _imports(words, found)
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
    """Return the parameter and the answer of a hook as its author writes them."""
    signature = inspect.signature(function)
    parameter = list(signature.parameters.values())[-1]
    value = "Provider" if parameter.annotation == "P" else str(parameter.annotation)
    returns = str(signature.return_annotation)
    return {
        "variable": parameter.name,
        "value": value,
        "parameter": f"{parameter.name}: {value}",
        "returns": returns,
        "answer": returns.removesuffix(" | None"),
    }


def _sections(text: str) -> dict[str, str]:
    """Return the parts of a kind's template."""
    parts = _SECTION.split(text)
    found: dict[str, str] = dict.fromkeys(("imports", "code", "body", "test-imports", "test"), "")
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        found[name] += f"{part.strip()}\n"
    sections = {name.replace("-", "_"): part.strip() for name, part in found.items()}
    sections["code"] = f"\n\n{sections['code']}\n" if sections["code"] else ""
    return sections


def _imports(words: Mapping[str, Any], found: Declaration) -> dict[str, str]:
    """Return the import blocks: what runs, what only annotations name, what the tests use."""
    base = [f"from {found.function.__module__} import {found.base}"] if found.base else []
    typed = list(_imports_of(found.function, f"{words['parameter']} {words['returns']}"))
    runs = [
        *(["from typing import TYPE_CHECKING"] if typed else []),
        "from portula import Plugin",
        "from typing_extensions import override",
        *words["imports"].splitlines(),
        *base,
    ]
    tests = [
        "import pytest",
        f"from {words['package']} import {words['cls']}",
        "from portula import Provider",
        f"from portula_testing.provider import {'installed_rooms, ' if base else ''}make_provider",
        *words["test_imports"].splitlines(),
        *(f"from portula.plugin import {name}" for name in _public_names(words["test"])),
        *(base if f"{found.base}." in words["test"] else []),
    ]
    if "Plugin." in words["test"]:
        tests.append("from portula import Plugin")
    return {
        "imports": _block(_lines(runs)),
        "typing_imports": _block(_lines(typed)),
        "test_imports": _block(_lines(tests), words["package"]),
    }


def _public_names(text: str) -> list[str]:
    """Return the names in a text that `portula.plugin` has for authors; it stands above this floor."""
    public = import_module("portula.plugin").__all__
    found = sorted(name for name in set(_NAME.findall(text)) if name in public and name[0].isupper())
    return [name for name in found if name not in ("Plugin", "Provider")]


def _imports_of(function: Callable[..., Any], signature: str) -> Iterable[str]:
    """Yield the imports that a signature needs: public names, and what the declaration's module has."""
    used, public = set(_NAME.findall(signature)), _public_names(signature)
    yield from (f"from portula.plugin import {name}" for name in public)
    if "Provider" in used:
        yield "from portula import Provider"
    module = inspect.getmodule(function)
    own = used & vars(module).keys() - set(public) - KINDS
    for node in ast.walk(ast.parse(inspect.getsource(module) if module else "")):
        names = node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
        for alias in names:
            if alias.name not in own:
                continue
            own.remove(alias.name)
            if isinstance(node, ast.ImportFrom):
                yield f"from {node.module} import {alias.name}"
            else:
                yield f"import {alias.name}"
    yield from (f"from {function.__module__} import {name}" for name in sorted(own))


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
@click.option(
    "--hook",
    "hooks",
    required=True,
    multiple=True,
    metavar="HOOK",
    help="Hook that it implements, of core or of an installed plugin; `portula hooks` lists them.",
)
@click.option(
    "--directory",
    default=".",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its folder is made.",
)
def new(name: str, hooks: Sequence[str], directory: Path) -> None:
    """Write a distribution with one hook implementation, its tests and its README."""
    if len(hooks) > 1:
        raise click.UsageError("one --hook at a time; what is written takes others by hand")
    try:
        files = write(name, hooks[0], directory)
    except CannotWrite as error:
        raise click.ClickException(str(error)) from error
    folder = files[0].parent
    for path in files:
        click.echo(path)
    click.echo(f'Now: cd {folder} && python -m pip install --editable ".[test]" && python -m pytest')
