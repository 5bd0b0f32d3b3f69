"""Core is built in floors: an import, for the type checker alone too, only goes down."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from house.files import at, imports, python_files, room_folders, tree

FLOORS = ("model", "host", "flow", "web", "cli")
"""From the ground up; `portula`, `portula.errors` and `portula.plugin` stand on all but the last."""

PUBLIC = frozenset({"portula", "portula.errors", "portula.plugin"})
"""What a room may import; everything else in core may change."""

CORE = Path("core/src/portula")


def _height(module: str) -> int:
    floor = module.split(".")[1] if module.count(".") else ""
    return FLOORS.index(floor) if floor in FLOORS else FLOORS.index("cli")


def core_imports_go_down(root: Path) -> list[str]:
    """No import of core goes up a floor."""
    found = []
    for path in python_files(root, str(CORE)):
        inner = path.relative_to(root / CORE)
        if len(inner.parts) == 1:
            continue
        floor = FLOORS.index(inner.parts[0])
        found += [
            f"{at(path, root, line)}: {inner.parts[0]} imports {module}"
            for line, module in imports(path)
            if (module == "portula" or module.startswith("portula.")) and _height(module) > floor
        ]
    return found


def _at_run_time(path: Path) -> set[str]:
    """Return what a module of core imports of core when it is loaded: modules, and names that may be modules."""
    found = set()
    for node in tree(path).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {module for module in found if module.startswith("portula.")}


def core_imports_in_no_circle(root: Path) -> list[str]:
    """No module of core needs, to be loaded, one that needs it: any of them may be imported first."""
    modules = {
        ".".join(path.relative_to(root / CORE.parent).with_suffix("").parts): _at_run_time(path)
        for path in python_files(root, str(CORE))
        if path.name != "__init__.py"
    }
    try:
        TopologicalSorter({name: needs & modules.keys() for name, needs in modules.items()}).prepare()
    except CycleError as error:
        return [" needs ".join(reversed(error.args[1]))]
    return []


def rooms_import_public_names(root: Path) -> list[str]:
    """A room imports `portula`, `portula.errors` and `portula.plugin`, and nothing below them."""
    return [
        f"{at(path, root, line)}: {module} is private"
        for room in room_folders(root)
        for path in python_files(room, "src")
        for line, module in imports(path)
        if module.startswith("portula.") and module not in PUBLIC
    ]
