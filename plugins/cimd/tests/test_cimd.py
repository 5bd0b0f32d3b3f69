"""Clients that are known by a document: found, judged, kept, and never passed by (S54, S56, S57)."""

import json
from dataclasses import replace

import pytest
from jwcrypto.jwk import JWK
from security.driving import Party, answered, bearer, error_of
from support.client_documents import CALLBACK, DOCUMENT, URL
from support.client_world import PARTY, World, ask

from portula import Plugin
from portula.errors import InvalidClientMetadata
from portula.plugin import FetchResponse
from portula_cimd.urls import url_problem

KEY = JWK.generate(kty="EC", crv="P-256", use="sig").export_public(as_dict=True)
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.fixture
def world():
    return World()


# --- the flow ---


def test_a_client_that_nobody_registered_gets_tokens(world):
    tokens = world.tokens(scope="openid read")
    assert world.door.resource(tokens["access_token"]).status_code == 200
    userinfo = world.door.open("/o/userinfo/", headers=bearer(tokens["access_token"]))
    assert userinfo.status_code == 200
    assert world.door.refresh(PARTY, tokens["refresh_token"]).status_code == 200
    assert world.web.fetched == [URL]


@pytest.mark.parametrize("member", ["client_name", None])
def test_the_page_shows_whose_document_it_is_and_where_the_answer_goes(world, member):
    world.publish(redirect_uris=["https://elsewhere.example/cb"], **({member: None} if member else {}))
    party = Party(URL, None, "https://elsewhere.example/cb")
    page = world.house.browser().consent_page(party)
    assert "This app is described by" in page.text
    assert "app.example" in page.text
    assert "elsewhere.example" in page.text


def test_a_redirect_to_the_own_computer_is_warned_of(world):
    world.publish(redirect_uris=["http://127.0.0.1/cb"])
    page = world.house.browser().consent_page(Party(URL, None, "http://127.0.0.1:5001/cb"))
    assert page.status_code == 200, page.text
    assert "Allow it only if you have just started this app yourself" in page.text


def test_the_person_is_asked_each_time(world):
    browser = world.house.browser()
    world.tokens(browser=browser)
    assert "consent-allow" in ask(browser, approval_prompt="auto").text
    assert answered(ask(browser, scope="openid", prompt="none"))["error"] == "consent_required"


def test_the_metadata_says_so_and_says_nothing_while_it_is_off(world):
    path = "/.well-known/oauth-authorization-server/o"
    assert world.door.open(path).json["client_id_metadata_document_supported"] is True
    off = World(CIMD_ENABLED=False)
    assert "client_id_metadata_document_supported" not in off.door.open(path).json
    assert off.house.browser().ask(PARTY).status_code == 400
    assert off.web.fetched == []


def test_a_client_that_is_registered_under_the_url_comes_first(world):
    """So an operator trusts one, or shuts it out."""
    world.house.client(client_id=URL, name="Ours", client_type="public", grant_types=("authorization_code",))
    assert world.find().name == "Ours"
    client = world.house.provider.clients.require(URL)
    world.house.provider.clients.edit(client.client_id, lambda found: replace(found, disabled=True))
    assert world.house.browser().ask(PARTY).status_code == 400
    assert world.web.fetched == []


def test_a_client_that_declares_a_key_has_to_prove_it(world):
    world.publish(
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES256",
        jwks={"keys": [KEY]},
    )
    code, verifier = world.house.browser().code(PARTY)
    assert error_of(world.door.redeem(PARTY, code, verifier), 401) == "invalid_client"
    assert world.find().client_type == "confidential"


# --- what is no client ---


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example",
        "https://app.example/",
        "http://app.example/client.json",
        "http://127.0.0.1/client.json",
        "https://user@app.example/client.json",
        "https://app.example/client.json#part",
        "https://app.example/client.json?v=1",
        "https://app.example/a/../client.json",
        "https://app.example/./client.json",
        "https://app.example/%2e%2E/client.json",
        "https://app.example/%2E/client.json",
        "https://app.example\\client.json",
        "https://app.example/cli ent.json",
        "https://app.example/client\n.json",
        "https://app.example/cliënt.json",
        "https://" + "a" * 250 + ".example/client.json",
        "https:///client.json",
        "HTTPS://app.example/client.json",
        "https://app.example:99999/client.json",
    ],
)
def test_a_url_that_may_be_no_client_id_is_not_fetched(world, url):
    assert world.find(url) is None
    assert world.house.browser().ask(Party(url, None, CALLBACK)).status_code == 400
    assert world.web.fetched == []


def test_urls_are_compared_as_they_are_written(world):
    for url in (URL.replace(".example/", ".example:443/"), URL.replace("client", "%63lient"), URL + "/"):
        world.web.published[url] = DOCUMENT
        assert world.find(url) is None


def test_on_loopback_http_may_do_for_development():
    assert url_problem("http://127.0.0.1:8000/client.json", allow_loopback=True) is None
    assert url_problem("http://app.example/client.json", allow_loopback=True) is not None


