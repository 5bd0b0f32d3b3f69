"""`portula import-dot`: what it reads, what it says, and what it writes."""

import json
import stat
import sys

import pytest
from click.testing import CliRunner
from flask import Flask

from portula import Plugin, Provider
from portula_testing.provider import make_provider

ROOMS = ("import_dot", "oauth2", "generators", "scopes_settings", "consent", "resource_server")


@pytest.fixture(scope="module")
def provider():
    return make_provider(*ROOMS)


@pytest.fixture
def run(provider, tmp_path):
    def run_command(text, *options, on=provider):
        path = tmp_path / "settings.py"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        (command,) = [
            found for found in on.hooks.collect(Plugin.portula_commands) if found.name == "import-dot"
        ]
        with on.app.app_context():
            return CliRunner().invoke(command, [str(path), *options])

    return run_command


@pytest.fixture
def judged(run):
    """Return the function that reads a text and returns its verdicts by name."""

    def judge(text, *options, **keywords):
        done = run(text, "--json", *options, **keywords)
        assert done.exit_code == 0, done.output
        return {one["name"]: one for one in json.loads(done.stdout)["settings"]}

    return judge


@pytest.fixture
def became(judged):
    """Return the function that reads the one setting of a dictionary and returns its outcome and value."""

    def judge(entry, before="", **keywords):
        (one,) = judged(f"{before}\nOAUTH2_PROVIDER = {{{entry}}}\n", **keywords).values()
        return one["outcome"], one["value"]

    return judge


# --- Reading ---


@pytest.mark.parametrize(
    ("before", "expression", "value"),
    [
        ("", "3600", "3600"),
        ("", "60 * 60 - 1", "3599"),
        ("HOUR = 3600", "2 * HOUR", "7200"),
        ("HOUR: int = 3600", "HOUR", "3600"),
        ("from datetime import timedelta", "timedelta(hours=1)", "3600"),
        ("import datetime\nDAYS = 2", "datetime.timedelta(DAYS)", "172800"),
        ("from datetime import timedelta", "2 * timedelta(minutes=1)", "120"),
    ],
)
def test_what_is_written_out_is_read(became, before, expression, value):
    assert became(f'"ACCESS_TOKEN_EXPIRE_SECONDS": {expression}', before) == ("kept", value)


def test_marked_translations_and_names_within_a_value_are_read(became):
    entry = '"SCOPES": {"read": _("Reading"), OTHER: gettext_lazy("Wri" + "ting")}'
    assert became(entry, 'OTHER = "write"') == ("kept", "{'read': 'Reading', 'write': 'Writing'}")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("os.environ['SECONDS']", "os.environ[…]"),
        ("int(os.environ.get('SECONDS', 'hush'))", "int(…)"),
        ("lambda request: 60", "a lambda"),
        ("UNHEARD_OF", "UNHEARD_OF"),
        ("60 if DEBUG else 600", "an expression (IfExp)"),
        ("[n for n in (1, 2)]", "an expression (ListComp)"),
        ("9 ** 9 ** 9", "an expression (BinOp)"),
        ("'a' * 10 ** 9", "an expression (BinOp)"),
        ("timedelta(days=99999999999)", "timedelta(…)"),
        ("open('/etc/passwd').read()", "open(…).read(…)"),
        ("f'{hush}'", "an expression (JoinedStr)"),
    ],
)
def test_any_other_expression_is_told_by_its_line_and_not_run(judged, expression, told):
    one = judged(f'\n\nOAUTH2_PROVIDER = {{\n  "ACCESS_TOKEN_EXPIRE_SECONDS": {expression},\n}}')[
        "ACCESS_TOKEN_EXPIRE_SECONDS"
    ]
    assert (one["outcome"], one["line"]) == ("your hand", 4)
    assert told in one["value"]
    assert "hush" not in json.dumps(one)


