"""S55: trust in a client is lost by what it makes of itself, and who registers itself is trusted with nothing."""

from dataclasses import replace

import pytest

from portula import Plugin
from portula.cli.main import flask_group
from portula.plugin import SELF_REGISTERED
from security.driving import CALLBACK, Party, answered, bearer
from security.registering import OPEN, Elsewhere, record, register, told_by, update

DOCUMENT = {
    "redirect_uris": [CALLBACK, "https://client.example/other"],
    "scope": "openid read write",
    "grant_types": ["authorization_code", "implicit", "refresh_token"],
    "response_types": ["code", "token"],
    "client_name": "Teapot",
    "logo_uri": "https://client.example/logo.png",
    "contacts": ["tea@client.example"],
}
NARROWED = {
    "redirect_uris": [CALLBACK],
    "scope": "openid read",
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
}


@pytest.fixture(scope="module")
def house(make_house):
    """A house at which everybody may register clients, of OpenID Connect too."""
    settings = {"SCOPES": {"read": "Read", "write": "Write", "introspection": "Ask"}, **OPEN}
    return make_house(Elsewhere(), **Elsewhere.chosen, IMPLICIT_GRANT_ENABLED=True, **settings)


@pytest.fixture
def door(house, kind):
    return house.door(kind)


@pytest.fixture
def trusted(house, door):
    """What a client was told that an operator narrowed and trusts, and its record."""
    told = told_by(register(door, **DOCUMENT))
    client = record(house, told)
    narrowed = replace(
        client,
        redirect_uris=(CALLBACK,),
        scope="openid read",
        grant_types=("authorization_code",),
        skip_authorization=True,
        metadata={**client.metadata, "response_types": ["code"]},
    )
    house.provider.clients.save(narrowed)
    return told


# --- What an operator trusted ---


def test_a_client_keeps_its_trust_while_it_stays_what_it_was_or_becomes_less(house, door, trusted):
    told = told_by(update(door, trusted, **{**DOCUMENT, **NARROWED}), 200)
    assert record(house, told).skip_authorization
    told = told_by(update(door, told, **{**DOCUMENT, **NARROWED, "scope": "read", "contacts": []}), 200)
    assert record(house, told).skip_authorization
    assert record(house, told).scope == "read"


@pytest.mark.parametrize(
    "widened",
    [
        {"scope": DOCUMENT["scope"]},
        {"scope": ""},
        {"redirect_uris": DOCUMENT["redirect_uris"]},
        {"redirect_uris": ["https://client.example/third"]},
        {"grant_types": DOCUMENT["grant_types"]},
        {"grant_types": DOCUMENT["grant_types"], "response_types": DOCUMENT["response_types"]},
        {"client_name": "Your bank"},
        {"client_name#ja": "お茶"},
        {"logo_uri": "https://client.example/bank.png"},
        {"logo_uri": None},
        {"contacts": ["tea@client.example", "coffee@client.example"]},
        {"token_endpoint_auth_method": "none"},
        {"subject_type": "pairwise"},
        {"application_type": "native", "redirect_uris": ["https://client.example/app"]},
        {"client_uri": "https://client.example/"},
    ],
    ids=str,
)
def test_trust_falls_with_whatever_else_it_changes(house, door, trusted, widened):
    told = told_by(update(door, trusted, **{**DOCUMENT, **NARROWED, **widened}), 200)
    assert not record(house, told).skip_authorization
    page = house.browser().consent_page(
        Party(told["client_id"], told.get("client_secret"), record(house, told).redirect_uris[0]),
        scope="read",
    )
    assert page.status_code == 200
    assert "consent-allow" in page.text


LEFT_OUT = [
    ("scope",),
    ("grant_types",),
    ("response_types",),
    ("grant_types", "response_types"),
    ("scope", "grant_types", "response_types", "token_endpoint_auth_method", "contacts"),
]


