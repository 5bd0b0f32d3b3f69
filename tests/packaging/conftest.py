"""The files that a release would upload."""

import os
from pathlib import Path

import pytest
from support.packaging import ROOT, run


@pytest.fixture(scope="session")
def dist() -> Path:
    """The folder with sdist and wheel of every distribution, built anew."""
    run("make", "dist", cwd=ROOT, env={**os.environ, "MAKEFLAGS": ""})
    return ROOT / "dist"
