"""S65: what a request says of the host it wants never comes back: not in issuer, metadata, Location, cookie or page."""

import pytest

from security.driving import CALLBACK, answered, pkce

EVIL = "evil.example"

HOSTS = [
    EVIL,
    f"{EVIL}:443",
    f"id.example.{EVIL}",
    f"id.example@{EVIL}",
    f"{EVIL}@id.example",
    f"localhost.{EVIL}",
    f"localhost@{EVIL}",
    f"{EVIL}@localhost",
    f"{EVIL}@127.0.0.1",
    f"localhost:80@{EVIL}",
    f"localhost/{EVIL}",
    f"localhost/{EVIL}#",
    f"localhost?{EVIL}",
    f"localhost#{EVIL}",
    f"localhost\\{EVIL}",
    f"localhost:{EVIL}",
    f"localhost, {EVIL}",
    f"localhost {EVIL}",
    f"[::1].{EVIL}",
    f"[::1]@{EVIL}",
    f"[::1%25{EVIL}]",
    f"[{EVIL}]",
    f"127.0.0.1.{EVIL}",
    f'localhost"{EVIL}',
    f"localhost<{EVIL}>",
    f"{EVIL}\u00e9",
]
BROKEN = [
    "",
    "[",
    "[::1",
    "]",
    ":",
    ":80",
    "localhost:99999",
    "localhost:-1",
    "\u00ff",
    "a" * 60,
    "[::1]]",
    "@",
]

FORWARDED = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Proto": EVIL,
    "X-Forwarded-Prefix": f"/{EVIL}",
    "X-Forwarded-Port": "666",
    "X-Original-Host": EVIL,
    "X-Host": EVIL,
    "X-HTTP-Host-Override": EVIL,
    "X-Original-URL": f"//{EVIL}",
    "X-Rewrite-URL": f"//{EVIL}",
    "Forwarded": f"host={EVIL};proto=https",
}

hosts = pytest.mark.parametrize("host", [*HOSTS, *BROKEN], ids=lambda host: ascii(host)[1:40])


@pytest.fixture(scope="module")
def unfixed(make_house):
    """A house whose issuer follows the host, within bounds."""
    return make_house(OIDC_ISS_ENDPOINT="")


@pytest.fixture(params=["fixed issuer", "no issuer"])
def any_house(request, house, unfixed):
    return house if request.param == "fixed issuer" else unfixed


def is_clean(response):
    """Say whether nothing came back. A code may hold `evil` or `666` by chance, but neither a dot nor a colon."""
    everything = f"{response.status} {response.headers} {response.text}".lower()
    return EVIL not in everything and ":666" not in everything


WELL_KNOWN = ["/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o"]


@hosts
def test_metadata(any_house, kind, host):
    door = any_house.door(kind)
    before = door.open(WELL_KNOWN[0]).data
    for path in WELL_KNOWN:
        response = door.open(path, headers={"Host": host, **FORWARDED})
        assert is_clean(response)
        if is_refused(any_house, response):
            continue
        assert response.status_code == 200
        issuer = response.json["issuer"]
        assert all(
            value.startswith(issuer) for name, value in response.json.items() if name.endswith("_endpoint")
        )
    assert door.open(WELL_KNOWN[0]).data == before  # nothing of it is kept for the next one


def is_refused(house, response):
    """Say whether a request is refused for its host, with what is to be configured: only where no issuer is fixed."""
    refused = response.status_code == 400 and "OIDC_ISS_ENDPOINT" in response.text
    return refused and not house.provider.issuer


def visit(house, host, path, **parameters):
    """Open a page under another host name and follow nothing."""
    headers = {"Host": host, **FORWARDED}
    return house.app.test_client().get(path, base_url=house.host, headers=headers, query_string=parameters)


PAGES = [
    "/accounts/login/",
    "/accounts/",
    "/accounts/logout/",
    "/o/authorize/",
    "/o/authorized_tokens/",
    "/o//token/",
]


