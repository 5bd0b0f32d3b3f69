"""The least versions that the manifests declare, as constraints for pip.

A dependency of a distribution has the least version that is declared for it, all else the version of constraints.txt.
Ends with an error where two manifests differ, or a dependency declares none.
"""

import re
import sys
from itertools import chain

from dists import ROOT, folders, project

DECLARED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?(?P<operator>>=|==)(?P<version>[0-9.]+)")
TIED = {"pydantic-core", "psycopg-binary"}
"""What a dependency of ours pins itself, to one version."""


def normal(name: str) -> str:
    """Return the name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> dict[str, str]:
    """Return the least version of each dependency that is not ours, by name."""
    found: dict[str, str] = {}
    for folder in folders():
        table = project(folder)
        for line in chain(table.get("dependencies", []), *table.get("optional-dependencies", {}).values()):
            match = DECLARED.fullmatch(line)
            if match is None:
                sys.exit(f"{folder.name}: {line!r} declares no least version")
            name, version = normal(match["name"]), match["version"]
            if match["operator"] == ">=" and found.setdefault(name, version) != version:
                sys.exit(f"{folder.name}: {line!r} differs from {found[name]!r} of another manifest")
    return found


def main() -> None:
    """Print the constraints."""
    least = declared()
    for name, version in sorted(least.items()):
        print(f"{name}=={version}")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if normal(line.partition("==")[0]) not in {*least, *TIED}:
            print(line)


if __name__ == "__main__":
    main()