@pytest.mark.parametrize(
    "text",
    [
        'OAUTH2_PROVIDER = {"READ_SCOPE": "r"}',
        'OAUTH2_PROVIDER = dict(READ_SCOPE="r")',
        'OAUTH2_PROVIDER = {}\nOAUTH2_PROVIDER["READ_SCOPE"] = "r"',
        'OAUTH2_PROVIDER = {}\nOAUTH2_PROVIDER.update({"READ_SCOPE": "r"})',
        'OAUTH2_PROVIDER = {}\nOAUTH2_PROVIDER.update(READ_SCOPE="r")',
        'OAUTH2_PROVIDER = {}\nOAUTH2_PROVIDER |= {"READ_SCOPE": "r"}',
        'BASE = {"READ_SCOPE": "r"}\nOAUTH2_PROVIDER = {**BASE}',
        'BASE = {"READ_SCOPE": "r"}\nOAUTH2_PROVIDER = dict(BASE)',
        'BASE = {"READ_SCOPE": "r"}\nOAUTH2_PROVIDER = BASE',
        'OAUTH2_PROVIDER = {"WRITE_SCOPE": "w"}\nOAUTH2_PROVIDER = {"READ_SCOPE": "r"}',
        'OAUTH2_PROVIDER = {"READ_SCOPE": "x"}\nOAUTH2_PROVIDER["READ_SCOPE"] = "r"',
    ],
)
def test_a_dictionary_is_read_however_it_is_made(judged, text):
    assert [(name, one["value"]) for name, one in judged(text).items()] == [("READ_SCOPE", "'r'")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('if X:\n    OAUTH2_PROVIDER["READ_SCOPE"] = "r"', "READ_SCOPE"),
        ('try:\n    OAUTH2_PROVIDER = {"READ_SCOPE": "r"}\nexcept E:\n    pass', "READ_SCOPE"),
        ('for x in y:\n    OAUTH2_PROVIDER["READ_SCOPE"] = x', "READ_SCOPE"),
        ("if X:\n    USE_TZ = True", "USE_TZ"),
        ("if X:\n    OAUTH2_PROVIDER.update(more())", ""),
        ("OAUTH2_PROVIDER = {**more()}", ""),
        ("OAUTH2_PROVIDER = more()", ""),
        ("OAUTH2_PROVIDER = {}\nOAUTH2_PROVIDER[name()] = 1", ""),
        ("from .base import *", ""),
    ],
)
def test_what_depends_on_a_condition_or_another_file_is_told_and_not_guessed(judged, text, name):
    (one,) = judged(text).values()
    assert (one["name"], one["outcome"]) == (name, "your hand")


def test_a_name_that_a_condition_may_change_is_not_believed(became):
    assert became('"READ_SCOPE": R', 'R = "a"\nif X:\n    R = "b"')[0] == "your hand"


@pytest.mark.parametrize(
    "text",
    ["def broken(:", b"\xff\xfe\x00", "\0", "x = " + "(" * 500 + ")" * 500],
    ids=["syntax", "bytes", "nul", "deep"],
)
def test_a_file_that_is_no_python_is_refused_in_one_line(run, text):
    done = run(text)
    assert done.exit_code == 1
    assert "no Python that can be read" in done.output


def test_a_file_without_any_setting_is_no_error(run):
    done = run("DEBUG = True\n")
    assert done.exit_code == 0
    assert "No setting of django-oauth-toolkit was found" in done.output


# --- Judging ---


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        ('"OAUTH2_BACKEND_CLASS": "oauth2_provider.oauth2_backends.OAuthLibCore"', "our default"),
        ('"OAUTH2_SERVER_CLASS": "oauthlib.openid.Server"', "our default"),
        ('"ACCESS_TOKEN_MODEL": "oauth2_provider.AccessToken"', "our default"),
        ('"GRANT_ADMIN_CLASS": "oauth2_provider.admin.GrantAdmin"', "our default"),
        ('"OAUTH2_BACKEND_CLASS": "oauth2_provider.oauth2_backends.JSONOAuthLibCore"', "your hand"),
        ('"OAUTH2_VALIDATOR_CLASS": "shop.Validator"', "your hand"),
        ('"OAUTH2_VALIDATOR_CLASS": None', "kept"),
        ('"AUTHORIZATION_CODE_EXPIRE_SECONDS": 6000', "your hand"),
        ('"ACCESS_TOKEN_EXPIRE_SECONDS": 0', "your hand"),
        ('"ALLOWED_REDIRECT_URI_SCHEMES": ["javascript"]', "your hand"),
        ('"ALLOWED_REDIRECT_URI_SCHEMES": {"https"}', "kept"),
        ('"DEFAULT_SCOPES": ["unheard-of"]', "your hand"),
        ('"RESOURCE_SERVER_INTROSPECTION_URL": "https://id.example/introspect"', "your hand"),
        ('"REFRESH_TOKEN_REUSE_PROTECTION": True', "no counterpart"),
        ('"PAR_ENABLED": True', "no counterpart"),
        ('"ROTATE_REFRESH_TOKENS": True', "no counterpart"),
        ('"ACCESS_TOKEN_EXPIRE_SECONDS": 1e999', "your hand"),
    ],
)
def test_each_setting_becomes_one_of_four(became, entry, outcome):
    assert became(entry)[0] == outcome


