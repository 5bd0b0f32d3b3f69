"""Write into every distribution what all of them share: `shared_parts.py [--version X.Y.Z]`.

LICENSE and the table [project.urls] stand in the root folder and are copied from there. With --version, the version is
written into every manifest, into what our distributions ask of each other, and into every `__version__`.
"""

import argparse
import re
from pathlib import Path

from dists import ROOT, folders

URLS = re.compile(r"^\[project\.urls\]\n(?:[^\[\n].*\n)*", re.MULTILINE)
OURS = re.compile(r'("portula(?:-[a-z0-9-]+)?(?:\[[a-z,]+\])?==)[^"]+"')


def with_urls(text: str, urls: str) -> str:
    """Return a manifest with this table of addresses, before the first table of hatchling when it had none."""
    if URLS.search(text):
        return URLS.sub(lambda _: urls, text)
    return text.replace("[tool.hatch", f"{urls}\n[tool.hatch", 1)


def with_version(text: str, version: str) -> str:
    """Return a manifest of this version, which asks for this version of our other distributions."""
    text = re.sub(r'^version = ".*"$', f'version = "{version}"', text, count=1, flags=re.MULTILINE)
    return OURS.sub(rf'\g<1>{version}"', text)


def packages() -> list[Path]:
    """Return the `__init__.py` of every package that is distributed."""
    return [path for folder in folders() for path in sorted((folder / "src").glob("*/__init__.py"))]


def main() -> None:
    """Copy, and set the version if one is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", help="of all distributions from now on")
    version = parser.parse_args().version
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    found = URLS.search((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        parser.error("the root manifest has no table [project.urls]")
    for folder in folders():
        (folder / "LICENSE").write_text(licence, encoding="utf-8")
        manifest = folder / "pyproject.toml"
        text = with_urls(manifest.read_text(encoding="utf-8"), found[0])
        manifest.write_text(with_version(text, version) if version else text, encoding="utf-8")
    for package in packages() if version else []:
        text = package.read_text(encoding="utf-8")
        line = f'__version__ = "{version}"'
        package.write_text(re.sub(r"^__version__ = .*$", line, text, flags=re.MULTILINE), encoding="utf-8")


if __name__ == "__main__":
    main()
