"""Whatever is sent to any endpoint: no failure of the server, no traceback, no answer of another form."""

import base64
import string
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.browser import forms_of

from security.driving import HOST, Door

FORM = "application/x-www-form-urlencoded"
MACHINE = ["/o/token/", "/o/token", "/o/revoke_token/", "/o/introspect/"]
METADATA = ["/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o"]
PAGES = [
    "/o/authorize/",
    "/o/authorize",
    "/accounts/",
    "/accounts/login/",
    "/accounts/logout/",
    "/o/authorized_tokens/",
]
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]

fuzzed = settings(max_examples=120, deadline=None, database=None)
kinds = pytest.mark.parametrize("kind", ["flask", "wsgi"])

#: In place of these a test puts values that are right, so that hostile ones beside them get past the first check.
RIGHT = b"@client_id @secret @code @verifier @redirect_uri @access_token @refresh_token @public_id @interaction".split()
WORDS = b"authorization_code client_credentials refresh_token password code token read S256 query fragment".split()
WORDS += [*b"form_post none yes /accounts/ //evil.example".split(), b"", b"A" * 43]
HOSTILE = (
    b"\0 %00 \xff \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 % %u0041 \xe2\x80\xae \xef\xbb\xbf {} [] \x7f".split(
        b" "
    )
)
HOSTILE += [b"'\"><svg onload=alert(1)>", b"\r\nSet-Cookie: a=b", b" ", b"a" * 10_240]
NAMES = (
    b"grant_type client_id client_secret code code_verifier redirect_uri refresh_token scope username".split()
)
NAMES += b"password token token_type_hint response_type response_mode state code_challenge prompt csrf_token".split()
NAMES += b"code_challenge_method approval_prompt interaction allow next user client scopes extra_credentials".split()
NAMES += b"request request_uri resource x".split()

values = st.one_of(
    st.sampled_from(RIGHT), st.sampled_from(WORDS), st.sampled_from(HOSTILE), st.binary(max_size=40)
)
pairs = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.sampled_from(HOSTILE)), values), max_size=10)
#: Whether a value is percent-encoded as it should be, or sent as it is.
bodies = st.one_of(st.binary(max_size=300), st.tuples(pairs, st.booleans()))
header_text = st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60
)
content_types = st.one_of(
    st.sampled_from(
        [
            FORM,
            f"{FORM};charset=utf-16",
            f"{FORM}; charset=\xff",
            "multipart/form-data",
            "multipart/form-data; boundary=",
        ]
    ),
    st.sampled_from(["multipart/form-data; boundary=b", "application/json", "text/xml", ""]),
    header_text,
)
authorizations = st.one_of(
    st.none(),
    st.just("@basic"),
    st.binary(max_size=60).map(lambda pair: "Basic " + base64.b64encode(pair).decode()),
    st.tuples(values, values).map(lambda pair: "Basic " + base64.b64encode(b":".join(pair)).decode()),
    header_text.map("Basic {}".format),
    header_text.map("Bearer {}".format),
    header_text,
)
cookies = st.one_of(
    st.just("@cookies"),
    header_text,
    header_text.map("__Host-portula_session={}".format),
    header_text.map("__Host-portula_browser={}; __Host-portula_browser=x".format),
)
origins = st.one_of(
    st.none(),
    st.sampled_from(["null", "https://client.example", "https://[", "https://evil:99999"]),
    header_text,
)
hosts = st.one_of(
    st.sampled_from(["id.example", "evil.example", "[", "[::1", "a@b", "localhost:99999", ""]), header_text
)


@pytest.fixture(scope="module")
def fuzz_house(make_house):
    """A house that answers 500 where others would let an exception through to the test."""
    return make_house(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False}, PASSWORD_GRANT_ENABLED=True)


@pytest.fixture(scope="module")
def right(fuzz_house):
    """Right values by their names, and the cookies of somebody who is signed in."""
    browser = fuzz_house.browser()
    grants = ("authorization_code", "refresh_token", "client_credentials", "password")
    client, public = fuzz_house.client(grant_types=grants), fuzz_house.public_client()
    code, verifier = browser.code(client)
    tokens = fuzz_house.tokens(client)
    fields = forms_of(browser.consent_page(client).text)[0].fields
    known = {
        "client_id": client.client_id,
        "secret": client.secret,
        "public_id": public.client_id,
        "redirect_uri": client.redirect_uri,
        "code": code,
        "verifier": verifier,
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        **fields,
    }
    return {**known, "basic": client.auth["Authorization"], "cookies": browser.cookies}


