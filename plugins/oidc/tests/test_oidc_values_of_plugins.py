"""What a login, a validator class or a plugin gives goes into tokens: of another type, it is named at once."""

import datetime as dt
import math
import uuid
from dataclasses import replace

import pytest
from security.driving import answered

from portula import OAuth2Validator, Plugin, hookimpl
from portula.plugin import AuthenticatedUser, LoginSession, User

DAY = dt.date(2000, 1, 1)


@pytest.fixture
def login(world):
    return world.provider.hooks.ask(Plugin.portula_login)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("auth_time", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "auth_time is a datetime; int is needed"),
        ("auth_time", 1.5, "auth_time is a float; int is needed"),
        ("auth_time", True, "auth_time is a bool; int is needed"),
        ("subject", uuid.UUID(int=7), "subject is a UUID; str is needed"),
        ("subject", "", "subject has 0 characters; 1 to 255 are needed"),
        ("subject", "s" * 256, "subject has 256 characters; 1 to 255 are needed"),
        ("username", None, "username is a NoneType; str is needed"),
        ("amr", "pwd", "amr is a str; tuple[str, ...] is needed"),
        ("amr", (1,), "amr is a tuple; tuple[str, ...] is needed"),
        ("sid", b"sid", "sid is a bytes; str | None is needed"),
    ],
)
def test_a_login_that_gives_another_type_is_named_before_anybody_is_asked(
    world, client, login, monkeypatch, caplog, field, value, words
):
    browser, seated = world.browser(), login.current
    browser.sign_in()
    monkeypatch.setattr(login, "current", lambda: replace(seated(), **{field: value}))
    assert answered(browser.ask(client, scope="openid"))["error"] == "server_error"
    assert f"slot login: AuthenticatedUser.{words}" in caplog.text


def test_a_login_that_answers_with_a_person_of_the_application_is_named(
    world, client, login, monkeypatch, caplog
):
    browser = world.browser()
    code = browser.code(client, scope="openid")
    monkeypatch.setattr(login, "find", lambda subject: {"id": subject})
    assert world.door().redeem(client, *code).json["error"] == "server_error"
    assert "slot login: find answers a dict; an instance of User or None is needed" in caplog.text
    monkeypatch.setattr(login, "current", lambda: {"id": 7})
    assert answered(browser.ask(client, scope="openid"))["error"] == "server_error"
    assert "slot login: current answers a dict; an instance of AuthenticatedUser or None" in caplog.text


def test_numbers_are_subjects_as_text(world, client, login, monkeypatch):
    made = AuthenticatedUser(subject=7, username=7, auth_time=1, sid=8)
    assert (made.subject, made.username, made.sid) == ("7", "7", "8")
    monkeypatch.setattr(login, "current", lambda: replace(made, auth_time=world.provider.now()))
    monkeypatch.setattr(login, "find", lambda subject: User(int(subject), "seven", claims={"name": "Seven"}))
    world.change(client, skip_authorization=True)
    code = answered(world.browser().ask(client, scope="openid profile"))["code"]
    tokens = world.door().token(
        client, grant_type="authorization_code", code=code, redirect_uri=client.redirect_uri
    )
    assert world.read(tokens.json["id_token"])["sub"] == "7"
    assert world.userinfo(tokens.json["access_token"]).json == {"sub": "7", "name": "Seven"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: User(None, "ann"), "slot login: User.subject is a NoneType; str is needed"),
        (lambda: User("ann", "ann", active=1), "slot login: User.active is an int; bool is needed"),
        (lambda: User("ann", "ann", claims=[]), "slot login: User.claims is a list; Mapping"),
        (
            lambda: LoginSession("sid", "ann", "ann", DAY, (), 5),
            "slot sessions: LoginSession.auth_time is a date; int is needed",
        ),
    ],
)
def test_other_values_of_people_are_checked_too(make, words):
    with pytest.raises(TypeError) as caught:
        make()
    assert words in str(caught.value)


VALUES = [
    ({"birthdate": DAY}, "birthdate is a date"),
    ({"address": {"locality": uuid.UUID(int=1)}}, "address.locality is a UUID"),
    ({"groups": ["a", {"b"}]}, "groups is a set"),
    ({"height": math.nan}, "height is a number without a finite value"),
    ({"depth": [[math.inf]]}, "depth is a number without a finite value"),
    ({"name": "half \ud800"}, "name is a text with NUL or a lone surrogate"),
    ({"map": {1: "one"}}, "map has a name that is no text"),
]


@pytest.mark.parametrize(("claims", "words"), VALUES)
def test_claims_that_json_has_not_are_named_where_the_person_signs_in(
    world, client, login, monkeypatch, caplog, claims, words
):
    browser = world.browser()
    code, verifier = browser.code(client, scope="openid profile")
    found = login.find
    monkeypatch.setattr(login, "find", lambda subject: replace(found(subject), claims=claims))
    response = world.door().redeem(client, code, verifier)
    assert (response.status_code, response.json["error"]) == (500, "server_error")
    assert f"slot login: User.claims cannot be written as JSON: {words}" in caplog.text


@pytest.mark.parametrize(("claims", "words"), VALUES)
@pytest.mark.parametrize(
    "hook",
    [
        "portula_userinfo_claims",
        "portula_id_token_claims",
        "portula_token_response",
        "portula_introspection_response",
    ],
)
def test_what_plugins_add_is_named_with_plugin_and_hook(make_world, caplog, hook, claims, words):
    shop = type("Shop", (), {hook: staticmethod(hookimpl(lambda value: claims))})()
    world = make_world(shop)
    party = world.client()
    code, verifier = world.browser().code(party, scope="openid profile")
    response = world.door().redeem(party, code, verifier)
    if hook == "portula_userinfo_claims":
        response = world.userinfo(response.json["access_token"])
    if hook == "portula_introspection_response":
        response = world.door().introspect(party, response.json["access_token"])
    assert (response.status_code, response.json["error"]) == (500, "server_error")
    assert f"{hook} of plugin 'Shop' answers what JSON has not: {words}" in caplog.text


@pytest.mark.parametrize(("claims", "words"), VALUES[:4])
def test_claims_of_a_validator_class_are_named_too(make_world, caplog, claims, words):
    class Validator(OAuth2Validator):
        def get_additional_claims(self, request):
            return {name: lambda request, value=value: value for name, value in claims.items()}

    world = make_world(OAUTH2_VALIDATOR_CLASS=Validator, ID_TOKEN_WITH_SCOPE_CLAIMS=True)
    party = world.client()
    code = world.browser().code(party, scope="openid profile address")
    response = world.door().redeem(party, *code)
    assert (response.status_code, response.json["error"]) == (500, "server_error")
    assert f"claims of Validator cannot be written as JSON: {words}" in caplog.text
