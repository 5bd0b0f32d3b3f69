"""OIDC_ENABLED, and metadata that says what works and nothing else."""

import pytest
from security.driving import ISSUER, Door, answered

from portula.errors import ConfigError, SlotConflict
from portula.plugin import Server
from portula_testing.provider import client_for, make_provider

WELL_KNOWN = [
    "/o/.well-known/openid-configuration",
    "/.well-known/openid-configuration/o",
]
OAUTH = ["/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o"]


def metadata(world, path=WELL_KNOWN[0]):
    return world.door().open(path).json


@pytest.mark.parametrize(
    ("enabled", "with_key", "on"),
    [
        (..., True, True),
        (..., False, False),
        (None, True, True),
        (None, False, False),
        (True, True, True),
        (True, False, True),
        (False, True, False),
        (False, False, False),
    ],
)
def test_it_is_on_when_a_key_is_set_unless_it_is_said(make_world, pem, enabled, with_key, on):
    world = make_world(OIDC_ENABLED=enabled, OIDC_RSA_PRIVATE_KEY=pem if with_key else "")
    assert (world.door().open(WELL_KNOWN[0]).status_code == 200) is on
    tokens = world.tokens(world.client(grant_types=("authorization_code",)), scope="read")
    assert "access_token" in tokens


def test_switched_off_there_is_no_trace_of_it(make_world, kind):
    world = make_world(OIDC_ENABLED=False)
    door = world.door(kind)
    for path in (*WELL_KNOWN, "/o/.well-known/jwks.json", "/o/userinfo/"):
        assert door.open(path).status_code == 404
    document = door.open(OAUTH[0]).json
    text = str(document)
    for word in ("openid", "id_token", "userinfo", "jwks", "subject_types", "claims", "prompt", "acr"):
        assert word not in text
    client = world.client(grant_types=("authorization_code",))
    refused = answered(world.browser().authorize(client, scope="openid"))
    assert refused["error"] == "invalid_scope"


@pytest.mark.parametrize("rooms", [(), ("jar",), ("par",)])
def test_where_nobody_reads_requests_by_reference_it_is_said(rooms):
    base = ("oidc", "oauth2", "jose", "generators", "consent", "scopes_settings", *rooms)
    provider = make_provider(*base, settings={"OIDC_ENABLED": True, "OIDC_ISS_ENDPOINT": ISSUER})
    door = Door(provider.app)
    assert door.open(WELL_KNOWN[0]).json["request_uri_parameter_supported"] is False
    client, _ = client_for(provider, "authorization_code")
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "request_uri": "https://client.example/r",
    }
    answer = door.open("/o/authorize/", query_string={**asked, "redirect_uri": client.redirect_uris[0]})
    assert answered(answer)["error"] == "request_uri_not_supported"


def test_where_somebody_reads_them_that_is_said(make_world):
    assert metadata(make_world(REQUEST_URI_ENABLED=True))["request_uri_parameter_supported"] is True


@pytest.fixture(params=["flask", "wsgi"])
def kind(request):
    return request.param


def test_the_document_is_the_same_in_all_places(world, kind):
    documents = [world.door(kind).open(path) for path in (*WELL_KNOWN, *OAUTH)]
    assert [response.status_code for response in documents] == [200] * 4
    assert len({response.get_data() for response in documents}) == 1
    assert documents[0].mimetype == "application/json"
    assert documents[0].headers["Access-Control-Allow-Origin"] == "*"
    assert documents[0].headers["Cache-Control"].startswith("public, max-age=")


def test_addresses_are_below_the_mount(world):
    document = metadata(world)
    assert document["jwks_uri"] == "https://id.example/o/.well-known/jwks.json"
    assert document["userinfo_endpoint"] == "https://id.example/o/userinfo/"


def test_userinfo_may_be_advertised_elsewhere(make_world):
    world = make_world(OIDC_USERINFO_ENDPOINT="https://info.example/me")
    assert metadata(world)["userinfo_endpoint"] == "https://info.example/me"
    assert world.userinfo(None).status_code == 401


def test_response_types_are_advertised_if_they_are_answered(make_world):
    safe = metadata(make_world(IMPLICIT_GRANT_ENABLED=False))
    assert safe["response_types_supported"] == ["code", "code id_token", "id_token"]
    chosen = make_world(OIDC_RESPONSE_TYPES_SUPPORTED=["id_token token", "code"])
    assert metadata(chosen)["response_types_supported"] == ["code", "id_token token"]
    client = chosen.client()
    refused = chosen.browser().ask(client, response_type="id_token", scope="openid", nonce="n")
    assert answered(refused)["error"] == "unsupported_response_type"
    allowed = chosen.browser().authorize(
        client,
        response_type="token id_token",
        scope="openid",
        nonce="n",
        code_challenge=None,
        code_challenge_method=None,
    )
    assert {"access_token", "id_token"} <= answered(allowed).keys()


