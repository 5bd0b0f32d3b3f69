"""Pairwise subjects (OpenID Connect Core §8) and the rules of registration (Dynamic Registration §2, §5)."""

import json
from dataclasses import replace

import pytest
from security.driving import answered
from support import devices
from support.fitting import stubbed

from portula import Plugin, hookimpl
from portula.errors import FetchFailed, InvalidClientMetadata, InvalidGrantError, StorageDown
from portula.plugin import Artifact, Fetcher, FetchResponse
from portula_testing.writing import add_to

SECTOR = "https://sector.example/uris.json"
PAIRWISE = {"subject_type": "pairwise"}


class Web(stubbed(Fetcher)):
    def __init__(self):
        self.document, self.asked = "[]", 0

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        self.asked += 1
        return FetchResponse(200, "application/json", self.document.encode())

    def post(self, url, form, *, max_bytes=65536):
        raise FetchFailed("nobody posts here")


def subject(world, client):
    return world.read(world.sign_in(client, scope="openid")["id_token"])["sub"]


def test_clients_of_one_sector_know_a_person_by_one_name_and_others_by_another(world):
    uris = ["https://a.example/1", "https://a.example/2", "https://b.example/"]
    first, second, third = (
        subject(world, world.client(redirect_uris=(uri,), metadata=PAIRWISE)) for uri in uris
    )
    assert first == second != third
    assert world.ann.sub not in (first, third)
    assert subject(world, world.client()) == world.ann.sub


def test_id_token_userinfo_introspection_and_hint_agree(world, browser):
    client = world.client(metadata=PAIRWISE)
    tokens = world.sign_in(client, scope="openid")
    sub = world.read(tokens["id_token"])["sub"]
    assert world.userinfo(tokens["access_token"]).json["sub"] == sub
    assert world.door().introspect(client, tokens["access_token"]).json["sub"] == sub
    assert "code" in answered(browser.authorize(client, scope="openid"))
    answer = browser.ask(client, scope="openid", prompt="none", id_token_hint=tokens["id_token"])
    assert "code" in answered(answer)


def test_two_people_have_two_names(world, browser):
    client = world.client(metadata=PAIRWISE)
    eve = world.user()
    code, verifier = browser.code(client, username=eve.username, scope="openid")
    tokens = world.door().redeem(client, code, verifier).json
    assert world.read(tokens["id_token"])["sub"] != subject(world, client)


def test_names_outlive_a_change_of_the_secret_keys(make_world):
    world = make_world()
    client = world.find(world.client(metadata=PAIRWISE))
    before = world.provider.validator.subject_for("ada", client)
    later = make_world(SECRET_KEYS=["another key, of enough bytes"])
    add_to(later.provider.storage, salt_of(world))
    assert later.provider.validator.subject_for("ada", client) == before


class Refusing(Plugin):
    refuses = True

    def portula_validate_token_request(self, exchange):
        if self.refuses:
            raise InvalidGrantError(description="not now")


def fail(*_):
    raise StorageDown("DATABASE_URL: nobody answers there")


@pytest.mark.parametrize("fault", ["a veto", "the storage"])
def test_what_fails_before_the_first_name_is_told_remembers_none_that_is_not_kept(
    make_world, monkeypatch, fault
):
    refusing = Refusing()
    world = make_world(refusing)
    client = world.client(metadata=PAIRWISE)
    if fault == "a veto":
        code, verifier = world.browser().code(client, scope="openid")
        assert world.door().redeem(client, code, verifier).json["error_description"] == "not now"
    else:
        known = world.find(client)
        with monkeypatch.context() as broken:
            broken.setattr(world.provider.storage, "apply", fail)
            with pytest.raises(StorageDown):
                world.provider.validator.subject_for(world.ann.sub, known)
    refusing.refuses = False
    told = subject(world, client)
    restarted = make_world()
    add_to(restarted.provider.storage, salt_of(world))
    assert restarted.provider.validator.subject_for(world.ann.sub, world.find(client)) == told


def salt_of(world):
    (salt,) = [
        artifact for artifact in world.provider.storage.select(Artifact) if artifact.kind == "pairwise-salt"
    ]
    return salt


def test_several_hosts_need_a_sector_that_names_them_all(make_world):
    web = Web()
    world = make_world(web, PLUGINS_CHOICE={"fetcher": "Web"})
    uris = ("https://a.example/cb", "https://b.example/cb")
    with pytest.raises(InvalidClientMetadata, match="need a sector_identifier_uri"):
        world.client(redirect_uris=uris, metadata=PAIRWISE)
    with_sector = {**PAIRWISE, "sector_identifier_uri": SECTOR}
    for document in ("[]", json.dumps(uris[:1]), "{}", "rubbish", json.dumps([*uris, float("nan")])):
        web.document = document
        with pytest.raises(InvalidClientMetadata, match="sector_identifier_uri"):
            world.client(redirect_uris=uris, metadata=with_sector)
    web.document = json.dumps([*uris, "https://c.example/cb"])
    client = world.client(redirect_uris=uris, metadata=with_sector)
    asked = web.asked
    world.change(client, name="Another name")
    assert web.asked == asked


@pytest.mark.parametrize(
    "metadata",
    [
        {"initiate_login_uri": "http://client.example/login"},
        {"sector_identifier_uri": "http://sector.example/"},
        {"request_uris": ["http://client.example/request"]},
        {"request_uris": ["javascript:alert(1)"]},
        {"initiate_login_uri": 1},
    ],
    ids=str,
)
def test_what_is_no_https_address_is_not_saved(world, metadata):
    with pytest.raises(InvalidClientMetadata):
        world.client(metadata=metadata)


