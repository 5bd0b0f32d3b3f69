"""The product of flows and calls is only counted out where it runs: each flow runs once for that."""

from failures.flows import FLOWS
from portula_testing.failures import cases

BEHIND = 2
"""Calls that come behind the same two calls in an earlier flow are left out, four of five; `--every-call` has them."""


def pytest_generate_tests(metafunc):
    """Give a test each call of each flow, or of the calls of stores alone."""
    for name, chosen in (("call", ""), ("store_call", "store.")):
        if not {"flow", name} <= set(metafunc.fixturenames):
            continue
        if "not thorough" in metafunc.config.option.markexpr:
            metafunc.parametrize(("flow", name), [])
            continue
        behind = None if metafunc.config.getoption("every_call") else BEHIND
        found = [case for case in cases(*FLOWS, behind=behind) if case.values[1].startswith(chosen)]
        metafunc.parametrize(("flow", name), found)