BAD = {
    "of another client": {"client_id": "https://app.example/other.json"},
    "of nobody": {"client_id": None},
    "with a secret": {"client_secret": "x" * 40},
    "with the end of a secret": {"client_secret_expires_at": 0},
    "with a method that needs a secret": {"token_endpoint_auth_method": "client_secret_basic"},
    "with a secret in a form": {"token_endpoint_auth_method": "client_secret_post"},
    "with a signing secret": {"token_endpoint_auth_method": "client_secret_jwt"},
    "with an unknown method": {"token_endpoint_auth_method": "magic"},
    "with a private key": {"jwks": {"keys": [{**KEY, "d": "AAAA"}]}},
    "with a symmetric key": {"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
    "without redirects": {"redirect_uris": None},
    "with no redirect": {"redirect_uris": []},
    "with a script as redirect": {"redirect_uris": ["javascript:alert(1)"]},
    "with a redirect by http": {"redirect_uris": ["http://app.example/cb"]},
    "with a redirect of a wrong type": {"redirect_uris": CALLBACK},
    "with keys in the own network": {"jwks_uri": "https://10.0.0.1/keys"},
    "with keys of this computer": {"jwks_uri": "https://localhost/keys"},
    "with a policy at a metadata service": {"policy_uri": "https://169.254.169.254/"},
    "with the grant of the client itself alone": {"grant_types": ["client_credentials"]},
    "with a name of two lines": {"client_name": "An\napp"},
}


@pytest.mark.parametrize("members", BAD.values(), ids=BAD)
def test_a_document_that_does_not_count_makes_no_client(world, members):
    world.publish(**{"client_id": URL, **members})
    if members.get("client_id", URL) is None:
        del world.web.published[URL]
        world.web.published[URL] = {name: value for name, value in DOCUMENT.items() if name != "client_id"}
    assert world.find() is None
    assert world.house.browser().ask(PARTY).status_code == 400
    answer = world.door.token(PARTY, grant_type="authorization_code", code="x", redirect_uri=CALLBACK)
    assert error_of(answer, 401) == "invalid_client"
    assert world.web.fetched == [URL]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"null", b"[" * 5000, b"\xff\xfe", b"x" * 16385, json.dumps({}).encode()],
)
def test_what_is_no_document_makes_no_client(world, body):
    world.web.published[URL] = body
    assert world.find() is None


@pytest.mark.parametrize("member", ['"size": NaN', r'"motto": "\ud800"', '"motto": 1, "motto": 2'])
def test_a_document_of_two_meanings_or_that_no_storage_keeps_makes_no_client(world, member):
    world.web.published[URL] = f"{json.dumps(DOCUMENT)[:-1]}, {member}}}".encode()
    assert world.find() is None
    world.web.published[URL] = f'{json.dumps(DOCUMENT)[:-1]}, "motto": "one"}}'.encode()
    world.clock.forward(MINUTE)
    assert world.find() is not None


@pytest.mark.parametrize(
    ("media_type", "counts"),
    [("application/json", True), ("application/client+json", True), ("text/html", False), ("", False)],
)
def test_a_document_is_json(world, media_type, counts):
    world.web.media_type = media_type
    assert (world.find() is not None) == counts


def test_privileged_members_are_not_heard(world):
    """S55."""
    world.publish(
        skip_authorization=True,
        disabled=False,
        self_registered=False,
        require_pkce=False,
        client_type="confidential",
        logo_uri="https://tracker.example/logo",
        scope="openid read introspection",
    )
    client = world.find()
    assert not client.skip_authorization
    assert client.client_type == "public"
    assert client.is_self_registered
    assert client.scope == "openid read"
    assert "logo_uri" not in json.dumps(client.metadata)
    assert "tracker.example" not in world.house.browser().consent_page(PARTY).text


# --- policy ---


def test_hosts_may_be_listed():
    world = World(CIMD_ALLOWED_HOSTS=["app.example"])
    world.publish("https://sub.app.example/client.json")
    assert world.find() is not None
    for url in ("https://sub.app.example/client.json", "https://app.example.evil.example/client.json"):
        assert world.find(url) is None
    assert world.web.fetched == [URL]


class Partners:
    def has_permission(self, client_id, document):
        return document["client_name"] == "A partner"


def test_classes_may_decide():
    world = World(CIMD_REGISTRATION_PERMISSION_CLASSES=[Partners])
    assert world.find() is None
    world.publish("https://partner.example/client.json", client_name="A partner")
    assert world.find("https://partner.example/client.json").name == "A partner"


def test_plugins_may_deny():
    class Careful(Plugin):
        def portula_assess_client_document(self, document):
            assert document.document["client_id"] == document.client_id
            if document.host != "partner.example":
                raise InvalidClientMetadata("no partner")

    world = World(Careful())
    assert world.find() is None
    world.publish("https://partner.example/client.json")
    assert world.find("https://partner.example/client.json") is not None


def test_an_app_may_fetch_by_itself():
    def fetch(url):
        return FetchResponse(200, "application/json", json.dumps({**DOCUMENT, "client_id": url}).encode())

    world = World(CIMD_METADATA_FETCHER=fetch)
    assert world.find().name == "An app"
    assert world.web.fetched == []