def put_in(right, value):
    """Return a value with the right one in place of its name."""
    if isinstance(value, bytes):
        return right.get(value[1:].decode("latin-1"), "").encode() if value in RIGHT else value
    return right[value[1:]] if value in ("@basic", "@cookies") else value


def encoded(right, body):
    """Return the bytes of a body or a query."""
    if isinstance(body, bytes):
        return body
    fields, properly = body
    told = [(name, put_in(right, value)) for name, value in fields]
    if properly:
        told = [(quote_from_bytes(name).encode(), quote_from_bytes(value).encode()) for name, value in told]
    return b"&".join(name + b"=" + value for name, value in told)


def asked_of(right, query):
    """Return a query string: of raw bytes only those that a request line can hold, in the form that WSGI has them."""
    return bytes(byte for byte in encoded(right, query) if byte > 32 and byte != 127).decode("latin-1")


def headers_of(right, **named):
    found = {
        name.replace("_", "-"): put_in(right, value) for name, value in named.items() if value is not None
    }
    return {name: value for name, value in found.items() if isinstance(value, str)}


def is_no_failure(response):
    """Say whether the server stood it: no 5xx, and nothing of its inside in the answer."""
    inside = ("Traceback", 'File "', "werkzeug", "site-packages", "sqlite3", "oauthlib")
    return response.status_code < 500 and not any(word in response.text for word in inside)


def is_an_error_in_form(response):
    """Say whether an error of a machine endpoint is one of RFC 6749 §5.2."""
    error = response.json.get("error", "")
    description = response.json.get("error_description", "")
    return (
        response.status_code in (400, 401, 403, 405, 413)
        and response.mimetype == "application/json"
        and response.headers["Cache-Control"] == "no-store"
        and response.headers["Pragma"] == "no-cache"
        and set(error) <= set(string.ascii_lowercase + "_")
        and bool(error)
        and all(" " <= character <= "~" and character not in '"\\' for character in description)
        and (response.status_code != 401 or bool(response.headers["WWW-Authenticate"]))
    )


@kinds
@pytest.mark.parametrize("path", MACHINE)
@fuzzed
@given(body=bodies, query=bodies, content_type=content_types, authorization=authorizations, origin=origins)
def test_machine_endpoints(fuzz_house, right, kind, path, body, query, content_type, authorization, origin):
    headers = headers_of(right, Authorization=authorization, Origin=origin, Content_Type=content_type)
    response = fuzz_house.door(kind).post(
        path, encoded(right, body), headers, query_string=asked_of(right, query)
    )
    assert is_no_failure(response)
    assert response.status_code == 200 or is_an_error_in_form(response)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers.get("Access-Control-Allow-Origin") in (None, "https://client.example")


@kinds
@pytest.mark.parametrize("path", MACHINE)
@fuzzed
@given(fields=pairs, authorization=authorizations)
def test_forms_at_machine_endpoints(fuzz_house, right, kind, path, fields, authorization):
    """Decent in form, so that what is hostile goes in as far as it can."""
    body = encoded(right, (list({name: (name, value) for name, value in fields}.values()), True))
    headers = headers_of(right, Authorization=authorization)
    response = fuzz_house.door(kind).post(path, body, headers, content_type=FORM)
    assert is_no_failure(response)
    assert response.status_code == 200 or is_an_error_in_form(response)


@kinds
@fuzzed
@given(
    path=st.sampled_from(MACHINE + METADATA),
    method=st.sampled_from(METHODS),
    host=hosts,
    cookie=header_text,
    origin=origins,
)
def test_methods_and_hosts(fuzz_house, right, kind, path, method, host, cookie, origin):
    headers = headers_of(
        right, Host=host, Cookie=cookie, Origin=origin, X_Forwarded_For=cookie, If_None_Match=cookie
    )
    response = fuzz_house.door(kind).open(path, method=method, headers=headers)
    assert is_no_failure(response)
    if path in METADATA and response.status_code == 200 and method == "GET":
        assert response.json["issuer"] == f"{HOST}/o"


