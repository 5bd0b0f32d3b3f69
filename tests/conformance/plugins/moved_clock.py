"""The clock of the server under test: the system's, moved by the seconds that a file says."""

import os
import time
from pathlib import Path

from portula import hookimpl

FILE = Path(os.environ["CONFORMANCE_CLOCK"])


@hookimpl
def portula_clock(provider):
    """Answer the slot of the clock."""
    return lambda: time.time() + float(FILE.read_text())