@hosts
def test_pages_and_where_they_lead(any_house, host):
    for path in PAGES:
        response = visit(any_house, host, path, client_id="nobody")
        assert response.status_code < 500
        assert is_clean(response)


@pytest.fixture(scope="module")
def people(house, unfixed):
    """A browser in each house in which somebody is signed in."""
    browsers = {made: made.browser() for made in (house, unfixed)}
    for browser in browsers.values():
        assert browser.sign_in().status_code == 302
    return browsers


@hosts
def test_an_authorization_request_and_its_answer(any_house, people, host):
    client = any_house.client(skip_authorization=True)
    asked = {"response_type": "code", "client_id": client.client_id, "redirect_uri": CALLBACK}
    cookies = f"{people[any_house].cookies}; __Host-portula_redirected=1"
    headers = {"Host": host, **FORWARDED, "Cookie": cookies}
    http = any_house.app.test_client(use_cookies=False)
    for challenge in ({}, {"code_challenge": pkce()[1], "code_challenge_method": "S256"}):
        response = http.get(
            "/o/authorize/", base_url=any_house.host, headers=headers, query_string={**asked, **challenge}
        )
        assert is_clean(response)
        if is_refused(any_house, response):
            continue
        assert response.location.startswith(CALLBACK)
        answer = answered(response)
        assert ("code" in answer) is bool(challenge)
        assert answer["iss"] in (any_house.provider.issuer, "http://127.0.0.1/o", "http://localhost/o")


MARK = "portula_redirected=1"


def test_a_page_under_another_name_is_sent_home_once(house):
    response = visit(house, EVIL, "/accounts/login/", next="/o/authorized_tokens/")
    assert response.status_code == 302
    assert response.location.startswith("https://id.example/accounts/login/?next=")
    assert response.location.endswith(f"&{MARK}")
    cookie = response.headers["Set-Cookie"]
    parts = ("__Host-portula_redirected=1", "Secure", "HttpOnly", "Path=/", "SameSite=Lax")
    assert set(parts) <= set(cookie.split("; "))
    again = house.app.test_client(use_cookies=False).get(
        "/accounts/login/",
        base_url=house.host,
        headers={"Host": EVIL, "Cookie": cookie.partition(";")[0]},
    )
    assert again.status_code == 200
    assert is_clean(again)


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/login/?next=/o/%C3%BC", "/o/authorize/?a=1&a=2"]
)
def test_a_browser_without_cookies_behind_a_proxy_that_hides_the_host_gets_an_error_page(house, path):
    http = house.app.test_client(use_cookies=False)
    first = http.get(path, base_url="http://backend:8000")
    assert first.status_code == 302
    second = http.get(first.location.removeprefix("https://id.example"), base_url="http://backend:8000")
    assert (second.status_code, second.mimetype) == (400, "text/html")
    assert "Host header" in second.text
    assert "backend" not in second.text


@pytest.mark.parametrize(("credentials", "status"), [("Bearer x", 200), ("DPoP x", 200), ("Basic eDp5", 302)])
def test_who_shows_a_token_is_sent_nowhere(house, credentials, status):
    headers = {"Authorization": credentials}
    there = house.app.test_client().get("/accounts/login/", base_url="https://mtls.example", headers=headers)
    assert there.status_code == status


def test_at_home_the_mark_goes_out_of_the_url(house):
    path = "/accounts/login/?next=/page%3Fx&login_hint=ann"
    first = house.app.test_client().get(path, base_url="https://other.example")
    home = house.app.test_client().get(first.location.removeprefix("https://id.example"), base_url=house.host)
    assert home.location == f"https://id.example{path}"


def test_machine_endpoints(any_house, kind):
    door, client = any_house.door(kind), any_house.client()
    for host in (*HOSTS, *BROKEN):
        headers = {**client.auth, "Host": host, **FORWARDED}
        token = door.post("/o/token/", {"grant_type": "client_credentials"}, headers)
        assert is_clean(token)
        if is_refused(any_house, token):
            continue
        assert token.status_code == 200
        facts = door.post("/o/introspect/", {"token": token.json["access_token"]}, headers)
        assert facts.json["active"]
        assert is_clean(facts)


