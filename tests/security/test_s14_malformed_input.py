"""S14: what cannot be read gets 400 and never 500: NUL, invalid UTF-8, surrogates, and far too much of anything."""

import base64

import pytest

from security.driving import error_of

FORM = "application/x-www-form-urlencoded"

#: Form-encoded values that are no text, each with the reason.
UNREADABLE = {
    "NUL": b"%00",
    "NUL inside": b"a%00b",
    "raw NUL": b"a\x00b",
    "lone continuation byte": b"%80",
    "overlong slash": b"%c0%af",
    "truncated sequence": b"%e2%82",
    "high surrogate": b"%ed%a0%80",
    "low surrogate": b"%ed%b0%80",
    "surrogate pair": b"%ed%a0%bd%ed%b8%80",
    "beyond Unicode": b"%f5%80%80%80",
    "five bytes": b"%f8%88%80%80%80",
    "latin-1": b"\xe9",
    "raw UTF-8": "é".encode(),
    "all bytes": bytes(range(128, 256)),
}
#: Values that are text, however odd: they may be refused, but by the rules of the protocol.
ODD = {
    "10 KB": b"a" * 10_240,
    "broken escape": b"%zz%",
    "percent": b"%",
    "line ends": b"%0d%0aSet-Cookie:%20a=b",
    "controls": b"%01%02%7f%c2%85",
    "emoji": b"%f0%9f%98%80",
    "right to left": b"%e2%80%ae",
    "noncharacter": b"%ef%bf%bf",
    "spaces": b"++++",
    "separator": b";",
    "empty": b"",
}
MACHINE = ["/o/token/", "/o/revoke_token/", "/o/introspect/", "/o/par/", "/o/device_authorization/"]
NAMES = [
    "grant_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "refresh_token",
    "token",
    "scope",
    "x",
]

unreadable = pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
odd = pytest.mark.parametrize("value", ODD.values(), ids=ODD)


def body(name, value):
    others = {"grant_type": b"authorization_code", "code": b"c", "token": b"t", "redirect_uri": b"r"}
    return b"&".join(key.encode() + b"=" + text for key, text in {**others, name: value}.items())


@unreadable
@pytest.mark.parametrize("path", MACHINE)
def test_what_is_no_text_is_an_invalid_request(door, client, path, value):
    for name in NAMES:
        response = door.post(path, body(name, value), client.auth, content_type=FORM)
        assert error_of(response) == "invalid_request"
    response = door.post(path, value + b"=1", client.auth, content_type=FORM)
    assert error_of(response) == "invalid_request"


@odd
@pytest.mark.parametrize("path", MACHINE)
def test_odd_text_is_no_failure_of_the_server(door, client, path, value):
    for name in NAMES:
        response = door.post(path, body(name, value), client.auth, content_type=FORM)
        assert response.status_code in (200, 400, 401)
        if response.status_code != 200:
            assert error_of(response, response.status_code)


@unreadable
def test_what_is_no_text_in_basic_credentials_is_an_invalid_client(door, value):
    for user, password in [(value, b"secret"), (b"client", value), (value, value)]:
        encoded = base64.b64encode(user + b":" + password).decode()
        response = door.token(grant_type="client_credentials", headers={"Authorization": f"Basic {encoded}"})
        assert error_of(response, 401) == "invalid_client"


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic \u00e9",
        "Basic ====",
        "Basic a",
        "Basic " + "A" * 10_240,
        "Basic OjpvOg==\u00ff",
        "basic Og==",
    ],
    ids=ascii,
)
def test_a_broken_basic_header_is_an_invalid_client(door, header):
    response = door.token(grant_type="client_credentials", headers={"Authorization": header})
    assert error_of(response, 401) == "invalid_client"


@pytest.mark.parametrize("credentials", ["\u00ff", "\u00c3\u00a9", "OjpvOg==\u00ff"], ids=ascii)
def test_a_broken_basic_header_means_nothing_to_a_page(browser, client, credentials):
    browser.headers = {"Authorization": f"Basic {credentials}"}
    assert browser.get("/accounts/login/").status_code == 200
    assert browser.ask(client).status_code == 302


