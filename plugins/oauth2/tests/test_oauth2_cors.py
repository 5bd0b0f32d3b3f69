"""Who may read the answers of the endpoints from a browser page of another origin (Fetch standard)."""

import pytest

from portula.errors import InvalidClientMetadata
from portula.plugin import Application
from portula_testing.writing import change_in

SPA = "https://spa.example"
ENDPOINTS = ["/o/token/", "/o/token", "/o/revoke_token/", "/o/revoke_token"]


def allowed(response):
    """Return the origin that may read a response, and check that caches keep it apart."""
    assert response.headers["Vary"] == "Origin"
    return response.headers.get("Access-Control-Allow-Origin")


@pytest.fixture
def client(world):
    return world.client(allowed_origins=(SPA,))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_preflight_is_answered_before_the_client_is_known(world, path):
    response = world.http.options(
        path,
        headers={
            "Origin": SPA,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert (response.status_code, response.data) == (204, b"")
    assert allowed(response) == SPA
    assert "POST" in response.headers["Access-Control-Allow-Methods"].split(", ")
    named = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type"}.issubset(named)
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert int(response.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("origin", [None, "null", "file://x", "chrome-extension://abc"])
def test_a_preflight_of_no_web_origin_is_allowed_nothing(world, origin):
    response = world.http.options("/o/token/", headers={"Origin": origin} if origin else {})
    assert response.status_code == 204
    assert not [name for name in response.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118
    assert response.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("origin", [SPA, "https://client.example"])
def test_tokens_are_read_by_allowed_origins_and_those_of_redirect_uris(world, client, origin):
    response = world.token(client, "client_credentials", {**client.headers, "Origin": origin})
    assert response.status_code == 200
    assert allowed(response) == origin
    form = {"token": response.json["access_token"]}
    answer = world.post("/o/revoke_token/", form, {**client.headers, "Origin": origin})
    assert answer.status_code == 200
    assert allowed(answer) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://spa.example",
        "https://spa.example:8443",
        "https://spa.example.evil.example",
        "https://spa.example/",
        "https://user@spa.example",
        "null",
        "*",
    ],
)
def test_a_foreign_origin_reads_nothing(world, client, origin):
    headers = {**client.headers, "Origin": origin}
    assert allowed(world.token(client, "client_credentials", headers)) is None
    assert allowed(world.token(client, "tea", headers)) is None
    assert allowed(world.post("/o/revoke_token/", {"token": "x"}, headers)) is None


@pytest.mark.parametrize("path", ["/o/token/", "/o/revoke_token/"])
def test_errors_are_read_too_once_the_client_is_named(world, client, path):
    wrong = {"client_id": client.client_id, "client_secret": "wrong", "grant_type": "client_credentials"}
    response = world.post(path, {**wrong, "token": "x"}, {"Origin": SPA})
    assert response.status_code == 401
    assert allowed(response) == SPA
    response = world.post(path, {"grant_type": "tea"}, {**client.headers, "Origin": SPA})
    assert response.status_code == 400
    assert allowed(response) == SPA


def test_a_public_client_in_a_browser_reads_its_answers(world):
    client = world.public(allowed_origins=(SPA,))
    code, verifier = world.code(client)
    form = {"grant_type": "authorization_code", "client_id": client.client_id, "code": code}
    response = world.post(
        "/o/token/",
        {**form, "redirect_uri": "https://client.example/cb", "code_verifier": verifier},
        {"Origin": SPA},
    )
    assert response.status_code == 200
    assert allowed(response) == SPA


def test_who_names_no_client_reads_nothing(world):
    assert allowed(world.post("/o/token/", {"grant_type": "tea"}, {"Origin": SPA})) is None
    assert allowed(world.post("/o/token/", {"client_id": "nobody"}, {"Origin": SPA})) is None


def test_a_request_without_an_origin_is_not_answered_for_one(world, client):
    assert allowed(world.token(client, "client_credentials")) is None


OPEN = ["/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o"]


def preflight(world, path, headers, origin=SPA):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return world.http.options(path, headers={**asked, "Access-Control-Request-Headers": headers})


@pytest.mark.parametrize("path", [*ENDPOINTS, *OPEN])
@pytest.mark.parametrize(
    "asked", ["mcp-protocol-version", "authorization,x-requested-with, DPoP", "traceparent"]
)
def test_a_preflight_allows_the_headers_that_are_asked_for(world, path, asked):
    named = preflight(world, path, asked).headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {name.strip().lower() for name in asked.split(",")} <= set(named)
    assert {"authorization", "content-type"} <= set(named)
    assert len(named) == len(set(named))


@pytest.mark.parametrize("asked", ["", ",", "a b", "a:b", "x" * 2000, "a,,b"])
def test_what_is_no_list_of_headers_is_not_sent_back(world, asked):
    answer = preflight(world, "/o/token/", asked)
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"


@pytest.mark.parametrize("origin", ["null", "capacitor://localhost", "https://evil.example"])
def test_any_page_may_ask_what_everybody_may_read(world, origin):
    for path in OPEN:
        answer = preflight(world, path, "mcp-protocol-version", origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_page_that_reads_an_answer_reads_the_challenge_too(world, client):
    wrong = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": "wrong"}
    for path in ("/o/token/", "/o/revoke_token/"):
        answer = world.post(path, {**wrong, "token": "x"}, {"Origin": SPA})
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
        assert answer.headers["Access-Control-Expose-Headers"] == "WWW-Authenticate"
        other = world.post(path, {**wrong, "token": "x"}, {"Origin": "https://evil.example"})
        assert "Access-Control-Expose-Headers" not in other.headers


def test_an_http_origin_needs_allowed_schemes(make):
    origin = "http://spa.example"
    with pytest.raises(InvalidClientMetadata, match=r"its scheme must be one of https"):
        make().client(allowed_origins=(origin,))
    lax = {"ALLOWED_SCHEMES": ["https", "http"], "ALLOWED_REDIRECT_URI_SCHEMES": ["https"]}
    world = make(**lax)
    client = world.client(allowed_origins=(origin,))
    assert allowed(world.token(client, "client_credentials", {**client.headers, "Origin": origin})) == origin
    strict = make(**{**lax, "ALLOWED_SCHEMES": ["https"]})
    party = strict.client()
    change_in(strict.provider.storage, Application, {"client_id": party.client_id}, allowed_origins=(origin,))
    assert allowed(strict.token(party, "client_credentials", {**party.headers, "Origin": origin})) is None


@pytest.mark.parametrize(
    "origin",
    ["capacitor://localhost", "ionic://localhost:8100", "chrome-extension://abcdef", "http://spa.example"],
)
def test_an_origin_of_a_scheme_that_is_allowed_is_one(make, origin):
    scheme, _, host = origin.partition("://")
    world = make(ALLOWED_SCHEMES=["https", scheme.title()])
    client = world.client(allowed_origins=(SPA, origin))
    ask = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    headers = {**client.headers, "Origin": origin}
    assert allowed(world.http.options("/o/token/", headers=ask)) == origin
    assert allowed(world.http.options("/o/revoke_token/", headers=ask)) == origin
    assert allowed(world.token(client, "client_credentials", headers)) == origin
    assert allowed(world.post("/o/revoke_token/", {"token": "x"}, headers)) == origin
    assert allowed(world.token(client, "tea", headers)) == origin
    for other in (f"{origin}.evil", f"other://{host}", f"{origin}/", f"{scheme}://evil@{host}"):
        assert allowed(world.token(client, "client_credentials", {**headers, "Origin": other})) is None
    stranger = world.client()
    assert (
        allowed(world.token(stranger, "client_credentials", {**stranger.headers, "Origin": origin})) is None
    )
    for wrong in (f"{origin}/x", f"{scheme}://", f"{scheme}://a@{host}", f"{scheme.title()}://{host}"):
        with pytest.raises(InvalidClientMetadata, match="allowed origin"):
            world.client(allowed_origins=(wrong,))


def test_a_refused_scheme_is_told_with_the_setting_that_would_allow_it(world):
    with pytest.raises(InvalidClientMetadata, match=r"must be one of https \(ALLOWED_SCHEMES\)"):
        world.client(allowed_origins=("capacitor://localhost",))
    for member in ("redirect_uris", "post_logout_redirect_uris"):
        with pytest.raises(InvalidClientMetadata, match="see ALLOWED_REDIRECT_URI_SCHEMES"):
            world.client(**{"redirect_uris": ("https://client.example/cb",), member: ("tea://cb",)})


def test_a_page_on_loopback_reads_answers_when_it_is_a_redirect_uri(world):
    client = world.client(redirect_uris=("http://127.0.0.1:3000/cb",))
    headers = {**client.headers, "Origin": "http://127.0.0.1:3000"}
    assert allowed(world.token(client, "client_credentials", headers)) == "http://127.0.0.1:3000"


def test_everybody_reads_the_metadata(world):
    for path in ("/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o"):
        response = world.get(path, headers={"Origin": "https://evil.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        preflight = world.http.options(path, headers={"Origin": "https://evil.example"})
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in preflight.headers


def test_no_page_reads_the_authorization_endpoint(world, client):
    headers = {"Origin": SPA}
    for response in (
        world.get("/o/authorize/", query_string=world.asked(client), headers=headers),
        world.get("/o/authorize/", headers=headers),
        world.http.options("/o/authorize/", headers=headers),
        world.post("/o/authorize/", world.asked(client), headers),
    ):
        assert not [name for name in response.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118
