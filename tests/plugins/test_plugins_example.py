"""examples/third_party_plugin is small, and its README can be followed by the letter."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-refused")]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "third_party_plugin"


@pytest.fixture(scope="module")
def typed(make_venv, tmp_path_factory):
    """What each command of the README prints, in order; nothing is fetched while it is followed."""
    venv, folder = make_venv(), tmp_path_factory.mktemp("example") / "third_party_plugin"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "portula-data", "*.json"))
    commands = "".join(re.findall(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.DOTALL))
    options = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_DEPS": "1"}
    printed = []
    for command in commands.splitlines():
        done = subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            check=False,
            cwd=folder,
            env=venv.environment(PIP_DISABLE_PIP_VERSION_CHECK="1", **options),
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        printed.append((command, done.stdout))
    return printed, folder


def explained(typed):
    """Return who won each time the README asks."""
    return [
        re.search(r"^Winner +(\w+) ", text, re.MULTILINE)[1]
        for command, text in typed[0]
        if "explain" in command
    ]


def test_the_example_has_fewer_than_40_lines():
    files = [path for path in EXAMPLE.iterdir() if path.suffix in {".py", ".toml"}]
    assert {path.name for path in files} == {"pyproject.toml", "shop_client_ids.py"}
    assert sum(len(path.read_text().splitlines()) for path in files) < 40


def test_the_example_changes_one_behaviour_while_it_is_installed(typed):
    assert explained(typed) == ["generators", "shop_client_ids", "generators"]
    (made,) = [text for command, text in typed[0] if "createapplication" in command]
    assert json.loads(made)["client_id"].startswith("shop-")


def test_the_example_is_locked_with_its_hook(typed):
    lines = json.loads((typed[1] / "portula.lock.json").read_text())["plugins"]
    (line,) = [line for line in lines if line["name"] == "shop_client_ids"]
    assert (line["distribution"], line["hooks"]) == ("shop-client-ids", ["portula_client_id_generator"])
