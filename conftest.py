"""What all tests share, wherever they stand."""

import os

import pytest
from hypothesis import settings

settings.register_profile("change", max_examples=25, deadline=None)
settings.register_profile("all", max_examples=150, deadline=None)
settings.load_profile("all" if "PORTULA_TEST_ALL" in os.environ else "change")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of an `xdist_group` in one worker.

    pytest-xdist 3.8 writes the group into `_nodeid`, where pytest 9.2 no longer looks for the name of a test.
    """
    for item in items:
        noted = vars(item).get("_nodeid")
        if noted is not None and noted != item.nodeid:
            item._id = item.id.parse(noted)  # type: ignore[attr-defined] # noqa: SLF001 - neither has a public way
