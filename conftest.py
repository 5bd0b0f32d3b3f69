"""What all tests share, wherever they stand."""

import gc
import os
from collections.abc import Callable, Iterator
from types import CodeType

import pytest
from flask import Flask
from hypothesis import settings
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

settings.register_profile("change", max_examples=10, deadline=None)
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


def _builders_are_shared() -> None:
    """Compile the function that builds URLs of a rule once for all apps of this process, a third of an app's start.

    werkzeug 3.1 compiles it for each rule of each app, and offers no public way to keep it.
    """
    compile_builder = Rule._compile_builder  # noqa: SLF001
    known: dict[tuple[object, ...], Callable[..., object]] = {}

    def shared(self: Rule, append_unknown: bool = True) -> Callable[..., object]:
        matching = self.map is not None and self.map.host_matching
        key = (self.rule, self.subdomain, self.host, matching, repr(self.defaults), append_unknown)
        if key not in known:
            known[key] = compile_builder(self, append_unknown)
        return known[key]

    Rule._compile_builder = shared  # type: ignore[method-assign,assignment] # noqa: SLF001


_builders_are_shared()
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--rows` and `--every-call`."""
    parser.addoption(
        "--rows", type=int, default=None, metavar="N", help="of each parametrized test run at most N rows"
    )
    parser.addoption(
        "--every-call", action="store_true", help="let every call of every flow fail, those alike too: hours"
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say at the beginning of a run what it leaves out."""
    rows = config.getoption("rows")
    return (
        [f"at most {rows} rows of each parametrized test; `make test ALL=1` runs every row"] if rows else []
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave some rows of each table, with `--rows`, and keep the tests of an `xdist_group` in one worker.

    pytest-xdist 3.8 writes the group into `_nodeid`, where pytest 9.2 no longer looks for the name of a test.
    """
    most = config.getoption("rows")
    if most:
        chosen = set(_some_rows(items, most))
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = [item for item in items if item in chosen]
    for item in items:
        noted = vars(item).get("_nodeid")
        if noted is not None and noted != item.nodeid:
            item._id = item.id.parse(noted)  # type: ignore[attr-defined] # noqa: SLF001 - neither has a public way


def _some_rows(items: list[pytest.Item], most: int) -> Iterator[pytest.Item]:
    """Yield at most so many rows of each parametrized test, the same each time: spread evenly over their names."""
    tables: dict[str, list[pytest.Item]] = {}
    for item in sorted(items, key=lambda item: item.nodeid):
        tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for rows in tables.values():
        number = min(most, len(rows))
        yield from (rows[place * (len(rows) - 1) // max(number - 1, 1)] for place in range(number))


def pytest_collection_finish() -> None:
    """Leave what is imported and collected out of every later garbage collection, and collect less often.

    Each test makes an app of many thousand objects; collecting them at the interpreter's pace is a sixth of the time
    that all tests take.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
