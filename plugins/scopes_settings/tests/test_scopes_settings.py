"""SCOPES, DEFAULT_SCOPES, READ_SCOPE, WRITE_SCOPE, and replacing the backend."""

import pytest
from hosting import ask_token, make_client, make_provider

from portula import ConfigError, Plugin, hookimpl
from portula.plugin import ScopesBackend
from portula_scopes_settings.backend import SettingsScopes
from portula_scopes_settings.settings import ScopesSettings

TEA = {"tea": "Make tea", "cups": "Wash cups"}


def backend(**given):
    return SettingsScopes(ScopesSettings(**given))


def granted(provider, **members):
    """Return the scopes of a client that names none."""
    _, secret = make_client(provider, **members)
    return ask_token(provider, secret).json["scope"]


def test_the_defaults_are_reading_and_writing_for_everybody():
    scopes = backend()
    assert scopes.get_all_scopes() == {"read": "Reading scope", "write": "Writing scope"}
    assert scopes.get_available_scopes() == ("read", "write")
    assert scopes.get_default_scopes() == ("read", "write")
    settings = make_provider().settings(ScopesSettings)
    assert (settings.READ_SCOPE, settings.WRITE_SCOPE) == ("read", "write")
    assert granted(make_provider()) == "read write"


def test_scopes_keep_their_order():
    assert backend(SCOPES=TEA).get_available_scopes() == ("tea", "cups")
    assert granted(make_provider(SCOPES=TEA)) == "tea cups"


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        (["cups"], "cups"),
        (["__all__"], "tea cups"),
        (["cups", "__all__"], "tea cups"),
        (["cups", "tea"], "cups tea"),
    ],
)
def test_default_scopes_are_those_named_or_all(default, expected):
    provider = make_provider(SCOPES=TEA, DEFAULT_SCOPES=default)
    assert granted(provider) == expected


def test_contributed_scopes_are_no_part_of_all():
    class Extra:
        @hookimpl
        def portula_scopes(self, provider):
            return {"extra": "Something else"}

    provider = make_provider(Extra(), SCOPES=TEA)
    _, secret = make_client(provider)
    assert ask_token(provider, secret).json["scope"] == "tea cups"
    assert ask_token(provider, secret, scope="tea extra").json["scope"] == "tea extra"


def test_no_answer_can_be_changed_by_who_gets_it():
    given = dict(TEA)
    scopes = backend(SCOPES=given)
    given["later"] = "Added behind its back"
    with pytest.raises(TypeError):
        scopes.get_all_scopes()["more"] = "More"
    for answer in (scopes.get_available_scopes(), scopes.get_default_scopes()):
        assert isinstance(answer, tuple)
    assert scopes.get_all_scopes() == TEA
    assert scopes.get_available_scopes() == ("tea", "cups")


@pytest.mark.parametrize("name", ["", "two words", 'quo"te', "back\\slash", "tab\t", "é", "\x7f", "nul\0"])
def test_a_name_that_no_scope_may_have_is_refused_at_start(name):
    with pytest.raises(ConfigError) as caught:
        make_provider(SCOPES={name: "text"})
    (finding,) = caught.value.findings
    assert finding.startswith("SCOPES")
    assert "is no scope name" in finding


@pytest.mark.parametrize(
    "name", ["!", "~", "urn:example:scope", "https://api.example/read", "a.b-c_d", "[x]"]
)
def test_every_other_name_works(name):
    provider = make_provider(SCOPES={name: "text"})
    _, secret = make_client(provider)
    assert ask_token(provider, secret, scope=name).json["scope"] == name


@pytest.mark.parametrize("default", [["nowhere"], ["tea", "nowhere"], ["TEA"]])
def test_default_scopes_outside_scopes_are_refused_at_start(default):
    with pytest.raises(ConfigError, match=rf"DEFAULT_SCOPES: .*: {default[-1]} not in SCOPES"):
        make_provider(SCOPES=TEA, DEFAULT_SCOPES=default)


def test_another_scopes_leaves_the_default_read_and_write_behind():
    provider = make_provider(SCOPES=TEA)
    _, secret = make_client(provider)
    assert ask_token(provider, secret, scope="read").json["error"] == "invalid_scope"


# --- Another backend ---


class PerClient(ScopesBackend):
    """Scopes that depend on the client, as django-oauth-toolkit's backends may have them."""

    def get_all_scopes(self):
        return {"a": "A", "b": "B", "machine": "For the machine"}

    def get_available_scopes(self, application=None, request=None):
        return ["a", application.client_id] if application else ["a"]

    def get_default_scopes(self, application=None, request=None):
        return [application.client_id]


class PerClientRoom:
    @hookimpl
    def portula_scopes_backend(self, provider):
        return PerClient()


@pytest.mark.parametrize(
    "provider",
    [
        lambda: make_provider(SCOPES_BACKEND_CLASS=PerClient),
        lambda: make_provider(SCOPES_BACKEND_CLASS=PerClient()),
        lambda: make_provider(PerClientRoom(), PLUGINS_CHOICE={"scopes_backend": "PerClientRoom"}),
    ],
)
def test_another_backend_decides_for_each_client(provider):
    made = provider()
    _, secret = make_client(made)
    assert ask_token(made, secret).json["scope"] == "machine"
    assert ask_token(made, secret, scope="a").json["scope"] == "a"
    assert ask_token(made, secret, scope="b").json["error"] == "invalid_scope"
    assert ask_token(made, secret, scope="read").json["error"] == "invalid_scope"


def test_a_setting_beats_a_plugin():
    provider = make_provider(PerClientRoom(), SCOPES_BACKEND_CLASS=_Read)
    assert provider.hooks.ask(Plugin.portula_scopes_backend).get_available_scopes() == ["read"]


class _Read(PerClient):
    def get_available_scopes(self, application=None, request=None):
        return ["read"]