def test_no_list_brings_on_access_tokens_in_redirects_that_are_off(make_world):
    types = [
        "code",
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token",
        "code id_token token",
    ]
    world = make_world(OIDC_RESPONSE_TYPES_SUPPORTED=types, IMPLICIT_GRANT_ENABLED=False)
    assert metadata(world)["response_types_supported"] == ["code", "code id_token", "id_token"]
    for name in ("token", "id_token token", "code token", "code id_token token"):
        refused = world.browser().ask(world.client(), response_type=name, scope="openid", nonce="n")
        assert answered(refused)["error"] == "unsupported_response_type"
    with pytest.raises(ConfigError, match="IMPLICIT_GRANT_ENABLED = True"):
        make_world(OIDC_RESPONSE_TYPES_SUPPORTED=["token"], IMPLICIT_GRANT_ENABLED=False)


SHOWN = (
    "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED",
    "OIDC_RESPONSE_TYPES_SUPPORTED",
    "OIDC_SUBJECT_TYPES_SUPPORTED",
)


@pytest.mark.parametrize("name", [*SHOWN, "IMPLICIT_GRANT_ENABLED"])
def test_a_default_that_is_written_out_changes_nothing(make_world, name):
    plain = make_world(IMPLICIT_GRANT_ENABLED=False)
    declared = {setting.name: setting for setting in plain.provider.all_settings.declarations()}[name]
    written = make_world(**{"IMPLICIT_GRANT_ENABLED": False, name: declared.field.default})
    assert metadata(written) == metadata(plain)
    public = written.client(client_type="public", grant_types=("authorization_code",))
    assert written.sign_in(public, scope="openid")["id_token"]


def test_grant_types_follow_the_response_types(make_world):
    assert "implicit" in metadata(make_world())["grant_types_supported"]
    only_code = make_world(OIDC_RESPONSE_TYPES_SUPPORTED=["code"])
    assert "implicit" not in metadata(only_code)["grant_types_supported"]


def test_authentication_methods_are_advertised_if_they_are_answered(make_world):
    world = make_world(OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED=["client_secret_basic"])
    assert metadata(world)["token_endpoint_auth_methods_supported"] == ["client_secret_basic"]
    client = world.client()
    body = {"client_id": client.client_id, "client_secret": client.secret}
    posted = world.door().token(grant_type="client_credentials", **body)
    assert (posted.status_code, posted.json["error"]) == (401, "invalid_client")
    assert world.door().token(client, grant_type="client_credentials").status_code == 200


def test_subject_types_are_advertised_if_they_are_answered(make_world):
    assert metadata(make_world())["subject_types_supported"] == ["pairwise", "public"]
    world = make_world(OIDC_SUBJECT_TYPES_SUPPORTED=["public"])
    assert metadata(world)["subject_types_supported"] == ["public"]
    with pytest.raises(Exception, match="subject_type"):
        world.client(metadata={"subject_type": "pairwise"})


def test_every_advertised_algorithm_signs_an_id_token(world):
    for algorithm in metadata(world)["id_token_signing_alg_values_supported"]:
        client = world.client(algorithm=algorithm, hash_secret=not algorithm.startswith("HS"))
        assert world.read(world.sign_in(client, scope="openid")["id_token"], client)["sub"] == world.ann.sub


def test_every_advertised_scope_is_granted(world, client):
    for scope in metadata(world)["scopes_supported"]:
        assert world.tokens(client, scope=scope)["scope"] == scope


class OwnServer(Server):
    """A server class of the deployment's."""


@pytest.mark.parametrize("on", [True, False])
def test_the_server_class_of_openid_connect_is_in_use_while_it_is_on(make_world, on):
    world = make_world(OIDC_ENABLED=on, OIDC_SERVER_CLASS=OwnServer)
    assert isinstance(world.provider.backend.server, OwnServer) is on
    tokens = world.tokens(world.client(grant_types=("authorization_code",)), scope="read")
    assert "access_token" in tokens


def test_two_server_classes_are_a_conflict_that_says_how_to_settle_it(make_world):
    class Other(Server):
        pass

    given = {"OIDC_SERVER_CLASS": OwnServer, "OAUTH2_SERVER_CLASS": Other}
    with pytest.raises(SlotConflict, match=r'PLUGINS_CHOICE = \{"server_class": "setting:'):
        make_world(**given)
    chosen = make_world(**given, PLUGINS_CHOICE={"server_class": "setting:OIDC_SERVER_CLASS"})
    assert isinstance(chosen.provider.backend.server, OwnServer)


@pytest.mark.parametrize("name", ["oauthlib.openid.Server", "oauthlib.oauth2.Server"])
def test_the_names_of_django_oauth_toolkit_mean_ours(make_world, name):
    world = make_world(OAUTH2_SERVER_CLASS=name, OIDC_SERVER_CLASS="oauthlib.openid.Server")
    assert type(world.provider.backend.server) is Server
