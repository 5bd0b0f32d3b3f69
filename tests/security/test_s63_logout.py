"""S63: signing out at an app's wish leads only where the app registered, believes no forged hint, and needs a click."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from support.signing_out import BYE, ISSUER, House

ELSEWHERE = [
    "https://evil.example/",
    f"{BYE}/",
    f"{BYE}?foo=bar",
    f"{BYE}#x",
    f"{BYE}.evil.example",
    "https://tea.example/",
    "https://tea.example/BYE",
    "HTTPS://tea.example/bye",
    "http://tea.example/bye",
    "https://tea.example:443/bye",
    "https://tea.example/x/../bye",
    "https://tea.example@evil.example/bye",
    "//tea.example/bye",
    "/bye",
    "javascript:alert(1)",
    "data:text/html,x",
    f" {BYE}",
    f"{BYE}\t",
]
FORGED = {
    "nothing": "",
    "words": "not a token",
    "two-parts": "e30.e30",
}


@pytest.fixture
def house():
    return House()


@pytest.fixture
def open_house():
    """People are not asked where a hint proves whom an app means."""
    return House(OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT=False)


def refused(answer):
    """Say whether this is a page that leads nowhere."""
    return answer.status_code == 400 and answer.location is None and "evil.example" not in answer.text


@pytest.mark.parametrize("uri", ELSEWHERE)
@pytest.mark.parametrize("how", ["hint", "client_id", "hint by POST"])
def test_an_address_that_is_not_registered_is_a_page_and_nobody_is_signed_out(open_house, uri, how):
    ada = open_house.browser("ada")
    named = {"client_id": "tea"} if how == "client_id" else {"id_token_hint": open_house.hint(ada.sid)}
    query = {**named, "post_logout_redirect_uri": uri, "state": "s"}
    answer = ada.post("/o/logout/", query) if "POST" in how else ada.ask(**query)
    assert refused(answer)
    assert ada.who == "ada"
    assert refused(open_house.browser().ask(**query))


def test_an_address_without_an_app_is_a_page(house):
    ada = house.browser("ada")
    assert refused(ada.ask(post_logout_redirect_uri=BYE, state="s"))
    assert ada.who == "ada"


def test_an_address_of_another_app_is_a_page(house):
    house.client("evil", post_logout_redirect_uris=("https://evil.example/",))
    ada = house.browser("ada")
    answer = ada.ask(id_token_hint=house.hint(ada.sid), post_logout_redirect_uri="https://evil.example/")
    assert refused(answer)
    assert refused(house.browser().ask(client_id="evil", post_logout_redirect_uri=BYE))


def modified(hint):
    header, claims, signature = hint.split(".")
    changed = urlsafe_b64encode(urlsafe_b64decode(claims).replace(b'"ada"', b'"bob"')).decode()
    return f"{header}.{changed}.{signature}"


def hints(house, sid):
    """Return hints that are not ID tokens of this server for `tea`, each wrong in one way."""
    return {
        "foreign-signature": house.hint(sid, key="foreign"),
        "alg-none": house.hint(sid, key=""),
        "modified": modified(house.hint(sid)),
        "other-issuer": house.hint(sid, iss="https://other.example/o"),
        "no-issuer": house.hint(sid, iss=None),
        "longer-issuer": house.hint(sid, iss=f"{ISSUER}/"),
        "unknown-client": house.hint(sid, aud="coffee"),
        "no-audience": house.hint(sid, aud=None),
        "audience-of-numbers": house.hint(sid, aud=[1]),
        "several-audiences": house.hint(sid, aud=["tea", "other"]),
        "azp-not-in-audience": house.hint(sid, azp="other"),
        "azp-unknown": house.hint(sid, aud=["tea", "coffee"], azp="coffee"),
        "disabled-client": house.hint(sid, aud="gone"),
        "no-subject": house.hint(sid, sub=None),
        "subject-that-is-a-list": house.hint(sid, sub=["ada"]),
        "no-expiry": house.hint(sid, exp=None),
        "expiry-in-words": house.hint(sid, exp="tomorrow"),
        "no-time": house.hint(sid, iat=None),
        "access-token": house.hint(sid, typ="at+jwt"),
        "logout-token": house.hint(sid, typ="logout+jwt"),
        **FORGED,
    }


@pytest.mark.parametrize("wrong", [name for name in hints(House(), "s") if name != "nothing"])
def test_a_hint_that_is_not_an_id_token_of_ours_is_a_page_and_nobody_is_signed_out(open_house, wrong):
    open_house.client("other")
    open_house.client("gone", disabled=True)
    ada = open_house.browser("ada")
    answer = ada.ask(id_token_hint=hints(open_house, ada.sid)[wrong], post_logout_redirect_uri=BYE, state="s")
    assert refused(answer)
    assert ada.who == "ada"


def test_a_hint_and_a_client_id_that_differ_are_a_page(open_house):
    open_house.client("other", post_logout_redirect_uris=(BYE,))
    ada = open_house.browser("ada")
    query = {"id_token_hint": open_house.hint(ada.sid), "post_logout_redirect_uri": BYE}
    assert refused(ada.ask(client_id="other", **query))
    assert ada.who == "ada"
    assert ada.ask(client_id="tea", **query).location == BYE


def test_a_hint_for_several_apps_counts_for_the_one_that_azp_or_client_id_names(open_house):
    ada, bob = open_house.browser("ada"), open_house.browser("bob")
    hint = open_house.hint(ada.sid, aud=["tea", "other"], azp="tea")
    assert ada.ask(id_token_hint=hint, post_logout_redirect_uri=BYE).location == BYE
    hint = open_house.hint(bob.sid, aud=["tea", "other"], sub="bob")
    assert bob.ask(id_token_hint=hint, client_id="tea", post_logout_redirect_uri=BYE).location == BYE


def test_a_hint_signed_with_a_key_that_signs_no_more_counts(open_house):
    ada = open_house.browser("ada")
    hint = open_house.hint(ada.sid, key="inactive")
    assert ada.ask(id_token_hint=hint, post_logout_redirect_uri=BYE).location == BYE


def test_a_hint_signed_with_the_secret_of_its_client_counts_for_that_client_alone(open_house):
    open_house.client("other")
    ada = open_house.browser("ada")
    assert refused(ada.ask(id_token_hint=open_house.hint(ada.sid, key="other")))
    hint = open_house.hint(ada.sid, key="tea")
    assert ada.ask(id_token_hint=hint, post_logout_redirect_uri=BYE).location == BYE


# --- Forgery ---


def test_another_site_cannot_press_the_button(house):
    """The page's form is bound to the browser, the session and the request."""
    ada, eve = house.browser("ada"), house.browser("eve")
    page = ada.ask(client_id="tea")
    for other in (eve, house.browser("ada")):
        theirs = other.ask(client_id="tea")
        (token,) = [line for line in theirs.text.split('"') if len(line) == 43 and line.isascii()]
        assert ada.press(page, csrf_token=token).status_code == 400
    assert ada.press(page, csrf_token="").status_code == 400
    assert ada.who == "ada"


def test_the_form_of_one_request_does_not_serve_another(house):
    ada = house.browser("ada")
    page, other = ada.ask(client_id="tea"), ada.ask(client_id="tea", post_logout_redirect_uri=BYE)
    (token,) = [line for line in page.text.split('"') if len(line) == 43 and line.isascii()]
    assert ada.press(other, csrf_token=token).status_code == 400
    assert ada.who == "ada"


def test_the_form_of_an_earlier_session_does_not_end_a_later_one(house):
    ada = house.browser("ada")
    page = ada.ask(client_id="tea")
    ada.get("/in/ada")
    assert ada.press(page).status_code == 400
    assert ada.who == "ada"


def test_the_name_of_an_app_is_shown_as_text(house):
    house.client("odd", name="Tea <svg onload=1>")
    page = house.browser("ada").ask(client_id="odd")
    assert "<svg" not in page.text
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "form-action" not in page.headers["Content-Security-Policy"]
