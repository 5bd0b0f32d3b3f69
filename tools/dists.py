"""The distributions of this repository, as arguments for pip: `dists.py editable [--server]`.

With --server only those that the meta distribution `portula[server]` names are printed; without it, every folder under
plugins/ and the extras that the tests need.
"""

import argparse
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def project(folder: Path) -> dict:
    """Return the [project] table of the pyproject.toml in `folder`."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def folders() -> list[Path]:
    """Return the folder of every distribution: core, the rooms by name, the testing kit, the meta distribution."""
    rooms = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
    return [ROOT / "core", *rooms, ROOT / "testing", ROOT]


def with_extras(folder: Path, *, server: bool) -> str:
    """Return `folder` as pip takes it, relative to the root, with the extras that the purpose needs."""
    if folder == ROOT:
        return ".[server]"
    name = folder.relative_to(ROOT).as_posix()
    extras = [] if server else sorted(project(folder).get("optional-dependencies", {}))
    return f"./{name}[{','.join(extras)}]" if extras else f"./{name}"


def served() -> set[str]:
    """Return the names of our distributions that `portula[server]` installs."""
    meta = project(ROOT)
    wanted = [*meta["dependencies"], *meta["optional-dependencies"]["server"]]
    return {meta["name"], *(line.partition("==")[0].partition("[")[0] for line in wanted)}


def main() -> None:
    """Print the arguments on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("form", choices=["editable"])
    parser.add_argument("--server", action="store_true", help="only what a running provider needs")
    server = parser.parse_args().server
    chosen = [folder for folder in folders() if not server or project(folder)["name"] in served()]
    print(" ".join(f"--editable {with_extras(folder, server=server)}" for folder in chosen))


if __name__ == "__main__":
    main()
