"""Build sdist and wheel of every distribution into dist/, and see that each wheel holds all files of its package.

Each wheel is built from its sdist, so that what lacks in the sdist lacks in the wheel. A template, a migration or
py.typed that is missing is noticed only where the wheel is installed; so it is looked for here.
"""

import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from dists import ROOT, folders
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

DIST = ROOT / "dist"


def build(folder: Path) -> tuple[Path, Path]:
    """Build the sdist of `folder`, and the wheel from what it holds, and return the paths of both."""
    (sdist,) = SdistBuilder(str(folder)).build(directory=str(DIST), versions=["standard"])
    with tempfile.TemporaryDirectory() as unpacked, tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
        (source,) = Path(unpacked).iterdir()
        (wheel,) = WheelBuilder(str(source)).build(directory=str(DIST), versions=["standard"])
    return Path(sdist), Path(wheel)


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
        sdist, wheel = build(folder)
        lacking += [f"{wheel.name}: {name}" for name in missing(folder, wheel)]
        print(sdist.relative_to(ROOT), wheel.relative_to(ROOT), sep="\n")
    if lacking:
        sys.exit("Missing from the wheels:\n" + "\n".join(lacking))


if __name__ == "__main__":
    main()
