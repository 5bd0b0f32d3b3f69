"""What one process has seen and given, the others know, and those that come after it: on one database."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from security.driving import bearer, error_of
from support.proofs import Prover

FORM = {"grant_type": "client_credentials", "scope": "read"}


@pytest.fixture
def workers(make_house, tmp_path):
    """Two processes' providers on one database."""
    with closing(make_house(folder=tmp_path)) as one, closing(make_house(folder=tmp_path)) as two:
        yield one, two


def test_a_proof_counts_once_in_all_processes(workers):
    one, two = workers
    client, prover = one.client(), Prover(lambda: one.clock.time)
    headers = {**client.auth, **prover.proof()}
    token = one.door().token(client, headers, **FORM).json["access_token"]
    assert error_of(two.door().token(client, headers, **FORM)) == "invalid_dpop_proof"
    headers = prover.at("/resource", token)
    assert two.door().open("/resource", headers=headers).status_code == 200
    for worker in workers:
        assert worker.door().open("/resource", headers=headers).json["error"] == "invalid_dpop_proof"
        assert worker.door().open("/resource", headers=bearer(token)).json["error"] == "invalid_token"


def test_a_proof_counts_once_while_the_secret_keys_change(make_house, tmp_path):
    keys = ["the next key, of enough bytes", "the first key, of enough bytes"]
    with closing(make_house(folder=tmp_path)) as one, closing(make_house(folder=tmp_path)) as two:
        client, prover = one.client(), Prover(lambda: one.clock.time)
        headers = {**client.auth, **prover.proof()}
        assert one.door().token(client, headers, **FORM).status_code == 200
        with closing(make_house(folder=tmp_path, SECRET_KEYS=keys)) as next_one:
            for house in (two, next_one):
                assert error_of(house.door().token(client, headers, **FORM)) == "invalid_dpop_proof"


def test_of_many_who_bring_one_proof_at_once_one_gets_a_token(workers):
    client, prover = workers[0].client(), Prover(lambda: workers[0].clock.time)
    headers, barrier = {**client.auth, **prover.proof()}, Barrier(8)

    def bring(number):
        door = workers[number % 2].door()
        barrier.wait(timeout=60)
        return door.token(client, headers, **FORM).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(bring, range(8))) == [200] + [400] * 7


def test_a_restart_forgets_no_proof_and_no_binding(make_house, tmp_path):
    with closing(make_house(folder=tmp_path)) as before:
        public, prover = before.public_client(), Prover(lambda: before.clock.time)
        code, verifier = before.browser().code(public, dpop_jkt=prover.thumbprint)
    headers = prover.proof()
    with closing(make_house(folder=tmp_path)) as after:
        other = Prover(lambda: after.clock.time)
        refused = after.door().redeem(public, code, verifier, headers=other.proof())
        assert error_of(refused) == "invalid_grant"
        tokens = after.door().redeem(public, code, verifier, headers=headers).json
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    with closing(make_house(folder=tmp_path)) as last:
        door = last.door()
        assert error_of(door.token(public, headers, **form)) == "invalid_dpop_proof"
        for wrong in ({}, other.proof()):
            assert error_of(door.token(public, wrong, **form)) == "invalid_grant"
        assert door.token(public, prover.proof(), **form).json["token_type"] == "DPoP"


def test_a_nonce_of_one_process_counts_in_all(make_house, tmp_path):
    settings = {"DPOP_NONCE_REQUIRED": True}
    with closing(make_house(folder=tmp_path, **settings)) as one:
        client, prover = one.client(), Prover(lambda: one.clock.time)
        nonce = one.door().token(client, {**client.auth, **prover.proof()}, **FORM).headers["DPoP-Nonce"]
    rotated = {"SECRET_KEYS": ["the next key, of enough bytes", "the first key, of enough bytes"]}
    for more in ({}, rotated):
        with closing(make_house(folder=tmp_path, **settings, **more)) as two:
            headers = {**client.auth, **prover.proof(nonce=nonce)}
            assert two.door().token(client, headers, **FORM).status_code == 200
    stranger = {"SECRET_KEYS": ["a key of nobody, of enough bytes"]}
    with closing(make_house(folder=tmp_path, **settings, **stranger)) as two:
        client = two.client()
        headers = {**client.auth, **prover.proof(nonce=nonce)}
        assert error_of(two.door().token(client, headers, **FORM)) == "use_dpop_nonce"
