"""Lists public names by subject, lets autodoc read our docstrings, whose markup is Markdown's, and links names.

A name of `portula.plugin` is defined below `portula`, in a module that is private; an annotation names that module.
"""

# ruff: noqa: INP001 - Sphinx imports it by path
from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

import portula
from portula import errors, plugin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from docutils import nodes
    from docutils.parsers.rst import Directive
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
PUBLIC = {name: module.__name__ for module in (errors, plugin, portula) for name in module.__all__}
"""Where each public name is imported from; `portula` itself comes first."""

_attribute_docstrings: dict[str, list[str]] = {}


def as_rst(lines: list[str]) -> list[str]:
    """Return a docstring as reStructuredText: literals in two backticks, examples as code, stars as they are."""
    text, mark, example = "\n".join(lines).partition("\nExample:\n")
    text = CODE.sub(lambda match: f"``{' '.join(match[1].split())}``", text)
    if mark:
        code = textwrap.indent(textwrap.dedent(example).rstrip(), "   ")
        text = f"{text}\n\n.. code-block:: python\n\n{code}\n"
    return text.split("\n")


def names_of(lines: Iterable[str]) -> dict[str, str]:
    """Return the names of a `public-names` block: one a line, what has no docstring with a text behind a colon."""
    split = (line.partition(":") for line in lines if line.strip())
    return {name.strip(): text.strip() for name, _, text in split}


def public_rst(name: str, text: str) -> list[str]:
    """Return the autodoc directive of a name of `portula.plugin`: its docstring, or this text where it has none."""
    value = getattr(plugin, name)
    if inspect.isclass(value):
        return [f".. autoclass:: portula.plugin.{name}", "   :members:", ""]
    if callable(value) and not text:
        return [f".. autofunction:: portula.plugin.{name}", ""]
    return [f".. py:data:: portula.plugin.{name}", "", f"   {as_rst([text])[0]}", ""]


def _docstring(_app: Sphinx, what: str, name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = as_rst(lines)
    if what in ("attribute", "data", "property"):
        _attribute_docstrings[name] = [*lines]


def _attribute_docstring(
    _app: Sphinx, _what: str, name: str, _object: Any, _options: Any, lines: list[str]
) -> None:
    """Undo what napoleon does to an attribute: it takes the words before a colon for its type."""
    lines[:] = _attribute_docstrings.pop(name, lines)


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


def _public_names() -> type[Directive]:
    from docutils import nodes  # a test reads docstrings with this module and without Sphinx
    from docutils.statemachine import StringList
    from sphinx.util.docutils import SphinxDirective

    class PublicNames(SphinxDirective):
        """`{public-names}`: the names of `portula.plugin` in its block, in that order."""

        has_content = True

        def run(self) -> list[nodes.Node]:
            """Return what autodoc makes of them."""
            lines = [line for name, text in names_of(self.content).items() for line in public_rst(name, text)]
            block = nodes.container()
            self.state.nested_parse(StringList(lines, source="public-names"), self.content_offset, block)
            return block.children

    return PublicNames


def setup(app: Sphinx) -> dict[str, bool]:
    """Stand in front of napoleon, which reads the sections."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("public-names", _public_names())
    app.connect("autodoc-process-docstring", _docstring, priority=400)
    app.connect("autodoc-process-docstring", _attribute_docstring, priority=600)
    app.connect("doctree-read", _exact)
    app.connect("missing-reference", _public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
