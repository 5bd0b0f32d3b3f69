"""Build a wheel of every distribution into dist/, and see that each holds all files of its package.

A template, a migration or py.typed that is missing from a wheel is noticed only where it is installed; so it is looked
for here.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from dists import ROOT, folders

DIST = ROOT / "dist"


def build(folder: Path) -> Path:
    """Build the wheel of `folder` and return its path."""
    before = set(DIST.glob("*.whl"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", DIST, folder]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{folder.name}: the wheel was not built\n{done.stdout}{done.stderr}")
    (wheel,) = set(DIST.glob("*.whl")) - before
    return wheel


def missing(folder: Path, wheel: Path) -> list[str]:
    """Return the files of the package in `folder` that `wheel` lacks."""
    source = folder / "src"
    files = [path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    return sorted(name for path in files if (name := path.relative_to(source).as_posix()) not in held)


def main() -> None:
    """Build all; stop with the list of what is missing, if anything is."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    lacking = []
    for folder in folders():
        wheel = build(folder)
        lacking += [f"{wheel.name}: {name}" for name in missing(folder, wheel)]
        print(wheel.relative_to(ROOT))
    if lacking:
        sys.exit("Missing from the wheels:\n" + "\n".join(lacking))


if __name__ == "__main__":
    main()
