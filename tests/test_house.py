"""The rules of the house hold here, and each of them would notice a house that breaks it."""

from pathlib import Path

import pytest
from house import floors, migrations, names, shape, sizes, walls, words

pytestmark = [pytest.mark.house, pytest.mark.xdist_group("house")]

ROOT = Path(__file__).resolve().parents[1]

RULES = [
    sizes.modules_are_short,
    sizes.functions_are_short,
    sizes.doors_are_small,
    sizes.oldest_python_reads_all,
    shape.rooms_have_one_shape,
    shape.versions_are_in_lock_step,
    shape.shared_parts_are_alike,
    shape.package_pages_stand_alone,
    shape.constraints_hold_versions_only,
    shape.no_second_lock_file,
    walls.rooms_do_not_import_rooms,
    walls.core_imports_no_room,
    walls.rooms_are_not_named_outside,
    walls.core_has_no_database_and_no_jose,
    walls.random_is_not_imported,
    walls.templates_run_no_script,
    floors.core_imports_go_down,
    floors.core_imports_in_no_circle,
    floors.rooms_import_public_names,
    migrations.migrations_let_writers_through,
    names.names_say_what_they_are,
    words.words_of_rooms_stay_in_them,
]

MANIFEST = """
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.11"
license = "BSD-3-Clause"
readme = "README.md"
dependencies = [{needs}]
[project.urls]
Source = "https://house.example/source"
"""
VERSION = '__version__ = "1.0"\n'
ENTRY = '[project.entry-points.portula]\n{room} = "portula_{room}"\n'
DOOR = '"""What it does.\n\nWhich RFC.\nWhat it must never do."""\n' + VERSION
SCOPES = "plugins/scopes_settings"
CONSENT = "plugins/consent"
DOOR_OF_CONSENT = f"{CONSENT}/src/portula_consent/__init__.py"
CORE = "core/src/portula"
MIGRATION = "plugins/consent/src/portula_consent/migrations/versions/0002_more.py"
LONG_FUNCTION = "def long() -> None:\n" + "    print()\n" * 50

