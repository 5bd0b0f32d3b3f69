from urllib.parse import parse_qs, urlsplit

import pytest
from support.signing_out import BYE, NOW, ON, SessionLogin

import portula_logout
import portula_sessions
from portula import hookimpl
from portula.errors import EmptySlot
from portula.plugin import AccessToken, Authorization, Grant, RefreshToken
from portula_logout import LogoutSucceeded
from portula_testing.provider import make_provider
from portula_testing.writing import add_to

LONG_STATE = "aZ09-._~" * 16
NEVER_ASK = {"OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False}


def asks(page):
    return page.status_code == 200 and 'id="logout-confirm"' in page.text


def says_signed_out(page):
    return page.status_code == 200 and "<h1>You are signed out</h1>" in page.text


# --- The switch ---


def test_the_endpoint_stands_in_the_metadata(house):
    assert house.provider.metadata_document["end_session_endpoint"] == "logout/"


def test_switched_off_there_is_no_endpoint_and_nothing_is_said_of_it(make):
    house = make(OIDC_RP_INITIATED_LOGOUT_ENABLED=False)
    assert house.browser().ask().status_code == 404
    assert "end_session_endpoint" not in house.provider.metadata_document
    assert "post_logout_redirect_uris" not in house.provider.client_members


def test_without_anybody_who_verifies_id_tokens_the_provider_does_not_start():
    with pytest.raises(EmptySlot, match="portula-jose"):
        make_provider(portula_sessions, portula_logout, SessionLogin(), settings=ON)


# --- Being asked ---


def test_a_person_is_asked_and_then_signed_out_and_sent_on_with_the_state_and_nothing_else(house):
    ada = house.browser("ada")
    page = ada.ask(id_token_hint=house.hint(ada.sid), post_logout_redirect_uri=BYE, state=LONG_STATE)
    assert asks(page)
    assert "Tea" in page.text
    assert ada.who == "ada"
    answer = ada.press(page)
    assert answer.status_code == 303
    assert answer.location == f"{BYE}?state={LONG_STATE}"
    assert ada.who == "nobody"


def test_without_a_state_nothing_is_added(house):
    ada = house.browser("ada")
    page = ada.ask(id_token_hint=house.hint(ada.sid), post_logout_redirect_uri=BYE)
    assert ada.press(page).location == BYE


def test_a_query_that_is_registered_stays_as_it_is(house):
    ada, uri = house.browser("ada"), "https://tea.example/bye?shop=1"
    page = ada.ask(id_token_hint=house.hint(ada.sid), post_logout_redirect_uri=uri, state="a b&c")
    location = ada.press(page).location
    assert location.startswith(uri + "&")
    assert parse_qs(urlsplit(location).query) == {"shop": ["1"], "state": ["a b&c"]}


def test_who_stays_is_not_signed_out_and_not_sent_anywhere(house):
    ada = house.browser("ada")
    page = ada.ask(id_token_hint=house.hint(ada.sid), post_logout_redirect_uri=BYE)
    answer = ada.press(page, "logout-cancel")
    assert answer.status_code == 200
    assert "still signed in" in answer.text
    assert ada.who == "ada"


@pytest.mark.parametrize("claims", [{"sub": "bob"}, {"sid": "another session"}], ids=["person", "session"])
def test_a_hint_about_somebody_else_is_asked_about_whatever_is_set(make, claims):
    house = make(**NEVER_ASK)
    ada = house.browser("ada")
    page = ada.ask(id_token_hint=house.hint(**claims), post_logout_redirect_uri=BYE)
    assert asks(page)
    assert ada.who == "ada"


def test_without_a_hint_it_is_asked_whatever_is_set(make):
    house = make(**NEVER_ASK)
    ada = house.browser("ada")
    page = ada.ask(client_id="tea", post_logout_redirect_uri=BYE, logout_hint="ada", ui_locales="de")
    assert asks(page)
    assert ada.press(page).location == BYE


@pytest.mark.parametrize("named", [True, False])
def test_a_hint_that_proves_the_session_spares_the_question_where_that_is_set(make, named):
    house = make(**NEVER_ASK)
    ada = house.browser("ada")
    hint = house.hint(ada.sid if named else None)
    answer = ada.ask(id_token_hint=hint, post_logout_redirect_uri=BYE, state="s")
    assert answer.location == f"{BYE}?state=s"
    assert ada.who == "nobody"


# --- Pages and no redirect ---


@pytest.mark.parametrize("query", [{}, {"state": "s"}], ids=["no-params", "only-state"])
def test_who_names_no_address_ends_on_a_page(house, query):
    ada = house.browser("ada")
    page = ada.ask(**query)
    assert asks(page)
    assert says_signed_out(ada.press(page))
    assert ada.who == "nobody"
    assert says_signed_out(ada.ask(**query))


def test_a_hint_alone_ends_on_a_page(house):
    ada = house.browser("ada")
    page = ada.press(ada.ask(id_token_hint=house.hint(ada.sid), state="s"))
    assert says_signed_out(page)
    assert "logout-continue" not in page.text


# --- When nobody is signed in any more (django-oauth-toolkit #1287) ---


def test_who_signed_out_already_is_sent_on(house):
    ada = house.browser("ada")
    query = {"id_token_hint": house.hint(ada.sid), "post_logout_redirect_uri": BYE, "state": "s"}
    page = ada.ask(**query)
    ada.press(page)
    assert ada.ask(**query).location == f"{BYE}?state=s"
    assert ada.press(page).location == f"{BYE}?state=s"


def test_without_a_hint_nobody_is_sent_on_but_by_a_click(house):
    page = house.browser().ask(client_id="tea", post_logout_redirect_uri=BYE, state="s")
    assert says_signed_out(page)
    assert f'href="{BYE}?state=s"' in page.text


# --- By POST ---


def test_a_post_of_an_app_comes_back_by_get_where_our_cookies_arrive(house):
    ada, elsewhere = house.browser("ada"), house.browser()
    fields = {"id_token_hint": house.hint(ada.sid), "post_logout_redirect_uri": BYE, "state": "s"}
    answer = elsewhere.post("/o/logout/", fields)
    assert answer.status_code == 303
    page = ada.get(answer.location)
    assert asks(page)
    assert ada.press(page).location == f"{BYE}?state=s"
    assert ada.who == "nobody"


def test_a_posted_request_waits_ten_minutes(house):
    ada = house.browser("ada")
    answer = ada.post("/o/logout/", {"client_id": "tea"})
    house.clock.advance(599)
    assert asks(ada.get(answer.location))
    house.clock.advance(1)
    assert ada.get(answer.location).status_code == 400


def test_a_posted_request_that_is_wrong_is_refused_at_once(house):
    answer = house.browser().post("/o/logout/", {"client_id": "coffee"})
    assert answer.status_code == 400


def test_a_parameter_in_both_query_and_body_is_refused(house):
    answer = house.browser().post("/o/logout/?client_id=tea", {"client_id": "tea"})
    assert answer.status_code == 400


# --- Settings about addresses and expired tokens ---

LOCAL = "http://127.0.0.1:5000/bye"


@pytest.mark.parametrize(
    ("strict", "client_type", "status"),
    [
        (False, "public", 200),
        (True, "public", 400),
        (True, "confidential", 200),
        (False, "confidential", 200),
    ],
)
def test_strict_redirect_uris_keep_public_clients_from_http(make, strict, client_type, status):
    house = make(OIDC_RP_INITIATED_LOGOUT_STRICT_REDIRECT_URIS=strict)
    house.client("local", client_type=client_type, post_logout_redirect_uris=(LOCAL,))
    page = house.browser("ada").ask(client_id="local", post_logout_redirect_uri=LOCAL)
    assert page.status_code == status


@pytest.mark.parametrize(("accepted", "status"), [(True, 200), (False, 400)])
@pytest.mark.parametrize("claims", [{"exp": NOW}, {"nbf": NOW + 1}], ids=["exp", "nbf"])
def test_expired_tokens_count_where_that_is_set(make, accepted, status, claims):
    house = make(OIDC_RP_INITIATED_LOGOUT_ACCEPT_EXPIRED_TOKENS=accepted)
    ada = house.browser("ada")
    assert ada.ask(id_token_hint=house.hint(ada.sid, **claims)).status_code == status
    assert ada.ask(id_token_hint=house.hint(ada.sid)).status_code == 200


# --- Tokens ---


def tokens_of(house):
    """Give ada tokens with two clients, and bob one; return a function that says which still count."""
    house.client("shop", client_type="confidential")
    for subject, client_id in (("ada", "tea"), ("ada", "shop"), ("bob", "tea")):
        common = {
            "client_id": client_id,
            "subject": subject,
            "scope": "openid",
            "issued_at": NOW,
            "expires_at": NOW + 600,
        }
        under = f"{subject} {client_id}"
        add_to(house.storage, Authorization(id=under, **common))
        for kind in (AccessToken, RefreshToken, Grant):
            add_to(house.storage, kind(digest=f"{kind.__name__} {under}", authorization=under, **common))

    def live():
        ended = {each.id for each in house.storage.select(Authorization) if each.revoked_at is not None}
        return sorted(
            token.digest
            for kind in (AccessToken, RefreshToken, Grant)
            for token in house.storage.select(kind)
            if token.authorization not in ended
            and getattr(token, "revoked_at", None) is None
            and getattr(token, "taken_at", None) is None
        )

    return live


def sign_out(house):
    ada = house.browser("ada")
    ada.press(ada.ask(id_token_hint=house.hint(ada.sid)))
    return ada


def test_every_token_of_the_person_is_revoked_and_of_nobody_else(house):
    live = tokens_of(house)
    ada = sign_out(house)
    assert live() == ["AccessToken bob tea", "Grant bob tea", "RefreshToken bob tea"]
    (event,) = house.heard.of(LogoutSucceeded)
    assert event == LogoutSucceeded(
        provider=house.provider,
        subject="ada",
        sid=ada.sid,
        client_id="tea",
        tokens=2,
        at=NOW,
        address="127.0.0.1",
    )


def test_a_listener_hears_who_signed_out_and_at_whose_wish(make):
    class Listener:
        @hookimpl
        def portula_logout_succeeded(self, event):
            heard.append((event.subject, event.client_id))

    heard = []
    house = make(Listener())
    sign_out(house)
    ada = house.browser("ada")
    ada.press(ada.ask())
    assert heard == [("ada", "tea"), ("ada", None)]


def test_tokens_are_kept_where_that_is_set(make):
    house = make(OIDC_RP_INITIATED_LOGOUT_DELETE_TOKENS=False)
    live = tokens_of(house)
    sign_out(house)
    assert len(live()) == 9
    assert house.heard.of(LogoutSucceeded)[0].tokens == 0


def test_which_kinds_of_tokens_are_revoked_can_be_set(make):
    house = make(OIDC_RP_INITIATED_LOGOUT_TOKEN_TYPES=["access_token"])
    live = tokens_of(house)
    sign_out(house)
    assert [name for name in live() if " ada " in name] == ["RefreshToken ada shop", "RefreshToken ada tea"]


def test_of_which_clients_tokens_are_revoked_can_be_set(make):
    house = make(OIDC_RP_INITIATED_LOGOUT_CLIENT_TYPES=["confidential"])
    live = tokens_of(house)
    sign_out(house)
    assert [name for name in live() if " ada " in name] == [
        "AccessToken ada tea",
        "Grant ada tea",
        "RefreshToken ada tea",
    ]


@pytest.mark.parametrize("kinds", [["access_token", "refresh_token"], ["access_token"]])
def test_what_a_client_of_these_has_under_the_authorization_of_another_is_revoked(make, kinds):
    house = make(
        OIDC_RP_INITIATED_LOGOUT_CLIENT_TYPES=["confidential"], OIDC_RP_INITIATED_LOGOUT_TOKEN_TYPES=kinds
    )
    live = tokens_of(house)
    house.client("gateway", client_type="confidential")
    for subject in ("ada", "bob"):
        exchanged = AccessToken(
            digest=f"exchanged {subject}",
            client_id="gateway",
            authorization=f"{subject} tea",
            subject=subject,
            scope="openid",
            issued_at=NOW,
            expires_at=NOW + 600,
        )
        add_to(house.storage, exchanged)
    assert "exchanged ada" in live()
    sign_out(house)
    assert "exchanged ada" not in live()
    assert {"exchanged bob", "AccessToken ada tea"} <= set(live())


# --- Bad requests ---


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(house, method):
    assert house.app.test_client().open("/o/logout/", method=method).status_code == 405


@pytest.mark.parametrize(
    "query",
    ["client_id=tea&client_id=tea", "client_id=%ff", "state=%00", "client_id=%E2%80%AE", "id_token_hint=x"],
)
def test_what_cannot_be_read_is_a_page_with_status_400(house, query):
    assert house.browser().get(f"/o/logout/?{query}").status_code == 400
