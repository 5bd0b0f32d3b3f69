"""Documents about resources, and the challenges that lead there (RFC 9728)."""

import pytest
from flask import Flask
from security.driving import HOST, ISSUER, bearer
from security.house import House
from support import details
from support.elsewhere import API, METADATA, Elsewhere
from support.proofs import Prover

import portula_protected_resource
import portula_resource_server
from portula import Provider
from portula.errors import ConfigError
from portula_resource_server import require_oauth

KNOWN = "/.well-known/oauth-protected-resource"
NOTES, SONGS = f"{HOST}/notes", f"{HOST}/songs"


def document_of(door, path="", **keywords):
    answer = door.open(f"{KNOWN}{path}", **keywords)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/json"
    return answer.json


def add_views(app):
    for path, scope in {"/notes/1": "notes", "/notes-of-others": "notes", "/songs/": "songs"}.items():
        app.add_url_rule(path, path, require_oauth(scope)(lambda: "there"))


@pytest.fixture(scope="module")
def house():
    made = House(
        SCOPES={"notes": "Notes", "songs": "Songs", "offline_access": "Stay", "read": "Read"},
        OAUTH2_PROTECTED_RESOURCE_IDENTIFIER=NOTES,
        OAUTH2_PROTECTED_RESOURCES={
            SONGS: {
                "scopes": ["songs"],
                "name": "The songs",
                "authorization_servers": ["https://other.example"],
            },
        },
        OAUTH2_PROTECTED_RESOURCE_NAME="The notes",
        OAUTH2_PROTECTED_RESOURCE_DOCUMENTATION="https://docs.example/api",
        AUTHORIZATION_DETAILS_TYPES=details.TYPES,
    )
    add_views(made.app)
    return made


def challenges_of(answer):
    return answer.headers["WWW-Authenticate"].replace(", DPoP ", "\nDPoP ").splitlines()


@pytest.mark.parametrize("kind", ["flask", "ahead of flask"])
def test_the_document_says_what_a_client_has_to_know(house, kind):
    assert document_of(house.door(kind), "/notes") == {
        "resource": NOTES,
        "authorization_servers": [ISSUER],
        "scopes_supported": ["introspection", "notes", "read", "songs"],
        "bearer_methods_supported": ["header"],
        "resource_name": "The notes",
        "resource_documentation": "https://docs.example/api",
        "authorization_details_types_supported": sorted(details.TYPES),
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "RS256"],
    }


def test_what_is_said_of_one_resource_wins(house):
    document = document_of(house.door(), "/songs")
    assert document["scopes_supported"] == ["songs"]
    assert document["resource_name"] == "The songs"
    assert document["authorization_servers"] == ["https://other.example"]


@pytest.mark.parametrize("path", ["", "/", "/other", "/notes/1", "/Notes", "/notes%20"])
def test_of_anything_else_there_is_no_document(house, path):
    assert house.door().open(f"{KNOWN}{path}").status_code == 404


