"""S11: whatever a client or a person calls itself, pages show it as text."""

from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from portula.errors import InvalidClientMetadata
from security.driving import CALLBACK, PASSWORD

PAYLOADS = [
    '"><svg onload=alert(1)>',
    "'><svg onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    '" autofocus onfocus=alert(1) x="',
    "<img src=x onerror=alert(1)>",
]
payloads = pytest.mark.parametrize("payload", PAYLOADS)


class Page(HTMLParser):
    """What a browser makes of a page: its tags, its attributes, and all it shows."""

    def __init__(self, response):
        super().__init__()
        assert response.mimetype == "text/html"
        self.tags = []
        self.texts = []
        self.feed(response.text)
        self.shown = "\n".join(self.texts)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.texts += [value for _, value in attrs if value]

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def is_harmless(self):
        """Say whether nothing on the page runs: no foreign tag, no handler, no address that is code."""
        return all(
            tag not in ("svg", "iframe", "object", "embed", "base")
            and (tag != "script" or attrs.get("src") == "/o/authorize/static/form_post.js")
            and not any(name.startswith("on") or name == "style" for name in attrs)
            and not any((value or "").lower().startswith("javascript:") for value in attrs.values())
            for tag, attrs in self.tags
        )


def shows(response, payload):
    """Say whether a page shows the payload as text, and nothing of it runs."""
    page = Page(response)
    return page.is_harmless and payload in page.shown


def test_a_page_that_does_run_something_is_noticed():
    for text in ('<input value=""><svg>', '<input value="" onfocus=alert(1)>', "<script>alert(1)</script>"):
        assert not Page(SimpleNamespace(text=text, mimetype="text/html")).is_harmless


@payloads
def test_the_name_of_a_client(house, browser, payload):
    client, person = house.client(name=payload), house.user().username
    to_login = browser.ask(client, code_challenge="A" * 43, code_challenge_method="S256")
    assert shows(browser.get(to_login.location), payload)
    page = browser.consent_page(client, person)
    assert shows(page, payload)
    assert browser.submit(page, "consent-allow").status_code == 302
    assert shows(browser.get("/o/authorized_tokens/"), payload)


@pytest.mark.parametrize("name", ["An app\n", "\x00", "evil\u202etxt.app", "a" * 256, "\ud800"], ids=ascii)
def test_a_name_that_deceives_the_eye_is_not_saved(house, name):
    with pytest.raises(InvalidClientMetadata):
        house.client(name=name)


@payloads
def test_the_name_of_a_person(house, browser, client, payload):
    name = f"{payload} {id(browser)}"
    house.users.create(name, PASSWORD)
    assert shows(browser.consent_page(client, name), payload)
    assert shows(browser.get("/accounts/"), payload)
    assert shows(browser.get("/accounts/logout/"), payload)


@payloads
def test_a_name_that_was_typed(browser, payload):
    response = browser.sign_in(payload, "not a password of anybody")
    assert response.status_code == 400
    assert shows(response, payload)


@payloads
def test_the_text_of_a_scope_and_the_name_of_the_provider(make_house, payload):
    house = make_house(SCOPES={"read": payload, "write": "Writing"}, PROVIDER_NAME=f"Ours {payload}")
    browser, client = house.browser(), house.client()
    page = browser.consent_page(client)
    assert shows(page, payload)
    assert shows(page, f"Ours {payload}")
    browser.submit(page, "consent-allow")
    assert shows(browser.get("/o/authorized_tokens/"), payload)


@payloads
def test_the_state_in_a_posted_response(browser, client, payload):
    response = browser.authorize(client, response_mode="form_post", state=payload)
    assert ("input", {"type": "hidden", "name": "state", "value": payload}) in Page(response).tags
    assert shows(response, payload)


@payloads
def test_the_state_in_a_redirect(browser, client, payload):
    location = browser.authorize(client, state=payload).location
    assert location.isascii()
    assert not set(location) & set("\"'<> {}")


@payloads
def test_the_description_of_an_error(browser, client, payload):
    response = browser.get("/o/authorize/", query_string=[(payload, "1"), (payload, "2")])
    assert response.status_code == 400
    assert Page(response).is_harmless
    assert payload.replace('"', "?") in Page(response).shown


@payloads
def test_what_a_page_is_asked_for_does_not_come_back_as_markup(browser, client, payload):
    for path in (
        "/o/authorize/",
        "/accounts/login/",
        "/accounts/logout/",
        "/o/authorized_tokens/",
        "/accounts/",
    ):
        for name in ("client_id", "redirect_uri", "interaction", "next", "error", "error_description"):
            response = browser.get(path, query_string={name: payload})
            assert response.status_code in (200, 302, 303, 400)
            assert Page(response).is_harmless


@payloads
def test_an_error_of_a_machine_endpoint_is_no_page(door, client, payload):
    for path in ("/o/token/", "/o/revoke_token/", "/o/introspect/"):
        response = door.post(path, {"grant_type": payload, "client_id": payload, "token": payload})
        assert response.mimetype == "application/json"
        assert not set(response.json.get("error_description", "")) & set('"\\')


@pytest.mark.parametrize("member", ["logo_uri", "client_uri", "policy_uri", "tos_uri"])
@pytest.mark.parametrize(
    "uri",
    [
        'https://client.example/"onerror="alert(1)',
        "https://client.example/<svg>",
        "https://client.example/ x",
    ],
)
def test_an_address_with_markup_is_not_saved(house, member, uri):
    with pytest.raises(InvalidClientMetadata):
        house.client(metadata={member: uri})


def test_only_https_links_and_logos_are_shown(house, browser):
    links = {name: f"http://127.0.0.1/{name}" for name in ("logo_uri", "client_uri", "policy_uri", "tos_uri")}
    assert "http://127.0.0.1" not in browser.consent_page(house.client(metadata=links)).text
    safe = {name: f"https://client.example/{name}" for name in links}
    page = Page(browser.consent_page(house.client(metadata=safe)))
    images = [attrs["src"] for tag, attrs in page.tags if tag == "img"]
    assert images == [safe["logo_uri"]]
    away = [attrs for tag, attrs in page.tags if tag == "a" and attrs["href"].startswith(CALLBACK[:22])]
    assert len(away) == 3
    assert all("noopener" in attrs["rel"] for attrs in away)
