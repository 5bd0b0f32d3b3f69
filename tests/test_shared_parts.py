"""A new version is written into all manifests, and into all that our distributions ask of each other."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

sys.path.insert(0, str(ROOT / "tools"))
import dists  # noqa: E402 - tools are scripts, and no package
import shared_parts  # noqa: E402


def test_no_manifest_keeps_an_older_version_of_ours():
    for folder in dists.folders():
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        new = shared_parts.with_version(text, "98.7.6")
        assert 'version = "98.7.6"' in new
        assert [
            line for line in new.splitlines() if '"portula' in line and "==" in line and "98.7.6" not in line
        ] == []


def test_addresses_are_replaced_or_added():
    urls = '[project.urls]\nSource = "https://code.example/portula"\n'
    bare = '[project]\nname = "portula-tea"\n\n[tool.hatch.build.targets.wheel]\n'
    once = shared_parts.with_urls(bare, urls)
    assert urls in once
    assert shared_parts.with_urls(once.replace("code.example", "old.example"), urls) == once
