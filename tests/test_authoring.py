"""`portula plugin new` writes distributions that are type-checked and pass their own tests, for every hook."""

import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from portula.cli import authoring
from portula.cli import main as cli
from portula.host.declared_hooks import DeclaredHooks
from portula.host.defaults import DEFAULT_ROOMS
from portula.plugin import HookDeclarations, HookKind
from portula.web.hooks import CORE_HOOKS

ROOT = Path(__file__).resolve().parents[1]
CORE = set(DeclaredHooks(CORE_HOOKS))
ROOMS = [
    import_module(f"portula_{room}.hooks") for room in DEFAULT_ROOMS if find_spec(f"portula_{room}.hooks")
]
DECLARED = [
    value for room in ROOMS for value in vars(room).values() if value in HookDeclarations.__subclasses__()
]
HOOKS = list(DeclaredHooks([*CORE_HOOKS, *DECLARED]))
SHORT = [hook.removeprefix("portula_") for hook in HOOKS]
INI = "[pytest]\naddopts = --import-mode=importlib\nfilterwarnings = error\n"


def new(*arguments, group=cli.main, command=("plugin", "new")):
    return CliRunner().invoke(group, [*command, *map(str, arguments)])


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """One distribution for each hook, in one folder."""
    folder = tmp_path_factory.mktemp("written")
    for word in SHORT:
        authoring.write(f"portula-new-{word.replace('_', '-')}", word, folder)
    return folder


@pytest.fixture(scope="session")
def sources(written):
    return ":".join(str(path) for path in sorted(written.glob("*/src")))


