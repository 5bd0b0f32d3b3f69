"""The product of flows and calls is only counted out where it runs: each flow runs once for that."""

from failures.flows import FLOWS
from portula_testing.failures import cases


def pytest_generate_tests(metafunc):
    if {"flow", "call"} <= set(metafunc.fixturenames):
        quick = "not thorough" in metafunc.config.option.markexpr
        metafunc.parametrize(("flow", "call"), [] if quick else cases(*FLOWS))