# --- Grants without a redirect URI: anybody can name those of another ---


def device_subject(world, client):
    codes = devices.begun(world, client, scope="openid")
    devices.answered(world.browser(), codes["user_code"])
    return world.read(devices.poll(world, client, codes).json["id_token"])["sub"]


BY_KEY = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://bank.example/keys.json"}


@pytest.mark.parametrize("redirect_uris", [(), ("https://bank.example/cb",)])
def test_a_device_is_of_no_sector_by_a_redirect_uri_that_it_never_uses(world, redirect_uris):
    bank = world.client(redirect_uris=("https://bank.example/cb",), metadata=PAIRWISE)
    others = [
        devices.television(world, redirect_uris=redirect_uris, metadata={**PAIRWISE, **more})
        for more in ({}, {"jwks_uri": BY_KEY["jwks_uri"]})
    ]
    known = {subject(world, bank), *(device_subject(world, other) for other in others)}
    assert len(known) == 3


def test_a_client_of_two_grants_knows_a_person_by_one_name(world):
    client = devices.television(
        world,
        grant_types=("authorization_code", *devices.GRANTS),
        redirect_uris=("https://bank.example/cb",),
        metadata=PAIRWISE,
    )
    bank = world.client(redirect_uris=("https://bank.example/cb",), metadata=PAIRWISE)
    assert subject(world, client) == device_subject(world, client) != subject(world, bank)


def test_a_sector_names_the_keys_or_the_name_of_a_device(make_world):
    """A sector's document vouches for redirect URIs alone, which strangers register too (CIBA Core §4)."""
    web = Web()
    world = make_world(web, PLUGINS_CHOICE={"fetcher": "Web"})
    uris = ("https://a.example/cb",)
    with_sector = {**PAIRWISE, "sector_identifier_uri": SECTOR}

    def register(**more):
        return devices.television(world, redirect_uris=uris, metadata={**with_sector, **more})

    web.document = json.dumps([*uris, "https://a.example/keys.json"])
    for more in ({}, {"jwks_uri": BY_KEY["jwks_uri"]}, BY_KEY):
        with pytest.raises(InvalidClientMetadata, match="with whose keys the client authenticates"):
            register(**more)
    web.document = json.dumps([*uris, BY_KEY["jwks_uri"]])
    party = register(**BY_KEY)
    asked = web.asked
    world.change(party, name="Another name")
    assert web.asked == asked
    with pytest.raises(InvalidClientMetadata, match="with whose keys the client authenticates"):
        world.change(party, metadata={**with_sector, "jwks_uri": BY_KEY["jwks_uri"]})
    assert web.asked == asked + 1


# --- What an authorization began with stays ---


def moved(world, party, **metadata):
    """Make another sector or type of a client, as it may itself (RFC 7592 §2.2)."""
    uris = ("https://elsewhere.example/cb",)
    world.change(party, redirect_uris=uris, metadata={**world.find(party).metadata, **metadata})


@pytest.mark.parametrize(
    ("before", "after"), [("pairwise", "pairwise"), ("pairwise", "public"), ("public", "pairwise")]
)
def test_the_name_that_was_told_stays_whatever_the_client_becomes(world, before, after):
    client = world.client(metadata={"subject_type": before})
    tokens = world.sign_in(client, scope="openid")
    sub = world.read(tokens["id_token"])["sub"]
    moved(world, client, subject_type=after)
    for _ in range(2):
        tokens = world.door().refresh(client, tokens["refresh_token"]).json
        assert world.read(tokens["id_token"])["sub"] == sub
        assert world.userinfo(tokens["access_token"]).json["sub"] == sub
        assert world.door().introspect(client, tokens["access_token"]).json["sub"] == sub
        assert world.door().introspect(client, tokens["refresh_token"]).json["sub"] == sub


def test_a_code_that_was_given_before_tells_the_name_of_then(world, browser):
    client = world.client(metadata=PAIRWISE)
    sub = subject(world, client)
    code, verifier = browser.code(client, scope="openid")
    moved(world, client, subject_type="public")
    tokens = world.door().redeem(client, code, verifier).json
    assert world.read(tokens["id_token"])["sub"] == sub


def test_another_authorization_is_of_the_sector_of_its_time(world):
    client = world.client(metadata=PAIRWISE)
    before = subject(world, client)
    moved(world, client)
    assert subject(world, replace(client, redirect_uri="https://elsewhere.example/cb")) != before


# --- What else would tell who somebody is ---


@pytest.mark.parametrize(
    ("scope", "subject_type", "named"),
    [
        ("openid", "public", False),
        ("openid profile", "public", True),
        ("read", "public", True),
        ("read", "pairwise", False),
        ("openid profile", "pairwise", True),
    ],
)
def test_introspection_tells_a_user_name_only_with_the_scope_for_it(world, scope, subject_type, named):
    client = world.client(metadata={"subject_type": subject_type})
    tokens = world.tokens(client, scope=scope)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        told = world.door().introspect(client, token).json
        assert told["active"] is True
        assert ("username" in told) is named


def test_two_clients_know_a_session_by_two_names_and_one_by_one(world, browser):
    first, second = world.client(), world.client()
    sids = []
    for party in (first, second, first):
        code, verifier = browser.code(party, scope="openid")
        tokens = world.door().redeem(party, code, verifier).json
        sids.append(world.read(tokens["id_token"])["sid"])
    assert sids[0] == sids[2] != sids[1]
