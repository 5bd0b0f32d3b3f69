"""Every slot and contribution, shown to reach what it is for."""

import dataclasses

import click
import pytest
from flask import Blueprint
from hosting import ROOMS, Memory, NobodyHere, ask_token, make_app, make_client, make_provider
from support.fitting import fitting

from portula import ConfigError, OAuth2Validator, Plugin, Provider, hookimpl
from portula.cli.main import flask_group
from portula.errors import BrokenPlugin, DuplicateContribution, SlotConflict
from portula.plugin import (
    AccessToken,
    Application,
    Backend,
    ClientAuthMethod,
    ClientCredentialsGrant,
    Endpoint,
    Finding,
    HashGenerator,
    HookClass,
    HookDeclarations,
    Level,
    Mount,
    RecordType,
    ResponseType,
    ScopesBackend,
    SecretHasher,
    Server,
    Storage,
    json_answer,
    slot,
)
from portula_testing.writing import add_to


def room(**hooks):
    """Return a plugin of these hooks; each takes the provider."""
    implementations = {hook: staticmethod(hookimpl(function)) for hook, function in hooks.items()}
    return type("Room", (), implementations)()


def chosen(slot, plugin, **settings):
    """Return a provider whose rooms have been outranked in one slot."""
    return make_provider(plugin, PLUGINS_CHOICE={slot: "Room"}, **settings)


def always(answer):
    return lambda provider: (provider, answer)[1]


class Fixed(HashGenerator):
    def __init__(self, value):
        self.value = value

    def hash(self):
        return self.value


# --- Slots ---


def test_the_clock_tells_all_times():
    provider = make_provider(room(portula_clock=always(lambda: 5000.9)))
    _, secret = make_client(provider)
    ask_token(provider, secret)
    (token,) = provider.storage.select(AccessToken, subject=None)
    assert (token.issued_at, token.expires_at) == (5000, 41000)


def test_generators_make_identifiers_and_secrets_and_tokens():
    secret = "s" * 40
    provider = make_provider(
        room(
            portula_client_id_generator=always(Fixed("made-id")),
            portula_client_secret_generator=always(Fixed(secret)),
            portula_access_token_generator=always(lambda request: f"token-for-{request.client_id}"),
            portula_refresh_token_generator=always(lambda request: f"refresh-{request.client_id}"),
        ),
        PLUGINS_CHOICE={
            f"{kind}_generator": "Room"
            for kind in ("client_id", "client_secret", "access_token", "refresh_token")
        },
    )
    client, made = make_client(provider, client_id="")
    assert (client.client_id, made) == ("made-id", secret)
    assert ask_token(provider, secret, "made-id").json["access_token"] == "token-for-made-id"
    assert provider.hooks.ask(Plugin.portula_refresh_token_generator)(client) == "refresh-made-id"


def test_the_secret_hasher_keeps_and_compares_secrets():
    class Rot13(SecretHasher):
        def hash_generated(self, secret):
            return f"kept:{secret[::-1]}"

        def verify(self, secret, stored):
            return stored == f"kept:{secret[::-1]}"

        def verify_nothing(self, secret):
            pass

        def hash_chosen(self, secret):
            raise NotImplementedError

        seal = unseal = hash_chosen

    provider = chosen("secret_hasher", room(portula_secret_hasher=always(Rot13())))
    client, secret = make_client(provider)
    assert client.secret_hashes == (f"kept:{secret[::-1]}",)
    assert ask_token(provider, secret).status_code == 200
    assert ask_token(provider, secret[:-1]).status_code == 401


def test_the_scopes_backend_says_which_scopes_there_are():
    class Tea(ScopesBackend):
        def get_all_scopes(self):
            return {"tea": "Make tea"}

        def get_available_scopes(self, application=None, request=None):
            return ["tea"]

        def get_default_scopes(self, application=None, request=None):
            return ["tea"]

    provider = chosen("scopes_backend", room(portula_scopes_backend=always(Tea())))
    _, secret = make_client(provider)
    assert ask_token(provider, secret).json["scope"] == "tea"
    assert ask_token(provider, secret, scope="read").json["error"] == "invalid_scope"


def test_the_validator_class_stands_before_the_rooms():
    class Short(OAuth2Validator):
        def access_token_lifetime(self, request):
            return super().access_token_lifetime(request) // 100

    chosen = {"validator_class": "Room"}  # here the rooms are of the same tier
    provider = make_provider(room(portula_validator_class=always(Short)), PLUGINS_CHOICE=chosen)
    _, secret = make_client(provider)
    assert ask_token(provider, secret).json["expires_in"] == 360


