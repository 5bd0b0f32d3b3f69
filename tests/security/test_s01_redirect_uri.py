"""S01: a redirect URI is compared as a string with what is registered, and nothing clever is done about it."""

import pytest

from portula.errors import InvalidClientMetadata
from security.driving import CALLBACK, answered

QUERY = "https://client.example/cb?x=1"
LOOPBACK = "http://127.0.0.1:8000/cb"

#: For the client of https://client.example/cb.
AGAINST_PLAIN = [
    "https://client.example",
    "https://client.example/",
    "https://client.example/c",
    "https://client.example/cb/",
    "https://client.example/cb//",
    "https://client.example//cb",
    "https://client.example/./cb",
    "https://client.example/cb/.",
    "https://client.example/x/../cb",
    "https://client.example/cb/..",
    "https://client.example/cb/../../evil",
    "https://client.example/cb/..;/evil",
    "https://client.example/%2e/cb",
    "https://client.example/x/%2e%2e/cb",
    "https://client.example/%63b",
    "https://client.example/cb%2f",
    "https://client.example/cb%00",
    "https://client.example/cb%20",
    "https://client.example/cb%0d%0aSet-Cookie:%20a=b",
    "https://client.example/CB",
    "https://client.example/cb?",
    "https://client.example/cb?x=1",
    "https://client.example/cb?next=https://evil.example",
    "https://client.example/cb#",
    "https://client.example/cb#https://evil.example",
    "https://client.example/cb;x",
    "https://client.example/cb;jsessionid=1",
    "https://client.example/cb&x=1",
    "https://client.example/cb\\",
    "https://client.example\\cb",
    "https:\\\\client.example\\cb",
    "https://client.example:443/cb",
    "https://client.example:80/cb",
    "https://client.example:8443/cb",
    "https://client.example:/cb",
    "https://client.example:443@evil.example/cb",
    "https://client.example./cb",
    "https://CLIENT.example/cb",
    "https://Client.Example/cb",
    "HTTPS://client.example/cb",
    "http://client.example/cb",
    "//client.example/cb",
    "/cb",
    "cb",
    "client.example/cb",
    "https:client.example/cb",
    "https:/client.example/cb",
    "https:///client.example/cb",
    "https://@client.example/cb",
    "https://user@client.example/cb",
    "https://user:password@client.example/cb",
    "https://client.example@evil.example/cb",
    "https://client.example%40evil.example/cb",
    "https://client.example\\@evil.example/cb",
    "https://evil.example\\@client.example/cb",
    "https://evil.example#@client.example/cb",
    "https://evil.example?@client.example/cb",
    "https://evil.example/https://client.example/cb",
    "https://client.example.evil.example/cb",
    "https://evil-client.example/cb",
    "https://clientXexample/cb",
    "https://sub.client.example/cb",
    "https://cl\u0456ent.example/cb",
    "https://xn--clent-c2f.example/cb",
    "https://client\uff0eexample/cb",
    "https://client.example\u2044cb",
    "https://client.example/cb\u200b",
    "https://client.example/\u0441b",
    " https://client.example/cb",
    "https://client.example/cb ",
    "https://client.example/cb\t",
    "https://client.example/cb\n",
    "https://client.example/cb\r\nLocation: https://evil.example",
    "https://client.exa\nmple/cb",
    "https://client\t.example/cb",
    "\x01https://client.example/cb",
    "https://client.example/cb\x00",
    "https://client.example/cb\x7f",
    "https://[::ffff:127.0.0.1]/cb",
    "https://[client.example]/cb",
    "https://[/cb",
    "https://*.example/cb",
    "https://client.example/*",
    "https://client.example/cb https://evil.example/cb",
    "https://client.example/cb,https://evil.example/cb",
    "javascript:alert(1)//https://client.example/cb",
    "data:text/html,https://client.example/cb",
    "blob:https://client.example/cb",
    "view-source:https://client.example/cb",
    "https://client.example/cb" + "a" * 10_000,
    "https://client.example/cb?" + "a=1&" * 2500,
]

#: For the client of https://client.example/cb?x=1.
AGAINST_QUERY = [
    "https://client.example/cb",
    "https://client.example/cb?",
    "https://client.example/cb?x",
    "https://client.example/cb?x=",
    "https://client.example/cb?x=2",
    "https://client.example/cb?X=1",
    "https://client.example/cb?x=1&",
    "https://client.example/cb?x=1&x=1",
    "https://client.example/cb?x=1&y=2",
    "https://client.example/cb?y=2&x=1",
    "https://client.example/cb?x=1;y=2",
    "https://client.example/cb?x=%31",
    "https://client.example/cb?x=1#",
    "https://client.example/cb?x=1#fragment",
    "https://client.example/cb#?x=1",
    "https://client.example/cb??x=1",
    "https://client.example/cb/?x=1",
]

