"""Every generator may be replaced: by a setting, as an import string or an object, or by a plugin."""

import sys
from itertools import count
from types import ModuleType

import pytest
from hosting import Memory, NobodyHere, ask_token, make_client, make_provider

from portula import Plugin, hookimpl
from portula.plugin import Application, HashGenerator


class Ids(HashGenerator):
    def hash(self):
        return "an-id-of-ours"


class Secrets(HashGenerator):
    def hash(self):
        return "a secret of ours that is 32 or longer"


_numbers = count()


def make_access_token(request):
    return f"{'rt' if request.refresh_token else 'at'}-{request.client_id}-{next(_numbers)}"


def make_refresh_token(request, refresh_token):
    return f"refresh-{refresh_token}-{next(_numbers)}"


SLOTS = {
    "CLIENT_ID_GENERATOR_CLASS": ("client_id_generator", Ids),
    "CLIENT_SECRET_GENERATOR_CLASS": ("client_secret_generator", Secrets),
    "ACCESS_TOKEN_GENERATOR": ("access_token_generator", make_access_token),
    "REFRESH_TOKEN_GENERATOR": ("refresh_token_generator", make_refresh_token),
}


class Room:
    """A plugin that answers all four."""

    @hookimpl
    def portula_client_id_generator(self, provider):
        return Ids()

    @hookimpl
    def portula_client_secret_generator(self, provider):
        return Secrets()

    @hookimpl
    def portula_access_token_generator(self, provider):
        return make_access_token

    @hookimpl
    def portula_refresh_token_generator(self, provider):
        return make_refresh_token


CHOICE = {slot: "Room" for slot, _ in SLOTS.values()}


@pytest.fixture(params=["object", "import string", "import string with a colon", "plugin"])
def provider(request, monkeypatch):
    """Return a provider whose generators were replaced in one of the ways."""
    if request.param == "plugin":
        return make_provider(Room(), PLUGINS_CHOICE=CHOICE, PASSWORD_GRANT_ENABLED=True)
    if request.param == "object":
        return make_provider(
            **{name: answer for name, (_, answer) in SLOTS.items()}, PASSWORD_GRANT_ENABLED=True
        )
    module = ModuleType("generators_of_ours")
    for _, answer in SLOTS.values():
        setattr(module, answer.__name__, answer)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    dot = ":" if request.param.endswith("colon") else "."
    given = {name: f"{module.__name__}{dot}{answer.__name__}" for name, (_, answer) in SLOTS.items()}
    return make_provider(**given, PASSWORD_GRANT_ENABLED=True)


def test_clients_get_the_replaced_identifier_and_secret(provider):
    client, secret = provider.clients.create(Application(client_id="", grant_types=("client_credentials",)))
    assert (client.client_id, secret) == ("an-id-of-ours", Secrets().hash())
    response = ask_token(provider, secret, client.client_id)
    assert response.status_code == 200
    assert response.json["access_token"].startswith("at-an-id-of-ours-")


def test_tokens_come_from_the_replaced_generators_and_work(provider, monkeypatch):
    monkeypatch.setattr(NobodyHere, "authenticate", lambda self, name, *_: self.find(name))
    _, secret = make_client(provider, grant_types=("password",))
    tokens = ask_token(provider, secret, grant_type="password", username="ann", password="x").json
    assert tokens["access_token"].startswith("at-machine-")
    assert tokens["refresh_token"].startswith("refresh-True-")
    again = ask_token(
        provider, secret, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    ).json
    assert again["access_token"].startswith("rt-machine-")
    assert again["refresh_token"] not in (tokens["refresh_token"], None)


def test_a_setting_beats_a_plugin(monkeypatch):
    class Others(HashGenerator):
        def hash(self):
            return "by-setting"

    given = {slot: name for slot, name in CHOICE.items() if slot != "client_id_generator"}
    provider = make_provider(Room(), CLIENT_ID_GENERATOR_CLASS=Others, PLUGINS_CHOICE=given)
    assert provider.hooks.ask(Plugin.portula_client_id_generator).hash() == "by-setting"
    assert provider.hooks.ask(Plugin.portula_client_secret_generator).hash() == Secrets().hash()


def test_the_refresh_generator_is_another_slot_than_the_access_generator():
    provider = make_provider(ACCESS_TOKEN_GENERATOR=make_access_token)
    assert provider.hooks.ask(Plugin.portula_access_token_generator) is make_access_token
    assert provider.hooks.ask(Plugin.portula_refresh_token_generator) is not make_access_token


@pytest.mark.parametrize("length", [32, 64, 255])
def test_client_secret_generator_length_is_the_length(length):
    provider = make_provider(CLIENT_SECRET_GENERATOR_LENGTH=length)
    _, secret = make_client(provider)
    assert len(secret) == length
    assert ask_token(provider, secret).status_code == 200


def test_the_defaults_of_this_room():
    provider = make_provider()
    client, secret = provider.clients.create(Application(client_id="", grant_types=("client_credentials",)))
    assert (len(client.client_id), len(secret)) == (40, 128)
    assert len(ask_token(provider, secret, client.client_id).json["access_token"]) == 43


@pytest.mark.parametrize("name", ["Memory", "NobodyHere"])
def test_the_plugins_of_the_tests_answer_none_of_these_slots(name):
    """Else the tests above would prove nothing about who answered."""
    plugin = {"Memory": Memory, "NobodyHere": NobodyHere}[name]
    assert not [hook for hook in dir(plugin) if hook.endswith("_generator")]
