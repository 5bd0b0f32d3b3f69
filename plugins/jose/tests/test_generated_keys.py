"""Keys that are made when they are needed and kept encrypted in the storage."""

import json
import threading

import pytest
from support.signing import artifacts, kid_of, kids, published

from portula import Plugin
from portula.errors import ConfigError, JoseError, UntrustedToken
from portula.plugin import Artifact
from portula_jose import signing_keys as ring_module
from portula_jose.signing_keys import REREAD_SECONDS
from portula_testing.attacks import stored_texts
from portula_testing.jws import taken_apart
from portula_testing.provider import make_provider
from portula_testing.writing import add_to, change_in

DAY = 24 * 3600
LEAD = 2 * 3600 + REREAD_SECONDS
MANY_YEARS = 10 * 365 * DAY


# --- Making ---


def test_no_key_is_made_before_one_is_needed(generated):
    generated.signing_algorithms()
    with pytest.raises(UntrustedToken):
        generated.verify_own(generated_elsewhere().sign({}, typ="JWT"), typ={"JWT"})
    assert artifacts(generated) == []


def generated_elsewhere():
    return make_provider("jose").hooks.ask(Plugin.portula_jose)


def test_signing_makes_one_key_and_publishing_all(generated):
    kid = kid_of(generated, "ES256")
    assert len(artifacts(generated)) == 1
    keys = published(generated)
    assert len(artifacts(generated)) == len([*keys, *published(generated, "enc")]) == 7
    assert [key["alg"] for key in keys] == ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
    assert kid in [key["kid"] for key in keys]