@pytest.fixture(scope="session")
def checked(written, sources):
    """What mypy says of all of them, in strict mode."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        written / "portula-new-clock" / "pyproject.toml",
    ]
    found = subprocess.run(
        [*command, "--cache-dir", written / ".mypy_cache", *sorted(written.glob("*/*/**/*.py"))],
        capture_output=True,
        check=False,
        cwd=written,
        env={"PATH": "", "MYPYPATH": sources},
        text=True,
        timeout=300,
    )
    assert "source file" in found.stdout, found.stdout + found.stderr
    return found.stdout


@pytest.fixture(scope="session")
def tested(written, sources):
    """What pytest says of all of them."""
    (written / "pytest.ini").write_text(INI)
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:randomly", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [*command, written],
        capture_output=True,
        check=False,
        cwd=written,
        env={"PATH": "", "PYTHONPATH": sources},
        text=True,
        timeout=300,
    )
    assert " passed" in done.stdout, done.stdout + done.stderr
    return done.stdout


pytestmark = pytest.mark.xdist_group("authoring")


@pytest.mark.thorough
@pytest.mark.parametrize("word", SHORT)
def test_what_is_written_for_a_hook_passes_mypy_in_strict_mode(checked, word):
    about = [
        line for line in checked.splitlines() if line.startswith(f"portula-new-{word.replace('_', '-')}/")
    ]
    assert about == []


@pytest.mark.thorough
def test_mypy_looked_at_all_that_was_written(checked):
    assert checked.splitlines()[-1] == f"Success: no issues found in {2 * len(HOOKS)} source files"


def mypy_on(folder):
    """Return what mypy says of a distribution under its own settings."""
    command = [sys.executable, "-m", "mypy", "--cache-dir", folder / ".mypy_cache"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, text=True, timeout=300)
    return done.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("marked", [True, False], ids=["with override", "without it"])
def test_mypy_finds_a_misspelt_hook(tmp_path, marked):
    authoring.write("portula-tea", "scopes", tmp_path)
    source = tmp_path / "portula-tea/src/portula_tea/__init__.py"
    text = source.read_text()
    if marked:
        source.write_text(text.replace("def portula_scopes(", "def portula_scope("))
        words = 'Method "portula_scope" is marked as an override, but no base method was found'
    else:
        source.write_text(text.replace("    @override\n", ""))
        words = 'Method "portula_scopes" is not using @override'
    assert words in mypy_on(tmp_path / "portula-tea")


@pytest.mark.thorough
@pytest.mark.parametrize("word", SHORT)
def test_what_is_written_for_a_hook_passes_its_own_tests(tested, word):
    file = f"portula-new-{word.replace('_', '-')}/tests/test_portula_new_{word}.py::"
    told = [line.partition(" ")[0] for line in tested.splitlines() if f" {file}" in line]
    assert set(told) == {"PASSED"}
    least = 2 if f"portula_{word}" in CORE else 1
    assert len(told) >= least, "a plugin is tested for what it does, not only for being there"


def test_ruff_has_nothing_against_what_is_written(written):
    rules = ["E", "F", "I", "UP", "B", "SIM", "RUF", "W"]
    options = [
        "--isolated",
        "--line-length=120",
        "--config",
        'src = ["*/src"]',
        f"--select={','.join(rules)}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *options, "."],
        capture_output=True,
        check=False,
        cwd=written,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_there_is_one_text_for_each_kind():
    texts = {path.stem for path in (ROOT / "core/src/portula/cli/scaffold/kinds").glob("*.txt")}
    assert texts == {kind.value for kind in HookKind}


def test_what_is_written_is_a_distribution_with_its_entry_point(tmp_path):
    done = new("Portula.Tea_Time", "--hook", "portula_clock", "--directory", tmp_path)
    assert done.exit_code == 0, done.output
    folder = tmp_path / "portula-tea-time"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "README.md",
        "pyproject.toml",
        "src/portula_tea_time/__init__.py",
        "src/portula_tea_time/py.typed",
        "tests/test_portula_tea_time.py",
    ]
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"portula": {"tea_time": "portula_tea_time:TeaTimePlugin"}}
    assert project["dependencies"] == ["portula-core>=0.1", "typing-extensions>=4.4"]
    assert (
        "    @override\n    def portula_clock(self, provider: Provider) -> Clock | None:"
        in (folder / "src/portula_tea_time/__init__.py").read_text()
    )
    assert "`portula explain clock`" in (folder / "README.md").read_text()


def test_writing_a_plugin_makes_no_provider_and_no_data_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__NONSENSE", "1")  # a provider would not start with this
    assert new("tea", "--hook", "clock").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["tea"]


def test_what_is_written_for_a_hook_of_a_room_names_its_class_and_its_distribution(tmp_path):
    done = new("tea", "--hook", "assess_ciba", "--directory", tmp_path)
    assert done.exit_code == 0, done.output
    project = tomllib.loads((tmp_path / "tea/pyproject.toml").read_text())["project"]
    assert "portula-ciba" in project["dependencies"]
    assert "class TeaPlugin(Plugin, CibaHooks):" in (tmp_path / "tea/src/tea/__init__.py").read_text()


def test_plugins_are_written_by_flask_too(tmp_path):
    done = new("tea", "--hook", "clock", "--directory", tmp_path, group=cli.flask_group)
    assert (done.exit_code, (tmp_path / "tea").is_dir()) == (0, True)


@pytest.mark.parametrize(
    ("name", "hook", "message"),
    [
        ("-tea", "clock", "'-tea' is no name of a distribution (PEP 508)"),
        ("tea time", "clock", "'tea time' is no name of a distribution (PEP 508)"),
        ("tea/../../x", "clock", "'tea/../../x' is no name of a distribution (PEP 508)"),
        ("7tea", "clock", "'7tea' makes the import name '7tea', which Python does not read as a name"),
        ("portula-7tea", "clock", "'portula-7tea' makes the import name '7tea', which"),
        ("class", "clock", "'class' makes the import name 'class', which Python does not read as a name"),
        ("json", "clock", "a module 'json' is there already; choose another name"),
        ("Flask", "clock", "a module 'flask' is there already; choose another name"),
        ("portula-generators", "clock", "'generators' is a plugin of portula's own; choose another name"),
        ("generators", "clock", "'generators' is a plugin of portula's own; choose another name"),
        ("tea", "clok", "there is no hook 'clok'; did you mean 'clock'?; `portula hooks` lists them"),
        (
            "tea",
            "portula_validate_token_requests",
            "there is no hook 'portula_validate_token_requests'; did you mean 'portula_validate_token_request'?",
        ),
        (
            "tea",
            "token_claims",
            "there is no hook 'token_claims'; there are access_token_claims, id_token_claims; `portula hooks`",
        ),
        ("tea", "zzz", "there is no hook 'zzz'; `portula hooks` lists them"),
    ],
)
def test_a_plugin_that_cannot_be_is_not_written(tmp_path, name, hook, message):
    done = new("--hook", hook, "--directory", tmp_path, "--", name)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {message}")
    assert list(tmp_path.iterdir()) == []


def test_two_hooks_are_refused_in_place_of_one_left_out(tmp_path):
    done = new("tea", "--hook", "clock", "--hook", "scopes", "--directory", tmp_path)
    assert (done.exit_code, "one --hook at a time" in done.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_new_plugin_is_written_over_nothing(tmp_path):
    (tmp_path / "tea").mkdir()
    done = new("tea", "--hook", "clock", "--directory", tmp_path)
    assert done.output == f"Error: {tmp_path / 'tea'} is there already; choose another name or --directory\n"
    assert list((tmp_path / "tea").iterdir()) == []


def test_the_manual_has_the_commands_of_the_host():
    sys.path.insert(0, str(ROOT / "docs" / "_ext"))
    import portula_reference

    manual = portula_reference.commands_markdown()
    for command in ("plugin new", "plugins", "plugins lock", "hooks", "explain", "settings", "check"):
        assert f"\n## `portula {command}`\n" in manual
