"""A token for another server is of no use at the provider's own endpoints (RFC 8707 §2, attack S29)."""

import pytest
from security.driving import bearer

ISSUER = "https://id.example/o"
FOREIGN = ["https://api.example/", "https://id.example/resource", "https://id.example/oo", "urn:example:api"]
OURS = [ISSUER, f"{ISSUER}/", "https://id.example/", "https://id.example:443/o", "https://ID.example/o"]


@pytest.fixture(scope="module")
def lax(make_world):
    return make_world(RESOURCE_INDICATORS_POLICY="any")


@pytest.fixture(scope="module")
def app(lax):
    return lax.client()


def refused(answer):
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token"), answer.text
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def person_token(world, party, *resources):
    code = world.browser().code(party, scope="openid read", resource=list(resources))
    return world.door().redeem(party, *code).json["access_token"]


@pytest.mark.parametrize("resource", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_refuses_a_token_for_another_server(lax, app, resource, method):
    token = person_token(lax, app, resource)
    refused(lax.userinfo(token, method))
    refused(lax.door("wsgi").open("/o/userinfo/", headers=bearer(token)))


def test_userinfo_refuses_one_that_comes_in_a_form(lax, app):
    token = person_token(lax, app, FOREIGN[0])
    refused(lax.door().post("/o/userinfo/", {"access_token": token}))


@pytest.mark.parametrize("resource", [*OURS, f"{ISSUER}/userinfo", f"{ISSUER}/userinfo/"])
def test_userinfo_takes_one_for_the_issuer_or_for_itself(lax, app, resource):
    assert lax.userinfo(person_token(lax, app, resource)).json["sub"] == lax.ann.sub


def test_userinfo_takes_one_for_several_of_which_it_is_one(lax, app):
    assert lax.userinfo(person_token(lax, app, FOREIGN[0], ISSUER)).status_code == 200
    assert lax.userinfo(person_token(lax, app)).status_code == 200


def test_userinfo_refuses_one_whose_audience_is_the_default(make_world):
    api = "https://api.example/"
    world = make_world(PROTECTED_RESOURCES={api: {}, ISSUER: {}}, RESOURCE_INDICATORS_DEFAULT=api)
    party = world.client()
    refused(world.userinfo(person_token(world, party)))
    assert world.userinfo(person_token(world, party, api, ISSUER)).status_code == 200


@pytest.mark.parametrize(
    ("resource", "status"), [(FOREIGN[0], 401), (ISSUER, 200), (f"{ISSUER}/userinfo/", 401)]
)
def test_who_asks_about_tokens_comes_with_one_for_this_server(lax, app, resource, status):
    form = {"grant_type": "client_credentials", "scope": "introspection", "resource": resource}
    caller = lax.door().token(app, **form).json["access_token"]
    answer = lax.door().post("/o/introspect/", {"token": "x"}, bearer(caller))
    assert answer.status_code == status
    assert answer.json == {"active": False} if status == 200 else answer.json["error"] == "invalid_token"


def test_the_host_header_does_not_make_it_the_right_server(lax, app):
    token = person_token(lax, app, FOREIGN[0])
    refused(lax.userinfo(token, base_url="https://api.example"))


def test_a_resource_is_told_the_scopes_that_it_knows(make_world):
    resources = {
        "https://api.example/": {"scopes": ["read"], "client_id": "api"},
        "https://files.example/": {"scopes": ["write"], "client_id": "files"},
        "https://all.example/": {"client_id": "all"},
    }
    world = make_world(PROTECTED_RESOURCES=resources, SCOPES={"read": "Read", "write": "Write", "other": "?"})
    servers = {name: world.client(client_id=name) for name in ("api", "files", "all")}
    scope = "openid read write other"
    party = world.client()
    code = world.browser().code(party, scope=scope, resource=list(resources))
    token = world.door().redeem(party, *code).json["access_token"]
    told = {name: world.door().introspect(api, token).json["scope"] for name, api in servers.items()}
    assert told == {"api": "openid read other", "files": "openid write other", "all": scope}
