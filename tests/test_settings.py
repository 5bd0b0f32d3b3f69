import re

import pytest
from hosting import KEY, deployment, make_app, make_provider
from pydantic import BaseModel, ConfigDict, Field

from portula import ConfigError, OAuth2Validator, Plugin, Provider, hookimpl
from portula.errors import UnknownSetting
from portula.host.checks import core_checks
from portula.host.settings import Settings
from portula.plugin import CoreSettings, HashGenerator, display_value, import_object
from portula_generators.settings import GeneratorSettings
from portula_oauth2.settings import OAuth2Settings
from portula_scopes_settings.settings import ScopesSettings


class NoTokens(OAuth2Validator):
    def rotate_refresh_token(self, request):
        return False


class Counter(HashGenerator):
    def hash(self):
        return "counted"


def make_value(request):
    return "a-token-of-ours"


def words(caught):
    """Return the findings of an error."""
    return caught.value.findings


def test_all_findings_are_reported_together():
    with pytest.raises(ConfigError) as caught:
        make_provider(
            ACCESS_TOKEN_EXPIRES_SECONDS=600,
            PKCE_REQUIRED="sometimes",
            AUTHORIZATION_CODE_EXPIRE_SECONDS=601,
            SCOPES=["read"],
            TRUSTED_PROXIES=-1,
        )
    names = {re.match(r"\w+", finding)[0] for finding in words(caught)}
    assert names == {
        "ACCESS_TOKEN_EXPIRES_SECONDS",
        "PKCE_REQUIRED",
        "AUTHORIZATION_CODE_EXPIRE_SECONDS",
        "SCOPES",
        "TRUSTED_PROXIES",
    }
    assert str(caught.value) == "\n".join(words(caught))


def test_an_unknown_name_is_told_the_nearest_known_one():
    with pytest.raises(UnknownSetting) as caught:
        make_provider(ACCESS_TOKEN_EXPIRES_SECONDS=600)
    (finding,) = words(caught)
    assert finding.startswith("ACCESS_TOKEN_EXPIRES_SECONDS: no installed plugin has this setting")
    assert finding.endswith("; did you mean 'ACCESS_TOKEN_EXPIRE_SECONDS'?")


def test_a_name_like_no_other_gets_no_suggestion():
    with pytest.raises(UnknownSetting) as caught:
        make_provider(COLOUR="green")
    assert words(caught) == ("COLOUR: no installed plugin has this setting",)


def test_a_setting_of_a_room_that_is_not_there_is_unknown():
    with pytest.raises(UnknownSetting, match="DATABASE_URL: no installed plugin has this setting"):
        make_provider(DATABASE_URL="sqlite:///file")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("ACCESS_TOKEN_EXPIRE_SECONDS", "soon", "'soon' is not allowed: "),
        (
            "AUTHORIZATION_CODE_EXPIRE_SECONDS",
            0,
            "0 is not allowed: a number of at least 1 is needed",
        ),
        (
            "AUTHORIZATION_CODE_EXPIRE_SECONDS",
            601,
            "601 is not allowed: a number of at most 600 is needed",
        ),
        ("CODE_CHALLENGE_METHODS", ["S512"], "'S512' is not allowed: 'S256' or 'plain' is needed"),
        ("CODE_CHALLENGE_METHODS", [], "is not allowed: "),
        ("MOUNT_PATH", "o", "'o' is not allowed: "),
        ("ALLOWED_REDIRECT_URI_SCHEMES", ["javascript"], "javascript may never be redirected to"),
        (
            "CLIENT_SECRET_GENERATOR_LENGTH",
            31,
            "31 is not allowed: a number of at least 32 is needed",
        ),
        ("SCOPES", {"two words": "x"}, "'two words' is no scope name"),
        ("DEFAULT_SCOPES", ["nowhere"], "nowhere not in SCOPES"),
        ("PLUGINS_BLOCKED", 5, "5 is not allowed: "),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(name, value, text):
    with pytest.raises(ConfigError) as caught:
        make_provider(**{name: value})
    assert not isinstance(caught.value, UnknownSetting)
    assert any(finding.startswith(name) and text in finding for finding in words(caught))