@pytest.mark.parametrize("bits", [2048, 3072])
def test_rsa_keys_are_of_the_size_that_is_set(make, bits):
    jose = make(SIGNING_KEY_RSA_BITS=bits, SIGNING_ALGORITHMS=["RS256"]).hooks.ask(Plugin.portula_jose)
    (key,) = published(jose)
    assert len(key["n"]) == (bits // 8 * 4 + 2) // 3


def test_an_rsa_key_of_another_size_is_no_choice(make):
    with pytest.raises(ConfigError, match="SIGNING_KEY_RSA_BITS: 1024 is not allowed"):
        make(SIGNING_KEY_RSA_BITS=1024)


def test_the_storage_holds_no_private_key(generated):
    """Attack S31: a copy of the storage signs nothing."""
    public = [*published(generated), *published(generated, "enc")]
    exported = [json.loads(stored.key.export_private()) for stored in generated.ring.ring().keys]
    assert len(exported) == 7
    text = "\n".join(stored_texts(generated._provider))
    for key in exported:
        assert key["d"] not in text
    for key in public:
        assert key.get("n", key.get("x")) not in text, "what is not sealed could be put there by anybody"
    assert not any(key["d"] in repr(generated.ring.ring()) for key in exported)


def test_a_key_written_by_somebody_else_is_not_published(generated, worker):
    """Whoever can write to the storage still cannot put in a key of theirs."""
    jose = worker()
    kid = kid_of(jose)
    foreign = make_provider("jose", settings={"SECRET_KEYS": ["another secret key, of theirs"]}).hooks.ask(
        Plugin.portula_jose
    )
    published(foreign)
    family = artifacts(jose)[0].family
    for record in artifacts(foreign):
        values = {name: getattr(record, name) for name in ("kind", "payload", "issued_at")}
        add_to(jose._provider.storage, Artifact(digest=record.digest, family=family, **values))
    later = worker()
    assert kids(later)[0] == kid
    assert set(kids(later)).isdisjoint(kids(foreign))
    assert len(later.ring.ring().locked) == 7


def test_a_damaged_record_does_not_stand_in_the_way(worker, memory):
    jose = worker()
    kid_of(jose)
    (record,) = artifacts(jose)
    change_in(jose._provider.storage, Artifact, {"digest": record.digest}, payload={"sealed": "damaged"})
    later = worker()
    token = later.sign({"a": 1}, typ="JWT")
    assert worker().verify_own(token, typ={"JWT"}).claims == {"a": 1}


def test_another_worker_signs_with_the_same_key(worker):
    first, second = worker(), worker()
    assert kid_of(first) == kid_of(second)
    assert published(first) == published(second)
    assert second.verify_own(first.sign({"a": 1}, typ="JWT"), typ={"JWT"}).claims == {"a": 1}


def test_a_worker_that_has_looked_before_there_was_a_key_finds_it(worker):
    first, second = worker(), worker()
    assert second.ring.ring().keys == ()
    token = first.sign({"a": 1}, typ="JWT")
    assert second.verify_own(token, typ={"JWT"}).claims == {"a": 1}


def test_a_key_of_another_worker_is_known_at_once(worker, clock):
    first, second = worker(), worker()
    published(second)
    first.ring.rotate("RS256", at_once=True)
    clock.advance(1)
    token = first.sign({"a": 1}, typ="JWT")
    assert kid_of(second) != taken_apart(token)[0]["kid"], "it has not looked again"
    assert second.verify_own(token, typ={"JWT"}).claims == {"a": 1}


def test_unknown_names_make_no_flood_of_questions(worker, clock, monkeypatch):
    jose = worker()
    published(jose)
    clock.advance(1)
    reads = []
    select = jose._provider.storage.select
    monkeypatch.setattr(jose._provider.storage, "select", lambda *a, **k: reads.append(1) or select(*a, **k))
    foreign = generated_elsewhere().sign({}, typ="JWT", algorithm="ES256")
    for _ in range(20):
        with pytest.raises(UntrustedToken):
            jose.verify_own(foreign, typ={"JWT"})
    assert len(reads) == 1


def test_the_storage_is_not_asked_for_every_token(worker, clock, monkeypatch):
    jose = worker()
    published(jose)
    reads = []
    select = jose._provider.storage.select
    monkeypatch.setattr(jose._provider.storage, "select", lambda *a, **k: reads.append(1) or select(*a, **k))
    for _ in range(20):
        jose.verify_own(jose.sign({}, typ="JWT"), typ={"JWT"})
        published(jose)
    assert reads == []
    clock.advance(REREAD_SECONDS)
    for _ in range(20):
        jose.sign({}, typ="JWT")
    assert reads == [1]


def test_keys_are_parsed_once_however_often_they_are_read(worker, clock, monkeypatch):
    jose = worker()
    published(jose)
    made = []
    jwk = ring_module.JWK
    monkeypatch.setattr(ring_module, "JWK", lambda **members: made.append(1) or jwk(**members))
    for _ in range(5):
        clock.advance(REREAD_SECONDS)
        kids(jose)
    assert made == []


def test_of_workers_that_need_the_first_key_at_once_all_sign_with_one(worker):
    workers = [worker() for _ in range(8)]
    barrier, signed = threading.Barrier(8), []

    def sign(jose):
        barrier.wait()
        signed.append(jose.sign({"a": 1}, typ="JWT", algorithm="ES256"))

    threads = [threading.Thread(target=sign, args=(jose,)) for jose in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({taken_apart(token)[0]["kid"] for token in signed}) == 1
    assert len(artifacts(workers[0])) == 1
    assert all(jose.verify_own(token, typ={"JWT"}) for jose in workers for token in signed)


class Down(Exception):
    """The database does not answer."""


def test_a_key_that_could_not_be_kept_signs_nothing(worker, monkeypatch):
    jose, other = worker(), worker()

    def fail(plan):
        raise Down

    with monkeypatch.context() as broken:
        broken.setattr(jose._provider.storage, "apply", fail)
        with pytest.raises(Down):
            jose.sign({}, typ="JWT", algorithm="ES256")
    assert artifacts(jose) == []
    assert jose.ring.ring().keys == ()
    assert kid_of(jose, "ES256") == kid_of(other, "ES256")


def test_keys_survive_a_new_secret_key(worker, memory):
    old, new = "the secret key of last year", "the secret key of this year"
    kid = kid_of(worker(SECRET_KEYS=[old]))
    assert kid_of(worker(SECRET_KEYS=[new, old])) == kid
    assert kid_of(worker(SECRET_KEYS=[new])) != kid


def test_two_providers_on_one_storage_have_keys_of_their_own(worker):
    """Attack S76."""
    north, south = (worker(OIDC_ISS_ENDPOINT=f"https://{name}.example/o") for name in ("north", "south"))
    token = north.sign({}, typ="JWT")
    assert set(kids(north)).isdisjoint(kids(south))
    with pytest.raises(UntrustedToken):
        south.verify_own(token, typ={"JWT"})


def test_a_store_that_loses_what_it_is_given_is_an_error_and_no_endless_loop(generated, monkeypatch):
    monkeypatch.setattr(generated._provider.storage, "apply", lambda plan: {})
    with pytest.raises(JoseError, match="cannot be read back"):
        generated.sign({}, typ="JWT")
