"""Prints the newest CPython of this machine with all that the tests need of it: one on PATH, or one of pyenv's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

QUESTION = """
import ensurepip, sqlite3, ssl, sys, venv
if sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final":
    print(*sys.version_info[:3])
"""


def interpreters() -> Iterator[Path]:
    """Yield the programs that may be one; some do not run, such as the shims of pyenv for what is not chosen."""
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        yield from Path(folder).glob("python3.[0-9][0-9]")
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from root.glob("versions/3.*/bin/python3")


def version_of(program: Path) -> tuple[int, ...]:
    """Return the version of an interpreter; () for one that does not run, lacks a module, or is a preview."""
    done = subprocess.run([program, "-c", QUESTION], capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split()))


print(max(interpreters(), key=version_of))
