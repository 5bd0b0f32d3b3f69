"""Fetchers that break promises; run by test_contracts_can_fail.py."""

import itertools
import ssl
import threading
import time
from dataclasses import dataclass, replace

import httpx
import pytest

from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse
from portula_fetch import answers
from portula_fetch.fetcher import SafeFetcher
from portula_fetch.settings import FetchSettings
from portula_testing.contracts import FetcherContract


def broken(make, *breaks):
    """Return a class of tests: the contract on a fetcher that breaks these of its tests, at least."""

    def make_fetcher(self):
        return make

    members = {"make_fetcher": pytest.fixture(make_fetcher), "breaks": breaks}
    return type(f"TestFetcher{next(_numbers)}", (FetcherContract,), members)


_numbers = itertools.count()
CASES = []


# --- What one would write without thinking of attackers ---


class Naive(Fetcher):
    """A client of a good library, with a timeout, that looks at the answer when it has it."""

    def __init__(self, *, ca_file, private, seconds):
        context = ssl.create_default_context(cafile=ca_file)
        self.client = httpx.Client(verify=context, timeout=seconds, follow_redirects=True)

    def get(self, url, *, accept, max_bytes=65536):
        return self.judged(self.send("GET", url), accept, max_bytes, range(200, 201))

    def post(self, url, body, *, headers=None, max_bytes=65536):
        sent = {"content": body} if isinstance(body, bytes) else {"data": body}
        host = {"Host": httpx.URL(url).netloc.decode()}
        answer = self.send("POST", url, **sent, headers={**(headers or {}), **host})
        return self.judged(answer, (), max_bytes, range(200, 300))

    def send(self, method, url, **sent):
        try:
            return self.client.request(method, url, **sent)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchFailed(f"{url}: {error}") from error

    def judged(self, answer, accept, max_bytes, statuses):
        media_type = answers.media_type_of([("content-type", answer.headers.get("content-type", ""))])
        if answer.status_code not in statuses or len(answer.content) > max_bytes:
            raise FetchFailed(f"{answer.url} answered {answer.status_code}: {answer.text}")
        if accept and media_type not in accept:
            raise FetchFailed(f"{answer.url} answered {media_type}")
        return FetchResponse(
            answer.status_code, media_type, answer.content, answers.max_age_of(answer.headers.items())
        )


CASES += [
    broken(
        Naive,
        "redirect_is_not_followed",
        "endless_answer",
        "one_time_limit",
        "an_address_that_is_not_public",
        "a_name_of_such_an_address",
        "url_of_another_form",
        "a_proxy_of_the_environment",
        "comes_back_to_it",
        "tells_neither",
    )
]


# --- One mistake each ---


class Fetcher(SafeFetcher):
    """A fetcher that is in order; each below is not."""

    def __init__(self, *, ca_file, private, seconds):
        settings = FetchSettings(
            FETCH_CA_BUNDLE=ca_file, FETCH_ALLOWED_PRIVATE_HOSTS=private, FETCH_TIMEOUT_SECONDS=seconds
        )
        super().__init__(settings, lambda: int(time.time()))


class Careless(Fetcher):
    def get(self, url, **given):
        return replace(super().get(url.partition("?")[0], **given), media_type="", max_age=None)

    def post(self, url, body, *, headers=None, **given):
        given["headers"] = {name: value.partition("\r")[0] for name, value in (headers or {}).items()}
        if isinstance(body, bytes):
            return super().post(url, body.upper(), **given)
        return super().post(url, {name: value.upper() for name, value in body.items()}, **given)


class ByAddress(Fetcher):
    """Puts the address where the name was."""

    def __init__(self, *, private, **given):
        super().__init__(private=(*private, "127.0.0.1"), **given)

    def get(self, url, **given):
        return super().get(url.replace("localhost", "127.0.0.1"), **given)


class Content(Naive):
    """Takes every answer."""

    def judged(self, answer, accept, max_bytes, statuses):
        return FetchResponse(answer.status_code, "", answer.content)


class Raising(Fetcher):
    def get(self, url, **given):
        try:
            return super().get(url, **given)
        except FetchFailed as error:
            raise OSError(str(error)) from error


class Trusting(Fetcher):
    def __init__(self, **given):
        super().__init__(**given)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE


class Generous(Fetcher):
    """About names, and about sizes."""

    def __init__(self, **given):
        super().__init__(**given)
        self._tls.check_hostname = False

    def get(self, url, *, accept, max_bytes=65536):
        return super().get(url, accept=accept, max_bytes=max_bytes + 1)


class Open(Fetcher):
    def __init__(self, *, private, **given):
        super().__init__(private=(*private, "0.0.0.0/0", "::/0"), **given)


@dataclass(frozen=True, slots=True)
class Shown(FetchResponse):
    body: bytes


class Showing(Fetcher):
    """Works in one thread only, too."""

    def __init__(self, **given):
        self.owner = threading.get_ident()
        super().__init__(**given)

    def get(self, url, **given):
        if threading.get_ident() != self.owner:
            raise FetchFailed("not here")
        found = super().get(url, **given)
        return Shown(found.status, found.media_type, found.body, found.max_age)


CASES += [broken(Fetcher)]
CASES += [
    broken(kind, *breaks)
    for kind, *breaks in (
        (
            Careless,
            "what_the_server_sent",
            "path_and_query",
            "how_long_an_answer_may_be_kept",
            "a_form_is_posted",
            "bytes_are_posted",
            "a_header_is_one_line",
        ),
        (ByAddress, "names_the_host"),
        (Content, "not_answered_200", "what_is_compressed", "not_taken", "another_media_type", "too_long"),
        (Raising, "breaks_off"),
        (Trusting, "another_authority", "another_name"),
        (Generous, "another_name", "too_long"),
        (Open, "an_address_that_is_not_public", "a_name_of_such_an_address"),
        (Showing, "every_thread", "does_not_show_its_body"),
    )
]

globals().update({case.__name__: case for case in CASES})
