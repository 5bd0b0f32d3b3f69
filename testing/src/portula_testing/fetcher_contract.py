"""The contract of the slot `fetcher`. Subclass FetcherContract and override its fixture `make_fetcher`."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse
from portula_testing.storage_samples import in_thread
from portula_testing.tls import Authority, HttpsServer, ReceivedRequest, Reply

MakeFetcher = Callable[..., Fetcher]

SECONDS = 30.0
"""The time that the fetchers of the contract are given for one fetch."""
SHORT_SECONDS = 1.0
"""The same where the fetch is to end by it."""
GRACE_SECONDS = 5.0
"""By how much a busy machine may be later than that."""
SECRET = "a-secret-of-the-other-server"
JSON = {"Content-Type": "application/json"}


class FetcherContract:
    """What is true of every fetcher (attack S54).

    Example:
        class TestMyFetcher(FetcherContract):
            @pytest.fixture
            def make_fetcher(self):
                def make(*, ca_file, private, seconds):
                    settings = {"MY_CA_FILE": ca_file, "MY_PRIVATE_HOSTS": private, "MY_SECONDS": seconds}
                    return make_provider(my_plugin, settings=settings).hooks.ask(Plugin.portula_fetcher)

                return make
    """

    @pytest.fixture
    def make_fetcher(self) -> MakeFetcher:
        """Return a function that makes a fetcher. Override it.

        Its keywords: `ca_file`, a PEM file of the authority that is trusted; `private`, the host names that may have
        addresses that are not public; `seconds`, the longest time of a fetch.
        """
        raise NotImplementedError

    @pytest.fixture
    def authority(self) -> Authority:
        """Return who signs the certificate of the server."""
        return Authority()

    @pytest.fixture
    def server(self, authority: Authority, tmp_path: Path) -> Iterator[HttpsServer]:
        """Return an https server on loopback."""
        with HttpsServer(authority, tmp_path) as server:
            yield server

    @pytest.fixture
    def fetcher(self, make_fetcher: MakeFetcher, authority: Authority, tmp_path: Path) -> Fetcher:
        """Return a fetcher that may ask the server by the name `localhost`."""
        ca_file = str(authority.write(tmp_path))
        return make_fetcher(ca_file=ca_file, private=("localhost",), seconds=SECONDS)

    # --- Answers ---

    def test_an_answer_is_what_the_server_sent(self, fetcher: Fetcher, server: HttpsServer) -> None:
        reply = Reply(headers={"Content-Type": "Application/JSON; charset=utf-8"}, body=b"{}")
        found = fetcher.get(server.answer("/keys", reply), accept=["application/json"])
        assert found == FetchResponse(200, "application/json", b"{}", None)
        assert [asked.method for asked in server.asked] == ["GET"]

    def test_path_and_query_arrive_as_they_are(self, fetcher: Fetcher, server: HttpsServer) -> None:
        fetcher.get(f"{server.answer('/a%20b/c', Reply())}?x=1&y=%2F", accept=())
        assert (server.asked[0].path, server.asked[0].query) == ("/a%20b/c", "x=1&y=%2F")

    def test_it_names_the_host_to_the_server(self, fetcher: Fetcher, server: HttpsServer) -> None:
        fetcher.get(server.answer("/", Reply()), accept=())
        assert server.asked[0].headers["host"] == f"localhost:{server.port}"
        assert server.asked[0].server_name == "localhost"

    @pytest.mark.parametrize(
        ("said", "meant"),
        [("max-age=60", 60), ("public, MAX-AGE=5", 5), ("no-store", 0), ("public", None), ("max-age=x", 0)],
    )
    def test_it_says_how_long_an_answer_may_be_kept(
        self, fetcher: Fetcher, server: HttpsServer, said: str, meant: int | None
    ) -> None:
        url = server.answer("/", Reply(headers={"Cache-Control": said}))
        assert fetcher.get(url, accept=()).max_age == meant

    def test_a_form_is_posted(self, fetcher: Fetcher, server: HttpsServer) -> None:
        url = server.answer("/", Reply(204))
        assert fetcher.post(url, {"logout_token": "a b&c"}).status == 204
        (asked,) = server.asked
        assert (asked.method, asked.body) == ("POST", b"logout_token=a+b%26c")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"

    def test_bytes_are_posted_as_they_are_under_their_headers(
        self, fetcher: Fetcher, server: HttpsServer
    ) -> None:
        url = server.answer("/", Reply(202))
        headers = {"Content-Type": "application/json", "X-Signature": "abc", "Host": "other.example"}
        assert fetcher.post(url, b'{"a": 1}', headers=headers).status == 202
        (asked,) = server.asked
        assert asked.body == b'{"a": 1}'
        assert (asked.headers["content-type"], asked.headers["x-signature"]) == ("application/json", "abc")
        assert asked.headers["host"] == f"localhost:{server.port}"

    def test_a_header_is_one_line(self, fetcher: Fetcher, server: HttpsServer) -> None:
        url = server.answer("/", Reply())
        with pytest.raises(FetchFailed):
            fetcher.post(url, b"", headers={"X-Signature": "abc\r\nX-Other: def"})
        assert server.asked == []

    def test_it_works_in_every_thread(self, fetcher: Fetcher, server: HttpsServer) -> None:
        url = server.answer("/", Reply(body=b"x"))
        assert [fetcher.get(url, accept=()).body, in_thread(lambda: fetcher.get(url, accept=()).body)] == [
            b"x",
            b"x",
        ]

    # --- Answers that are none ---

    @pytest.mark.parametrize("status", [201, 204, 400, 404, 500])
    def test_a_get_that_is_not_answered_200_fails(
        self, fetcher: Fetcher, server: HttpsServer, status: int
    ) -> None:
        with pytest.raises(FetchFailed):
            fetcher.get(server.answer("/", Reply(status)), accept=())

    @pytest.mark.parametrize("status", [400, 401, 500])
    def test_a_form_that_is_not_taken_fails(self, fetcher: Fetcher, server: HttpsServer, status: int) -> None:
        with pytest.raises(FetchFailed):
            fetcher.post(server.answer("/", Reply(status)), {"a": "b"})

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, fetcher: Fetcher, server: HttpsServer, status: int) -> None:
        there = server.answer("/there", Reply(body=b"x"))
        here = server.answer("/here", Reply(status, {"Location": there}))
        with pytest.raises(FetchFailed):
            fetcher.get(here, accept=())
        with pytest.raises(FetchFailed):
            fetcher.post(here, {})
        assert "/there" not in [asked.path for asked in server.asked]

    @pytest.mark.parametrize("sent", ["text/html", "application/jsonx", ""])
    def test_another_media_type_fails(self, fetcher: Fetcher, server: HttpsServer, sent: str) -> None:
        headers = {"Content-Type": sent} if sent else {}
        with pytest.raises(FetchFailed):
            fetcher.get(server.answer("/", Reply(headers=headers)), accept=["application/json"])

    @pytest.mark.parametrize("told", [True, False], ids=["with its length", "without"])
    def test_an_answer_that_is_too_long_fails(
        self, fetcher: Fetcher, server: HttpsServer, told: bool
    ) -> None:
        for size, fits in ((1000, True), (1001, False)):
            body = b"x" * size
            url = server.answer(f"/{size}", Reply(body=body if told else [body[:500], body[500:]]))
            if fits:
                assert len(fetcher.get(url, accept=(), max_bytes=1000).body) == size
            else:
                with pytest.raises(FetchFailed):
                    fetcher.get(url, accept=(), max_bytes=1000)

    def test_an_endless_answer_ends_at_its_size(self, fetcher: Fetcher, server: HttpsServer) -> None:
        sent: list[int] = []

        def endless() -> Iterator[bytes]:
            for _ in range(4000):  # 64 MB, of which sockets hold a few
                sent.append(1)
                yield b"x" * 16384

        with pytest.raises(FetchFailed):
            fetcher.get(server.answer("/", Reply(body=endless())), accept=(), max_bytes=1000)
        assert len(sent) < 4000

    def test_what_is_compressed_does_not_grow(self, fetcher: Fetcher, server: HttpsServer) -> None:
        bomb = gzip.compress(b"x" * 10_000_000)
        url = server.answer("/", Reply(headers={"Content-Encoding": "gzip"}, body=bomb))
        with pytest.raises(FetchFailed):
            fetcher.get(url, accept=(), max_bytes=65536)

    def test_an_answer_that_breaks_off_fails(self, fetcher: Fetcher, server: HttpsServer) -> None:
        url = server.answer("/", Reply(headers={"Content-Length": "10"}, body=[b"x"]))
        with pytest.raises(FetchFailed):
            fetcher.get(url, accept=())

    def test_one_time_limit_holds_for_all_of_an_answer(
        self, make_fetcher: MakeFetcher, server: HttpsServer, authority: Authority, tmp_path: Path
    ) -> None:
        """A byte now and then does not keep it open."""
        ca_file = str(authority.write(tmp_path))
        fetcher = make_fetcher(ca_file=ca_file, private=("localhost",), seconds=SHORT_SECONDS)
        url = server.answer("/", Reply(body=server.slowly(b"x", SHORT_SECONDS + GRACE_SECONDS + 0.5)))
        started = time.monotonic()
        with pytest.raises(FetchFailed):
            fetcher.get(url, accept=())
        assert time.monotonic() - started < SHORT_SECONDS + GRACE_SECONDS

    # --- Who is asked ---

    def test_a_certificate_of_another_authority_does_not_count(
        self, fetcher: Fetcher, tmp_path: Path
    ) -> None:
        (tmp_path / "other").mkdir()
        with HttpsServer(Authority("another"), tmp_path / "other") as server, pytest.raises(FetchFailed):
            fetcher.get(server.answer("/", Reply()), accept=())
        assert server.asked == []

    def test_a_certificate_for_another_name_does_not_count(
        self, fetcher: Fetcher, authority: Authority, tmp_path: Path
    ) -> None:
        """RFC 9525."""
        with HttpsServer(authority, tmp_path, "elsewhere.example") as server, pytest.raises(FetchFailed):
            fetcher.get(server.answer("/", Reply()), accept=())
        assert server.asked == []

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"]
    )
    def test_an_address_that_is_not_public_is_not_asked(
        self, fetcher: Fetcher, server: HttpsServer, host: str
    ) -> None:
        server.answer("/", Reply())
        with pytest.raises(FetchFailed):
            fetcher.get(f"https://{host}:{server.port}/", accept=())
        assert server.connections == 0

    def test_a_name_of_such_an_address_is_not_asked(
        self, make_fetcher: MakeFetcher, server: HttpsServer, authority: Authority, tmp_path: Path
    ) -> None:
        fetcher = make_fetcher(ca_file=str(authority.write(tmp_path)), private=(), seconds=SECONDS)
        url = server.answer("/", Reply())
        with pytest.raises(FetchFailed):
            fetcher.get(url, accept=())
        with pytest.raises(FetchFailed):
            fetcher.post(url, {})
        assert server.connections == 0

    @pytest.mark.parametrize(
        "form",
        [
            "http://localhost:{port}/",
            "//localhost:{port}/",
            "localhost:{port}/",
            "https://user@localhost:{port}/",
            "https://user:password@localhost:{port}/",
            "https://localhost:{port}\\@example.com/",
            "https://localhost:{port}/ /",
            "https://localhost:{port}/\n",
            "https://localhost:{port}/é",
            "https://ⓛocalhost:{port}/",
            "https://localhost:99999/",
            "https://:{port}/",
            "file:///etc/passwd",
            "",
        ],
    )
    def test_a_url_of_another_form_fails(self, fetcher: Fetcher, server: HttpsServer, form: str) -> None:
        url = form.format(port=server.port)
        with pytest.raises(FetchFailed):
            fetcher.get(url, accept=())
        with pytest.raises(FetchFailed):
            fetcher.post(url, {})
        assert server.connections == 0

    def test_a_proxy_of_the_environment_is_not_used(
        self,
        make_fetcher: MakeFetcher,
        server: HttpsServer,
        authority: Authority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        ca_file = str(authority.write(tmp_path))
        fetcher = make_fetcher(ca_file=ca_file, private=("localhost",), seconds=SECONDS)
        assert fetcher.get(server.answer("/", Reply(body=b"x")), accept=()).body == b"x"

    def test_nothing_that_a_server_sets_comes_back_to_it(self, fetcher: Fetcher, server: HttpsServer) -> None:
        url = server.answer("/", Reply(headers={"Set-Cookie": "a=b; Secure"}))
        for _ in range(2):
            fetcher.get(url, accept=())
        assert [asked.headers.get("cookie") for asked in server.asked] == [None, None]

    # --- What is told ---

    def test_a_failure_tells_neither_path_nor_query_nor_body(
        self, fetcher: Fetcher, server: HttpsServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(1)
        server.routes[f"/{SECRET}"] = _told_off
        for url in (f"{server.url}/{SECRET}?token={SECRET}", f"https://{SECRET}@localhost:{server.port}/"):
            with pytest.raises(FetchFailed) as caught:
                fetcher.get(url, accept=["a/b"])
            assert SECRET not in str(caught.value)
            with pytest.raises(FetchFailed) as caught:
                fetcher.post(url, {"a": SECRET})
            assert SECRET not in str(caught.value)
        assert SECRET not in caplog.text

    def test_an_answer_does_not_show_its_body(self, fetcher: Fetcher, server: HttpsServer) -> None:
        found = fetcher.get(server.answer("/", Reply(body=SECRET.encode())), accept=())
        assert SECRET not in repr(found)


def _told_off(asked: ReceivedRequest) -> Reply:
    return Reply(400, {"Content-Type": "text/plain"}, SECRET.encode())
