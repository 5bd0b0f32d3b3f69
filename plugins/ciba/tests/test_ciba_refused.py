"""What the two endpoints refuse, and with which code (CIBA Core §13, §11; attacks S23, S62)."""

import pytest
from security.driving import error_of
from support.backchannel import GRANT, PATH, asked, begun, decided, pages, poll, till

from portula import hookimpl
from portula.errors import AccessDeniedError
from portula.plugin import Artifact, Authorization
from portula_ciba import ExpiredLoginHintToken
from portula_testing.writing import change_in


def test_a_client_that_is_not_registered_for_it_is_refused(world):
    assert error_of(asked(world, world.client())) == "unauthorized_client"


def test_a_client_has_to_prove_who_it_is(world, party):
    for form in ({"client_id": party.client_id}, {"client_id": "nobody"}, {}):
        refused = world.door().post(PATH, {**form, "scope": "openid", "login_hint": "ann"})
        assert error_of(refused, 401) == "invalid_client"


def test_public_clients_cannot_be_registered_for_it(world):
    with pytest.raises(Exception, match="confidential"):
        till(world, client_type="public")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "nosuch"}, "invalid_scope"),
        ({"scope": "read"}, "invalid_scope"),
        ({"login_hint": None}, "invalid_request"),
        ({"login_hint": ""}, "invalid_request"),
        ({"login_hint": "nobody"}, "unknown_user_id"),
        ({"login_hint": "x" * 5000}, "unknown_user_id"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"login_hint": None, "id_token_hint": "a.b.c"}, "invalid_request"),
        ({"login_hint_token": "x"}, "invalid_request"),
        ({"login_hint": None, "login_hint_token": "x"}, "invalid_request"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-1"}, "invalid_request"),
        ({"requested_expiry": "1.5"}, "invalid_request"),
        ({"requested_expiry": "\N{SUPERSCRIPT TWO}"}, "invalid_request"),
        ({"requested_expiry": "9" * 5000}, "invalid_request"),
        ({"requested_expiry": "soon"}, "invalid_request"),
        ({"binding_message": "two\nlines"}, "invalid_binding_message"),
        ({"binding_message": "a\N{RIGHT-TO-LEFT OVERRIDE}b"}, "invalid_binding_message"),
        ({"binding_message": "zero\N{ZERO WIDTH SPACE}width"}, "invalid_binding_message"),
        ({"binding_message": "x" * 65}, "invalid_binding_message"),
        ({"binding_message": " "}, "invalid_binding_message"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"request": "a.b.c", "scope": None, "login_hint": None}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request"),
        ({"request_uri": "urn:x"}, "invalid_request"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_is_told_at_once(make_world, form, error):
    world = make_world()
    assert error_of(asked(world, till(world), **form)) == error


@pytest.mark.parametrize("text", ["W4SCT", "Grüße, 1.00 €", "支払い 5", "x" * 64], ids=str)
def test_messages_that_people_can_read_are_taken(make_world, text):
    world = make_world()
    assert begun(world, till(world), binding_message=text)


def test_other_methods_and_other_forms_are_refused(world, party):
    answer = world.door().open(PATH)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    twice = world.door().post(PATH, {"scope": "openid", "login_hint": ["ann", "bob"]}, party.auth)
    assert error_of(twice) == "invalid_request"


def test_parameters_of_browsers_are_ignored(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    nothing = {
        "prompt": "none",
        "nonce": "n",
        "response_type": "token",
        "redirect_uri": "https://evil.example/",
    }
    members = begun(world, party, **nothing)
    decided(browser)
    assert "nonce" not in world.read(poll(world, party, members).json["id_token"], party)


def test_who_is_disabled_is_nobody_and_gets_nobody_a_token(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    members = begun(world, party)
    decided(browser)
    change_in(world.provider.storage, type(world.ann), {"sub": world.ann.sub}, disabled=True)
    assert error_of(asked(world, party)) == "unknown_user_id"
    assert poll(world, party, members).json["error"] == "invalid_grant"


@pytest.mark.parametrize("value", ["", "nosuch", "x" * 4000, "\N{SNOWMAN}"], ids=lambda value: value[:10])
def test_an_identifier_that_is_unknown_is_refused(world, party, value):
    error = "invalid_request" if not value else "invalid_grant"
    assert error_of(world.door().token(party, grant_type=GRANT, auth_req_id=value)) == error


def test_another_clients_request_is_unknown_and_stays(make_world):
    world = make_world()
    party, other, browser = till(world), till(world), world.browser()
    browser.sign_in()
    members = begun(world, party)
    assert poll(world, other, members).json["error"] == "invalid_grant"
    decided(browser)
    assert poll(world, other, members).json["error"] == "invalid_grant"
    assert poll(world, world.client(), members).json["error"] == "unauthorized_client"
    assert "access_token" in poll(world, party, members).json


def test_a_veto_on_the_request_is_a_denial(make_world):
    class Closed:
        @hookimpl
        def portula_validate_authorization_request(self, exchange):
            if exchange.person is not None and exchange.person.username == "ann":
                raise AccessDeniedError(description="Not ann.")

    world = make_world(Closed())
    assert error_of(asked(world, till(world)), 403) == "access_denied"
    assert world.provider.storage.select(Authorization) == []


def test_a_person_is_not_worn_out(make_world):
    world = make_world(CIBA_MAX_REQUESTS_PER_USER=2)
    world.users.create("bob", "a long password of his")
    party, browser = till(world), world.browser()
    browser.sign_in()
    begun(world, party)
    decided(browser, "consent-deny")
    begun(world, till(world))
    refused = asked(world, party)
    assert error_of(refused, 429) == "temporarily_unavailable"
    assert 0 < int(refused.headers["Retry-After"]) <= 600
    assert begun(world, party, login_hint="bob")
    decided(browser)  # whom a person allows may ask again
    assert begun(world, party)
    assert error_of(asked(world, party), 429) == "temporarily_unavailable"
    world.clock.forward(601)
    assert begun(world, party)


def test_short_requests_wear_nobody_out_either(make_world):
    """How long a request waits is its client's choice, how often a person is asked is not (attack S62)."""
    world = make_world()
    party = till(world)
    answers = []
    for _ in range(40):
        answers.append(asked(world, party, requested_expiry="1").status_code)
        world.clock.forward(11)
    assert answers.count(200) == 5


@pytest.mark.thorough
def test_all_that_waits_is_shown_however_much_is_over(make_world):
    world = make_world(CIBA_MAX_REQUESTS_PER_USER=64)
    parties, browser = [till(world) for _ in range(7)], world.browser()
    browser.sign_in()
    for number in range(4):
        for _ in range(60):
            begun(world, parties[number], requested_expiry="10")
        world.clock.forward(601)
        browser.sign_in()
    begun(world, parties[6])
    assert len(pages(browser)) == 1


def test_a_client_keeps_not_too_many_waiting(make_world):
    world = make_world(CIBA_MAX_REQUESTS_PER_CLIENT=2)
    party = till(world)
    for name in ("ann", "bob", "cid"):
        if name != "ann":
            world.users.create(name, "a long password of theirs")
    begun(world, party)
    begun(world, party, login_hint="bob")
    assert error_of(asked(world, party, login_hint="cid"), 429) == "temporarily_unavailable"
    assert begun(world, till(world), login_hint="cid")


def test_a_client_cannot_find_out_who_there_is(make_world):
    world = make_world(CIBA_UNKNOWN_USERS_PER_CLIENT=3)
    party = till(world)
    for number in range(3):
        assert error_of(asked(world, party, login_hint=f"guess{number}")) == "unknown_user_id"
    for hint in ("guess", "ann"):
        assert error_of(asked(world, party, login_hint=hint), 429) == "temporarily_unavailable"
    assert begun(world, till(world))
    world.clock.forward(601)
    assert begun(world, party)


def test_right_hints_are_not_counted(make_world):
    world = make_world(CIBA_UNKNOWN_USERS_PER_CLIENT=1, CIBA_MAX_REQUESTS_PER_USER=10)
    party = till(world)
    for _ in range(5):
        begun(world, party)
    attempts = [
        kept
        for kept in world.provider.storage.select(Artifact, limit=1000)
        if kept.kind == "backchannel authentication attempt"
    ]
    assert attempts == []


def test_what_is_refused_for_another_reason_is_no_wrong_hint(make_world):
    world = make_world(CIBA_UNKNOWN_USERS_PER_CLIENT=2, CIBA_MAX_REQUESTS_PER_USER=1)
    world.users.create("bob", "a long password of his")
    party = till(world)
    begun(world, party)
    for _ in range(5):
        assert error_of(asked(world, party), 429) == "temporarily_unavailable"
        assert error_of(asked(world, party, login_hint=None, id_token_hint="x")) == "invalid_request"
    assert begun(world, party, login_hint="bob")


def test_a_directory_that_is_down_makes_no_hint_wrong(make_world):
    class Directory:
        down = True

        @hookimpl
        def portula_ciba_user_resolver(self, provider):
            return self.resolve

        def resolve(self, hint):
            if self.down:
                raise ConnectionError("no directory")
            return world.ann.as_seen()

    directory = Directory()
    world = make_world(
        directory, CIBA_UNKNOWN_USERS_PER_CLIENT=2, PLUGINS_CHOICE={"ciba_user_resolver": "Directory"}
    )
    party = till(world)
    assert {asked(world, party).status_code for _ in range(5)} == {500}
    directory.down = False
    assert begun(world, party)


def test_the_hints_of_other_people_are_found_by_a_resolver(make_world):
    class Telephones:
        @hookimpl
        def portula_ciba_user_resolver(self, provider):
            return self.resolve

        def resolve(self, hint):
            assert hint.client.name == "A till"
            if hint.name == "login_hint_token" and hint.value == "old":
                raise ExpiredLoginHintToken
            return world.ann.as_seen() if hint.value in ("+46 1", "token") else None

    world = make_world(Telephones(), PLUGINS_CHOICE={"ciba_user_resolver": "Telephones"})
    party = till(world)
    assert begun(world, party, login_hint="+46 1")
    assert begun(world, party, login_hint=None, login_hint_token="token")
    assert (
        error_of(asked(world, party, login_hint=None, login_hint_token="old")) == "expired_login_hint_token"
    )
    assert error_of(asked(world, party)) == "unknown_user_id"


def test_codes_of_people_are_compared_and_guesses_counted(make_world):
    class Codes:
        @hookimpl
        def portula_ciba_user_code_verifier(self, provider):
            return lambda user, code: (user.username, code) == ("ann", "1234")

    world = make_world(Codes(), CIBA_USER_CODE_ATTEMPTS=2)
    document = world.door().open("/o/.well-known/openid-configuration").json
    assert document["backchannel_user_code_parameter_supported"] is True
    party = till(world, metadata={"backchannel_user_code_parameter": True})
    assert begun(world, till(world))
    assert error_of(asked(world, party)) == "missing_user_code"
    assert begun(world, party, user_code="1234")
    for _ in range(2):
        assert error_of(asked(world, party, user_code="0000")) == "invalid_user_code"
    assert error_of(asked(world, party, user_code="1234"), 429) == "temporarily_unavailable"
    world.clock.forward(601)
    assert begun(world, party, user_code="1234")


def test_a_scope_that_was_taken_away_is_refused_on_the_page(make_world):
    world = make_world()
    party, browser = till(world, scope="openid read"), world.browser()
    browser.sign_in()
    begun(world, party)
    world.change(party, scope="openid")
    (url,) = pages(browser)
    refused = browser.get(url)
    assert refused.status_code == 400
    assert "may not ask for the scope read" in refused.text
