"""Runs a command while nobody else does in this folder: `locked.py COMMAND…`; who comes second waits."""

import fcntl
import subprocess
import sys
from pathlib import Path

LOCK = Path(".venv.lock")


def main() -> int:
    """Run the command, and return how it ends."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting until another make has installed …", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.call(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
