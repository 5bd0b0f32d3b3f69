"""What is wrong with a configuration is told at once, in words that say how to mend it."""

import re

import pytest
from hosting import Memory, make_app, make_provider

from portula import ConfigError, Provider, hookimpl
from portula.errors import BrokenPlugin
from portula.web.report import UnknownName, explain
from portula_testing import provider as testing


@pytest.mark.parametrize(
    ("blocked", "told"),
    [
        (
            ["consent", "generators"],
            (
                "slot 'access_token_generator': nothing answers; {generators}",
                "slot 'consent': nothing answers; {consent}",
            ),
        ),
        (["storage_sql"], ("STORAGE: name the default store; installed: none; {storage_sql}",)),
    ],
)
def test_what_is_blocked_is_not_told_to_be_installed_and_all_of_it_is_told(blocked, told):
    with pytest.raises(ConfigError) as caught:
        Provider(make_app(PLUGINS_BLOCKED=[*blocked, "storage_redis"]))
    remedies = {name: f"PLUGINS_BLOCKED names {name!r}; take it out of there" for name in blocked}
    assert caught.value.findings == tuple(text.format(**remedies) for text in told)


def test_all_wrong_answers_of_one_plugin_are_told_together():
    class Wrong:
        @hookimpl
        def portula_clock(self, provider):
            return 5

        @hookimpl
        def portula_consent(self, provider):
            return 7

    with pytest.raises(BrokenPlugin) as caught:
        make_provider(Wrong())
    assert [re.search(r": (\w+) answers", finding)[1] for finding in caught.value.findings] == [
        "portula_clock",
        "portula_consent",
    ]


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("MOUNT_PATH", "o/", "'o/' is not allowed: a text like '/o' or '' is needed"),
        ("ALLOWED_REDIRECT_URI_SCHEMES", "https", "'https' is not allowed: a list is needed"),
        ("REFRESH_TOKEN_EXPIRE_SECONDS", 0, "0 is not allowed: a number of more than 0 is needed"),
        ("PROVIDER_NAME", "", "'' is not allowed: at least 1 character is needed"),
        ("CODE_CHALLENGE_METHODS", [], "[] is not allowed: at least 1 entry is needed"),
        ("SCOPES", ["read"], "['read'] is not allowed: a dictionary is needed"),
        (
            "REQUEST_APPROVAL_PROMPT",
            "froce",
            "'froce' is not allowed: 'force' or 'auto' is needed; did you mean 'force'?",
        ),
        (
            "STORAGE",
            "memry",
            "no store named 'memry' is installed; did you mean 'memory'?; installed: memory",
        ),
        ("scopes", {}, "no installed plugin has this setting; did you mean 'SCOPES'?"),
        (
            "DEFAULT_SCOPES",
            ["raed"],
            "['raed'] is not allowed: raed not in SCOPES; did you mean 'read'?",
        ),
    ],
)
def test_a_finding_speaks_as_people_write_a_configuration(name, value, finding):
    with pytest.raises(ConfigError) as caught:
        make_provider(**{name: value})
    assert caught.value.findings == (f"{name}: {finding}",)


def test_no_setting_with_a_pattern_shows_it_where_a_value_has_another_form():
    app = make_app(STORAGE="memory")
    declared = Provider(app, plugins=[Memory()]).all_settings.declarations()
    bare = [
        setting.name
        for setting in declared
        if any(getattr(mark, "pattern", None) for mark in setting.field.metadata)
        and not setting.field.examples
    ]
    assert bare == []


def test_a_database_that_nobody_supports_is_told_with_the_nearest_and_without_its_password():
    with pytest.raises(ConfigError) as caught:
        Provider(make_app(DATABASE_URL="mysq://shop:hunter2@host/shop", DEFAULT_SCOPES=["raed"]))
    assert {finding.partition(":")[0] for finding in caught.value.findings} == {
        "DATABASE_URL",
        "DEFAULT_SCOPES",
    }
    assert "did you mean 'mysql'?" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def names_of(caught):
    return {finding.partition(":")[0] for finding in caught.value.findings}


