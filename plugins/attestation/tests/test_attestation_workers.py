"""Keys of attesters that are elsewhere, stores that do not answer, and several processes on one database."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from security.driving import error_of
from support.attesting import ATTESTER, Attester, Instance

from portula import hookimpl
from portula.errors import FetchFailed, StorageDown
from portula.plugin import Artifact, Fetcher, FetchResponse
from portula_testing.jws import TokenKey
from portula_testing.memory import MemoryStore
from portula_testing.tls import Authority, HttpsServer, Reply

FORM = {"grant_type": "client_credentials", "scope": "read"}


class Keys(Fetcher):
    """Answers for attesters; a document that is None is no answer."""

    def __init__(self):
        self.documents, self.fetched = {}, []

    def get(self, url, *, accept, max_bytes=65536):
        self.fetched.append(url)
        if self.documents.get(url) is None:
            raise FetchFailed("no answer")
        return FetchResponse(200, "application/json", json.dumps(self.documents[url]).encode())

    def post(self, url, body, *, headers=None, max_bytes=65536):
        raise FetchFailed("nothing is posted")

    @hookimpl
    def portula_fetcher(self, provider):
        return self


@pytest.fixture
def keys():
    return Keys()


def uri(attester):
    return f"{attester.name}/keys"


def test_keys_are_fetched_held_and_renewed(make_house, make_client, attester, keys):
    trust = {"jwks": None, "jwks_uri": uri(attester)}
    house = make_house(keys, trust=trust, PLUGINS_CHOICE={"fetcher": "Keys"})
    instance = Instance(attester, make_client(house).client_id)

    def ask(**claims):
        return house.door().token(headers=instance.headers(instance.attestation(**claims)), **FORM)

    answer = ask()
    assert error_of(answer, 503) == "temporarily_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    for _ in range(3):
        ask()
    assert len(keys.fetched) == 1, "a server that is down is not asked again at once"
    keys.documents[uri(attester)] = attester.key.jwks
    house.clock.forward(11)
    assert [ask().status_code for _ in range(3)] == [200] * 3
    assert len(keys.fetched) == 2
    attester.key = TokenKey("ES256", kid="2")
    keys.documents[uri(attester)] = attester.key.jwks
    house.clock.forward(11)
    assert ask().status_code == 200
    assert len(keys.fetched) == 3
    assert ask(iss="https://nobody.example").status_code == 400
    assert len(keys.fetched) == 3, "nobody else's keys are asked for"


@pytest.mark.parametrize(
    "document", [{}, {"keys": []}, {"keys": "x"}, {"keys": [{"kty": "oct", "k": "x"}]}, []]
)
def test_keys_that_are_none_are_no_keys(make_house, make_client, attester, keys, document):
    keys.documents[uri(attester)] = document
    trust = {"jwks": None, "jwks_uri": uri(attester)}
    house = make_house(keys, trust=trust, PLUGINS_CHOICE={"fetcher": "Keys"})
    instance = Instance(attester, make_client(house).client_id)
    assert error_of(house.door().token(headers=instance.headers(), **FORM)) == "invalid_client_attestation"


@pytest.mark.parametrize("by_first", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_one_attester_that_cannot_be_reached_stands_in_nobodys_way(
    make_house, make_client, attester, keys, named, by_first
):
    """Whose attestation it is is not known while its keys cannot be had; who is reached is believed at once."""
    away, here = Attester(attester.now, "https://away.example"), attester
    trusted = {each.name: {"jwks_uri": uri(each)} for each in ((away, here) if by_first else (here, away))}
    keys.documents[uri(here)] = here.key.jwks
    house = make_house(keys, ATTESTATION_TRUSTED_ATTESTERS=trusted, PLUGINS_CHOICE={"fetcher": "Keys"})
    party = make_client(house)

    def ask(by):
        instance = Instance(by, party.client_id)
        attestation = instance.attestation(iss=by.name if named else None)
        return house.door().token(headers=instance.headers(attestation), **FORM)

    assert ask(here).status_code == 200
    assert error_of(ask(away), 503) == "temporarily_unavailable"


def test_nobodys_keys_are_fetched_for_a_client_that_is_not_theirs(make_house, attester, keys):
    trust = {"jwks": None, "jwks_uri": uri(attester), "clients": ["wallet"]}
    house = make_house(keys, trust=trust, PLUGINS_CHOICE={"fetcher": "Keys"})
    for headers in (Instance(attester, "another").headers(), {"OAuth-Client-Attestation": "x"}):
        assert error_of(house.door().token(headers=headers, **FORM)) == "invalid_client_attestation"
    assert keys.fetched == []


@pytest.mark.thorough
def test_keys_are_fetched_over_https(make_house, make_client, attester, tmp_path):
    authority = Authority()
    with HttpsServer(authority, tmp_path, "localhost") as server:
        published = server.answer("/jwks", Reply.json(attester.key.jwks))
        reached = {
            "FETCH_CA_BUNDLE": str(authority.write(tmp_path)),
            "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost"],
            "FETCH_ALLOWED_PORTS": [server.port],
        }
        house = make_house(ATTESTATION_TRUSTED_ATTESTERS={ATTESTER: {"jwks_uri": published}}, **reached)
        instance = Instance(attester, make_client(house).client_id)
        assert house.door().token(headers=instance.headers(), **FORM).status_code == 200


# --- The store ---


class Failing(MemoryStore):
    """A store whose verbs fail while a test says so."""

    down = frozenset()

    def _fail(self, verb, *subjects):
        if any((verb, subject) in self.down for subject in subjects):
            raise StorageDown("it does not answer")

    def find(self, cls, **by):
        self._fail("find", cls.__name__)
        return super().find(cls, **by)

    def apply(self, plan):
        self._fail("apply", *(type(part.record).__name__ for part in plan.parts if hasattr(part, "record")))
        return super().apply(plan)


class Store:
    """Contributes it."""

    def make(self, records):
        self.store = Failing(records)
        return self.store

    @hookimpl
    def portula_stores(self, provider):
        return {"failing": self.make}


@pytest.mark.parametrize("challenges", [False, True])
@pytest.mark.parametrize("down", [("find", "Application"), ("apply", "Artifact"), ("apply", "AccessToken")])
def test_while_the_store_fails_nobody_gets_in_and_afterwards_everybody(
    make_house, make_client, attester, down, challenges
):
    store = Store()
    house = make_house(store, STORAGE="failing", ATTESTATION_CHALLENGE_REQUIRED=challenges)
    instance = Instance(attester, make_client(house).client_id)

    def headers():
        named = house.door().post("/o/challenge/").json["attestation_challenge"] if challenges else None
        return instance.headers(challenge=named)

    store.store.down = frozenset({down})
    used = headers()
    answer = house.door().token(headers=used, **FORM)
    assert error_of(answer, 503) == "temporarily_unavailable"
    store.store.down = frozenset()
    again = house.door().token(headers=used, **FORM)
    spent = down == ("apply", "AccessToken")
    assert again.status_code == (400 if spent else 200), (
        "a proof is spent once it is written down, and not before"
    )
    assert house.door().token(headers=headers(), **FORM).status_code == 200


def test_challenges_are_given_while_the_store_fails(make_house):
    store = Store()
    house = make_house(store, STORAGE="failing", ATTESTATION_CHALLENGE_REQUIRED=True)
    store.store.down = frozenset({("find", "Application"), ("apply", "Artifact")})
    assert house.door().post("/o/challenge/").status_code == 200


def test_what_is_over_is_deleted_with_every_hundredth_proof(house, ask, instance):
    for _ in range(60):
        assert ask(instance.headers()).status_code == 200
    house.clock.forward(1000)
    for _ in range(60):
        assert ask(instance.headers()).status_code == 200
    kept = [each for each in house.provider.storage.select(Artifact) if each.kind == "attestation-pop"]
    assert len(kept) == 60


# --- Several processes ---


@pytest.fixture
def workers(make_house, tmp_path):
    """Two processes' providers on one database."""
    with closing(make_house(folder=tmp_path)) as one, closing(make_house(folder=tmp_path)) as two:
        yield one, two


