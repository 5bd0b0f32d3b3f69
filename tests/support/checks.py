"""What `portula check` says of one room under some settings."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from portula.cli import main as cli
from support.data_folder import initialised


def findings_of(room: str, folder: Path, **settings: Any) -> tuple[dict[str, Any], int]:
    """Return what `portula check --json` finds about a room, by id, and its exit status."""
    config = folder / "config.py"
    config.write_text(f"OAUTH2_PROVIDER = {settings!r}\n")
    options = ["--data-dir", str(initialised(folder / "data")), "--config", str(config), "--no-plugins"]
    done = CliRunner().invoke(cli.main, [*options, "check", "--json"])
    rows = {row["id"]: row for row in json.loads(done.output) if row["id"].startswith(f"{room}.")}
    return rows, done.exit_code
