"""`portula serve` while strangers let it ask servers that take their time: honest clients notice nothing of it."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from support.raw import answers
from support.server import CONFIGURATION, Server, running

from portula_testing.jws import TokenKey
from portula_testing.tls import Authority, HttpsServer, Reply

pytestmark = pytest.mark.thorough

SLOW_SECONDS = 3
MANY = 20
"""More than there are threads, whatever the machine."""


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpsServer, Path]]:
    """A server whose answers are slow, and the authority that it is trusted by."""
    folder: Path = tmp_path_factory.mktemp("slow")
    authority = Authority()
    with HttpsServer(authority, folder, "localhost") as server:
        yield server, authority.write(folder)


@pytest.fixture(scope="module")
def served(slow: tuple[HttpsServer, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    further = {
        "CIMD_ENABLED": True,
        "OIDC_ENABLED": True,
        "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost"],
        "FETCH_CA_BUNDLE": str(slow[1]),
    }
    configuration = f"{CONFIGURATION}\nOAUTH2_PROVIDER |= {further!r}\n"
    with running(tmp_path_factory.mktemp("served") / "data", configuration=configuration) as server:
        yield server


def answer_slowly(server: HttpsServer, path: str, document: object) -> None:
    text = json.dumps(document).encode()

    def reply(_asked: object) -> Reply:
        server.closing.wait(SLOW_SECONDS)
        return Reply.json(json.loads(text))

    server.routes[path] = reply


def beside(many: Callable[[int], object], server: Server, slow: HttpsServer) -> float:
    """Let strangers ask; return the longest that an honest client waits once the slow server is asked."""
    before = len(slow.asked)
    threads = [threading.Thread(target=many, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    while len(slow.asked) == before:
        assert any(thread.is_alive() for thread in threads)
        slow.closing.wait(0.01)
    slow.closing.wait(0.3)  # so that all threads would be taken
    longest = max(answers(server) for _ in range(5))
    for thread in threads:
        thread.join()
    return longest


def test_documents_of_clients(slow: tuple[HttpsServer, Path], served: Server) -> None:
    for number in range(MANY):
        answer_slowly(slow[0], f"/{number}", {})

    def ask(number: int) -> None:
        query = urlencode({"client_id": f"{slow[0].url}/{number}", "response_type": "code"})
        httpx.get(f"{served.issuer}/authorize/?{query}", timeout=30)

    assert beside(ask, served, slow[0]) < SLOW_SECONDS / 2


def test_the_keys_of_one_client(slow: tuple[HttpsServer, Path], served: Server) -> None:
    """All who wait for the same keys wait for one request."""
    answer_slowly(slow[0], "/keys", {"keys": []})
    metadata = {"jwks_uri": f"{slow[0].url}/keys", "token_endpoint_auth_method": "private_key_jwt"}
    client = served.create_client("confidential", "client-credentials", metadata=json.dumps(metadata))[
        "client_id"
    ]
    assertion = TokenKey("ES256").sign({"iss": client, "sub": client}, typ="JWT")

    def ask(_number: int) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        httpx.post(f"{served.issuer}/token/", data=form, timeout=30)

    assert beside(ask, served, slow[0]) < SLOW_SECONDS / 2