def test_server_and_backend_class_are_what_answers():
    class OurServer(Server):
        pass

    class OurBackend(Backend):
        def create_token_response(self, message):
            answer = super().create_token_response(message)
            return answer.with_headers({"X-Server": type(self.server).__name__})

    provider = make_provider(
        room(portula_server_class=always(OurServer), portula_backend_class=always(OurBackend)),
        PLUGINS_CHOICE={"server_class": "Room", "backend_class": "Room"},
    )
    _, secret = make_client(provider)
    answer = ask_token(provider, secret)
    assert (answer.status_code, answer.headers["X-Server"]) == (200, "OurServer")


@pytest.mark.parametrize("slot", ["login", "sessions", "consent"])
def test_people_are_asked_by_whoever_answers(slot):
    answer = fitting(f"portula_{slot}")
    provider = chosen(slot, room(**{f"portula_{slot}": always(answer)}))
    assert provider.hooks.ask(getattr(Plugin, f"portula_{slot}")) is answer


# --- Contributions ---


@dataclasses.dataclass(frozen=True)
class Note:
    key: str
    text: str


def test_a_record_type_has_a_place_in_the_storage():
    notes = RecordType("note", Note, keys=("key",))
    provider = make_provider(room(portula_records=always([notes])))
    add_to(provider.storage, Note("a", "tea at five"))
    assert provider.storage.find(Note, key="a") == Note("a", "tea at five")


def test_stores_are_chosen_by_record():
    class Second(Memory):
        @hookimpl
        def portula_stores(self, provider):
            return {"second": super().portula_stores(provider)["memory"]}

    provider = make_provider(Second(), STORAGE={"default": "memory", "access_token": "second"})
    add_to(provider.storage, Application(client_id="a"))
    add_to(provider.storage, AccessToken(digest="d", client_id="a", scope="", issued_at=1, expires_at=2))
    assert provider.stores["memory"].find(Application, client_id="a")
    assert provider.stores["second"].find(AccessToken, digest="d")
    assert isinstance(provider.storage, Storage)


@pytest.mark.parametrize(
    ("storage", "text"),
    [
        ("memroy", "STORAGE: no store named 'memroy' is installed; did you mean 'memory'?"),
        ({"default": "memory", "acess_token": "memory"}, "unknown record type 'acess_token'; did you mean"),
    ],
)
def test_a_storage_that_is_not_there_is_named(storage, text):
    with pytest.raises(ConfigError) as caught:
        make_provider(STORAGE=storage)
    assert text in str(caught.value)


def test_a_contributed_scope_is_valid_and_no_default():
    provider = make_provider(room(portula_scopes=always({"offline_tea": "Tea while you are away"})))
    _, secret = make_client(provider)
    assert ask_token(provider, secret, scope="offline_tea").json["scope"] == "offline_tea"
    assert ask_token(provider, secret).json["scope"] == "read write"
    document = provider.app.test_client().get("/o/.well-known/oauth-authorization-server").json
    assert "offline_tea" in document["scopes_supported"]


def test_names_of_privileged_scopes_come_from_all_plugins():
    provider = make_provider(room(portula_privileged_scopes=always(["pour_for_others"])))
    assert "pour_for_others" in provider.hooks.collect(Plugin.portula_privileged_scopes)


def test_a_client_authentication_method_authenticates_and_is_advertised():
    provider = make_provider(room(portula_client_auth_methods=with_password))
    make_client(provider)
    answer = provider.app.test_client().post(
        "/o/token/", data={"grant_type": "client_credentials", "client_id": "machine", "tea": "earl grey"}
    )
    assert answer.status_code == 200
    assert "tea" in provider.metadata_document["token_endpoint_auth_methods_supported"]


def with_password(provider):
    def find(request):
        client = provider.storage.find(Application, client_id=request.client_id)
        return client if dict(request.decoded_body).get("tea") == "earl grey" else None

    return [ClientAuthMethod("tea", lambda request: "tea" in dict(request.decoded_body), find)]


def test_a_grant_type_is_known_by_its_exact_name():
    name = "urn:example:tea"
    provider = make_provider(room(portula_grant_types=always({name: ClientCredentialsGrant})))
    _, secret = make_client(provider)
    assert ask_token(provider, secret, grant_type=f"{name}x").json["error"] == "unsupported_grant_type"
    assert name in provider.metadata_document["grant_types_supported"]


def test_a_response_type_is_advertised():
    provider = make_provider(room(portula_response_types=always({"tea": ResponseType})))
    assert provider.metadata_document["response_types_supported"] == ["code", "tea"]


def test_a_validator_mixin_answers_a_new_question():
    class Kettle(OAuth2Validator):
        def water_is_hot(self):
            return True

    assert make_provider(room(portula_validator_mixins=always([Kettle]))).validator.water_is_hot()