class Vault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    VAULT_SECRET: str = Field(default="", min_length=30)
    VAULT_PASSWORDS: tuple[int, ...] = ()


class VaultRoom:
    @hookimpl
    def portula_settings(self, provider):
        return [Vault]


@pytest.mark.parametrize(
    "settings",
    [
        {"VAULT_SECRET": "hunter2"},
        {"VAULT_PASSWORDS": ["hunter2"]},
        {"SECRET_KEYS": "hunter2"},
        {"SECRET_KEYS": ["hunter2"]},
        {"SECRET_KEYS": ["hunter2", 5]},
        {"VAULT_SECRET": "hunter2", "VAULT_SECRETS": "hunter2", "DEFAULT_SCOPES": ["nowhere"]},
    ],
)
def test_errors_never_repeat_a_secret(settings):
    with pytest.raises(ConfigError) as caught:
        make_provider(VaultRoom(), **settings)
    assert "hunter2" not in str(caught.value)
    assert "SECRET" in str(caught.value) or "PASSWORDS" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("SECRET_KEYS", ("k",), "<hidden>"),
        ("DATABASE_URL", "postgresql://user:pw@host/name", "<hidden>"),
        ("SOME_URL", "https://user:pw@host/name", "<hidden>"),
        ("SOME_URL", "https://host/name", "'https://host/name'"),
        ("DATABASE_URL", None, "None"),
        ("CLIENT_SECRET_GENERATOR_LENGTH", 128, "128"),
        ("PASSWORD_GRANT_ENABLED", False, "False"),
        ("SCOPES", {"read": "Read"}, "{'read': 'Read'}"),
    ],
)
def test_reports_hide_secrets_and_nothing_else(name, value, text):
    assert display_value(name, value) == text


@pytest.mark.parametrize(
    ("keys", "secret_key", "text"),
    [
        (None, None, "SECRET_KEYS: missing"),
        (["short"], KEY, "every key needs at least 16 bytes"),
        ([KEY, "short"], KEY, "every key needs at least 16 bytes"),
        (None, "short", "^SECRET_KEY: at least 16 bytes are needed"),
    ],
)
def test_a_missing_or_short_secret_key_stops_the_start(keys, secret_key, text):
    app = make_app(SECRET_KEYS=keys)
    app.config["SECRET_KEY"] = secret_key
    with pytest.raises(ConfigError, match=text):
        Provider(app, discover=False)


def test_oauth2_provider_must_be_a_mapping():
    app = make_app()
    app.config["OAUTH2_PROVIDER"] = ["SCOPES"]
    with pytest.raises(ConfigError, match="OAUTH2_PROVIDER: a mapping is needed, not list"):
        Provider(app, discover=False)


# --- Import strings ---


@pytest.mark.parametrize("separator", [".", ":"])
def test_an_import_string_answers_the_slot_from_the_strongest_tier(separator):
    provider = make_provider(CLIENT_ID_GENERATOR_CLASS=f"{__name__}{separator}Counter")
    ruling = provider.hooks.ruling(Plugin.portula_client_id_generator)
    assert ruling.winner.name == "setting:CLIENT_ID_GENERATOR_CLASS"
    assert provider.hooks.ask(Plugin.portula_client_id_generator).hash() == "counted"
    assert [source.name for source in ruling.outranked] == ["portula_generators"]


