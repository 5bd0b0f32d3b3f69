"""Run import-linter with the contracts of pyproject.toml, every "portula_*" in them replaced by the rooms there are.

import-linter wants each package by name; the house wants no room named outside its folder. So the rooms are read from
plugins/ and a configuration is written for this one run.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ANY_ROOM = "portula_*"


def rooms() -> list[str]:
    """Return the import name of every room."""
    return sorted(f"portula_{path.parent.name}" for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def expand(value: object) -> object:
    """Return `value` with each ANY_ROOM in a list replaced by the names of all rooms."""
    if isinstance(value, dict):
        return {key: expand(item) for key, item in value.items()}
    if isinstance(value, list):
        return [new for item in value for new in (rooms() if item == ANY_ROOM else [expand(item)])]
    return value


def as_toml(table: dict) -> str:
    """Return the [tool.importlinter] table as text; strings, booleans and lists of strings are all it has."""

    def lines(part: dict) -> list[str]:
        return [f"{key} = {json.dumps(value)}" for key, value in part.items() if key != "contracts"]

    text = ["[tool.importlinter]", *lines(table)]
    for contract in table["contracts"]:
        text += ["", "[[tool.importlinter.contracts]]", *lines(contract)]
    return "\n".join(text) + "\n"


def main() -> int:
    """Return the exit status of lint-imports."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        contracts = Path(folder, "contracts.toml")
        contracts.write_text(as_toml(expand(config["tool"]["importlinter"])), encoding="utf-8")
        command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", contracts]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
