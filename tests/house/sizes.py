"""Sizes that keep rooms livable, and a grammar that every supported Python reads."""

import ast
from pathlib import Path

from house.files import at, python_files, room_folders, tree

MODULE_LINES = 400
LISTS = ("core/src/portula/plugin.py",)
"""Files that hold a list and nothing else: the public names."""
FUNCTION_LINES = 50
DOOR_LINES = 80


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def modules_are_short(root: Path) -> list[str]:
    """No module is longer than MODULE_LINES, a list of names aside."""
    return [
        f"{at(path, root)}: {count} lines, {MODULE_LINES} are allowed"
        for path in python_files(root)
        if (count := _lines(path)) > MODULE_LINES and at(path, root) not in LISTS
    ]


def functions_are_short(root: Path) -> list[str]:
    """No function is longer than FUNCTION_LINES, from `def` to its last line, docstring included."""
    return [
        f"{at(path, root, node.lineno)}: {node.name} has {count} lines, {FUNCTION_LINES} are allowed"
        for path in python_files(root)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (count := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]


def doors_are_small(root: Path) -> list[str]:
    """The `__init__.py` of a room is no longer than DOOR_LINES."""
    doors = (room / "src" / f"portula_{room.name}" / "__init__.py" for room in room_folders(root))
    return [
        f"{at(door, root)}: {count} lines, a door has at most {DOOR_LINES}"
        for door in doors
        if door.is_file() and (count := _lines(door)) > DOOR_LINES
    ]


def oldest_python_reads_all(root: Path) -> list[str]:
    """Every file parses under the grammar of OLDEST_PYTHON."""
    problems = []
    for path in python_files(root):
        try:
            tree(path)
        except SyntaxError as error:
            problems.append(f"{at(path, root, error.lineno)}: {error.msg}")
    return problems