@pytest.mark.parametrize(
    ("name", "value", "slot", "answer"),
    [
        ("ACCESS_TOKEN_GENERATOR", make_value, "access_token_generator", make_value),
        ("REFRESH_TOKEN_GENERATOR", make_value, "refresh_token_generator", make_value),
        ("OAUTH2_VALIDATOR_CLASS", NoTokens, "validator_class", NoTokens),
    ],
)
def test_the_object_itself_serves_as_well(name, value, slot, answer):
    hook = getattr(Plugin, f"portula_{slot}")
    assert make_provider(**{name: value}).hooks.ask(hook) is answer


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("CLIENT_ID_GENERATOR_CLASS", "nowhere.at.all.Ids", "No module named 'nowhere'"),
        ("CLIENT_ID_GENERATOR_CLASS", "Ids", "is not an import string"),
        ("CLIENT_ID_GENERATOR_CLASS", "json.nothing", "has no attribute 'nothing'"),
        ("CLIENT_ID_GENERATOR_CLASS", "json.JSONDecoder", "a generator class has a method hash()"),
        ("ACCESS_TOKEN_GENERATOR", 5, "a token generator is called with the request"),
        ("SCOPES_BACKEND_CLASS", "json.JSONDecoder", "a scopes backend has a method get_all_scopes"),
        ("OAUTH2_VALIDATOR_CLASS", "json.JSONDecoder", "a subclass of OAuth2Validator is needed"),
        ("OAUTH2_SERVER_CLASS", "json.loads", "a subclass of Server or TokenEndpoint is needed"),
        ("OAUTH2_BACKEND_CLASS", "json.JSONDecoder", "a subclass of Backend is needed"),
    ],
)
def test_an_import_string_that_leads_nowhere_is_named_with_the_reason(name, value, text):
    with pytest.raises(ConfigError) as caught:
        make_provider(**{name: value})
    (finding,) = words(caught)
    assert finding.startswith(f"{name}: {value!r}: ")
    assert text in finding


def test_all_import_strings_that_lead_nowhere_are_reported_together():
    with pytest.raises(ConfigError) as caught:
        make_provider(CLIENT_ID_GENERATOR_CLASS="no.Ids", OAUTH2_SERVER_CLASS="no.Server")
    assert [finding.partition(":")[0] for finding in words(caught)] == [
        "CLIENT_ID_GENERATOR_CLASS",
        "OAUTH2_SERVER_CLASS",
    ]


@pytest.mark.parametrize(
    ("name", "value", "slot"),
    [
        ("CLIENT_ID_GENERATOR_CLASS", "oauth2_provider.generators.ClientIdGenerator", "client_id_generator"),
        (
            "CLIENT_SECRET_GENERATOR_CLASS",
            "oauth2_provider.generators.ClientSecretGenerator",
            "client_secret_generator",
        ),
        ("SCOPES_BACKEND_CLASS", "oauth2_provider.scopes.SettingsScopes", "scopes_backend"),
        ("OAUTH2_SERVER_CLASS", "oauthlib.oauth2.Server", "server_class"),
        ("OAUTH2_VALIDATOR_CLASS", "oauth2_provider.oauth2_validators.OAuth2Validator", "validator_class"),
        ("OAUTH2_BACKEND_CLASS", "oauth2_provider.oauth2_backends.OAuthLibCore", "backend_class"),
    ],
)
def test_the_defaults_of_django_oauth_toolkit_mean_ours(name, value, slot):
    asked, plain = make_provider(**{name: value}), make_provider()
    hook = getattr(Plugin, f"portula_{slot}")
    assert asked.hooks.ruling(hook).winner == plain.hooks.ruling(hook).winner


def test_an_import_string_is_told_from_an_object():
    assert import_object("hosting.KEY") == KEY
    assert import_object("hosting:KEY") == KEY
    assert import_object(KEY.encode()) == KEY.encode()


# --- Where values come from ---


def test_the_environment_sets_settings(monkeypatch):
    given = {"ACCESS_TOKEN_EXPIRE_SECONDS": "600", "SCOPES": '{"tea": "Make tea"}', "PKCE_REQUIRED": "public"}
    for name, value in given.items():
        monkeypatch.setenv(f"FLASK_OAUTH2_PROVIDER__{name}", value)
    app = make_app(AUTHORIZATION_CODE_EXPIRE_SECONDS=30)
    app.config.from_prefixed_env()
    provider = Provider(app, plugins=deployment(), discover=False)
    settings = provider.settings(OAuth2Settings)
    assert (settings.ACCESS_TOKEN_EXPIRE_SECONDS, settings.PKCE_REQUIRED) == (600, "public")
    assert settings.AUTHORIZATION_CODE_EXPIRE_SECONDS == 30
    assert provider.settings(ScopesSettings).SCOPES == {"tea": "Make tea"}


def test_a_mistake_in_the_environment_is_reported_like_any_other(monkeypatch):
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__SCOPE", "{}")
    app = make_app()
    app.config.from_prefixed_env()
    with pytest.raises(UnknownSetting, match=r"SCOPE: .* did you mean 'SCOPES'"):
        Provider(app, plugins=deployment(), discover=False)


