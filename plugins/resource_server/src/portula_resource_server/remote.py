"""Checks tokens by asking the introspection endpoint of a provider elsewhere (RFC 7662).

Positive answers are kept for a while, negative ones not at all. However many threads wait for one token, it is asked
about once.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from portula_resource_server.credentials import Assertions, authorization
from portula_resource_server.settings import ResourceServerSettings, zone
from portula_resource_server.signed_answers import MEDIA_TYPE, Read, SignedAnswers, plain
from portula_resource_server.tokens import VerifiedToken, VerifierUnavailable, typed_member

if TYPE_CHECKING:
    from portula import Provider

log = logging.getLogger("portula")

MAX_CACHED_TOKENS = 10_000
"""Positive answers kept; the one not used for longest goes first."""

MAX_ANSWER_BYTES = 256 * 1024
"""A longer answer is not read."""


def client_for(settings: ResourceServerSettings) -> httpx.Client:
    """Return the pooled HTTP client that authenticates at the endpoint; it follows no redirect with a token.

    Proxies of the environment are for https, where they see nothing.
    """
    url = settings.RESOURCE_SERVER_INTROSPECTION_URL or ""
    accepted = MEDIA_TYPE if settings.RESOURCE_SERVER_INTROSPECTION_SIGNED else "application/json"
    headers = {"Accept": accepted, "Accept-Encoding": "identity", **authorization(settings)}
    return httpx.Client(
        headers=headers,
        timeout=settings.RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS,
        follow_redirects=False,
        trust_env=url.lower().startswith("https:"),
    )


def _no_credentials() -> Mapping[str, str]:
    return {}


def remote_verifier(provider: Provider, settings: ResourceServerSettings) -> RemoteVerifier:
    """Return the verifier that the settings ask for.

    Raises:
        ConfigError, EmptySlot: it cannot sign its questions, or verify signed answers.
    """
    asserts = settings.asserts and settings.RESOURCE_SERVER_AUTH_TOKEN is None
    credentials = Assertions(provider, settings).form if asserts else _no_credentials
    signed = settings.RESOURCE_SERVER_INTROSPECTION_SIGNED
    read = SignedAnswers(provider, settings).read if signed else plain
    return RemoteVerifier(client_for(settings), settings, provider.now, credentials=credentials, read=read)


class RemoteVerifier:
    """A token verifier that asks elsewhere. Safe to share between threads."""

    def __init__(
        self,
        client: httpx.Client,
        settings: ResourceServerSettings,
        now: Callable[[], int],
        *,
        credentials: Callable[[], Mapping[str, str]] = _no_credentials,
        read: Read = plain,
    ) -> None:
        """Take a client, where to ask, and the clock (Unix seconds).

        Args:
            client: may authenticate by itself.
            settings: say where to ask.
            now: the clock.
            credentials: returns parameters that authenticate a question.
            read: takes an answer apart.
        """
        self._client, self._credentials, self._read = client, credentials, read
        self._url = settings.RESOURCE_SERVER_INTROSPECTION_URL or ""
        self._caching_seconds = settings.RESOURCE_SERVER_TOKEN_CACHING_SECONDS
        self._timeout = settings.RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS
        self._zone = zone(settings.AUTHENTICATION_SERVER_EXP_TIME_ZONE)
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[VerifiedToken, range]] = OrderedDict()
        """What is known of a token by its digest, and when that counts; no longer where the clock is set back."""
        self._asking: dict[bytes, Future[VerifiedToken | None]] = {}

    def __call__(self, token: str) -> VerifiedToken | None:
        """Return what is known of a token, None when it does not count.

        Raises:
            VerifierUnavailable: the endpoint gave no answer that can be understood.
        """
        key = hashlib.sha256(token.encode()).digest()
        with self._lock:
            entry = self._kept.get(key)
            if entry is not None and self._now() in entry[1]:
                self._kept.move_to_end(key)
                return entry[0]
            others = self._asking.get(key)
            mine: Future[VerifiedToken | None] = Future()
            if others is None:
                self._asking[key] = mine
        return self._lead(key, token, mine) if others is None else others.result()

    def _lead(self, key: bytes, token: str, flight: Future[VerifiedToken | None]) -> VerifiedToken | None:
        """Ask, keep the answer, and give it to all who wait for it."""
        try:
            found = self._ask(token)
        except BaseException as error:
            self._land(key, None)
            flight.set_exception(
                error if isinstance(error, Exception) else VerifierUnavailable("interrupted")
            )
            raise
        self._land(key, found)
        flight.set_result(found)
        return found

    def _land(self, key: bytes, found: VerifiedToken | None) -> None:
        now = self._now()
        until = now + self._caching_seconds
        if found is not None and found.expires_at is not None:
            until = min(until, found.expires_at)
        with self._lock:
            self._asking.pop(key, None)
            self._kept.pop(key, None)
            if found is not None and now < until:
                self._kept[key] = (found, range(now, until))
                if len(self._kept) > MAX_CACHED_TOKENS:
                    self._kept.popitem(last=False)

    def _ask(self, token: str) -> VerifiedToken | None:
        try:
            asked_at = self._now()
            members = self._read(*self._fetch(token), asked_at)
            if not isinstance(members, dict) or not isinstance(members.get("active"), bool):
                raise ValueError("it is no introspection response")  # noqa: TRY004, TRY301 - one way out for all
            return self._judge(members) if members["active"] else None
        except (httpx.HTTPError, ValueError, OverflowError, OSError) as error:
            log.warning("introspection at %s failed: %s: %s", self._url, type(error).__name__, error)
            raise VerifierUnavailable(f"introspection at {self._url} failed") from error

    def _fetch(self, token: str) -> tuple[str, bytes]:
        """Return media type and body of a 200 answer, within the time and size allowed."""
        deadline = time.monotonic() + self._timeout
        form = {"token": token, "token_type_hint": "access_token", **self._credentials()}
        with self._client.stream("POST", self._url, data=form) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise ValueError(f"more than {MAX_ANSWER_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise ValueError(f"not complete within {self._timeout:g} seconds")
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return media_type, bytes(body)

    def _in_time_zone(self, token: VerifiedToken) -> VerifiedToken:
        """Read `exp` as the wall clock of AUTHENTICATION_SERVER_EXP_TIME_ZONE."""
        if token.expires_at is None or self._zone is UTC:
            return token
        clock = datetime.fromtimestamp(token.expires_at, UTC).replace(tzinfo=self._zone)
        return replace(token, expires_at=int(clock.timestamp()))

    def _judge(self, members: dict[str, Any]) -> VerifiedToken | None:
        """Look at an active token once more: its time (attack S27), and that it is an access token."""
        token, now = self._in_time_zone(VerifiedToken.of(members)), self._now()
        if token.expires_at is not None and token.expires_at <= now:
            return None
        if (typed_member(members, "nbf", int) or 0) > now:
            return None
        return token if members.get("token_use", "access_token") in ("access_token", "access") else None
