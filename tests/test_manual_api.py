"""The page of the API has every public name; autodoc leaves out what has no text."""

import inspect
import re
import sys
from pathlib import Path

import pytest

import portula
from portula import errors, plugin

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "api.md").read_text(encoding="utf-8")

sys.path.insert(0, str(DOCS / "_ext"))
import portula_api  # noqa: E402 - it stands with the manual, which is no package


@pytest.mark.parametrize("module", [portula, plugin, errors], ids=lambda module: module.__name__)
def test_every_public_name_has_a_text_or_stands_on_the_page(module):
    assert f"automodule:: {module.__name__}\n" in PAGE
    found = {name: getattr(module, name) for name in module.__all__}
    texts = {
        name
        for name, value in found.items()
        if (inspect.isclass(value) or inspect.isfunction(value)) and inspect.getdoc(value)
    }
    assert [name for name in found if name not in texts and not re.search(rf"\b{name}\b", PAGE)] == []


def test_the_inventory_is_there_so_that_nothing_is_fetched():
    lines = (DOCS / "inventories" / "python.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Sphinx inventory version 1"
    assert all(len(line.split()) == 3 for line in lines[3:])


def test_our_docstrings_become_literals_and_examples_code():
    text = portula_api.as_rst(["Say `a\nb` now.", "", "Example:", "    class A: ...", "        x = `1`"])
    assert text[0] == "Say ``a b`` now."
    assert ".. code-block:: python" in text
    assert "       x = `1`" in text