#: For the native client of http://127.0.0.1:8000/cb, whose port may differ and nothing else.
AGAINST_LOOPBACK = [
    "http://127.0.0.1:8000",
    "http://127.0.0.1:8000/cb/",
    "http://127.0.0.1:8000/cb?x=1",
    "http://127.0.0.1:8000/cb#fragment",
    "http://127.0.0.1:8000/../cb",
    "http://127.0.0.1:/cb",
    "http://127.0.0.1:-1/cb",
    "http://127.0.0.1:+80/cb",
    "http://127.0.0.1:99999/cb",
    "http://127.0.0.1:080000/cb",
    "http://127.0.0.1:8000:8000/cb",
    "http://127.0.0.1: 8000/cb",
    "http://127.0.0.1:\u0668\u0660/cb",
    "http://127.0.0.1:8000@evil.example/cb",
    "http://127.0.0.1:x@evil.example/cb",
    "http://127.0.0.1@evil.example/cb",
    "http://evil.example@127.0.0.1:8000/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1\\.evil.example/cb",
    "http://127.0.0.1:80\\@evil.example/cb",
    "http://127.0.0.1.:8000/cb",
    "http://127.1:8000/cb",
    "http://127.0.0.2:8000/cb",
    "http://127.0.0.01:8000/cb",
    "http://0x7f000001:8000/cb",
    "http://2130706433:8000/cb",
    "http://0.0.0.0:8000/cb",
    "http://localhost:8000/cb",
    "http://LOCALHOST/cb",
    "http://localhost:80@evil.example/cb",
    "http://[::1]:8000/cb",
    "http://[::1%25lo]:8000/cb",
    "http://[0:0:0:0:0:0:0:1]:8000/cb",
    "http://[::ffff:127.0.0.1]:8000/cb",
    "https://127.0.0.1:8000/cb",
    "HTTP://127.0.0.1:8000/cb",
    "http:127.0.0.1:8000/cb",
    "http:///127.0.0.1:8000/cb",
    "http://127.0.0.1:" + "0" * 10_000 + "/cb",
]

HOSTILE = [
    *[("plain", uri) for uri in AGAINST_PLAIN],
    *[("query", uri) for uri in AGAINST_QUERY],
    *[("loopback", uri) for uri in AGAINST_LOOPBACK],
]


@pytest.fixture(scope="module")
def parties(house):
    """Clients that would be answered at once: nobody is asked for consent."""
    native = {"application_type": "native", "skip_authorization": True, "redirect_uris": (LOOPBACK,)}
    return {
        "plain": house.client(skip_authorization=True),
        "query": house.client(skip_authorization=True, redirect_uris=(QUERY,)),
        "loopback": house.public_client(**native),
    }


@pytest.fixture(scope="module")
def signed_in(house):
    browser = house.browser()
    assert browser.sign_in().status_code == 302
    return browser


def test_the_table_is_long_enough():
    assert len({uri for _, uri in HOSTILE}) >= 60


@pytest.mark.parametrize(("against", "uri"), HOSTILE, ids=lambda value: ascii(value)[1:60])
def test_a_hostile_redirect_uri_gets_the_error_page(parties, signed_in, against, uri):
    response = signed_in.authorize(parties[against], redirect_uri=uri)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert not [cookie for cookie in response.headers.getlist("Set-Cookie") if "session" in cookie]
    assert "code=" not in response.text
    assert response.mimetype == "text/html"


@pytest.mark.parametrize(("against", "uri"), HOSTILE[::7], ids=lambda value: ascii(value)[1:60])
def test_a_post_with_a_hostile_redirect_uri_gets_the_error_page(parties, signed_in, against, uri):
    asked = {"response_type": "code", "client_id": parties[against].client_id, "redirect_uri": uri}
    response = signed_in.post("/o/authorize/", asked)
    assert response.status_code == 400
    assert "Location" not in response.headers


@pytest.mark.parametrize("against", ["plain", "query", "loopback"])
def test_the_registered_uri_itself_is_answered(parties, signed_in, against):
    response = signed_in.authorize(parties[against])
    assert response.location.startswith(parties[against].redirect_uri)
    assert answered(response)["code"]


def test_a_registered_query_stays_as_it_is(parties, signed_in):
    location = signed_in.authorize(parties["query"]).location
    assert location.startswith(f"{QUERY}&code=")


def test_of_several_registered_uris_none_is_the_default(house, signed_in):
    client = house.client(redirect_uris=(CALLBACK, QUERY), skip_authorization=True)
    response = signed_in.authorize(client, redirect_uri=None)
    assert response.status_code == 400
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/cb",
        "//client.example/cb",
        "https:",
        "https://",
        "https:///cb",
        "https://client.example/cb#",
        "https://client.example/cb#fragment",
        "https://user@client.example/cb",
        "https://client.example@evil.example/cb",
        "https://client.example./cb",
        "https://*.client.example/cb",
        "https://client.example/../cb",
        "https://client.example/%2e%2E/cb",
        "https://client.example/./cb",
        "https://client.example\\cb",
        "https://client.example/c b",
        "https://client.example/cb\n",
        "https://client.example/cb\x00",
        "https://cl\u0456ent.example/cb",
        "https://client.example:port/cb",
        "https://client.example:99999/cb",
        "https://[::1/cb",
        "https://[fe80::1%25eth0]/cb",
        "https://client.example/<cb>",
        "https://client.example/" + "a" * 2048,
    ],
    ids=lambda uri: ascii(uri)[1:60],
)
def test_a_uri_that_cannot_be_compared_is_not_registered(house, uri):
    with pytest.raises(InvalidClientMetadata):
        house.client(redirect_uris=(CALLBACK, uri))
