"""A person is read with the code or token that names them where the login says where people are; else it is asked."""

from dataclasses import replace

import pytest
from security.driving import bearer, s256
from security.house import House

from portula import Plugin
from portula.model.requests import CurrentRequest, answering
from portula.plugin import (
    TO_AUTHORIZATION,
    AccessToken,
    Authorization,
    StoredPeople,
)
from portula_accounts.login import AccountsLogin
from portula_accounts.records import User
from portula_testing.writing import change_in, remove_from

USES = ("introspection", "userinfo", "guarded view", "code", "refresh")
VERIFIER = "v" * 43


class AskedLogin(AccountsLogin):
    """A login of a deployment's own, which finds people otherwise."""

    def __init__(self, provider):
        super().__init__(provider)
        self.subjects, self.hides = [], False

    def find(self, subject):
        self.subjects.append(subject)
        return None if self.hides else super().find(subject)


class StoredLogin(AskedLogin):
    """A login that is never asked for what it says where to read."""

    def stored_people(self):
        return StoredPeople(User, "sub", lambda record: replace(record.as_seen(), claims={"name": "As read"}))


def login_plugin(login_class):
    class LoginPlugin(Plugin):
        def portula_login(self, provider):
            return login_class(provider)

    return LoginPlugin()


class Tokens:
    """A code and tokens of Ann, and what they are good for."""

    def __init__(self, house):
        self.house = house
        self.party = house.client(skip_authorization=True)
        self.tokens = house.tokens(self.party, scope="openid profile read")
        self.code, _ = house.browser().code(
            self.party, scope="openid read", code_challenge=s256(VERIFIER), code_challenge_method="S256"
        )

    def count(self, use):
        """Use one of them; return the answer where it was good for something, else None."""
        door, access = self.house.door(), self.tokens["access_token"]
        if use == "code":
            answer = door.redeem(self.party, self.code, VERIFIER)
        elif use == "refresh":
            answer = door.refresh(self.party, self.tokens["refresh_token"])
        elif use == "introspection":
            answer = door.introspect(self.party, access)
            assert answer.status_code == 200
            return answer if answer.json["active"] else None
        elif use == "userinfo":
            answer = door.open("/o/userinfo/", headers=bearer(access))
        else:
            answer = door.resource(access)
        return answer if answer.status_code == 200 else None


@pytest.fixture(params=["memory", "SQLite"])
def make_house(request, tmp_path):
    """Return a function that makes a house with plugins, its records in memory or in a file."""
    houses = []

    def make(*plugins, **settings):
        folder = tmp_path if request.param == "SQLite" else None
        houses.append(House(*plugins, folder=folder, OIDC_ENABLED=True, **settings))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


def login_of(house):
    return house.provider.hooks.ask(Plugin.portula_login)


@pytest.mark.parametrize("use", USES)
def test_a_login_that_finds_people_otherwise_is_asked(make_house, use):
    house = make_house(login_plugin(AskedLogin), PLUGINS_CHOICE={"login": "LoginPlugin"})
    tokens, login = Tokens(house), login_of(house)
    login.subjects.clear()
    assert tokens.count(use)
    assert set(login.subjects) == {house.ann.sub}
    login.hides = True
    assert tokens.count("introspection") is None


@pytest.mark.parametrize("place", ["login", "users"])
@pytest.mark.parametrize("use", USES)
def test_a_find_that_is_put_in_place_later_is_asked(make_house, monkeypatch, use, place):
    house = make_house()
    tokens, login = Tokens(house), login_of(house)
    monkeypatch.setattr(login if place == "login" else login.users, "find", lambda _: None)
    assert tokens.count(use) is None


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("make_house", ["SQLite"], indirect=True)
def test_a_login_that_says_where_people_are_is_not_asked(make_house, use):
    house = make_house(login_plugin(StoredLogin), PLUGINS_CHOICE={"login": "LoginPlugin"})
    tokens, login = Tokens(house), login_of(house)
    login.subjects.clear()
    answer = tokens.count(use)
    assert answer
    assert login.subjects == []
    if use == "userinfo":
        assert answer.json["name"] == "As read"


