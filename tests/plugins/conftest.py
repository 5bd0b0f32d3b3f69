"""The distributions below `dists/` as wheels, and venvs with some of them."""

from pathlib import Path

import pytest
from support.venvs import Venv, build

DISTS = Path(__file__).parent / "dists"
GOOD = ("scopes_db", "shop_ids", "kettle", "tea_time", "file_clock", "json_store", "tenant", "bad_listener")
BAD = ("other_scopes", "misspelt", "failing_import", "swallower", "broken_veto", "contradiction", "taker")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Return a function that gives the wheel of a distribution by folder."""
    into, made = tmp_path_factory.mktemp("wheels"), {}

    def get(name):
        if name not in made:
            made[name] = build(DISTS / name, into)
        return made[name]

    return get


@pytest.fixture(scope="session")
def make_venv(tmp_path_factory, wheel):
    """Return a function that makes a venv with these distributions."""
    return lambda *names: Venv(tmp_path_factory.mktemp("venv") / "venv", *map(wheel, names))


@pytest.fixture(scope="session")
def good(make_venv):
    """A venv with every plugin that does what plugins are for."""
    return make_venv(*GOOD)


@pytest.fixture(scope="session")
def bad(make_venv):
    """A venv with plugins that are refused, each for a reason of its own, and one slot that two answer."""
    return make_venv("scopes_db", *BAD)
