import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from support.signing_out import BYE, ISSUER

from portula.errors import InvalidClientMetadata

ON = {"OIDC_FRONTCHANNEL_LOGOUT_ENABLED": True}
MEMBERS = ("frontchannel_logout_supported", "frontchannel_logout_session_supported")


@pytest.fixture
def house(make):
    house = make(**ON)
    house.client("cups", metadata={"frontchannel_logout_uri": "https://cups.example/out?a=b"})
    house.client("spoons", metadata={"frontchannel_logout_uri": "https://spoons.example/out"})
    house.client("quiet")
    return house


def frames_of(page):
    return [unescape(url) for url in re.findall(r'<iframe src="([^"]*)"', page.text)]


def test_it_stands_in_the_metadata_when_it_is_on(make):
    assert [make(**ON).provider.metadata_document.get(member) for member in MEMBERS] == [True, True]
    off = make()
    assert not set(MEMBERS) & off.provider.metadata_document.keys()
    assert "frontchannel_logout_uri" not in off.provider.client_members


def test_the_page_after_signing_out_opens_a_frame_for_each_app_of_the_session(house):
    ada = house.browser("ada", "cups", "spoons", "quiet")
    house.browser("bob", "spoons")
    page = ada.press(ada.ask(id_token_hint=house.hint(ada.sid), post_logout_redirect_uri=BYE, state="s"))
    assert page.status_code == 200
    assert ada.who == "nobody"
    cups, spoons = sorted(frames_of(page))
    told = [{"iss": [ISSUER], "sid": [house.sid_of(ada.sid, app)]} for app in ("cups", "spoons")]
    assert cups.startswith("https://cups.example/out?a=b&")
    assert parse_qs(urlsplit(cups).query) == {"a": ["b"], **told[0]}
    assert spoons.startswith("https://spoons.example/out?")
    assert parse_qs(urlsplit(spoons).query) == told[1]


def test_only_the_origins_of_these_apps_may_be_framed(house):
    ada = house.browser("ada", "cups", "spoons")
    policy = ada.press(ada.ask()).headers["Content-Security-Policy"]
    assert "frame-src https://cups.example https://spoons.example" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("host", ["x,frame-src,.evil.example", "x;script-src.evil.example", "a'b.example"])
def test_a_host_that_would_be_read_as_policy_is_not_framed(house, host):
    """Neither can it be registered, nor does one that was registered before stand in the header."""
    uri = f"https://{host}/out"
    with pytest.raises(InvalidClientMetadata, match="frontchannel_logout_uri has a host that is neither"):
        house.client("forks", redirect_uris=(uri,), metadata={"frontchannel_logout_uri": uri})
    house.change("spoons", metadata={"frontchannel_logout_uri": uri}, redirect_uris=(uri,))
    ada = house.browser("ada", "cups", "spoons")
    policy = ada.press(ada.ask()).headers["Content-Security-Policy"]
    assert host not in policy
    assert policy.endswith("frame-src https://cups.example")


def test_the_page_goes_on_by_one_mechanism_with_a_script_and_without(make, house):
    for made, seconds in ((house, 3), (make(**ON, OIDC_FRONTCHANNEL_LOGOUT_SECONDS=7), 7)):
        if made is not house:
            made.client("cups", metadata={"frontchannel_logout_uri": "https://cups.example/out"})
        ada = made.browser("ada", "cups")
        page = ada.press(ada.ask(client_id="tea", post_logout_redirect_uri=BYE, state="a&b"))
        refresh = f'<meta http-equiv="refresh" content="{seconds};url={BYE}?state=a%26b">'
        assert f"<noscript>{refresh}</noscript>" in page.text
        assert page.text.count("http-equiv") == 1
        assert f'id="logout-continue" href="{BYE}?state=a%26b"' in page.text
        assert f'data-seconds="{seconds}"' in page.text
        (script,) = re.findall(r'<script src="([^"]*)"', page.text)
        assert "signed_out.js" in script
        with made.app.test_client().get(script, base_url="https://id.example") as answer:
            assert answer.status_code == 200


def test_without_an_address_the_page_stays(house):
    ada = house.browser("ada", "cups")
    page = ada.press(ada.ask())
    assert frames_of(page)
    assert "refresh" not in page.text
    assert "<script" not in page.text


def test_without_such_apps_the_person_is_sent_on_at_once(house):
    ada = house.browser("ada", "quiet")
    answer = ada.press(ada.ask(id_token_hint=house.hint(ada.sid), post_logout_redirect_uri=BYE))
    assert answer.location == BYE


def test_switched_off_there_are_no_frames(make):
    house = make()
    house.client("cups", metadata={"frontchannel_logout_uri": "https://cups.example/out"})
    ada = house.browser("ada", "cups")
    assert frames_of(ada.press(ada.ask())) == []


def test_an_app_that_is_disabled_is_not_framed(house):
    ada = house.browser("ada", "cups")
    house.change("cups", disabled=True)
    assert frames_of(ada.press(ada.ask())) == []


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/out",
        "http://odd.example/out",
        "https://odd.example:8443/out",
        "https://odd.example/out#x",
        "https://ada@odd.example/out",
        "javascript:alert(1)",
        "odd.example",
        ["https://odd.example/out"],
    ],
)
def test_an_address_of_another_origin_than_the_redirect_uris_cannot_be_registered(house, uri):
    """Front-Channel Logout §2."""
    with pytest.raises(InvalidClientMetadata, match="frontchannel_logout_uri"):
        house.client("odd", metadata={"frontchannel_logout_uri": uri})
