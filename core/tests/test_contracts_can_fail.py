"""No contract is a formality: every test of every contract fails for something that breaks its promise."""

import importlib.util
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.xdist_group("broken"),  # so that one worker runs what is broken, once
]

HERE = Path(__file__).parent
FILES = [
    HERE / f"broken_{name}.py"
    for name in ("fetchers", "jose", "pages", "plans", "realms", "sessions", "values")
]
HOUSE = HERE.parents[1] / "pyproject.toml"


def cases_of(path):
    """Return the classes of tests in a file of broken things, by name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {case.__name__: case for case in module.CASES}


def chosen(path, name, case):
    """Return the tests of a case that have to fail; all of a case that breaks nothing, since all have to pass."""
    if not case.breaks:
        return [f"{path}::{name}"]
    tests = [test for test in dir(case) if test.startswith("test_")]
    return [f"{path}::{name}::{test}" for test in tests if any(part in test for part in case.breaks)]


CASES = {path: cases_of(path) for path in FILES}
BY_NAME = {name: case for cases in CASES.values() for name, case in cases.items()}
SUITES = {case.__mro__[1].__name__: case.__mro__[1] for case in BY_NAME.values()}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run what is broken in a process of its own; return the sets of tests that failed and of tests that erred."""
    report = tmp_path_factory.mktemp("broken") / "report.xml"
    options = ("-c", str(HOUSE), f"--junitxml={report}", "-p", "no:randomly", "-p", "no:cacheprovider", "-q")
    tests = [
        test
        for path, cases in CASES.items()
        for name, case in cases.items()
        for test in chosen(path, name, case)
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    found = {"failure": set(), "error": set()}
    for test in ET.parse(report).iter("testcase"):
        case = test.get("classname").rpartition(".")[2]
        for kind, tests in found.items():
            if test.find(kind) is not None:
                tests.add((case, test.get("name").partition("[")[0]))
    return found["failure"], found["error"]


def failed_in(outcomes, case):
    return sorted(test for name, test in outcomes[0] if name == case)


def test_nothing_goes_wrong_but_tests(outcomes):
    assert outcomes[1] == set()


@pytest.mark.parametrize("name", [name for name, case in BY_NAME.items() if case.breaks])
def test_what_breaks_a_promise_fails_the_test_of_it(outcomes, name):
    failed = failed_in(outcomes, name)
    missed = [part for part in BY_NAME[name].breaks if not any(part in test for test in failed)]
    assert missed == [], failed


@pytest.mark.parametrize("name", [name for name, case in BY_NAME.items() if not case.breaks])
def test_what_breaks_none_passes(outcomes, name):
    assert failed_in(outcomes, name) == []


@pytest.mark.parametrize("suite", SUITES)
def test_every_test_of_a_contract_has_failed_once(outcomes, suite):
    for part in SUITES[suite].__mro__[:-1]:
        tests = {name for name in vars(part) if name.startswith("test_")}
        failed = {test for name, test in outcomes[0] if issubclass(BY_NAME[name], part)}
        assert tests - failed == set()


def test_every_contract_is_here():
    from portula_testing import contracts

    ours = set(contracts.__all__) - {"GeneratorContract", "StorageContract", "WalkContract"}
    assert set(SUITES) == ours


def test_a_contract_without_its_fixture_does_not_pass(tmp_path):
    """Whoever forgets to override it hears of it."""
    names = ", ".join(SUITES)
    classes = "\n\n".join(f"class Test{name}({name}):\n    pass" for name in SUITES)
    (tmp_path / "test_bare.py").write_text(f"from portula_testing.contracts import {names}\n\n\n{classes}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "-q", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert "NotImplementedError" in done.stdout
    assert " passed" not in done.stdout.splitlines()[-1], done.stdout