@pytest.mark.parametrize("how", ["absent", "null"])
@pytest.mark.parametrize("names", LEFT_OUT, ids=", ".join)
def test_what_it_leaves_out_falls_back_to_no_more_than_it_had_or_ends_the_trust(
    house, door, trusted, names, how
):
    had = record(house, trusted)
    document = {**DOCUMENT, **NARROWED, **dict.fromkeys(names)}
    if how == "absent":
        document = {name: value for name, value in document.items() if value is not None}
    now = record(house, told_by(update(door, trusted, **document), 200))
    if now.skip_authorization:
        for members in ("redirect_uris", "grant_types"):
            assert set(getattr(now, members)) <= set(getattr(had, members))
        assert set(now.metadata["response_types"]) <= {"code"}
        assert set(now.scope.split()) <= {"openid", "read"}
    assert now.skip_authorization is ("scope" not in names)


def test_trust_that_fell_does_not_come_back_by_itself(house, door, trusted):
    told = told_by(update(door, trusted, **DOCUMENT), 200)
    told = told_by(update(door, told, **{**DOCUMENT, **NARROWED}), 200)
    assert not record(house, told).skip_authorization


# --- What a person allowed ---


@pytest.fixture
def allowed(house, door):
    """A client that somebody has allowed something, what it was told, and their browser."""
    told = told_by(register(door, **DOCUMENT))
    browser = house.browser()
    assert answered(browser.authorize(as_party(house, told), scope="openid read"))["code"]
    house.clock.forward(1)
    return told, browser


def as_party(house, told):
    return Party(told["client_id"], told.get("client_secret"), record(house, told).redirect_uris[0])


def silently(house, told, browser):
    """Return what a request gets that may show no page: a code, or why not."""
    answer = answered(browser.consent_page(as_party(house, told), scope="openid read", prompt="none"))
    return answer.get("error", "code")


def test_who_was_allowed_something_goes_on_without_a_page_while_it_is_what_it_was(house, door, allowed):
    told, browser = allowed
    for document in (DOCUMENT, {**DOCUMENT, "redirect_uris": [CALLBACK], "contacts": []}):
        told = told_by(update(door, told, **document), 200)
        assert silently(house, told, browser) == "code"


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uris": ["https://evil.example/cb"]},
        {"redirect_uris": [*DOCUMENT["redirect_uris"], "https://evil.example/cb"]},
        {"token_endpoint_auth_method": "none"},
        {"client_name": "Your bank"},
        {"subject_type": "pairwise"},
    ],
    ids=str,
)
def test_people_are_asked_anew_when_it_makes_something_else_of_itself(house, door, allowed, changed):
    """Else who holds its registration access token has the answers of all of them sent elsewhere, and shows no page."""
    told, browser = allowed
    told = told_by(update(door, told, **{**DOCUMENT, **changed}), 200)
    assert silently(house, told, browser) == "consent_required"
    told = told_by(update(door, told, **DOCUMENT), 200)
    house.clock.forward(1)
    assert silently(house, told, browser) == "consent_required", "it was another in between"
    assert answered(browser.authorize(as_party(house, told), scope="openid"))["code"]
    assert silently(house, told, browser) == "consent_required", "what was allowed the other is not joined"
    assert answered(browser.authorize(as_party(house, told), scope="openid read"))["code"]
    assert silently(house, told, browser) == "code"


def test_a_document_says_nothing_of_when_it_changed(house, door, allowed):
    told, browser = allowed
    told = told_by(update(door, told, **DOCUMENT, changed_itself_at=1), 200)
    assert "changed_itself_at" not in told
    assert silently(house, told, browser) == "code"
    told = told_by(update(door, told, **{**DOCUMENT, "client_name": "Tea"}, changed_itself_at=1), 200)
    assert silently(house, told, browser) == "consent_required"


def test_a_client_that_may_ask_for_every_scope_keeps_its_trust(house, door, trusted):
    house.provider.clients.save(replace(record(house, trusted), scope=None))
    told = told_by(update(door, trusted, **{**DOCUMENT, **NARROWED, "scope": "read write"}), 200)
    assert record(house, told).skip_authorization


