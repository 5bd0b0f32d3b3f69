"""The pages of the API have every public name; autodoc leaves out what has no text."""

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


@pytest.mark.parametrize("module", [portula, errors], ids=lambda module: module.__name__)
def test_every_public_name_has_a_text_or_stands_on_the_page(module):
    assert f"automodule:: {module.__name__}\n" in PAGE
    found = {name: getattr(module, name) for name in module.__all__}
    assert [name for name in found if not _text_of(found[name]) and not re.search(rf"\b{name}\b", PAGE)] == []


def test_every_name_of_plugins_stands_once_on_a_page_of_its_subject():
    pages = [path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.md")]
    blocks = [
        block
        for page in pages
        for block in re.findall(r"^\.\. public-names::\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ]
    listed = [item for block in blocks for item in portula_api.names_of(block.splitlines()).items()]
    assert sorted(name for name, _ in listed) == sorted(set(plugin.__all__) - set(portula.__all__))
    assert [name for name, text in listed if not text and not _text_of(getattr(plugin, name))] == []


def _text_of(value):
    """Return the docstring that autodoc shows; an alias of a type has that of its type alone."""
    return inspect.getdoc(value) if inspect.isclass(value) or inspect.isroutine(value) else None


def test_the_inventory_is_there_so_that_nothing_is_fetched():
    lines = (DOCS / "inventories" / "python.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# Sphinx inventory version 1"
    assert all(len(line.split()) == 3 for line in lines[3:])


def test_our_docstrings_become_literals_and_examples_code():
    text = portula_api.as_rst(["Say `a\nb` now.", "", "Example:", "    class A: ...", "        x = `1`"])
    assert text[0] == "Say ``a b`` now."
    assert ".. code-block:: python" in text
    assert "       x = `1`" in text
