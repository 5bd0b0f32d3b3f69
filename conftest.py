"""What all tests share, wherever they stand."""

import os
from types import CodeType

import pytest
from flask import Flask
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache

settings.register_profile("change", max_examples=25, deadline=None)
settings.register_profile("all", max_examples=80, deadline=None)
settings.load_profile("all" if "PORTULA_TEST_ALL" in os.environ else "change")


class CompiledTemplates(BytecodeCache):
    """Templates that any app of this process has compiled, for all others: each test makes an app."""

    def __init__(self) -> None:
        """Begin with none."""
        self._code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if there is some of the same source."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._code[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of an `xdist_group` in one worker.

    pytest-xdist 3.8 writes the group into `_nodeid`, where pytest 9.2 no longer looks for the name of a test.
    """
    for item in items:
        noted = vars(item).get("_nodeid")
        if noted is not None and noted != item.nodeid:
            item._id = item.id.parse(noted)  # type: ignore[attr-defined] # noqa: SLF001 - neither has a public way
