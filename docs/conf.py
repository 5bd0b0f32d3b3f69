"""How Sphinx builds the manual: Markdown pages, the version from the root manifest, nothing fetched."""

import sys
import tomllib
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).parent / "_ext")
)  # portula_reference writes reference pages from the code

_manifest = Path(__file__).parents[1] / "pyproject.toml"
_project = tomllib.loads(_manifest.read_text(encoding="utf-8"))["project"]

project = "portula"
author = "The portula authors"
project_copyright = "2026, The portula authors"
release = version = _project["version"]

extensions = [
    "myst_parser",
    "portula_reference",
    "portula_api",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_ext"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # an annotation may name a private class; what is public is linked

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# The inventory is ours, of the names that we use: nothing is fetched.
intersphinx_mapping = {"python": ("https://docs.python.org/3", "inventories/python.txt")}

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"portula {release}"
