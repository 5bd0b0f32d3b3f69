from urllib.parse import quote

import pytest
from flask import Blueprint

from portula import hookimpl
from portula.errors import DuplicateContribution
from portula.plugin import AccountLink, Application, LoginFailed, LoginSucceeded, Mount
from portula_testing.writing import add_to, change_in, remove_from

LOGIN = "/accounts/login/"
PASSWORD = "correct horse battery"
WRONG = "The user name or the password is not right."


def test_signing_in_leads_to_the_account_page(accounts, browser):
    answer = browser.sign_in()
    assert (answer.status_code, answer.location) == (302, "/accounts/")
    assert "Ada" in browser.get("/accounts/").text
    assert accounts.host.heard == [
        LoginSucceeded(
            provider=accounts.provider,
            subject=accounts.ada.sub,
            amr=("pwd",),
            address="127.0.0.1",
            at=accounts.host.time,
        )
    ]


def test_the_page_has_what_scripts_and_password_managers_look_for(browser):
    page = browser.get(LOGIN)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "form-action" not in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "same-origin"
    for part in (
        'id="login-submit"',
        'name="username"',
        'name="password"',
        'name="csrf_token"',
        'name="next"',
    ):
        assert part in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize("path", ["/accounts", "/accounts/login", "/accounts/logout"])
def test_each_path_stands_without_its_slash_too(browser, path):
    assert browser.get(path).status_code in (200, 302)


@pytest.mark.parametrize("method", ["head", "options"])
def test_head_and_options_are_answered(browser, method):
    assert getattr(browser.client, method)(LOGIN).status_code == 200


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_not_allowed(browser, method):
    assert getattr(browser.client, method)(LOGIN).status_code == 405


@pytest.mark.parametrize(
    "path", ["/o/authorize/?client_id=a&state=%20%C3%BC", "/", "/page?next=https%3A%2F%2Fexample.com"]
)
def test_next_leads_back_where_the_person_came_from(browser, path):
    assert browser.sign_in(path=f"{LOGIN}?next={quote(path, safe='')}").location == path


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        " /o/",
        "o/authorize",
        "/ü",
        "/" + "a" * 8192,
    ],
)
@pytest.mark.parametrize("place", ["query", "form"])
def test_next_never_leads_to_another_site(browser, path, place):
    if place == "query":
        answer = browser.sign_in(path=f"{LOGIN}?next={quote(path, safe='')}")
    else:
        fields = {**browser.fields(LOGIN), "username": "ada", "password": PASSWORD, "next": path}
        answer = browser.post(LOGIN, fields)
    assert (answer.status_code, answer.location) == (302, "/accounts/")


def test_the_page_to_land_on_is_a_setting(make):
    assert make(LOGIN_REDIRECT_URL="/home?x=1").browser().sign_in().location == "/home?x=1"


@pytest.mark.parametrize(
    "url", ["//evil.example", "/\\evil.example", "https://evil.example/", "home", "/a b"]
)
def test_the_page_to_land_on_is_on_this_host(make, url):
    from portula import ConfigError

    with pytest.raises(ConfigError, match="LOGIN_REDIRECT_URL"):
        make(LOGIN_REDIRECT_URL=url)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "wrong password"),
        ("nobody", PASSWORD),
        ("ada", "x" * 1024),
        ("a\u202eda", PASSWORD),
        ("ada", "\x01" * 9),
    ],
)
def test_wrong_credentials_do_not_say_which_was_wrong(accounts, browser, username, password):
    answer = browser.sign_in(username, password)
    assert answer.status_code == 400
    assert WRONG in answer.text
    assert password not in answer.text
    assert browser.get("/accounts/").status_code == 302
    (event,) = accounts.host.heard
    assert event == LoginFailed(
        provider=accounts.provider,
        username=username,
        reason="wrong credentials",
        address="127.0.0.1",
        subject=accounts.ada.sub if username == "ada" else None,
        at=accounts.host.time,
    )


def test_a_disabled_user_looks_like_a_wrong_password(accounts, browser):
    accounts.login.users.disable(accounts.ada)
    answer = browser.sign_in()
    assert (answer.status_code, WRONG in answer.text) == (400, True)
    assert accounts.host.heard[0].reason == "disabled"


@pytest.mark.parametrize("fields", [{}, {"username": "ada"}, {"password": PASSWORD}, {"username": "a" * 256}])
def test_a_missing_field_is_asked_for_again(accounts, browser, fields):
    answer = browser.post(LOGIN, {"csrf_token": browser.fields(LOGIN)["csrf_token"], **fields})
    assert answer.status_code == 400
    assert 'id="login-submit"' in answer.text
    assert accounts.host.heard == []


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "ü"])
def test_a_form_without_our_token_is_refused(accounts, browser, token):
    fields = {"username": "ada", "password": PASSWORD, "csrf_token": token}
    assert browser.post(LOGIN, fields).status_code == 400
    assert accounts.host.heard == []


