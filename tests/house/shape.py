"""Every room has the same shape, and all distributions move in lock step."""

import ast
import re
from pathlib import Path
from typing import Any

from house.files import at, manifest, room_folders, tree

DOCSTRING_LINES = 3
LINK = re.compile(r"""(?:\]\(|^\[[^\]]+\]:\s*|(?:href|src)=["'])([^)\s"']+)""")
OURS = re.compile(r"^(portula(?:-[a-z0-9-]+)?)(?:\[[^]]*\])?\s*(.*)$")


def _file_problems(room: Path, root: Path) -> list[str]:
    package = room / "src" / f"portula_{room.name}"
    wanted = [room / "README.md", package / "__init__.py", package / "py.typed"]
    wanted.append(root / "docs" / "rooms" / f"{room.name}.md")
    return [f"{at(path, root)} is missing" for path in wanted if not path.is_file()]


def _manifest_problems(room: Path, root: Path) -> list[str]:
    project = manifest(room)
    if not project:
        return [f"{at(room, root)}: no pyproject.toml with a [project] table"]
    name = "portula-" + room.name.replace("_", "-")
    door = {room.name: f"portula_{room.name}"}
    problems = []
    if project.get("name") != name:
        problems.append(f"{at(room, root)}: the distribution is {project.get('name')}, not {name}")
    if project.get("entry-points", {}).get("portula") != door:
        problems.append(f"{at(room, root)}: the entry points of group portula are not {door}")
    return problems


def _docstring_problems(room: Path, root: Path) -> list[str]:
    door = room / "src" / f"portula_{room.name}" / "__init__.py"
    if not door.is_file():
        return []
    said = (ast.get_docstring(tree(door)) or "").splitlines()
    if len([line for line in said if line.strip()]) >= DOCSTRING_LINES:
        return []
    return [
        f"{at(door, root)}: a door says in {DOCSTRING_LINES} lines or more what it does and what it must never do"
    ]


def rooms_have_one_shape(root: Path) -> list[str]:
    """One word names folder, distribution, entry point, import and docs page; the fixed files are there."""
    looks = (_manifest_problems, _file_problems, _docstring_problems)
    return [problem for room in room_folders(root) for look in looks for problem in look(room, root)]


def _requirements(project: dict[str, Any]) -> list[str]:
    extras = project.get("optional-dependencies", {}).values()
    return [*project.get("dependencies", []), *(line for extra in extras for line in extra)]


def _distributions(root: Path) -> list[Path]:
    return [root, root / "core", root / "testing", *room_folders(root)]


def _version_of(package: Path) -> str | None:
    for node in tree(package).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    return None


def versions_are_in_lock_step(root: Path) -> list[str]:
    """All distributions have one version, pin each other to it, and ask for the same Python."""
    meta = manifest(root)
    problems = []
    for folder in _distributions(root):
        project = manifest(folder)
        where = at(folder / "pyproject.toml", root)
        problems += [
            f"{where}: {key} is {project.get(key)}, the root says {meta.get(key)}"
            for key in ("version", "requires-python", "license")
            if project.get(key) != meta.get(key)
        ]
        problems += [
            f"{where}: {line} is not pinned to =={meta.get('version')}"
            for line in _requirements(project)
            if (match := OURS.match(line)) and match[2] != f"=={meta.get('version')}"
        ]
        problems += [
            f"{at(package, root)}: __version__ is {_version_of(package)}, the root says {meta.get('version')}"
            for package in sorted((folder / "src").glob("*/__init__.py"))
            if _version_of(package) != meta.get("version")
        ]
    return problems


def shared_parts_are_alike(root: Path) -> list[str]:
    """Every distribution has the root's LICENSE and project URLs; tools/shared_parts.py copies them."""
    licence = root / "LICENSE"
    problems = []
    for folder in _distributions(root):
        copy = folder / "LICENSE"
        if not copy.is_file() or copy.read_bytes() != licence.read_bytes():
            problems.append(f"{at(copy, root)} is not the LICENSE of the root folder")
        if not manifest(folder).get("urls") or manifest(folder)["urls"] != manifest(root).get("urls"):
            problems.append(f"{at(folder / 'pyproject.toml', root)}: [project.urls] is not that of the root")
    return problems


def package_pages_stand_alone(root: Path) -> list[str]:
    """The README of a distribution is read on a package index, where links to files of the repository are dead."""
    problems = []
    for folder in _distributions(root):
        readme = folder / str(manifest(folder).get("readme"))
        if not readme.is_file():
            problems.append(f"{at(folder, root)}: no readme")
            continue
        lines = readme.read_text(encoding="utf-8").splitlines()
        problems += [
            f"{at(readme, root, number)}: {target}"
            for number, line in enumerate(lines, 1)
            for target in LINK.findall(line)
            if not target.startswith(("https://", "#"))
        ]
    return problems


def constraints_hold_versions_only(root: Path) -> list[str]:
    """constraints.txt has lines `name==version` and no others: no address, no path, no option."""
    path = root / "constraints.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [
        f"{at(path, root, number)}: {line}"
        for number, line in enumerate(lines, 1)
        if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)
    ]


def no_second_lock_file(root: Path) -> list[str]:
    """Versions stand in constraints.txt alone."""
    found = [root / "uv.lock", root / "core" / "uv.lock", *(room / "uv.lock" for room in room_folders(root))]
    return [f"{at(path, root)}: versions belong in constraints.txt" for path in found if path.exists()]