@pytest.mark.parametrize("end", ["disabled", "removed"])
@pytest.mark.parametrize("use", USES)
def test_a_person_who_is_gone_counts_for_nothing_at_once(make_house, use, end):
    house = make_house()
    tokens = Tokens(house)
    if end == "disabled":
        assert change_in(house.provider.storage, User, {"sub": house.ann.sub}, disabled=True) == 1
    else:
        assert remove_from(house.provider.storage, User, sub=house.ann.sub) == 1
    assert tokens.count(use) is None


class OneToken:
    """People of a house, and how one is read along with a token of hers."""

    def __init__(self, house):
        self.house, self.people, self.subject = house, house.provider.people, house.ann.sub
        tokens = house.tokens(house.client(skip_authorization=True), scope="read")
        self.digests = house.provider.keys.digests("access token", tokens["access_token"])

    def read(self):
        assert self.people.find_along(AccessToken, TO_AUTHORIZATION, digest=self.digests) is not None

    def disable(self):
        """Disable her behind the back of the provider."""
        with self.house.provider.stores["storage_sql"].engine.connect() as connection:
            connection.exec_driver_sql("UPDATE portula_user SET disabled = 1")

    def is_active(self):
        found = self.people.find(self.subject)
        return found is not None and found.active


@pytest.fixture
def one(tmp_path):
    house = House(folder=tmp_path)
    yield OneToken(house)
    house.close()


def test_who_was_read_is_asked_for_once(one):
    with answering(CurrentRequest("a request")):
        one.read()
        one.disable()
        assert one.is_active(), "as she was read with the token"
        assert not one.is_active(), "and from then on as she is stored"


def test_who_was_read_in_another_request_is_read_anew(one):
    with answering(CurrentRequest("a request")):
        one.read()
    one.disable()
    with answering(CurrentRequest("another")):
        assert not one.is_active()


def test_nobody_is_given_for_another_subject(one):
    other = one.house.user()
    with answering(CurrentRequest("a request")):
        one.read()
        assert one.people.find(other.sub).subject == other.sub
        one.disable()
        assert not one.is_active()


def test_nobody_is_given_to_another_provider(one, tmp_path):
    other = House(folder=tmp_path / "other")
    with answering(CurrentRequest("a request")):
        one.read()
        assert other.provider.people.find(one.subject) is None
    other.close()


def test_without_a_request_people_are_read_each_time(one):
    one.read()
    one.disable()
    assert not one.is_active()


def test_who_is_changed_after_she_was_read_is_read_anew(one):
    with answering(CurrentRequest("a request")):
        one.read()
        change_in(one.house.provider.storage, User, {"sub": one.subject}, disabled=True)
        assert not one.is_active()


def test_realms_keep_their_people_apart(tmp_path):
    """Two providers in one database; a person of one is nobody in the other, though a token there names them."""
    north, south = (House(folder=tmp_path, REALM=realm, OIDC_ENABLED=True) for realm in ("north", "south"))
    tokens = Tokens(south)
    change_in(south.provider.storage, AccessToken, {"subject": south.ann.sub}, subject=north.ann.sub)
    assert tokens.count("userinfo") is None
    change_in(south.provider.storage, AccessToken, {"subject": north.ann.sub}, subject=south.ann.sub)
    assert tokens.count("userinfo")
    for house in (north, south):
        house.close()


@pytest.mark.parametrize("use", USES)
def test_with_the_client_cache_the_same_holds(make_house, use):
    house = make_house(CLIENT_CACHE_SECONDS=60)
    assert Tokens(house).count(use)
    tokens = Tokens(house)
    change_in(house.provider.storage, User, {"sub": house.ann.sub}, disabled=True)
    assert tokens.count(use) is None


@pytest.mark.parametrize("use", USES)
def test_where_people_are_elsewhere_a_token_is_judged_first(use):
    """A store that cannot join, as that in memory, reads nobody for a token that counts for nothing."""
    house = House(OIDC_ENABLED=True)
    tokens, login = Tokens(house), login_of(house)
    now = house.provider.now()
    change_in(house.provider.storage, Authorization, {"subject": house.ann.sub}, revoked_at=now)
    login.find = pytest.fail
    assert tokens.count(use) is None
