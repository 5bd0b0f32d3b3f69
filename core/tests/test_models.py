"""Classes of a deployment's own take the place of core's, with any storage."""

import json
from dataclasses import dataclass, replace

import pytest
from click.testing import CliRunner
from flask import Flask

from portula import Provider, hookimpl
from portula.cli import reports
from portula.errors import ConfigError
from portula.host.models import MODELLED
from portula.plugin import (
    CORE_RECORDS,
    ID_TOKEN_RECORD,
    AccessToken,
    Application,
    Grant,
    IDToken,
    RecordType,
    RefreshToken,
    Storage,
)
from portula_testing.memory import MemoryStore
from portula_testing.provider import SECRET_KEY, Memory, client_for, make_provider
from portula_testing.writing import add_to, change_in, remove_from, take_from


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnApplication(Application):
    tenant: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGrant(Grant):
    tenant: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAccessToken(AccessToken):
    tenant: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRefreshToken(RefreshToken):
    tenant: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIDToken(IDToken):
    tenant: str = "none"


class KeepsIDTokens:
    """A room that keeps ID tokens, as none of ours does."""

    @hookimpl
    def portula_records(self, provider):
        return [ID_TOKEN_RECORD]


OWN = {
    "application": (Application, OwnApplication),
    "grant": (Grant, OwnGrant),
    "access_token": (AccessToken, OwnAccessToken),
    "refresh_token": (RefreshToken, OwnRefreshToken),
    "id_token": (IDToken, OwnIDToken),
}
SETTINGS = {name: f"{name.upper()}_MODEL" for name in OWN}

each_model = pytest.mark.parametrize("name", OWN)


def answering(name, model):
    """Make a plugin that answers one of the slots: portula_application_model, portula_grant_model,
    portula_access_token_model, portula_refresh_token_model or portula_id_token_model."""

    def answer(self, provider):
        return model

    return type("Answering", (), {f"portula_{name}_model": hookimpl(answer)})()


