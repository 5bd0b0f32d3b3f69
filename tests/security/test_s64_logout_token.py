"""S64: a logout token says what it is and to whom, for two minutes; it passes for nothing else; nobody waits."""

import pytest
from support.signing_out import ISSUER, NOW, House

TEA = "https://tea.example/out"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def house():
    made = House()
    made.client("teapot", metadata={"backchannel_logout_uri": TEA})
    return made


def tell(house, subject="ada"):
    """Sign a person out of an app; return their session's identifier and the token that the app's server was sent."""
    browser = house.browser(subject, "teapot")
    browser.press(browser.ask())
    house.provider.deliveries.deliver()
    return browser.sid, house.jose.read(house.fetcher.posts[-1][1]["logout_token"])


def test_a_logout_token_has_exactly_the_claims_that_it_needs(house):
    sid, token = tell(house)
    jti = token.claims["jti"]
    assert token.claims == {
        "iss": ISSUER,
        "aud": "teapot",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": jti,
        "events": {EVENT: {}},
        "sub": "ada",
        "sid": house.sid_of(sid, "teapot"),
    }
    assert len(jti) >= 22


def test_it_has_a_type_of_its_own(house):
    _, token = tell(house)
    assert token.header["typ"] == "logout+jwt"


def test_no_two_have_one_jti(house):
    assert len({tell(house)[1].claims["jti"] for _ in range(20)}) == 20


@pytest.mark.parametrize(("registered", "used"), [("", "RS256"), ("ES256", "ES256"), ("HS256", "HS256")])
def test_it_is_signed_as_the_id_tokens_of_the_app_are(house, registered, used):
    house.change("teapot", algorithm=registered)
    tell(house)
    assert house.jose.signed[-1] == (used, "logout+jwt")


def test_it_names_the_person_as_the_app_was_told(house):
    """OpenID Connect Core §8: of pairwise identifiers nobody learns another's."""
    house.known_as = "ada of teapot"
    _, token = tell(house)
    assert token.claims["sub"] == "ada of teapot"


def test_it_does_not_pass_for_an_id_token_hint(house):
    tell(house)
    answer = house.browser("ada").ask(id_token_hint=house.fetcher.posts[-1][1]["logout_token"])
    assert answer.status_code == 400


def test_what_waits_is_no_token_that_could_be_presented(house):
    """Attack S50: it is signed when it is sent."""
    browser = house.browser("ada", "teapot")
    browser.press(browser.ask())
    (waiting,) = house.artifacts("logout-token")
    assert house.jose.signed == []
    assert waiting.digest not in repr(waiting.payload)
    assert sorted(waiting.payload) == ["attempts", "data", "origin"]
    assert sorted(waiting.payload["data"]) == ["issuer", "made_at", "sid", "sub"]


@pytest.mark.parametrize("answer", [None, 302, 400, 401, 404, 500, 503], ids=str)
def test_a_server_that_fails_changes_nothing_for_the_person(house, answer):
    house.fetcher.answers[TEA] = answer
    browser = house.browser("ada", "teapot")
    page = browser.press(browser.ask())
    assert page.status_code == 200
    assert browser.who == "nobody"
    house.provider.deliveries.deliver()
    assert house.browser("ada").who == "ada"