def test_settings_are_held_to_their_rules_together(judged):
    url = '"RESOURCE_SERVER_INTROSPECTION_URL": "https://id.example/introspect"'
    told = judged(f'OAUTH2_PROVIDER = {{{url}, "RESOURCE_SERVER_AUTH_TOKEN": "abc", "READ_SCOPE": "r"}}')
    assert {one["outcome"] for one in told.values()} == {"kept"}
    told = judged(
        f'OAUTH2_PROVIDER = {{{url}, "RESOURCE_SERVER_AUTH_TOKEN": "two words", "READ_SCOPE": "r"}}'
    )
    assert [one["outcome"] for one in told.values()] == ["your hand", "your hand", "kept"]


def test_models_outside_of_the_dictionary_and_use_tz_are_read(judged):
    told = judged(
        'OAUTH2_PROVIDER_GRANT_MODEL = "oauth2_provider.Grant"\n'
        'OAUTH2_PROVIDER_APPLICATION_MODEL = "shop.Application"\nUSE_TZ = True\nUSE_I18N = True\n'
    )
    assert [(name, one["outcome"] == "kept") for name, one in told.items()] == [
        ("OAUTH2_PROVIDER_GRANT_MODEL", False),
        ("OAUTH2_PROVIDER_APPLICATION_MODEL", False),
        ("USE_TZ", True),
    ]
    assert told["OAUTH2_PROVIDER_GRANT_MODEL"]["outcome"] == "our default"


def test_a_model_of_ones_own_needs_a_hand(judged):
    (one,) = judged('OAUTH2_PROVIDER_APPLICATION_MODEL = "shop.App"').values()
    assert (one["outcome"], one["room"]) == ("your hand", "core")


def test_every_setting_of_a_provider_is_known_by_itself(judged, provider):
    names = [declared.name for declared in provider.all_settings.declarations()]
    told = judged(f"OAUTH2_PROVIDER = {dict.fromkeys(names, 'x')!r}")
    assert {one["outcome"] for one in told.values()} <= {"kept", "your hand"}
    assert [one["room"] for one in told.values()].count("") == 0


def test_where_a_setting_means_something_else_here_the_text_says_so(judged):
    told = judged('OAUTH2_PROVIDER = {"REFRESH_TOKEN_EXPIRE_SECONDS": 9, "READ_SCOPE": "r"}')
    assert "django-oauth-toolkit" in told["REFRESH_TOKEN_EXPIRE_SECONDS"]["text"]
    assert told["READ_SCOPE"]["text"] == "It means the same."


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('"PKCE_REQUIRED": False', "Public clients always need PKCE"),
        ('"ROTATE_REFRESH_TOKEN": False', "Public clients always get a new one"),
        ('"ALLOWED_REDIRECT_URI_SCHEMES": ["http"]', "With http only loopback hosts go"),
        ('"REQUEST_APPROVAL_PROMPT": "force"', "approval_prompt can only make it stricter"),
    ],
)
def test_what_is_stricter_here_is_said_beside_the_setting(judged, setting, told):
    (one,) = judged(f"OAUTH2_PROVIDER = {{{setting}}}").values()
    assert one["outcome"] == "kept"
    assert told in one["text"]


def test_secrets_are_shown_neither_in_the_table_nor_as_json(run):
    text = (
        'OAUTH2_PROVIDER = {"RESOURCE_SERVER_AUTH_TOKEN": "hush", "OIDC_RSA_PRIVATE_KEY": "hush",'
        ' "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": ("hush", "hush"), "SECRET_KEYS": ["hush"]}'
    )
    for options in ((), ("--json",)):
        done = run(text, *options)
        assert done.exit_code == 0
        assert "hush" not in done.output


# --- Executing ---


