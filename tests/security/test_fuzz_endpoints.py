"""Whatever is sent to any endpoint: no failure of the server, no traceback, no answer of another form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.browser import forms_of
from support.devices import GRANT, begun

from security.driving import HOST, Door
from security.hostile import (
    FORM,
    asked_of,
    authorizations,
    bodies,
    content_types,
    cookies,
    encoded,
    header_text,
    headers_of,
    hosts,
    is_an_error_in_form,
    is_no_failure,
    origins,
    pairs,
    values,
)

MACHINE = [
    "/o/token/",
    "/o/token",
    "/o/revoke_token/",
    "/o/introspect/",
    "/o/par/",
    "/o/device_authorization/",
]
METADATA = ["/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o"]
PAGES = [
    "/o/authorize/",
    "/o/authorize",
    "/accounts/",
    "/accounts/login/",
    "/accounts/logout/",
    "/o/authorized_tokens/",
    "/o/device/",
    "/o/device/confirm/",
]
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"]

fuzzed = settings(database=None)
kinds = pytest.mark.parametrize("kind", ["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])


@pytest.fixture(scope="module")
def fuzz_house(make_house):
    """A house that answers 500 where others would let an exception through to the test."""
    return make_house(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False}, PASSWORD_GRANT_ENABLED=True)


@pytest.fixture(scope="module")
def right(fuzz_house):
    """Right values by their names, and the cookies of somebody who is signed in."""
    browser = fuzz_house.browser()
    grants = ("authorization_code", "refresh_token", "client_credentials", "password", GRANT)
    client, public = fuzz_house.client(grant_types=grants), fuzz_house.public_client()
    code, verifier = browser.code(client)
    tokens = fuzz_house.tokens(client)
    codes = begun(fuzz_house, client, scope="read")
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
        "device_code": codes["device_code"],
        "user_code": codes["user_code"],
        **fields,
    }
    return {**known, "basic": client.auth["Authorization"], "cookies": browser.cookies}


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
