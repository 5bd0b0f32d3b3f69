"""People who are named by an ID token, and what their sign-in has to be (CIBA Core §7.1; attacks S16, S44)."""

import pytest
from security.driving import error_of
from support.backchannel import asked, begun, decided, opened, poll, till
from support.openid import GRANTS

from portula_testing import jws

BOTH = (*GRANTS, "urn:openid:params:grant-type:ciba")
DAY = 24 * 3600


def id_token(world, party, browser):
    """Return an ID token that a client got by a request."""
    members = begun(world, party)
    decided(browser)
    return poll(world, party, members).json["id_token"]


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(CIBA_MAX_REQUESTS_PER_USER=64, OIDC_SUBJECT_TYPES_SUPPORTED=["public", "pairwise"])


@pytest.fixture
def browser(world):
    world.clock.forward(1)  # requests of other tests are older
    browser = world.browser()
    browser.sign_in()
    return browser


def hinted(world, party, token, **form):
    return asked(world, party, **{"login_hint": None, "id_token_hint": token, **form})


@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
def test_an_id_token_names_its_person_also_when_it_has_expired(world, browser, subject_type):
    party = till(world, metadata={"subject_type": subject_type})
    token = id_token(world, party, browser)
    known = world.read(token, party)["sub"]
    assert (known == world.ann.sub) == (subject_type == "public")
    world.clock.forward(DAY)
    browser.sign_in()
    answer = hinted(world, party, token)
    assert answer.status_code == 200, answer.text
    decided(browser)
    assert world.read(poll(world, party, answer.json).json["id_token"], party)["sub"] == known


def test_one_from_the_code_flow_does_too(world):
    party = world.client(grant_types=BOTH, metadata={"subject_type": "pairwise"})
    token = world.sign_in(party)["id_token"]
    assert hinted(world, party, token).status_code == 200


def test_an_old_one_names_nobody(world, browser):
    party = till(world)
    token = id_token(world, party, browser)
    world.clock.forward(91 * DAY)
    assert error_of(hinted(world, party, token)) == "invalid_request"


def test_another_clients_names_nobody(world, browser):
    token = id_token(world, till(world), browser)
    assert error_of(hinted(world, till(world), token)) == "invalid_request"


def test_other_tokens_of_ours_are_none(world, browser):
    party = till(world)
    members = begun(world, party)
    decided(browser)
    tokens = poll(world, party, members).json
    header, claims = jws.taken_apart(tokens["id_token"])
    forged = jws.TokenKey("RS256", kid=header["kid"]).sign(claims)
    for token in (tokens["access_token"], tokens["refresh_token"], forged, jws.unsigned_token(claims), "x"):
        assert error_of(hinted(world, party, token)) == "invalid_request"


def test_one_that_the_client_could_have_made_names_nobody(make_world):
    """Signed with the client's secret (HS256)."""
    world = make_world()
    party = till(world, hash_secret=False, algorithm="HS256")
    now = int(world.clock.time)
    claims = {"iss": "https://id.example/o", "sub": world.ann.sub, "aud": party.client_id, "iat": now}
    forged = jws.signed_with_secret(party.secret.encode(), {**claims, "exp": now + 60})
    assert error_of(hinted(world, party, forged)) == "invalid_request"


def test_an_encrypted_one_for_its_client_is_taken_where_it_can_be_read(world, browser):
    party = till(world)
    token = id_token(world, party, browser)
    assert error_of(hinted(world, party, token + ".a.b")) == "invalid_request"
    assert hinted(world, party, token).status_code == 200


def test_exactly_one_hint_is_needed(world, browser):
    party = till(world)
    token = id_token(world, party, browser)
    assert error_of(asked(world, party, id_token_hint=token)) == "invalid_request"
    assert error_of(asked(world, party, login_hint=None)) == "invalid_request"


def test_a_subject_is_a_hint_too(world):
    assert begun(world, till(world), login_hint=world.ann.sub)


# --- How the person signed in ---


@pytest.mark.parametrize("wanted", ["1", "urn:nosuch 1"])
def test_the_class_that_is_reached_is_told(make_world, wanted):
    world = make_world(ACR_VALUES={"0": [], "1": ["pwd"]})
    party, browser = till(world), world.browser()
    browser.sign_in()
    members = begun(world, party, acr_values=wanted)
    decided(browser)
    assert world.read(poll(world, party, members).json["id_token"], party)["acr"] == "1"


def test_who_signed_in_too_long_ago_signs_in_again(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    world.clock.forward(60)
    members = begun(world, party, max_age="30")
    to_login = opened(browser)
    assert to_login.location.startswith("/accounts/login/")
    login = browser.get(to_login.location)
    signed_in = browser.submit(login, "login-submit", username="ann", password="a long password of hers")
    page = browser.get(signed_in.location)
    assert "A till" in page.text
    sent = browser.submit(page, "consent-allow")
    assert sent.status_code == 303
    claims = world.read(poll(world, party, members).json["id_token"], party)
    assert claims["auth_time"] == world.clock.time
