"""Lets autodoc read our docstrings, whose markup is Markdown's, and finds public names by where they are written.

A name of `portula.plugin` is defined below `portula`, in a module that is private; an annotation names that module.
"""

# ruff: noqa: INP001 - Sphinx imports it by path
from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

import portula
from portula import errors, plugin

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
PUBLIC = {name: module.__name__ for module in (errors, plugin, portula) for name in module.__all__}
"""Where each public name is imported from; `portula` itself comes first."""


def as_rst(lines: list[str]) -> list[str]:
    """Return a docstring as reStructuredText: literals in two backticks, examples as code, stars as they are."""
    text, mark, example = "\n".join(lines).partition("\nExample:\n")
    text = CODE.sub(lambda match: f"``{' '.join(match[1].split())}``", text)
    if mark:
        code = textwrap.indent(textwrap.dedent(example).rstrip(), "   ")
        text = f"{text}\n\n.. code-block:: python\n\n{code}\n"
    return text.split("\n")


def _docstring(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = as_rst(lines)


def _exact(_app: Sphinx, doctree: nodes.document) -> None:
    """Let annotations mean the name that they write: Sphinx would take `type` for any attribute called so."""
    from sphinx.addnodes import pending_xref  # a test reads docstrings with this module and without Sphinx

    for reference in doctree.findall(pending_xref):
        if reference.get("refdomain") == "py":
            reference.attributes.pop("refspecific", None)


def _public(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Resolve a reference to a public name by its last word, if it names one of our modules or none."""
    target = str(node.get("reftarget", ""))
    name = target.rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in PUBLIC or not (target == name or "portula" in target):
        return None
    domain = env.domains["py"]
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"{PUBLIC[name]}.{name}", node, content
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Stand in front of napoleon, which reads the sections."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", _docstring, priority=400)
    app.connect("doctree-read", _exact)
    app.connect("missing-reference", _public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
