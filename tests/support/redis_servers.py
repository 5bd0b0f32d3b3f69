"""The servers of Redis that the services started."""

import os
from typing import Any

import pytest


def url_of(name: str) -> str:
    """Return the address that a variable has."""
    url = os.environ.get(name)
    if url is None:
        pytest.fail(f"{name} is not set: start the services first")
    return url


def forget(client: Any, prefix: str) -> None:
    """Delete the keys of a test."""
    found = list(client.scan_iter(match=f"{{{prefix}}}*", count=1000))
    for at in range(0, len(found), 500):
        client.delete(*found[at : at + 500])
