"""A server of their own for relying parties of others: they look at the real clock, so no test moves its."""

from collections.abc import Callable

import pytest
from conformance.suite.lab import Lab


@pytest.fixture(scope="session")
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """The server, with nobody signed in."""
    return make_lab()