def test_a_host_that_the_app_trusts_is_the_issuer(make_house, kind):
    house = make_house(OIDC_ISS_ENDPOINT="", config={"TRUSTED_HOSTS": ["id.example", "127.0.0.1"]})
    for host, issuer in [
        ("id.example", "https://id.example/o"),
        ("id.example:8443", "https://id.example:8443/o"),
    ]:
        response = house.door(kind).open(WELL_KNOWN[0], base_url=f"https://{host}")
        assert response.json["issuer"] == issuer


@pytest.mark.parametrize("trusted", [[".example.org"], [".example.org:443", "other.example"], ".example.org"])
def test_subdomains_that_the_app_trusts_are_the_issuer_and_nothing_like_them(make_house, kind, trusted):
    house = make_house(OIDC_ISS_ENDPOINT="", config={"TRUSTED_HOSTS": trusted})
    for host in ("example.org", "a.example.org", "a.b.example.org:8443", "A.EXAMPLE.org"):
        response = house.door(kind).open(WELL_KNOWN[0], base_url=f"https://{host}")
        assert response.json["issuer"] == f"https://{host.lower()}/o"
    for host in ("evil-example.org", "example.org.evil.example", "a.example.org@evil.example", "org", ".org"):
        headers = {"Host": host}
        response = house.door("wsgi").open(WELL_KNOWN[0], base_url="https://id.example", headers=headers)
        assert is_refused(house, response)


@pytest.mark.parametrize("path", ["/o/token/", "/o/introspect/", "/o/revoke_token/", WELL_KNOWN[0]])
def test_a_host_of_which_no_issuer_may_be_made_is_told_what_to_configure(make_house, kind, path):
    house = make_house(OIDC_ISS_ENDPOINT="")
    method = "GET" if "well-known" in path else "POST"
    response = house.door(kind).open(path, method=method, base_url="https://shop.example.com")
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")
    assert "OIDC_ISS_ENDPOINT" in response.json["error_description"]
    assert "TRUSTED_HOSTS" in response.json["error_description"]


def test_a_page_that_needs_an_issuer_is_told_too(make_house):
    house = make_house(OIDC_ISS_ENDPOINT="")
    response = visit(house, "shop.example.com", "/o/authorize/", client_id=house.client().client_id)
    assert response.status_code == 400
    assert "OIDC_ISS_ENDPOINT" in response.text


def test_server_name_is_the_issuer_whatever_a_request_says(make_house):
    house = make_house(OIDC_ISS_ENDPOINT="", config={"SERVER_NAME": "id.example"})
    headers = {"Host": EVIL}
    response = house.door("wsgi").open(WELL_KNOWN[0], base_url="https://id.example", headers=headers)
    assert response.json["issuer"] == "https://id.example/o"


def test_the_first_host_that_is_not_trusted_is_logged_with_the_setting(make_house, kind, caplog):
    house = make_house(OIDC_ISS_ENDPOINT="")
    for host in ("shop.example.com", "other.example.com"):
        house.door(kind).open(WELL_KNOWN[0], base_url=f"https://{host}")
    (line,) = [record.getMessage() for record in caplog.records if "OIDC_ISS_ENDPOINT" in record.getMessage()]
    assert "for the host 'shop.example.com'" in line
    assert "shop.example.com/" not in line, "a stranger's host is no value to set"


def test_the_client_address_is_not_taken_from_a_header(house, kind):
    """TRUSTED_PROXIES is 0: nobody is in front, so nobody may say who is behind."""
    heard = house.provider.client_address
    with house.app.test_request_context(
        "/", headers={"X-Forwarded-For": "6.6.6.6"}, environ_base={"REMOTE_ADDR": "9.9.9.9"}
    ):
        assert heard() == "9.9.9.9"