# --- Whom nobody trusted ---


def test_who_registered_itself_is_known_by_it_for_good(house, door):
    told = told_by(register(door, **{SELF_REGISTERED: False}))
    assert record(house, told).is_self_registered
    told = told_by(update(door, told, **{SELF_REGISTERED: False}), 200)
    assert record(house, told).is_self_registered
    assert SELF_REGISTERED not in told
    assert not house.find(house.client()).is_self_registered


def party_of(told):
    return Party(told["client_id"], told["client_secret"], CALLBACK)


def test_it_is_told_of_its_own_tokens_alone(house, door):
    own, other = (party_of(told_by(register(door))) for _ in range(2))
    mine, theirs = house.tokens(own, scope="read"), house.tokens(house.client(), scope="read")
    assert door.is_active(own, mine["access_token"])
    for asked in (theirs, house.tokens(other, scope="read")):
        assert not door.is_active(own, asked["access_token"])
        assert not door.is_active(own, asked["refresh_token"])
    assert door.is_active(house.client(), mine["access_token"])


def test_an_operator_lets_it_ask_about_others(house, door):
    told = told_by(register(door))
    theirs = house.tokens(house.client(), scope="read")["access_token"]
    house.provider.clients.save(replace(record(house, told), scope="read introspection"))
    assert door.is_active(party_of(told), theirs)
    told_by(update(door, told, scope="read"), 200)
    assert not door.is_active(party_of(told), theirs)


def test_a_refresh_token_is_told_of_to_its_client_alone(house, door):
    client, other = house.client(), house.client()
    refresh_token = house.tokens(client, scope="read")["refresh_token"]
    assert door.is_active(client, refresh_token)
    assert not door.is_active(other, refresh_token)
    caller = door.token(other, grant_type="client_credentials", scope="introspection").json["access_token"]
    asked = door.post("/o/introspect/", {"token": refresh_token}, bearer(caller))
    assert asked.json == {"active": False}


@pytest.mark.parametrize("allowed", [None, ["read", "introspection"]], ids=["default", "named"])
@pytest.mark.parametrize("default", [None, ["introspection"]], ids=["all", "only"])
def test_no_registration_gives_a_privileged_scope(make_house, kind, allowed, default):
    settings = {"SCOPES": {"read": "Read", "introspection": "Ask"}, **OPEN}
    house = make_house(DCR_ALLOWED_SCOPES=allowed, DCR_DEFAULT_SCOPES=default, **settings)
    door = house.door(kind)
    told = told_by(register(door, scope="read introspection"))
    assert told["scope"] == "read"
    told = told_by(update(door, told, scope="introspection"), 200)
    assert "introspection" not in told.get("scope", "").split()
    found = [finding.id for finding in house.provider.hooks.collect(Plugin.portula_checks)]
    assert ("dcr.privileged" in found) is (allowed is not None)


def test_an_initial_access_token_gives_one_if_it_says_so(make_house, kind):
    house = make_house(DCR_ENABLED=True)
    door, runner = house.door(kind), house.app.test_cli_runner()

    def create(*words):
        return runner.invoke(flask_group, ["registration", "token", "create", *words])

    values = [
        create(name, *more).stdout.split()[0]
        for name, more in (("plain", []), ("asking", ["--scope", "introspection"]))
    ]
    plain, asking = (
        told_by(register(door, bearer(value), scope="read introspection", client_name="A"))
        for value in values
    )
    assert (plain["scope"], asking["scope"]) == ("read", "read introspection")
    theirs = house.tokens(house.client(), scope="read")["access_token"]
    assert not door.is_active(party_of(plain), theirs)
    assert door.is_active(party_of(asking), theirs)
    refused = create("x", "--scope", "nosuch")
    assert refused.exit_code == 2
    assert "nosuch" in refused.output
