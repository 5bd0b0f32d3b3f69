"""The examples of docs/testing.md are tests, and pass as they stand there."""

import re
from pathlib import Path

import pytest
from support.processes import pytest_on

from portula_testing import contracts

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))


def test_every_example_is_a_file():
    assert len(FILES) == PAGE.count("```python") >= 7


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("test_")])
def test_an_example_passes(name, tmp_path):
    for helper in ("notes.py", "conftest.py", name):
        (tmp_path / helper).write_text(FILES[helper], encoding="utf-8")
    done = pytest_on(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manual_names_every_contract_and_fixture():
    from portula_testing import pytest_plugin

    fixtures = [
        name
        for name, value in vars(pytest_plugin).items()
        if type(value).__name__ == "FixtureFunctionDefinition"
    ]
    assert len(fixtures) >= 9
    named = [*fixtures, *(name for name in contracts.__all__ if name != "GeneratorContract")]
    assert [name for name in named if f"`{name}`" not in PAGE] == []