def test_two_mixins_of_one_tier_that_answer_one_question_are_both_named():
    class Rival(OAuth2Validator):
        def rotate_refresh_token(self, request):
            return False

    with pytest.raises(SlotConflict) as caught:
        make_provider(room(portula_validator_mixins=always([Rival])))
    assert "'rotate_refresh_token'" in str(caught.value)
    assert "'Room'" in str(caught.value)
    assert "'portula_oauth2'" in str(caught.value)


def test_an_endpoint_is_there_in_flask_and_ahead_of_it():
    tea = Endpoint("tea", "tea/", ("GET",), lambda message: json_answer(418, {"for": message.query}))
    provider = make_provider(room(portula_endpoints=always([tea])))
    app = provider.app
    through_flask = app.test_client().get("/o/tea/?you").json
    app.wsgi_app = provider.wsgi()
    assert app.test_client().get("/o/tea?you").json == through_flask == {"for": "you"}


@pytest.mark.parametrize(("at", "path"), [("mount", "/o/tea"), ("root", "/tea")])
def test_a_blueprint_is_mounted_where_it_says(at, path):
    blueprint = Blueprint("tea", __name__)
    blueprint.add_url_rule("/tea", "tea", lambda: "tea")
    provider = make_provider(room(portula_blueprints=always([Mount(blueprint, at=at)])))
    assert provider.app.test_client().get(path).text == "tea"


def test_metadata_of_rooms_is_joined():
    members = {"scopes_supported": ["tea"], "service_documentation": "https://docs.example"}
    document = make_provider(room(portula_metadata=always(members))).app.test_client()
    told = document.get("/o/.well-known/oauth-authorization-server").json
    assert {"tea", "read"} <= set(told["scopes_supported"])
    assert told["service_documentation"] == "https://docs.example"


def test_metadata_on_which_two_rooms_disagree_is_an_error():
    with pytest.raises(DuplicateContribution, match=r"metadata 'token_endpoint': .* disagree") as caught:
        make_provider(room(portula_metadata=always({"token_endpoint": "tea/"})))
    assert "'Room'" in str(caught.value)


def test_commands_are_there_in_the_flask_group():
    said = click.Command("brew", callback=lambda: click.echo("brewing"))
    app = make_provider(room(portula_commands=always([said]))).app
    assert app.test_cli_runner().invoke(flask_group, ["brew"]).output == "brewing\n"


def test_demo_lines_of_rooms_are_joined():
    issuer = "http://127.0.0.1:8000/o"
    provider = make_provider(room(portula_demo=always({"Tea": "ready"})), OIDC_ISS_ENDPOINT=issuer)
    lines = provider.hooks.collect(Plugin.portula_demo)
    assert lines["Tea"] == "ready"
    assert lines["Demo client_id"] == "demo"


def test_findings_of_rooms_are_collected():
    tea = Finding("tea.cold", Level.INFO, "The tea is cold.", "Make new tea.")
    assert tea in make_provider(room(portula_checks=always([tea]))).hooks.collect(Plugin.portula_checks)


def test_a_room_brings_hooks_of_its_own_under_the_same_rules():
    class KettleHooks(HookDeclarations):
        @slot(HookClass.OBSERVES)
        def portula_kettle(self, provider: Provider) -> str | None:
            """Answer the slot of the kettle."""

    class Kitchen(Plugin):
        def portula_declarations(self, provider):
            return [KettleHooks]

    kettle = room(portula_kettle=always("whistling"))
    assert make_provider(Kitchen(), kettle).hooks.ask(KettleHooks.portula_kettle) == "whistling"
    assert make_provider(Kitchen(), kettle, PLUGINS_CHOICE={"kettle": "Room"})
    with pytest.raises(BrokenPlugin, match="there is no hook 'portula_kettle'"):
        make_provider(kettle)


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ("portula_grant_types", {"client_credentials": ClientCredentialsGrant}),
        ("portula_response_types", {"code": ResponseType}),
        ("portula_scopes", {"offline_access": "again"}),
        ("portula_endpoints", [Endpoint("token", "other/", ("GET",), json_answer)]),
        ("portula_blueprints", [Mount(Blueprint("oauth2", __name__))]),
        ("portula_client_auth_methods", [ClientAuthMethod("none", bool, bool)]),
    ],
)
def test_one_key_twice_is_an_error_that_names_both(hook, answer):
    with pytest.raises(DuplicateContribution) as caught:
        Provider(
            make_app(),
            plugins=[*ROOMS, Memory(), NobodyHere(), room(**{hook: always(answer)})],
            discover=False,
        )
    assert str(caught.value).startswith(f"{hook}: ")
    assert "'Room'" in str(caught.value)
    assert "'portula_" in str(caught.value)
