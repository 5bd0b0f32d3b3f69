"""A data folder as `portula init` makes it, copied from one that a test process makes once."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from click.testing import CliRunner

from portula.cli import main as cli


@cache
def _made() -> Path:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    made = Path(folder) / "data"
    CliRunner().invoke(cli.main, ["--data-dir", str(made), "--no-plugins", "init"], catch_exceptions=False)
    return made


def initialised(folder: Path) -> Path:
    """Make this data folder unless it is there, and return it."""
    if not folder.exists():
        shutil.copytree(_made(), folder)
    return folder
