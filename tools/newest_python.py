"""Prints the newest Python of this machine, of those that the manifest names, with all that the tests need of it."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

QUESTION = """
import ensurepip, sqlite3, ssl, sys, venv
if sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final":
    print(*sys.version_info[:3])
"""


def named_versions() -> set[tuple[int, ...]]:
    """Return the versions that the classifiers name, such as (3, 13)."""
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    last = [classifier.split(" :: ")[-1] for classifier in tomllib.loads(text)["project"]["classifiers"]]
    return {tuple(map(int, version.split("."))) for version in last if version.startswith("3.")}


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


versions = {program: version_of(program) for program in interpreters()}
named = named_versions()
print(max(versions, key=lambda program: (versions[program][:2] in named, versions[program])))
