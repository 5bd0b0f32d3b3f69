"""Who may know whom: rooms nothing of each other, core nothing of rooms, and nobody `random`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from house.files import at, below, imports, in_tests, python_files, room_folders, strings, tree

#: The files of core that may name rooms: the list of what is on by default, and declarations of hooks, which say what
#: to install where nobody answers.
NAMING = tuple(
    Path("core/src/portula") / path
    for path in (
        "host/defaults.py",
        "host/declarations.py",
        "flow/grant_hooks.py",
        "flow/hooks.py",
        "flow/service_hooks.py",
    )
)

#: Room names that are no ordinary words of OAuth, so that the bare name in a string can only mean the room.
UNAMBIGUOUS = frozenset({"generators", "resource_server", "scopes_settings", "storage_sql"})

#: Read as text by the rule that a room is not named outside its folder (Markdown is documentation, and may).
TEXTS = (".py", ".toml", ".html", ".css", ".mako", ".cfg", ".ini")

JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
INLINE = {
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc\s*=)", re.IGNORECASE),
    "an inline style": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
}


def _top(module: str) -> str:
    return module.partition(".")[0]


def _packages(root: Path) -> dict[str, Path]:
    return {f"portula_{room.name}": room for room in room_folders(root)}


def rooms_do_not_import_rooms(root: Path) -> list[str]:
    """No room imports another; what two of them need is a slot or a base class in core."""
    packages = _packages(root)
    return [
        f"{at(path, root, line)}: {room.name} imports {module}"
        for own, room in packages.items()
        for path in python_files(room, "src")
        for line, module in imports(path)
        if _top(module) in packages and _top(module) != own
    ]


def core_imports_no_room(root: Path) -> list[str]:
    """Core imports no room, not even in the list of defaults."""
    return [
        f"{at(path, root, line)}: core imports {module}"
        for path in python_files(root, "core/src")
        for line, module in imports(path)
        if module.startswith("portula_")
    ]


def _hooks(root: Path) -> set[str]:
    """Return the names of all methods in core that are hooks; a hook may share its word with a room."""
    return {
        node.name
        for path in python_files(root, "core/src")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("portula_")
    }


def _outsiders(root: Path, room: Path) -> Iterator[Path]:
    """Yield the files of core and of the other rooms that may not name `room`."""
    for folder in [root / "core", *room_folders(root)]:
        for path in below(folder, *TEXTS):
            if folder != room and path.relative_to(root) not in NAMING and not in_tests(path, root):
                yield path


def _mentions(path: Path, room: str, hooks: set[str]) -> Iterator[int]:
    """Yield the lines of `path` that name `room` by import name, distribution or entry point."""
    names = [f"portula-{room.replace('_', '-')}"]
    if f"portula_{room}" not in hooks:
        names.append(f"portula_{room}")
    pattern = re.compile("|".join(rf"(?<![\w-]){name}(?![\w-])" for name in names))
    text = path.read_text(encoding="utf-8")
    if pattern.search(text):
        yield from (number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line))
    if room in UNAMBIGUOUS and path.suffix == ".py":
        yield from (line for line, text in strings(path) if text == room)


def rooms_are_not_named_outside(root: Path) -> list[str]:
    """A room can be taken out without a trace: no code outside its folder knows its name."""
    hooks = _hooks(root)
    return [
        f"{at(path, root, line)}: names the room {room.name}"
        for room in room_folders(root)
        for path in _outsiders(root, room)
        for line in _mentions(path, room.name, hooks)
    ]


def core_has_no_database_and_no_jose(root: Path) -> list[str]:
    """The words sqlalchemy and jwcrypto stand nowhere in core's source, comments included."""
    return [
        f"{at(path, root, number)}: {word}"
        for path in below(root / "core/src", *TEXTS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in ("sqlalchemy", "jwcrypto")
        if word in line
    ]


def random_is_not_imported(root: Path) -> list[str]:
    """Values that must not be guessed come from `secrets`; so `random` is imported nowhere."""
    return [
        f"{at(path, root, line)}: imports random"
        for path in python_files(root, "core", "plugins")
        for line, module in imports(path)
        if _top(module) == "random"
    ]


def templates_run_no_script(root: Path) -> list[str]:
    """No template has a script, style or handler in line: a strict content security policy refuses them."""
    return [
        f"{at(path, root)}: has {what}"
        for folder in ("core", "plugins")
        for path in below(root / folder, ".html")
        for what, pattern in INLINE.items()
        if pattern.search(JINJA.sub("", path.read_text(encoding="utf-8")))
    ]