@unreadable
def test_what_is_no_text_in_an_authorization_request_gets_a_page(browser, client, value):
    for name in ("client_id", "redirect_uri", "state", "scope", "response_type", "interaction", "x"):
        query = f"client_id={client.client_id}&redirect_uri={client.redirect_uri}".encode() + b"&x=1"
        whole = query + b"&" + name.encode() + b"2=" + value
        for response in (
            browser.get("/o/authorize/", query_string=whole.decode("latin-1")),
            browser.post("/o/authorize/", whole, content_type=FORM),
        ):
            assert response.status_code == 400
            assert "Location" not in response.headers


@odd
def test_odd_text_in_an_authorization_request_comes_back_as_state(browser, client, value):
    query = f"client_id={client.client_id}&redirect_uri={client.redirect_uri}&response_type=magic&state="
    response = browser.get("/o/authorize/", query_string=query + value.decode())
    assert response.status_code == 302
    assert response.location.startswith(client.redirect_uri)
    assert response.location.isprintable()


@unreadable
def test_what_is_no_text_in_a_form_of_ours_gets_a_page(browser, value):
    for path in ("/accounts/login/", "/accounts/logout/", "/o/authorized_tokens/"):
        assert browser.sign_in().status_code == 302
        for name in (b"csrf_token", b"username", b"password", b"next", b"client_id"):
            response = browser.post(path, name + b"=" + value, content_type=FORM)
            assert response.status_code == 400
            assert response.mimetype == "text/html"
        assert browser.get(path, query_string=(b"next=" + value).decode("latin-1")).status_code in (200, 400)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_bytes_that_are_no_text_in_any_query_are_no_failure_of_the_server(house, client, method):
    """Servers hand them on as they came (PEP 3333), where the client of these tests would encode them."""
    query = f"client_id={client.client_id}&response_type=code&next=\xff&user_code=\xff&state=\xff"
    raw = {"QUERY_STRING": query, "REQUEST_METHOD": method}
    paths = [rule.rule for rule in house.app.url_map.iter_rules() if not rule.arguments]
    assert "/o/authorize/" in paths
    for path in paths:
        response = house.browser().post(path, b"x=1", content_type=FORM, environ_overrides=raw)
        assert response.status_code < 500, path
        if "/authorize" in path:
            assert response.status_code == 400
            assert "This request cannot be read" in response.text


@odd
def test_odd_text_in_a_form_of_ours_is_no_failure_of_the_server(browser, value):
    for path in ("/accounts/login/", "/accounts/logout/", "/o/authorized_tokens/"):
        assert browser.sign_in().status_code == 302
        for name in (b"csrf_token", b"username", b"password", b"next", b"client_id"):
            assert browser.post(path, name + b"=" + value, content_type=FORM).status_code == 400


@pytest.mark.parametrize("path", MACHINE)
def test_a_body_beyond_the_limit_is_413_and_goes_no_further(door, client, path):
    response = door.post(path, b"x=" + b"a" * 70_000, client.auth, content_type=FORM)
    assert error_of(response, 413) == "invalid_request"


@pytest.mark.parametrize("path", ["/o/authorize/", "/accounts/login/"])
def test_a_form_beyond_the_limit_gets_a_page(browser, path):
    response = browser.post(path, b"x=" + b"a" * 70_000, content_type=FORM)
    assert response.status_code in (400, 413)
    assert response.mimetype == "text/html"


@pytest.mark.parametrize("path", MACHINE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_another_method_is_405_and_says_which_are_allowed(door, path, method):
    response = door.open(path, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST, OPTIONS"


def test_cookies_that_are_none_of_ours_are_ignored(house, client):
    for value in ["", "x", "A" * 43, "A" * 10_240, "\u00e9" * 43, "\x7f" * 43, '"']:
        cookies = "; ".join(f"__Host-portula_{name}={value}" for name in ("session", "browser"))
        browser = house.browser(cookies)
        assert browser.get("/accounts/").status_code == 302
        assert browser.ask(client).status_code in (302, 400)
        assert browser.get("/accounts/login/").status_code == 200