def test_a_token_of_another_browser_is_refused(accounts, browser):
    fields = {**accounts.browser().fields(LOGIN), "username": "ada", "password": PASSWORD}
    browser.get(LOGIN)
    assert browser.post(LOGIN, fields).status_code == 400
    assert accounts.host.heard == []


@pytest.mark.parametrize(
    "body",
    [
        b"username=%FF&password=x",
        b"username=a%00b&password=x",
        b"username=a&username=b&password=x",
        b"username=\xc3\xbc",
        b"username=%ED%A0%80",
        b"&".join(b"f%d=1" % number for number in range(65)),
        b"username=" + b"a" * 70_000,
    ],
)
def test_a_malformed_form_is_an_error_page(browser, body):
    answer = browser.client.post(LOGIN, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert answer.content_type.startswith("text/html")
    assert "invalid_request" in answer.text


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", ""])
def test_only_a_plain_form_is_read(browser, content_type):
    assert browser.client.post(LOGIN, data=b"{}", content_type=content_type).status_code == 400


@pytest.mark.parametrize("query", ["next=%FF", "next=%00", "next=/a&next=/b", "client_id=%FF"])
def test_a_malformed_query_is_an_error_page(browser, query):
    assert browser.get(f"{LOGIN}?{query}").status_code == 400


def test_a_form_that_the_app_has_read_before_is_still_read(accounts, browser):
    from flask import request

    accounts.app.before_request(lambda: request.form.get("anything"))
    assert browser.sign_in().status_code == 302


@pytest.fixture
def client_named(accounts):
    application = Application(
        client_id="tea", name="Tea\u202e <b>Room</b>", redirect_uris=("https://tea.example/",)
    )
    add_to(accounts.provider.storage, application)
    return accounts


def test_the_page_says_for_which_app(client_named, browser):
    path = "/o/authorize/?response_type=code&client_id=tea"
    page = browser.get(f"{LOGIN}?next={quote(path, safe='')}").text
    assert "to continue to" in page
    assert "Tea &lt;b&gt;Room&lt;/b&gt;" in page


def test_the_page_says_for_which_app_after_a_mistake_too(client_named, browser):
    with client_named.app.test_request_context():
        client = client_named.provider.storage.find(Application, client_id="tea")
        path = client_named.login.login_url("/o/authorize/?interaction=1", client)
    answer = browser.sign_in(password="wrong password", path=path)
    assert "to continue to" in answer.text
    assert browser.sign_in(path=path).location == "/o/authorize/?interaction=1"


def test_what_a_client_left_unencoded_survives_the_sign_in(accounts, browser):
    with accounts.app.test_request_context():
        path = accounts.login.login_url("/o/authorize/?state=a\\b c%20ü&scope=x+y")
    assert browser.sign_in(path=path).location == "/o/authorize/?state=a%5Cb%20c%20%C3%BC&scope=x+y"


@pytest.mark.parametrize(
    "query", ["client_id=other", "next=/o/?client_id=a%2526client_id=b", "client_id=%01"]
)
def test_an_unknown_app_is_not_named(client_named, browser, query):
    page = browser.get(f"{LOGIN}?{query}")
    assert (page.status_code, "to continue to" in page.text) == (200, False)


def test_a_disabled_app_is_not_named(client_named, browser):
    change_in(client_named.provider.storage, Application, {"client_id": "tea"}, disabled=True)
    assert "to continue to" not in browser.get(f"{LOGIN}?client_id=tea").text


def test_the_session_changes_at_sign_in(browser):
    browser.sign_in()
    first = browser.client.get_cookie("portula_session").value
    browser.sign_in()
    assert browser.client.get_cookie("portula_session").value != first


def test_a_person_disabled_or_deleted_meanwhile_is_signed_out(accounts, browser):
    from portula_accounts.records import User

    browser.sign_in()
    change_in(accounts.provider.storage, User, {"sub": accounts.ada.sub}, disabled=True)
    assert browser.get("/accounts/").status_code == 302
    remove_from(accounts.provider.storage, User, sub=accounts.ada.sub)
    assert browser.get("/accounts/").status_code == 302


def test_signing_out_asks_first(browser):
    browser.sign_in()
    page = browser.get("/accounts/logout/")
    assert 'id="logout-confirm"' in page.text
    assert browser.get("/accounts/").status_code == 200
    done = browser.post("/accounts/logout/", browser.fields("/accounts/logout/"))
    assert "You are signed out" in done.text
    assert browser.client.get_cookie("portula_session") is None
    assert browser.get("/accounts/").status_code == 302


def test_signing_out_takes_the_token_of_this_session(browser):
    browser.sign_in()
    old = browser.fields("/accounts/logout/")
    browser.sign_in()
    assert browser.post("/accounts/logout/", {}).status_code == 400
    assert browser.post("/accounts/logout/", old).status_code == 400
    assert browser.get("/accounts/").status_code == 200


def test_signing_out_twice_does_no_harm(browser):
    assert "You are signed out" in browser.get("/accounts/logout/").text
    assert browser.post("/accounts/logout/", {}).status_code == 200


class Orders:
    """A room with a page about the person."""

    @hookimpl
    def portula_blueprints(self, provider):
        blueprint = Blueprint("tea", __name__)
        blueprint.add_url_rule("/tea/", "orders", lambda: "tea")
        return [Mount(blueprint)]

    @hookimpl
    def portula_account_links(self, provider):
        return [AccountLink("Your <tea>", "tea.orders")]


def test_the_account_page_links_to_the_pages_of_other_rooms(make, browser):
    browser.sign_in()
    page = browser.get("/accounts/").text
    assert 'href="/o/sessions/"' in page
    assert "/o/tea/" not in page
    made = make(Orders())
    browser = made.browser()
    browser.sign_in()
    assert '<a href="/o/tea/">Your &lt;tea&gt;</a>' in browser.get("/accounts/").text


def test_two_links_to_one_page_are_an_error_that_names_both(make):
    class Again:
        @hookimpl
        def portula_account_links(self, provider):
            return [AccountLink("More tea", "tea.orders")]

    with pytest.raises(DuplicateContribution, match=r"tea\.orders.*Orders.*Again"):
        make(Again(), Orders())


LINKS = {
    "logo_uri": "https://tea.example/logo.png",
    "client_uri": "https://tea.example/about",
    "policy_uri": "https://tea.example/policy",
    "tos_uri": "https://tea.example/tos",
}


@pytest.fixture
def client_with_links(client_named):
    """The app, as it registered itself: with logo and links, some of them in Japanese too."""
    japanese = {"client_name#ja": "茶屋", "policy_uri#ja": "https://tea.example/ja/policy"}
    change_in(
        client_named.provider.storage, Application, {"client_id": "tea"}, metadata={**LINKS, **japanese}
    )
    return client_named


def test_the_page_shows_logo_website_policy_and_terms_of_the_app(client_with_links, browser):
    page = browser.get(f"{LOGIN}?client_id=tea")
    assert f'<img src="{LINKS["logo_uri"]}"' in page.text
    for member, text in (("client_uri", "Website"), ("policy_uri", "Privacy policy"), ("tos_uri", "Terms")):
        assert f'<a href="{LINKS[member]}" rel="noopener noreferrer nofollow">{text}' in page.text
    assert "img-src 'self' https: data:" in page.headers["Content-Security-Policy"]


def test_an_address_that_is_not_https_is_not_shown(client_named, browser):
    evil = dict.fromkeys(LINKS, "javascript:alert(1)")
    change_in(client_named.provider.storage, Application, {"client_id": "tea"}, metadata=evil)
    page = browser.get(f"{LOGIN}?client_id=tea").text
    assert "to continue to" in page
    assert "javascript:" not in page


@pytest.mark.parametrize(
    ("query", "accepted", "japanese"),
    [
        ("client_id=tea&ui_locales=ja", "", True),
        ("client_id=tea&ui_locales=fr+ja-JP", "", True),
        ("client_id=tea", "ja,en;q=0.5", True),
        ("client_id=tea&ui_locales=fr", "de", False),
        (f"client_id=tea&ui_locales=ja{50 * '-x'}", f"ja{50 * '-x'}", False),  # else each part costs a look
        ("client_id=tea", "", False),
        ("next=/o/authorize/%3Fclient_id%3Dtea%26ui_locales%3Dja", "", True),
    ],
)
def test_an_app_is_named_in_a_language_that_the_person_reads(
    client_with_links, browser, query, accepted, japanese
):
    page = browser.get(f"{LOGIN}?{query}", headers={"Accept-Language": accepted}).text
    assert ("茶屋" in page, "https://tea.example/ja/policy" in page) == (japanese, japanese)
    assert ("Tea &lt;b&gt;Room" in page, f'"{LINKS["policy_uri"]}"' in page) == (not japanese, not japanese)