def explained(provider, setting):
    explain = next(command for command in reports.commands(provider) if command.name == "explain")
    result = CliRunner().invoke(explain, [setting, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)["slot"]


def made(cls, **values):
    """Make a record of which little matters."""
    given = {
        "digest": "d",
        "client_id": "c",
        "subject": "s",
        "authorization": "f",
        "scope": "",
        "issued_at": 1,
    }
    if cls is Application:
        return Application(client_id="c", **values)
    return cls(**given, expires_at=2, **values)


def kept_as(provider, name):
    """Keep a record of core's class, as rooms do; return the class that comes back."""
    base, _ = OWN[name]
    add_to(provider.storage, made(base))
    key = "client_id" if base is Application else "digest"
    found = provider.storage.find(base, **{key: made(base).__getattribute__(key)})
    assert provider.storage.select(base) == [found]
    return type(found)


def test_every_model_setting_has_its_record():
    assert tuple(OWN) == tuple(MODELLED)


@each_model
@pytest.mark.parametrize("form", ["class", "import string", "another import string"])
def test_a_setting_names_the_class(name, form):
    _, own = OWN[name]
    value = {
        "class": own,
        "import string": f"{__name__}.{own.__name__}",
        "another import string": f"{__name__}:{own.__name__}",
    }[form]
    provider = make_provider("storage_sql", KeepsIDTokens(), settings={SETTINGS[name]: value})
    assert kept_as(provider, name).__qualname__ == own.__qualname__
    slot = explained(provider, SETTINGS[name])
    assert slot["winner"]["plugin"] == f"setting:{SETTINGS[name]}"
    assert [source["plugin"] for source in slot["outranked"]] == ["storage_sql"]
    assert (slot["answer"], slot["default"]) == (f"{own.__module__}.{own.__name__}", False)


@each_model
def test_a_plugin_of_the_deployment_names_the_class(name):
    _, own = OWN[name]
    provider = make_provider("storage_sql", KeepsIDTokens(), answering(name, own))
    assert kept_as(provider, name) is own
    slot = explained(provider, SETTINGS[name])
    assert (slot["winner"]["plugin"], slot["winner"]["tier"]) == ("Answering", "deployment")
    assert [source["plugin"] for source in slot["outranked"]] == ["storage_sql"]


@each_model
def test_the_setting_beats_the_plugin(name):
    base, own = OWN[name]
    other = dataclass(frozen=True, slots=True, kw_only=True)(type("Other", (base,), {"__annotations__": {}}))
    provider = make_provider(KeepsIDTokens(), answering(name, other), settings={SETTINGS[name]: own})
    assert kept_as(provider, name) is own


@each_model
@pytest.mark.parametrize("case", [str, str.lower])
def test_the_default_of_a_migrated_configuration_means_ours(name, case):
    base, _ = OWN[name]
    label = case(f"oauth2_provider.{base.__name__}")
    provider = make_provider("storage_sql", KeepsIDTokens(), settings={SETTINGS[name]: label})
    assert kept_as(provider, name) is base
    assert explained(provider, SETTINGS[name])["winner"]["plugin"] == "storage_sql"
    assert provider.all_settings.value(SETTINGS[name]) == label


@each_model
def test_swapping_one_model_swaps_no_other(name):
    provider = make_provider(KeepsIDTokens(), settings={SETTINGS[name]: OWN[name][1]})
    swapped = {record.name for record in provider.records if record.replaces}
    assert swapped == {name}


# --- Beside the dictionary ---


def start(app_config, **settings):
    app = Flask("beside", static_folder=None)
    app.config.update(SECRET_KEY=SECRET_KEY, TESTING=True, **app_config)
    app.config["OAUTH2_PROVIDER"] = {"STORAGE": "memory", **settings}
    return Provider(app, plugins=[Memory(), KeepsIDTokens()], discover=False)


@each_model
def test_the_name_outside_of_the_dictionary_counts_as_well(name):
    provider = start({f"OAUTH2_PROVIDER_{SETTINGS[name]}": OWN[name][1]})
    assert kept_as(provider, name) is OWN[name][1]
    assert explained(provider, SETTINGS[name])["winner"]["plugin"] == f"setting:{SETTINGS[name]}"


def test_both_names_may_say_the_same():
    provider = start({"OAUTH2_PROVIDER_GRANT_MODEL": OwnGrant}, GRANT_MODEL=OwnGrant)
    assert kept_as(provider, "grant") is OwnGrant


def test_both_names_that_differ_stop_the_start_and_are_both_named():
    with pytest.raises(
        ConfigError, match=r"^GRANT_MODEL: .*OwnGrant.*OAUTH2_PROVIDER_GRANT_MODEL is 'oauth2"
    ):
        start({"OAUTH2_PROVIDER_GRANT_MODEL": "oauth2_provider.Grant"}, GRANT_MODEL=OwnGrant)


def test_a_second_provider_with_settings_of_its_own_does_not_read_the_names_outside():
    app = Flask("beside", static_folder=None)
    app.config.update(SECRET_KEY=SECRET_KEY, OAUTH2_PROVIDER_GRANT_MODEL=OwnGrant)
    provider = Provider(app, plugins=[Memory()], discover=False, settings={"STORAGE": "memory"})
    assert kept_as(provider, "grant") is Grant


# --- What is refused ---


class ComputesAField(Application):
    @property
    def redirect_uris(self):
        return ("https://evil.example/cb",)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsATenant(AccessToken):
    tenant: str


@pytest.mark.parametrize(
    ("setting", "value", "match"),
    [
        ("APPLICATION_MODEL", "nowhere.Client", r"APPLICATION_MODEL: 'nowhere.Client'.*No module"),
        ("APPLICATION_MODEL", "json.Client", r"APPLICATION_MODEL: 'json.Client'.*no attribute"),
        ("APPLICATION_MODEL", 7, r"APPLICATION_MODEL: 7: a class is needed"),
        (
            "APPLICATION_MODEL",
            OwnGrant,
            r"APPLICATION_MODEL: \S+\.OwnGrant: neither a subclass of portula.model.records.App",
        ),
        (
            "APPLICATION_MODEL",
            ComputesAField,
            r"ComputesAField: redirect_uris is a field and cannot be computed",
        ),
        (
            "ACCESS_TOKEN_MODEL",
            NeedsATenant,
            r"ACCESS_TOKEN_MODEL: \S+NeedsATenant: the new field tenant needs a d",
        ),
    ],
)
def test_a_class_that_cannot_stand_for_the_record_stops_the_start(setting, value, match):
    with pytest.raises(ConfigError, match=match):
        make_provider(settings={setting: value})


def test_all_wrong_models_are_told_together():
    with pytest.raises(ConfigError) as refused:
        make_provider(settings={"APPLICATION_MODEL": OwnGrant, "GRANT_MODEL": OwnApplication})
    assert "APPLICATION_MODEL: " in str(refused.value)
    assert "GRANT_MODEL: " in str(refused.value)


# --- What is kept ---


def test_a_client_is_made_and_changed_with_the_fields_of_its_class():
    provider = make_provider("generators", settings={"APPLICATION_MODEL": OwnApplication})
    client, _ = client_for(provider)
    assert client == provider.storage.find(Application, client_id=client.client_id)
    assert (type(client), client.tenant) == (OwnApplication, "none")
    provider.clients.save(replace(client, tenant="tea"))
    found = provider.storage.find(OwnApplication, client_id=client.client_id)
    assert found.tenant == "tea"
    changed = Application(client_id=client.client_id, name="of core's class", version=found.version)
    provider.clients.save(changed)
    found = provider.storage.find(Application, client_id=client.client_id)
    assert (found.name, found.tenant) == ("of core's class", "none")
    assert provider.storage.model(Application) is OwnApplication


def test_every_verb_means_the_class_that_took_the_place():
    types = [replace(record, cls=OwnGrant, replaces=Grant) for record in CORE_RECORDS if record.cls is Grant]
    store = MemoryStore(types)
    storage = Storage({Grant: store, OwnGrant: store}, {Grant: OwnGrant})
    add_to(storage, made(Grant))
    add_to(storage, OwnGrant(**{**vars_of(made(Grant)), "digest": "e"}, tenant="tea"))
    take_from(storage, made(Grant), 5)
    assert storage.find(Grant, digest="d") == OwnGrant(**{**vars_of(made(Grant)), "taken_at": 5})
    assert change_in(storage, Grant, {"digest": "e"}, tenant="coffee") == 1
    assert [row.tenant for row in storage.select(Grant, authorization="f")] == ["none", "coffee"]
    assert remove_from(storage, Grant, digest="d") == 1
    assert storage.purge(Grant, now=9, limit=9) == 1


def vars_of(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


# --- skip_authorization, a field that may be computed ---


class ByProperty(Application):
    @property
    def skip_authorization(self):
        return self.name == "house"


class ByMethod(Application):
    def skip_authorization(self, request):
        return request == "trusted" or self.skip_authorization


@pytest.mark.parametrize(
    ("client", "request_", "skips"),
    [
        (Application(client_id="c"), "", False),
        (Application(client_id="c", skip_authorization=True), "", True),
        (ByProperty(client_id="c", name="house"), "", True),
        (ByProperty(client_id="c", skip_authorization=True), "", False),
        (ByMethod(client_id="c"), "trusted", True),
        (ByMethod(client_id="c"), "other", False),
        (ByMethod(client_id="c", skip_authorization=True), "other", True),
    ],
)
def test_skip_authorization_is_a_field_a_property_or_a_method(client, request_, skips):
    assert client.skips_authorization(request_) is skips
    assert replace(client, name="x").skip_authorization is client.skip_authorization


def test_a_record_type_says_what_it_replaces():
    provider = make_provider(settings={"GRANT_MODEL": OwnGrant})
    (grant,) = [record for record in provider.records if record.name == "grant"]
    assert (grant.cls, grant.replaces, grant.model) == (OwnGrant, Grant, None)
    assert isinstance(grant, RecordType)
