"""The server metadata of this room (RFC 8414)."""

import pytest

BELOW_MOUNT = "/o/.well-known/oauth-authorization-server"
AT_ROOT = "/.well-known/oauth-authorization-server/o"
DOCUMENT = {
    "issuer": "https://id.example/o",
    "authorization_endpoint": "https://id.example/o/authorize/",
    "token_endpoint": "https://id.example/o/token/",
    "revocation_endpoint": "https://id.example/o/revoke_token/",
    "scopes_supported": ["offline_access", "read", "write"],
    "response_types_supported": ["code"],
    "response_modes_supported": ["form_post", "fragment", "query"],
    "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
}


@pytest.mark.parametrize("path", [BELOW_MOUNT, AT_ROOT])
def test_the_document_has_exactly_these_members(world, path):
    response = world.get(path)
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.json == DOCUMENT


def test_the_document_follows_the_settings(make):
    world = make(
        PASSWORD_GRANT_ENABLED=True,
        CODE_CHALLENGE_METHODS=["plain", "S256"],
        SCOPES={"tea": "Make tea"},
    )
    assert world.get(BELOW_MOUNT).json == {
        **DOCUMENT,
        "grant_types_supported": ["authorization_code", "client_credentials", "password", "refresh_token"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "scopes_supported": ["offline_access", "tea"],
    }


def test_an_issuer_with_another_path_than_the_mount_has_its_own_place(make):
    world = make(OIDC_ISS_ENDPOINT="https://id.example/tenant/one", MOUNT_PATH="/o")
    document = world.get("/.well-known/oauth-authorization-server/tenant/one").json
    assert document["issuer"] == "https://id.example/tenant/one"
    assert document["token_endpoint"] == "https://id.example/o/token/"
    assert world.get(BELOW_MOUNT).json == document
    assert world.get(AT_ROOT).status_code == 404


@pytest.mark.parametrize("issuer", ["https://id.example", "https://id.example/"])
def test_an_issuer_without_a_path_stands_at_the_root(make, issuer):
    world = make(OIDC_ISS_ENDPOINT=issuer, MOUNT_PATH="")
    document = world.get("/.well-known/oauth-authorization-server").json
    assert document["issuer"] == issuer
    assert document["authorization_endpoint"] == "https://id.example/authorize/"
    assert world.get("/authorize/").status_code == 400


def test_every_endpoint_that_is_named_stands_there(world):
    document = world.get(BELOW_MOUNT).json
    for member, address in document.items():
        if member.endswith("_endpoint"):
            response = world.get(address.removeprefix("https://id.example"))
            assert response.status_code in (400, 405), member


def test_it_may_be_cached_and_is_not_sent_twice(world):
    first = world.get(BELOW_MOUNT)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    tag = first.headers["ETag"]
    again = world.get(BELOW_MOUNT, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == tag
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    other = world.get(BELOW_MOUNT, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.json) == (200, DOCUMENT)


def test_the_tag_changes_with_the_document(make):
    tags = {make(SCOPES={name: name}).get(BELOW_MOUNT).headers["ETag"] for name in ("tea", "coffee")}
    assert len(tags) == 2


def test_head_answers_the_same_without_the_document(world):
    got, head = world.get(BELOW_MOUNT), world.http.head(BELOW_MOUNT, base_url=world.base)
    assert (head.status_code, head.data) == (200, b"")
    assert dict(head.headers) == dict(got.headers)
    assert int(head.headers["Content-Length"]) == len(got.data)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_else_is_done_with_it(world, method):
    response = world.http.open(BELOW_MOUNT, method=method)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"].split(", ")
