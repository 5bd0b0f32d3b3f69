"""What a migration may do: nothing that keeps writers waiting as long as a table has rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from house.files import at, tree

ALLOWED = {"create_table", "add_column"}
"""Operations that take no time however many rows there are; what was released is never dropped."""

FIRST = "0001_core_tables.py"
"""It meets no rows."""


def migrations_let_writers_through(root: Path) -> list[str]:
    """A migration adds tables and columns. Indexes follow from the record types, and `upgrade` makes them online."""
    return [
        f"{at(path, root, line)}: op.{name} in a migration"
        for path in sorted(root.glob("plugins/*/src/*/migrations/versions/*.py"))
        if path.name != FIRST
        for line, name in _operations(path)
        if name not in ALLOWED
    ]


def _operations(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "op":
            yield node.lineno, node.attr
