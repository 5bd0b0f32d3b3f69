"""Stop with a sentence a person can act on when Python is too old; runs under any Python 3."""

import sys

NEEDED = (3, 11)

if sys.version_info[:2] < NEEDED:
    sys.exit(
        "portula needs Python %d.%d or newer, and %s is %d.%d. Name another: make PYTHON=python3.12 …"  # noqa: UP031 - older Pythons have no f-string
        % (*NEEDED, sys.executable, *sys.version_info[:2])
    )