def test_settings_given_to_the_provider_stand_in_place_of_the_dictionary():
    app = make_app(ACCESS_TOKEN_EXPIRE_SECONDS=600)
    given = {"AUTHORIZATION_CODE_EXPIRE_SECONDS": 30}
    settings = Provider(app, plugins=deployment(), discover=False, settings=given).settings(OAuth2Settings)
    assert settings.ACCESS_TOKEN_EXPIRE_SECONDS == 36000
    assert settings.AUTHORIZATION_CODE_EXPIRE_SECONDS == 30


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ({"ACCESS_TOKEN_EXPIRE_SECONDS": 60, "OIDC_ISS_ENDPOINT": "x"}, True),
        ({"DATABASE_URL": "sqlite://", "SCOPES": [], "LOG_LEVEL": "INFO", "OAUTH2_PROVIDERS": {}}, False),
    ],
)
def test_check_tells_an_embedded_app_of_what_is_hardly_its_own(beside, told):
    app = make_app()
    app.config.update(beside)
    provider = Provider(app, plugins=deployment(), discover=False)
    found = [finding for finding in core_checks(provider) if finding.id == "core.beside-settings"]
    assert [all(name in finding.summary for name in beside) for finding in found] == ([True] if told else [])


def test_check_tells_an_embedded_app_of_a_misspelt_dictionary():
    app = make_app()
    app.config["OAUTH_PROVIDER"] = app.config.pop("OAUTH2_PROVIDER")
    provider = Provider(app, plugins=[*deployment()], discover=False)
    assert "OAUTH_PROVIDER" in next(
        finding.summary for finding in core_checks(provider) if finding.id == "core.beside-settings"
    )


def test_reports_know_who_declared_a_setting_and_whether_it_was_set():
    provider = make_provider(SCOPES={"tea": "Make tea"})
    declared = {setting.name: setting for setting in provider.all_settings.declarations()}
    assert list(declared) == sorted(declared)
    assert declared["SCOPES"].origin == "configured"
    assert declared["SCOPES"].owner.name == "portula_scopes_settings"
    assert declared["MOUNT_PATH"].origin == "default"
    assert declared["MOUNT_PATH"].owner.name == "core"
    assert provider.all_settings.value("SCOPES") == {"tea": "Make tea"}


def test_settings_are_asked_for_by_model_and_cannot_be_changed():
    settings = make_provider().settings(GeneratorSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.CLIENT_SECRET_GENERATOR_LENGTH = 32


# --- Two rooms ---


class Rival(BaseModel):
    SCOPES: int = 5


class RivalRoom:
    @hookimpl
    def portula_settings(self, provider):
        return [Rival]


def test_two_rooms_that_declare_one_name_are_both_named():
    with pytest.raises(ConfigError) as caught:
        make_provider(RivalRoom())
    (finding,) = words(caught)
    assert finding.startswith("SCOPES: declared by ")
    assert "'portula_scopes_settings'" in finding
    assert "'RivalRoom'" in finding


def test_core_does_not_know_the_settings_of_rooms():
    settings = Settings()
    settings.load([], {})
    assert settings.declarations() == []
    assert "SCOPES" not in CoreSettings.model_fields


def test_what_does_not_import_is_told_together_with_all_else():
    with pytest.raises(ConfigError) as caught:
        make_provider(
            CLIENT_ID_GENERATOR_CLASS="no.such.Thing",
            SCOPES_BACKEND_CLASS="json.JSONDecoder",
            ACCESS_TOKEN_EXPIRE_SECONDS=0,
            DEFAULT_SCOPES=["nope"],
            ACESS_TOKEN_GENERATOR="x",
        )
    told = {finding.partition(":")[0] for finding in caught.value.findings}
    assert told == {
        "CLIENT_ID_GENERATOR_CLASS",
        "SCOPES_BACKEND_CLASS",
        "ACCESS_TOKEN_EXPIRE_SECONDS",
        "DEFAULT_SCOPES",
        "ACESS_TOKEN_GENERATOR",
    }
