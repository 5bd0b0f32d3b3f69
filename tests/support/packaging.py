"""Runs what builds and installs distributions."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **keywords: object) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=300, **keywords)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)
