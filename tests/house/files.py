"""Which files the rules look at, and what they read from them."""

import ast
import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDERS = ("core", "testing", "plugins", "tests", "tools", "bench", "examples", "docs")
OLDEST_PYTHON = (3, 11)
PASSED_OVER = {"__pycache__", "_build", "build", "dist", "node_modules", "portula-data"}


def below(folder: Path, *suffixes: str) -> Iterator[Path]:
    """Yield the files under `folder` that end in one of `suffixes`, what tools leave behind excepted."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder).parts
        hidden = any(part in PASSED_OVER or part.startswith(".") for part in inner)
        if path.suffix in suffixes and not hidden and path.is_file():
            yield path


def python_files(root: Path, *folders: str) -> Iterator[Path]:
    """Yield the Python files of `folders`, or of the whole project."""
    for folder in folders or FOLDERS:
        yield from below(root / folder, ".py")


def room_folders(root: Path) -> list[Path]:
    """Return the folder of every room."""
    found = (root / "plugins").iterdir() if (root / "plugins").is_dir() else ()
    return sorted(
        path for path in found if path.is_dir() and path.name not in PASSED_OVER and path.name[0] != "."
    )


def in_tests(path: Path, root: Path) -> bool:
    """Tell whether `path` is a test, which may name and import any room."""
    return "tests" in path.relative_to(root).parts


@functools.cache
def _tree(path: Path, _changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=OLDEST_PYTHON)


def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file; each version of a file is parsed once."""
    return _tree(path, path.stat().st_mtime_ns)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, module) for every absolute import in a Python file, wherever it stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) for every string literal in a Python file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def manifest(folder: Path) -> dict[str, Any]:
    """Return the [project] table of the distribution in `folder`; empty when it has none."""
    path = folder / "pyproject.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")).get("project", {}) if path.is_file() else {}


def at(path: Path, root: Path, line: int | None = None) -> str:
    """Return where a problem is, as people write it."""
    name = path.relative_to(root).as_posix()
    return name if line is None else f"{name}:{line}"