#: (the rule, the file that breaks it, what is written at its end; None removes the file)
BREACHES = [
    (sizes.modules_are_short, f"{CORE}/long.py", "#\n" * 401),
    (sizes.modules_are_short, "tests/test_long.py", "#\n" * 401),
    (sizes.functions_are_short, f"{CORE}/long.py", LONG_FUNCTION),
    (sizes.functions_are_short, f"{CORE}/long.py", "async " + LONG_FUNCTION),
    (names.names_say_what_they_are, f"{CORE}/web/shown.py", ""),
    (names.names_say_what_they_are, f"{CORE}/long.py", "class Kept: ...\n"),
    (names.names_say_what_they_are, DOOR_OF_CONSENT, "def f():\n    def _asked() -> None: ...\n"),
    (sizes.doors_are_small, DOOR_OF_CONSENT, "#\n" * 80),
    (sizes.oldest_python_reads_all, f"{CORE}/new.py", "type Name = str\n"),
    (sizes.oldest_python_reads_all, f"{CORE}/new.py", "def first[T](items: list[T]) -> T: ...\n"),
    (shape.rooms_have_one_shape, f"{CONSENT}/README.md", None),
    (shape.rooms_have_one_shape, f"{CONSENT}/pyproject.toml", None),
    (shape.rooms_have_one_shape, f"{CONSENT}/src/portula_consent/py.typed", None),
    (shape.rooms_have_one_shape, DOOR_OF_CONSENT, None),
    (shape.rooms_have_one_shape, "docs/rooms/consent.md", None),
    (shape.rooms_have_one_shape, "plugins/bare/README.md", "A folder and nothing more.\n"),
    (shape.rooms_have_one_shape, f"{CONSENT}/pyproject.toml", 'second = "portula_consent.second"\n'),
    (shape.shared_parts_are_alike, f"{CONSENT}/LICENSE", None),
    (shape.shared_parts_are_alike, "core/LICENSE", "And more.\n"),
    (shape.package_pages_stand_alone, "README.md", "See [the manual](docs/index.md).\n"),
    (shape.package_pages_stand_alone, f"{CONSENT}/README.md", "[manual]: ../../docs/index.md\n"),
    (shape.package_pages_stand_alone, "core/README.md", '<img src="docs/logo.png">\n'),
    (shape.package_pages_stand_alone, "testing/README.md", None),
    (shape.constraints_hold_versions_only, "constraints.txt", "name @ file:///somewhere\n"),
    (shape.constraints_hold_versions_only, "constraints.txt", "name>=1\n"),
    (shape.no_second_lock_file, "uv.lock", ""),
    (walls.rooms_do_not_import_rooms, DOOR_OF_CONSENT, "import portula_scopes_settings.settings\n"),
    (
        walls.rooms_do_not_import_rooms,
        DOOR_OF_CONSENT,
        "def f():\n    from portula_scopes_settings import a\n",
    ),
    (walls.core_imports_no_room, f"{CORE}/web/provider.py", "from portula_consent import door\n"),
    (walls.rooms_are_not_named_outside, f"{CORE}/web/provider.py", 'NAME = "portula_scopes_settings"\n'),
    (walls.rooms_are_not_named_outside, f"{CORE}/web/provider.py", 'NAME = "scopes_settings"\n'),
    (walls.rooms_are_not_named_outside, f"{CORE}/web/provider.py", 'FIX = "pip install portula-consent"\n'),
    (
        walls.rooms_are_not_named_outside,
        f"{CORE}/web/templates/a.html",
        "{% extends 'portula_scopes_settings/a' %}",
    ),
    (walls.rooms_are_not_named_outside, f"{CONSENT}/pyproject.toml", 'a = "portula-scopes-settings"\n'),
    (walls.core_has_no_database_and_no_jose, f"{CORE}/web/provider.py", "# sqlalchemy would do it\n"),
    (walls.core_has_no_database_and_no_jose, f"{CORE}/web/provider.py", "import jwcrypto\n"),
    (walls.random_is_not_imported, f"{CORE}/web/provider.py", "import random\n"),
    (
        words.words_of_rooms_stay_in_them,
        f"{CONSENT}/pyproject.toml",
        '[tool.portula]\nvocabulary = ["secret*"]\n',
    ),
    (walls.random_is_not_imported, DOOR_OF_CONSENT, "from random import choice\n"),
    (walls.templates_run_no_script, f"{CORE}/web/templates/a.html", '<SCRIPT type="module">run()</SCRIPT>'),
    (walls.templates_run_no_script, f"{CORE}/web/templates/a.html", '<p class="a" style="color: red">'),
    (walls.templates_run_no_script, f"{CORE}/web/templates/a.html", '<button\n  onclick = "run()">'),
    (walls.templates_run_no_script, f"{CORE}/web/templates/a.html", '<a href="javascript:run()">'),
    (
        floors.core_imports_go_down,
        f"{CORE}/model/keys.py",
        "import portula.web.pages\n",
    ),
    (floors.core_imports_in_no_circle, f"{CORE}/web/provider.py", "import portula.web.provider\n"),
    (floors.rooms_import_public_names, DOOR_OF_CONSENT, "from portula.model.records import Grant\n"),
    (
        migrations.migrations_let_writers_through,
        MIGRATION,
        'def upgrade():\n    op.create_index("ix", "t", ["c"])\n',
    ),
    (
        migrations.migrations_let_writers_through,
        MIGRATION,
        'def upgrade():\n    op.execute("UPDATE t SET c = 1")\n',
    ),
]


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house of core and two rooms in which every rule holds."""
    write(tmp_path, "pyproject.toml", MANIFEST.format(name="portula", needs='"portula-core==1.0"'))
    write(tmp_path, "constraints.txt", "Flask==3.1.3\nfuro==2025.12.19\n")
    write(tmp_path, "core/pyproject.toml", MANIFEST.format(name="portula-core", needs='"Flask>=3.0"'))
    write(
        tmp_path,
        "testing/pyproject.toml",
        MANIFEST.format(name="portula-testing", needs='"portula-core==1.0"'),
    )
    write(tmp_path, f"{CORE}/__init__.py", VERSION)
    for folder in (".", "core", "testing", "plugins/scopes_settings", "plugins/consent"):
        write(tmp_path, f"{folder}/LICENSE", "Do as you like.\n")
    for folder in (".", "core", "testing"):
        write(tmp_path, f"{folder}/README.md", "See [the manual](https://house.example/docs).\n")
    write(tmp_path, f"{CORE}/host/defaults.py", 'DEFAULTS = ("scopes_settings", "portula-consent")\n')
    write(tmp_path, f"{CORE}/flow/service_hooks.py", "def portula_consent() -> None: ...\n")
    write(
        tmp_path, f"{CORE}/web/provider.py", '"""The hook portula_consent is asked here."""\nimport secrets\n'
    )
    page = '{# <script> #}<script src="a.js"></script><p {% if on == "x" %}class="{{ style }}"{% endif %}>on = x</p>'
    write(tmp_path, f"{CORE}/web/templates/a.html", page)
    for room in ("scopes_settings", "consent"):
        folder, name = f"plugins/{room}", "portula-" + room.replace("_", "-")
        manifest = MANIFEST.format(name=name, needs='"portula-core==1.0"') + ENTRY.format(room=room)
        write(tmp_path, f"{folder}/pyproject.toml", manifest)
        write(tmp_path, f"{folder}/README.md", "Of the room.\n")
        write(tmp_path, f"{folder}/src/portula_{room}/py.typed", "")
        write(tmp_path, f"{folder}/src/portula_{room}/__init__.py", DOOR + "import portula.plugin\n")
        write(tmp_path, f"{folder}/tests/test_room.py", "import portula_consent, portula_scopes_settings\n")
        write(tmp_path, f"docs/rooms/{room}.md", "Of the room.\n")
    write(tmp_path, MIGRATION, 'def more() -> None:\n    op.add_column("t", "c")\n')
    return tmp_path


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds_in_this_repository(rule):
    problems = rule(ROOT)
    assert not problems, "\n".join([rule.__doc__, *problems])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds_in_a_house_in_order(rule, house):
    assert rule(house) == []


@pytest.mark.parametrize(("rule", "name", "text"), BREACHES)
def test_the_rule_notices_a_breach(rule, name, text, house):
    if text is None:
        (house / name).unlink()
    else:
        write(house, name, text)
    assert rule(house)


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        (shape.rooms_have_one_shape, 'name = "portula-consent"', 'name = "consent"'),
        (shape.rooms_have_one_shape, 'consent = "portula_consent"', 'agreement = "portula_consent"'),
        (shape.rooms_have_one_shape, "entry-points.portula", "entry-points.other"),
        (shape.versions_are_in_lock_step, 'version = "1.0"', 'version = "1.1"'),
        (shape.versions_are_in_lock_step, "core==1.0", "core>=1.0"),
        (shape.versions_are_in_lock_step, ">=3.11", ">=3.12"),
        (shape.versions_are_in_lock_step, "BSD-3-Clause", "MIT"),
        (shape.shared_parts_are_alike, "house.example/source", "house.example/other"),
        (shape.shared_parts_are_alike, "[project.urls]", "[project.other]"),
    ],
)
def test_the_rule_notices_another_manifest(rule, old, new, house):
    manifest = house / CONSENT / "pyproject.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new), encoding="utf-8")
    assert rule(house)


def test_the_rule_notices_a_package_of_another_version(house):
    for text in (DOOR.replace("1.0", "1.1"), DOOR.replace(VERSION, "")):
        (house / DOOR_OF_CONSENT).write_text(text, encoding="utf-8")
        assert shape.versions_are_in_lock_step(house)


def test_a_door_says_what_it_does(house):
    (house / DOOR_OF_CONSENT).write_text('"""Consent."""\n', encoding="utf-8")
    assert shape.rooms_have_one_shape(house)


def test_every_rule_is_shown_to_fail():
    shown = {breach[0] for breach in BREACHES} | {shape.versions_are_in_lock_step}
    assert shown == set(RULES)
