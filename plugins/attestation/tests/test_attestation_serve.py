"""`portula serve` with several processes: what servers make of header fields, and a proof that counts once in all."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest
from support.attesting import ATTESTATION, CHALLENGE, METHOD, POP, Attester, Instance
from support.raw import Wire, head
from support.server import CONFIGURATION, running

pytestmark = pytest.mark.thorough

AT_ONCE, ROUNDS = 8, 4
FORM = {"grant_type": "client_credentials", "scope": "read"}


@pytest.fixture(scope="module")
def attester():
    return Attester(lambda: int(time.time()))


@pytest.fixture(scope="module")
def make_configuration(attester):
    def make(**settings):
        given = {**attester.trust(), **settings}
        lines = "".join(f"    {name!r}: {value!r},\n" for name, value in given.items())
        return CONFIGURATION.replace("{", f"{{\n{lines}", 1)

    return make


def register(server, tmp_path):
    metadata = tmp_path / "wallet.json"
    metadata.write_text(f'{{"token_endpoint_auth_method": "{METHOD}"}}')
    return server.create_client("confidential", "client-credentials", metadata=f"@{metadata}")["client_id"]


def test_header_fields_come_once_and_a_proof_counts_once_in_all_workers(
    attester, make_configuration, tmp_path
):
    with running(tmp_path / "data", "--workers", "3", configuration=make_configuration()) as server:
        instance = Instance(attester, register(server, tmp_path))
        url = f"{server.issuer}/token/"

        def headers():
            return instance.headers(aud=server.issuer)

        with httpx.Client(timeout=60) as http, ThreadPoolExecutor(AT_ONCE) as pool:
            assert http.post(url, data=FORM, headers=headers()).status_code == 200
            for _ in range(ROUNDS):
                used, barrier = headers(), Barrier(AT_ONCE)

                def bring(_, used=used, barrier=barrier):
                    barrier.wait(timeout=60)
                    return http.post(url, data=FORM, headers=used).status_code

                assert Counter(pool.map(bring, range(AT_ONCE))) == {200: 1, 400: AT_ONCE - 1}
            for doubled in (ATTESTATION, POP):
                given = headers()
                pairs = [*given.items(), (doubled, given[doubled])]
                refused = http.post(url, data=FORM, headers=pairs)
                assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client_attestation")
                given = headers()
                pairs = [*given.items(), (doubled.replace("-", "_"), given[doubled])]
                spelled = http.post(url, data=FORM, headers=pairs)
                assert spelled.status_code == 200, (
                    "a field with underscores is another one, which nobody reads"
                )
        for size in (7_000, 30_000, 500_000):
            body = b"grant_type=client_credentials"
            lines = (f"{ATTESTATION}: {'x' * size}", f"{POP}: {'x' * size}", "Connection: close")
            form = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}")
            statuses = Wire(server).send(head(*lines, *form), body).statuses()
            assert all(400 <= status < 500 for status in statuses), statuses
        assert httpx.post(url, data=FORM, headers=headers(), timeout=60).status_code == 200


def test_a_challenge_of_one_worker_counts_once_in_all(attester, make_configuration, tmp_path):
    configuration = make_configuration(ATTESTATION_CHALLENGE_REQUIRED=True)
    with running(tmp_path / "data", "--workers", "3", configuration=configuration) as server:
        instance = Instance(attester, register(server, tmp_path))
        url = f"{server.issuer}/token/"
        with httpx.Client(timeout=60) as http, ThreadPoolExecutor(AT_ONCE) as pool:
            published = http.get(f"{server.issuer}/.well-known/openid-configuration").json()
            refused = http.post(url, data=FORM, headers=instance.headers(aud=server.issuer))
            assert refused.json()["error"] == "use_attestation_challenge"
            challenge = refused.headers[CHALLENGE]
            for _ in range(ROUNDS):
                barrier = Barrier(AT_ONCE)

                def bring(_, challenge=challenge, barrier=barrier):
                    headers = instance.headers(aud=server.issuer, challenge=challenge)
                    barrier.wait(timeout=60)
                    return http.post(url, data=FORM, headers=headers).status_code

                assert Counter(pool.map(bring, range(AT_ONCE))) == {200: 1, 400: AT_ONCE - 1}
                challenge = http.post(published["challenge_endpoint"]).json()["attestation_challenge"]