@pytest.mark.parametrize("path", PAGES)
@fuzzed
@given(query=bodies, cookie=cookies, host=hosts, agent=header_text)
def test_pages(fuzz_house, right, path, query, cookie, host, agent):
    headers = headers_of(right, Cookie=cookie, User_Agent=agent, Host=host if len(host) % 2 else None)
    page = Door(fuzz_house.app).open(path, query_string=asked_of(right, query), headers=headers)
    assert is_no_failure(page)
    assert "<svg" not in page.text


@pytest.mark.parametrize("path", PAGES)
@fuzzed
@given(
    body=bodies,
    query=bodies,
    cookie=cookies,
    content_type=st.one_of(st.just(FORM), content_types),
    origin=origins,
)
def test_posts_to_pages(fuzz_house, right, path, body, query, cookie, content_type, origin):
    headers = headers_of(right, Cookie=cookie, Origin=origin, Content_Type=content_type)
    asked = asked_of(right, query)
    page = Door(fuzz_house.app).post(path, encoded(right, body), headers, query_string=asked)
    assert is_no_failure(page)
    assert "<svg" not in page.text
    assert page.status_code not in (307, 308)


REQUEST = {b"response_type": b"code", b"client_id": b"@client_id", b"redirect_uri": b"@redirect_uri"}
REQUEST |= {b"code_challenge": b"A" * 43, b"code_challenge_method": b"S256", b"scope": b"read"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@fuzzed
@given(fields=pairs)
def test_authorization_requests_that_are_nearly_right(fuzz_house, right, method, fields):
    """Where a redirect answers, it leads to the registered URI, to our login or back to our own page."""
    sent = encoded(right, (list({**REQUEST, **dict(fields)}.items()), True))
    headers = headers_of(right, Cookie="@cookies")
    if method == "GET":
        page = Door(fuzz_house.app).open(
            "/o/authorize/", query_string=sent.decode("latin-1"), headers=headers
        )
    else:
        page = Door(fuzz_house.app).post("/o/authorize/", sent, headers, content_type=FORM)
    assert is_no_failure(page)
    where = page.headers.get("Location")
    ours = (
        "/accounts/login/?",
        "/o/authorize/?interaction=",
        f"{right['redirect_uri']}?",
        f"{right['redirect_uri']}#",
    )
    assert where is None or where.startswith(ours)
    assert where is None or where.isprintable()


TYPED = [b"csrf_token", b"username", b"password", b"next", b"allow", b"interaction", b"client_id"]


@pytest.mark.parametrize("path", ["/accounts/login/", "/o/authorized_tokens/", "/o/authorize/"])
@fuzzed
@given(typed=st.dictionaries(st.sampled_from(TYPED), values))
def test_our_own_forms_with_hostile_values(fuzz_house, right, path, typed):
    """The right CSRF token of this browser unless another is typed, and in the other fields anything."""
    browser = fuzz_house.browser(right["cookies"])
    asked = encoded(right, (list(REQUEST.items()), True)).decode()
    shown = forms_of(browser.get(path, query_string=asked).text)
    fields = {name.encode(): value.encode() for form in shown[:1] for name, value in form.fields.items()}
    answer = browser.post(path, encoded(right, (list({**fields, **typed}.items()), True)), content_type=FORM)
    assert is_no_failure(answer)
    where = answer.headers.get("Location", "/")
    assert where.startswith(("/", f"{right['redirect_uri']}?"))
    assert not where.startswith(("//", "/\\"))


def test_a_failure_would_be_noticed(fuzz_house):
    """Where the whole module would pass on a server that fails."""
    fuzz_house.app.view_functions["resource"], view = (
        (lambda: 1 / 0),
        fuzz_house.app.view_functions["resource"],
    )
    try:
        assert not is_no_failure(fuzz_house.door().open("/resource"))
    finally:
        fuzz_house.app.view_functions["resource"] = view
