"""Core is built in floors: an import, for the type checker alone too, only goes down."""

from pathlib import Path

from house.files import at, imports, python_files, room_folders

FLOORS = ("model", "host", "flow", "web", "cli")
"""From the ground up; `portula`, `portula.errors` and `portula.plugin` stand on all but the last."""

PUBLIC = frozenset({"portula", "portula.errors", "portula.plugin"})
"""What a room may import; everything else in core may change."""

UPWARD_IMPORTS = 1
"""Imports that still go up. The number may only fall."""

CORE = Path("core/src/portula")


def _height(module: str) -> int:
    floor = module.split(".")[1] if module.count(".") else ""
    return FLOORS.index(floor) if floor in FLOORS else FLOORS.index("cli")


def upward_imports(root: Path) -> list[str]:
    """Return each import of core that goes up."""
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


def core_imports_go_down(root: Path) -> list[str]:
    """No more than UPWARD_IMPORTS imports of core go up a floor."""
    found = upward_imports(root)
    return found if len(found) > UPWARD_IMPORTS else []


def rooms_import_public_names(root: Path) -> list[str]:
    """A room imports `portula`, `portula.errors` and `portula.plugin`, and nothing below them."""
    return [
        f"{at(path, root, line)}: {module} is private"
        for room in room_folders(root)
        for path in python_files(room, "src")
        for line, module in imports(path)
        if module.startswith("portula.") and module not in PUBLIC
    ]
