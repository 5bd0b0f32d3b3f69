"""docs/authoring.md can be followed by the letter: its commands are run in one folder, from an empty one on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.venvs import build

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


def steps():
    """Yield the commands of the page, and its Python where it stands between them."""
    for language, text in BLOCK.findall(MANUAL):
        if language == "python":
            yield language, text
        else:
            yield from (("sh", line) for line in text.splitlines())


def follow(folder, environment):
    """Do what the page says; return what each command printed, in order."""
    printed, where = [], folder
    for language, step in steps():
        if language == "python":
            path = "tests/test_portula_tea.py" if "pytest" in step else "src/portula_tea/__init__.py"
            (where / path).write_text(step)
            continue
        if step.startswith("cd "):
            where /= step.removeprefix("cd ")
            continue
        done = subprocess.run(
            ["bash", "-c", step],
            capture_output=True,
            check=False,
            cwd=where,
            env=environment,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"
        printed.append((step, done.stdout))
    return printed


def check(printed):
    """What the page promises."""
    scaffold, suite = [text for step, text in printed if step == "python -m pytest"]
    assert " 2 passed" in scaffold
    (passed,) = re.findall(r" (\d+) passed", suite)
    assert int(passed) > 4, "the contract suite is more than one test"
    types = [text for step, text in printed if step == "python -m mypy"]
    assert len(types) == 2
    assert all(text.startswith("Success: no issues found") for text in types)
    printed = dict(printed)
    for step in ("portula explain CLIENT_ID_GENERATOR_CLASS", "portula explain client_id_generator"):
        assert re.search(r"^Winner +tea \(portula-tea 0\.1\.0, installed\) *$", printed[step], re.MULTILINE)
    (made,) = [text for step, text in printed.items() if "createapplication" in step]
    assert '"client_id": "tea-' in made
    assert "core.unlocked-plugin" not in printed["portula check"], "a client identifier is no secret"
    assert "portula.lock.json" in printed["portula plugins lock"]


@pytest.mark.service
def test_the_page_can_be_followed_by_the_letter(tmp_path):
    """With wheels of portula in place of PyPI's; everything else comes from the package index."""
    for folder in (
        ROOT / "core",
        ROOT / "testing",
        *(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml")),
        ROOT,
    ):
        build(folder, tmp_path / "wheels")
    environment = {
        **os.environ,
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONPATH": "",
        "COLUMNS": "200",
        "PATH": os.pathsep.join(
            [str(tmp_path / ".venv" / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        ),
    }
    check(follow(tmp_path, environment))