def test_it_may_be_read_by_any_page_and_kept(house):
    answer = house.door().open(f"{KNOWN}/notes", headers={"Origin": "https://app.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_a_host_header_is_not_believed(house):
    """S65."""
    answer = house.door().open(f"{KNOWN}/notes", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.text
    hostile = house.door().open(f"{KNOWN}/notes", base_url="https://evil.example")
    assert hostile.status_code == 400 or hostile.json["resource"] == NOTES
    challenge = house.door().open("/notes/1", base_url="https://evil.example")
    assert "evil.example" not in challenge.headers["WWW-Authenticate"]


def test_the_provider_tells_which_resources_it_knows(house):
    metadata = house.door().open("/.well-known/oauth-authorization-server/o").json
    assert metadata["protected_resources"] == [NOTES, SONGS]


def test_a_challenge_leads_to_the_document_and_names_the_scope(house):
    answer = house.door().open("/notes/1")
    assert answer.status_code == 401
    for challenge in challenges_of(answer):
        assert f'resource_metadata="{HOST}{KNOWN}/notes"' in challenge
        assert 'scope="notes"' in challenge
        assert "error=" not in challenge


@pytest.mark.parametrize("token", ["unknown", "without the scope"])
def test_so_does_a_refusal(house, token):
    party = house.client()
    value = (
        house.door().token(party, grant_type="client_credentials", scope="read").json["access_token"]
        if token == "without the scope"
        else token
    )
    answer = house.door().open("/notes/1", headers=bearer(value))
    first = challenges_of(answer)[0]
    assert f'resource_metadata="{HOST}{KNOWN}/notes"' in first
    assert first.count("scope=") == 1
    error = {401: "invalid_token", 403: "insufficient_scope"}[answer.status_code]
    assert f'error="{error}"' in first


def test_so_does_the_challenge_of_a_bound_token(house):
    party, prover = house.client(), Prover(lambda: house.clock.time)
    asked = {"grant_type": "client_credentials", "scope": "read"}
    token = house.door().token(party, headers={**party.auth, **prover.proof()}, **asked).json["access_token"]
    answer = house.door().open("/notes/1", headers=prover.at("/notes/1", token))
    (challenge,) = [each for each in challenges_of(answer) if each.startswith("DPoP")]
    assert 'error="insufficient_scope"' in challenge
    assert f'resource_metadata="{HOST}{KNOWN}/notes"' in challenge


@pytest.mark.parametrize("path", ["/notes-of-others", "/resource"])
def test_a_view_of_no_resource_leads_nowhere(house, path):
    assert "resource_metadata" not in house.door().open(path).headers["WWW-Authenticate"]


def test_the_most_specific_resource_counts():
    house = House(OAUTH2_PROTECTED_RESOURCES={f"{HOST}/": {}, NOTES: {}})
    add_views(house.app)
    for path, place in {"/notes/1": "/notes", "/songs/": ""}.items():
        challenge = house.door().open(path).headers["WWW-Authenticate"]
        assert f'resource_metadata="{HOST}{KNOWN}{place}"' in challenge
    assert document_of(house.door())["resource"] == f"{HOST}/"


def test_where_nothing_is_configured_the_app_is_the_resource():
    house = House()
    assert document_of(house.door())["resource"] == HOST
    assert "protected_resources" not in house.door().open(METADATA.removeprefix(HOST)).json
    assert f'resource_metadata="{HOST}{KNOWN}"' in house.door().open("/resource").headers["WWW-Authenticate"]


def test_in_a_process_of_its_own_the_audience_is_the_resource():
    elsewhere = Elsewhere(portula_protected_resource)
    elsewhere.app.add_url_rule("/notes", "notes", require_oauth("read")(lambda: "there"))
    http = elsewhere.app.test_client()
    document = http.get(KNOWN, base_url=API).json
    assert (document["resource"], document["authorization_servers"]) == (API, [ISSUER])
    assert f'resource_metadata="{API}{KNOWN}"' in http.get("/notes", base_url=API).headers["WWW-Authenticate"]


def test_who_only_introspects_names_the_server_or_nobody():
    app = Flask("api")
    app.config["OAUTH2_PROVIDER"] = {
        "RESOURCE_SERVER_INTROSPECTION_URL": "https://id.example/o/introspect/",
        "RESOURCE_SERVER_AUTH_TOKEN": "a-token",
        "OAUTH2_PROTECTED_RESOURCE_IDENTIFIER": "https://api.example/v1",
        "OIDC_ISS_ENDPOINT": "https://api.example/o",
        "SECRET_KEYS": ["a key of this server, long enough"],
    }
    Provider(app, plugins=[portula_resource_server, portula_protected_resource], discover=False)
    document = app.test_client().get(f"{KNOWN}/v1", base_url="https://api.example").json
    assert document == {"resource": "https://api.example/v1", "bearer_methods_supported": ["header"]}


def test_who_only_introspects_and_is_not_told_has_no_document():
    app = Flask("api")
    app.config["OAUTH2_PROVIDER"] = {
        "RESOURCE_SERVER_INTROSPECTION_URL": "https://id.example/o/introspect/",
        "RESOURCE_SERVER_AUTH_TOKEN": "a-token",
        "OIDC_ISS_ENDPOINT": "https://api.example/o",
        "SECRET_KEYS": ["a key of this server, long enough"],
    }
    Provider(app, plugins=[portula_resource_server, portula_protected_resource], discover=False)
    assert app.test_client().get(KNOWN, base_url="https://api.example").status_code == 404


@pytest.mark.parametrize(
    "identifier",
    [
        "api",
        "http://api.example",
        "https://",
        "https://user@api.example",
        "https://api.example/#part",
        "https://api.example/?query",
        'https://api.example/"quoted"',
        "https://api.example/<int:number>",
        "https://api.example/%6eotes",
        "https://api.example/ü",
        "ftp://api.example",
    ],
)
def test_what_is_no_identifier_stops_the_start(identifier):
    for settings in (
        {"OAUTH2_PROTECTED_RESOURCE_IDENTIFIER": identifier},
        {"OAUTH2_PROTECTED_RESOURCES": {identifier: {}}},
    ):
        with pytest.raises(ConfigError, match=r"is no https URL|http is for loopback"):
            House(**settings)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"OAUTH2_PROTECTED_RESOURCES": {NOTES: {}, "https://b.example/notes/": {}}}, "the path '/notes'"),
        ({"OAUTH2_PROTECTED_RESOURCES": {NOTES: {"scope": "notes"}}}, "scope"),
        ({"OAUTH2_PROTECTED_RESOURCE_BEARER_METHODS_SUPPORTED": ["body"]}, "header"),
        ({"OAUTH2_PROTECTED_RESOURCE_TOS_URI": "terms"}, "no https URL"),
    ],
)
def test_what_cannot_be_stops_the_start(settings, reason):
    with pytest.raises(ConfigError, match=reason):
        House(**settings)


def test_on_loopback_http_is_enough():
    house = House(OIDC_ISS_ENDPOINT="", OAUTH2_PROTECTED_RESOURCE_IDENTIFIER="http://127.0.0.1:5000/notes")
    add_views(house.app)
    challenge = house.door().open("/notes/1").headers["WWW-Authenticate"]
    assert f'resource_metadata="http://127.0.0.1:5000{KNOWN}/notes"' in challenge


@pytest.mark.parametrize("token", [None, "x"])
def test_at_a_host_that_is_not_trusted_nothing_is_told(token):
    house = House(OIDC_ISS_ENDPOINT="", RESOURCE_SERVER_AUDIENCES=["https://api.example"])
    headers = bearer(token) if token else {}
    answer = house.door().open("/resource", base_url="https://evil.example", headers=headers)
    assert answer.status_code == 401
    assert "resource_metadata" not in answer.headers["WWW-Authenticate"]
    assert house.door().open(KNOWN, base_url="https://evil.example").status_code == 400


def test_resources_of_other_hosts_are_theirs_to_tell():
    for issuer in (ISSUER, ""):
        house = House(OIDC_ISS_ENDPOINT=issuer, PROTECTED_RESOURCES={"https://other.example/mcp": {}})
        assert house.door().open(f"{KNOWN}/mcp", base_url=house.host).status_code == 404