WRONG = {"MOUNT_PATH": "o/", "DEFAULT_SCOPES": ["raed"], "PLUGINS_CHOICE": {"loginn": "x"}}


def test_a_choice_for_no_slot_is_told_with_the_settings():
    with pytest.raises(ConfigError) as caught:
        Provider(make_app(**WRONG, NONSENSE=1))
    assert names_of(caught) == {*WRONG, "NONSENSE"}


@pytest.mark.parametrize("missing", [False, True], ids=["blocked", "and locked"])
def test_a_plugin_that_nobody_has_and_a_missing_lock_file_hide_no_settings(tmp_path, missing):
    early = {"PLUGINS_BLOCKED": ["nobody"], "PLUGINS_OPTIONAL": ["nobody_either"]}
    if missing:
        early["PLUGINS_LOCK"] = str(tmp_path / "lock.json")
    with pytest.raises(ConfigError) as caught:
        Provider(make_app(MOUNT_PATH="o/", **early))
    assert names_of(caught) == {*early, "MOUNT_PATH"}


@pytest.mark.parametrize("early", [{"PLUGINS_BLOCKED": ["kettel"]}, {"PLUGINS_LOCK": "missing"}])
def test_nothing_that_may_have_to_stay_away_is_loaded_for_more_findings(monkeypatch, tmp_path, early):
    ran, info = tmp_path / "ran", tmp_path / "portula_kettle-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: portula-kettle\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[portula]\nkettle = kettle_that_marks\n")
    (tmp_path / "kettle_that_marks.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError):
        Provider(make_app(**early))
    assert not ran.exists()


def test_a_hook_of_a_room_that_is_not_there_gets_no_far_fetched_suggestion():
    class Loyalty:
        @hookimpl
        def portula_userinfo_claims(self, info):
            return {}

    with pytest.raises(BrokenPlugin) as caught:
        make_provider(Loyalty())
    assert str(caught.value).endswith(
        "no hook 'portula_userinfo_claims'; if a room declares it, that is blocked or not installed"
    )


def test_a_plugin_is_explained_and_an_unknown_name_has_the_nearest():
    provider = make_provider()
    facts = explain(provider, "portula_consent")
    assert "portula_consent" in facts["hook"]["hook"]
    assert "portula_stores" in explain(provider, "Memory")["plugin"]["hooks"]
    with pytest.raises(
        UnknownName, match=r"called 'portula_lgin'; did you mean 'portula_login'\? Endpoints "
    ):
        explain(provider, "portula_lgin")


@pytest.mark.parametrize(
    ("name", "kind", "by"),
    [
        ("refresh_token", "grant type", "oauth2"),
        ("code", "response type", "oauth2"),
        ("query", "response mode", None),
        ("jwks_uri", "client metadata", "jose"),
        ("private_key_jwt", "client authentication method", "client_assertion"),
        ("fapi2", "profile", "profiles"),
    ],
)
def test_what_plugins_contribute_by_a_name_of_the_standards_is_explained(name, kind, by):
    [facts] = explain(testing.make_provider(*testing.installed_rooms()), name)["contributed"]
    assert (facts["kind"], facts["by"] and facts["by"]["plugin"]) == (kind, by)


def test_unknown_names_in_storage_are_told_beside_other_settings_that_are_wrong():
    storage = {"default": "memry", "tokn": "memory"}
    with pytest.raises(ConfigError) as caught:
        make_provider(PKCE_REQUIRED="perhaps", MOUNT_PATH="o/", STORAGE=storage)
    told = "\n".join(caught.value.findings)
    for finding in (
        "PKCE_REQUIRED",
        "MOUNT_PATH",
        "STORAGE: no store named 'memry' is installed; did you mean 'memory'?",
        "STORAGE: unknown record type 'tokn'",
    ):
        assert finding in told