def test_only_execute_runs_the_file_and_imports_what_it_names(judged, tmp_path, monkeypatch):
    (tmp_path / "shop_of_dot.py").write_text(
        "from portula import OAuth2Validator\nprint('imported')\n"
        "class Validator(OAuth2Validator): pass\nclass Other: pass\n"
    )
    monkeypatch.chdir(tmp_path)  # as in front of manage.py, modules of the project are found there
    text = (
        "import os\n"
        'OAUTH2_PROVIDER = {"OAUTH2_VALIDATOR_CLASS": "shop_of_dot.Validator", "READ_SCOPE": os.path.basename("a/r"),'
        ' "OAUTH2_BACKEND_CLASS": "shop_of_dot.Other", "OAUTH2_SERVER_CLASS": "nowhere.Server",'
        ' "PKCE_REQUIRED": lambda client_id: True}\n'
    )
    before = judged(text)
    assert {one["outcome"] for one in before.values()} == {"your hand"}
    assert "shop_of_dot" not in sys.modules
    after = judged(text, "--execute")
    assert {name: one["outcome"] for name, one in after.items()} == {
        "OAUTH2_VALIDATOR_CLASS": "kept",
        "READ_SCOPE": "kept",
        "OAUTH2_BACKEND_CLASS": "your hand",
        "OAUTH2_SERVER_CLASS": "your hand",
        "PKCE_REQUIRED": "your hand",
    }
    assert after["READ_SCOPE"]["value"] == "'r'"
    del sys.modules["shop_of_dot"]


DJANGO = {
    "conf.py": (
        "class settings:\n    configured = False\n    @classmethod\n    def configure(cls, *, USE_I18N):\n"
        "        assert not USE_I18N\n        cls.configured = True\n"
    ),
    "utils/functional.py": (
        "from django.conf import settings\nclass Proxy:\n    def __init__(self, text): self.text = text\n"
        "    def __str__(self):\n        assert settings.configured and self.text\n        return self.text\n"
    ),
}
"""So much of Django as makes a translation wait for its settings."""


def test_translations_that_wait_for_a_language_are_the_texts_of_the_file(judged, tmp_path, monkeypatch):
    (tmp_path / "django" / "utils").mkdir(parents=True)
    for name, text in DJANGO.items():
        (tmp_path / "django" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    told = judged(
        "from django.utils.functional import Proxy as _\n"
        'OAUTH2_PROVIDER = {"SCOPES": {"read": _("Read it"), "write": "Write it"}, "READ_SCOPE": _("")}\n',
        "--execute",
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == "django"]:
        del sys.modules[name]
    assert told["SCOPES"]["outcome"] == "kept"
    assert told["SCOPES"]["value"] == "{'read': 'Read it', 'write': 'Write it'}"
    assert told["READ_SCOPE"]["outcome"] == "your hand"


@pytest.mark.parametrize("text", ["import nowhere_to_be_found", "raise SystemExit(3)", "OAUTH2_PROVIDER = 3"])
def test_a_file_that_fails_when_it_is_run_is_an_error(run, text):
    done = run(text, "--execute")
    assert (done.exit_code, "settings.py" in done.output) == (1, True)


# --- Writing ---

WHOLE = """
SCOPES = {"read": "Read it", "write": "Write it"}
USE_TZ = True
OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 60 * 10,
    "OAUTH2_VALIDATOR_CLASS": "shop.Validator",
    "OAUTH2_BACKEND_CLASS": "oauth2_provider.oauth2_backends.OAuthLibCore",
    "PAR_ENABLED": True,
    "X\\nraise SystemExit(1)  #": 1,
}
"""


def test_the_file_that_is_written_starts_a_provider_with_these_settings(run, tmp_path):
    target = tmp_path / "portula.cfg.py"
    done = run(WHOLE, "--write", str(target))
    assert done.exit_code == 0, done.output
    assert str(target) in done.output
    app = Flask("written")
    app.config.from_pyfile(str(target))
    assert set(app.config["OAUTH2_PROVIDER"]) == {"SCOPES", "ACCESS_TOKEN_EXPIRE_SECONDS", "USE_TZ"}
    started: Provider = make_provider(*ROOMS, app=app)
    assert started.all_settings.value("ACCESS_TOKEN_EXPIRE_SECONDS") == 600
    assert started.all_settings.value("SCOPES") == {"read": "Read it", "write": "Write it"}
    text = target.read_text()
    assert (
        "# OAUTH2_VALIDATOR_CLASS: shop.Validator is yours. Write it without Django, as `portula explain "
        in text
    )
    assert "# PAR_ENABLED: " in text


def test_the_file_is_its_owners_alone_and_nothing_is_overwritten(run, tmp_path):
    target = tmp_path / "portula.cfg.py"
    assert run(WHOLE, "--write", str(target)).exit_code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.write_text("mine")
    done = run(WHOLE, "--write", str(target))
    assert (done.exit_code, target.read_text()) == (1, "mine")