def test_a_proof_counts_once_in_all_processes(workers, make_client, attester):
    one, two = workers
    instance = Instance(attester, make_client(one).client_id)
    headers = instance.headers()
    assert one.door().token(headers=headers, **FORM).status_code == 200
    for worker in workers:
        assert error_of(worker.door().token(headers=headers, **FORM)) == "invalid_client_attestation"
    assert two.door().token(headers=instance.headers(), **FORM).status_code == 200


@pytest.mark.parametrize("challenges", [False, True])
def test_of_many_who_bring_one_at_once_one_gets_in(make_house, make_client, attester, tmp_path, challenges):
    common = {"folder": tmp_path, "ATTESTATION_CHALLENGE_REQUIRED": challenges}
    with closing(make_house(**common)) as one, closing(make_house(**common)) as two:
        instance = Instance(attester, make_client(one).client_id)
        challenge = one.door().post("/o/challenge/").json["attestation_challenge"] if challenges else None
        attestation, same = instance.attestation(), instance.pop(challenge=challenge)
        barrier = Barrier(8)

        def bring(number):
            door = (one, two)[number % 2].door()
            pop = instance.pop(challenge=challenge) if challenges else same
            barrier.wait(timeout=60)
            return door.token(headers=instance.headers(attestation, pop), **FORM).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(bring, range(8))) == [200] + [400] * 7


def test_a_restart_forgets_no_proof(make_house, make_client, attester, tmp_path):
    with closing(make_house(folder=tmp_path)) as before:
        instance = Instance(attester, make_client(before).client_id)
        headers = instance.headers()
        assert before.door().token(headers=headers, **FORM).status_code == 200
    with closing(make_house(folder=tmp_path)) as after:
        assert error_of(after.door().token(headers=headers, **FORM)) == "invalid_client_attestation"


def test_what_is_kept_is_a_digest(house, ask, instance):
    assert ask(instance.headers(jti="the name of a proof")).status_code == 200
    kept = [each for each in house.provider.storage.select(Artifact) if each.kind == "attestation-pop"]
    assert len(kept) == 1
    assert "the name" not in repr(kept)
