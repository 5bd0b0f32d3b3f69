"""Running other Pythons: pytest on a folder, and several processes that begin at one moment."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def pytest_on(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a folder in a process of its own, every warning an error."""
    given = ("-q", "-W", "error", "-p", "no:cacheprovider", *options)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *given, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def released_together(runs: Sequence[subprocess.Popen[str]], timeout: int = 120) -> list[tuple[str, str]]:
    """Wait until each process says `ready`, let all of them go on, and return what each printed to its two streams."""
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    return [run.communicate(timeout=timeout) for run in runs]
