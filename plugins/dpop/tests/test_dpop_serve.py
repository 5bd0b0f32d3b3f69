"""`portula serve` with several processes: a proof counts once in all of them, and a nonce of each in each."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest
from support.proofs import Prover
from support.server import CONFIGURATION, running

pytestmark = pytest.mark.thorough

AT_ONCE, ROUNDS = 8, 6


def test_a_proof_counts_once_in_all_workers(tmp_path):
    configuration = CONFIGURATION.replace("{", '{\n    "DPOP_NONCE_REQUIRED": True,', 1)
    prover = Prover(lambda: int(time.time()))
    with running(tmp_path / "data", "--workers", "3", configuration=configuration) as server:
        client = server.create_client("confidential", "client-credentials")
        form = {"grant_type": "client_credentials", "scope": "read"}
        form |= {name: client[name] for name in ("client_id", "client_secret")}
        htu = f"{server.issuer}/token/"
        with httpx.Client(timeout=60) as http, ThreadPoolExecutor(AT_ONCE) as pool:
            refused = http.post(htu, data=form, headers=prover.proof(htu=htu))
            assert refused.json()["error"] == "use_dpop_nonce"
            nonce = refused.headers["DPoP-Nonce"]
            for _ in range(ROUNDS):
                proof, barrier = prover.proof(htu=htu, nonce=nonce), Barrier(AT_ONCE)

                def bring(_, proof=proof, barrier=barrier):
                    barrier.wait(timeout=60)
                    return http.post(htu, data=form, headers=proof).status_code

                assert Counter(pool.map(bring, range(AT_ONCE))) == {200: 1, 400: AT_ONCE - 1}
