"""Fetches, judges and keeps the documents of clients (draft-ietf-oauth-client-id-metadata-document §4, §5)."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from typing_extensions import override

from portula import Plugin
from portula.errors import FetchFailed, InvalidClientMetadata
from portula.plugin import (
    SELF_REGISTERED,
    Application,
    Artifact,
    MetadataLimits,
    Plan,
    RequestedMetadata,
    costly_work,
    is_loopback_host,
    read_object,
)
from portula_cimd.hooks import CimdHooks, ClientDocument, ClientDocuments
from portula_cimd.settings import CimdSettings
from portula_cimd.urls import is_url, url_problem

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer, FetchResponse

log = logging.getLogger("portula")

KIND = "client-document"
MAX_DOCUMENTS = 512
"""Kept by a process; the one not used for longest goes first."""
GRANT_TYPES = (
    "authorization_code",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
)
"""Those in which a person decides."""
PERSONAL_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")
"""OpenID Connect Core §5.4, §11."""
UNHEARD = ("client_secret_expires_at", "client_id_issued_at", "registration_access_token", "logo_uri")
"""Members that say nothing here. A logo would be loaded by browsers from wherever the document wants (attack S54)."""
SECRETS = ("client_secret", "client_secret_expires_at")
PRIVATE_KEY_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
"""RFC 7518 §6.2.2, §6.3.2 and §6.4."""


class NotPermitted(InvalidClientMetadata):
    """A rule of this deployment denies a document; what was known of the client counts no longer."""


class Busy(FetchFailed):
    """As many documents are being fetched as may be; nothing is known of this one."""


@dataclass(frozen=True, slots=True)
class DocumentState:
    """What is known of a URL."""

    document: Mapping[str, Any] | None
    """None when there is none that counts."""
    client: Application | None
    until: int
    """When it is fetched again, Unix seconds."""
    good_until: int
    """When the document counts no longer, if it cannot be fetched again."""


class FetchedDocuments(ClientDocuments):
    """The clients that are known by a document which was fetched. Safe to share between threads.

    What was fetched is kept in the process, within bounds; a document that a person allowed something is kept in the
    storage besides, so that tokens outlive a source that is down, and other processes need not fetch it.
    """

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._settings = settings = provider.settings(CimdSettings)
        self._metadata = RequestedMetadata(
            provider,
            MetadataLimits(grant_types=GRANT_TYPES, usual_scopes=PERSONAL_SCOPES, ignored=UNHEARD),
        )
        self._kept: OrderedDict[str, DocumentState] = OrderedDict()
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(settings.CIMD_MAX_CONCURRENT_FETCHES)

    @override
    def claims(self, client_id: str) -> bool:
        """Say whether a client_id is a URL; one that the draft does not allow belongs to nobody."""
        return is_url(client_id)

    @override
    def find(self, client_id: str) -> Application | None:
        """Return the client that is registered under a URL, else that of its document; None without either."""
        registered = self._provider.storage.find(Application, client_id=client_id)
        if registered is not None:
            return registered
        problem = url_problem(client_id, allow_loopback=self._settings.CIMD_ALLOW_LOOPBACK)
        if problem is None and not self._is_allowed(client_id):
            problem = "is of a host that is not among CIMD_ALLOWED_HOSTS"
        if problem is not None:
            log.info("the client_id %r %s", client_id, problem)
            return None
        now = self._provider.now()
        kept = self._recall(client_id) or self._load(client_id)
        if kept is None or kept.until <= now:
            kept = self._renew(client_id, kept, now)
            self._remember(client_id, kept)
        return kept.client

    @override
    def find_cached(self, client_id: str) -> Application | None:
        """Return the client of a URL by the last document that is kept. Rules are not heard: one may ask elsewhere."""
        registered = self._provider.storage.find(Application, client_id=client_id)
        if registered is not None:
            return registered
        remembered, found = self._recall(client_id), self._artifact(client_id)
        if remembered is not None and remembered.client is not None:
            return remembered.client
        try:
            return None if found is None else self._application_of(client_id, found.payload["document"])
        except InvalidClientMetadata:
            return None

    @override
    def parts(self, client_id: str) -> list[Any]:
        """Return the parts of a plan that keep the document of a client until it no longer counts."""
        plan, kept = Plan(), self._recall(client_id)
        if kept is not None and kept.document is not None:
            digest = self._provider.keys.digest(KIND, client_id)
            plan.remove(Artifact, digest=digest)
            plan.add(
                Artifact(
                    digest=digest,
                    kind=KIND,
                    payload={"document": dict(kept.document), "until": kept.until},
                    issued_at=self._provider.now(),
                    expires_at=kept.good_until,
                )
            )
        return plan.parts

    # --- What is kept ---

    def _recall(self, url: str) -> DocumentState | None:
        with self._lock:
            with suppress(KeyError):
                self._kept.move_to_end(url)
            return self._kept.get(url)

    def _remember(self, url: str, kept: DocumentState) -> None:
        with self._lock:
            self._kept[url] = kept
            self._kept.move_to_end(url)
            while len(self._kept) > MAX_DOCUMENTS:
                self._kept.popitem(last=False)

    def _artifact(self, url: str) -> Artifact | None:
        digest = self._provider.keys.digest(KIND, url)
        return self._provider.storage.find(Artifact, digest=digest)

    def _load(self, url: str) -> DocumentState | None:
        """Return what another process, or this one before it was restarted, kept in the storage."""
        found = self._artifact(url)
        if found is None or (found.expires_at or 0) <= self._provider.now():
            return None
        document = found.payload["document"]
        try:
            client = self._client(url, document)
        except InvalidClientMetadata as error:
            log.info("the document of the client %s counts no longer: %s", url, error)
            return None
        kept = DocumentState(document, client, found.payload["until"], found.expires_at or 0)
        self._remember(url, kept)
        return kept

    # --- What is fetched ---

    def _renew(self, url: str, kept: DocumentState | None, now: int) -> DocumentState:
        """Fetch a document; while that fails, the one that is kept counts for its time."""
        settings = self._settings
        try:
            document, age = self._document(url)
            client = self._client(url, document)
        except (FetchFailed, InvalidClientMetadata) as error:
            log.info("there is no client %s: %s", url, error)
            retry = now if isinstance(error, Busy) else now + settings.CIMD_FAILURE_BACKOFF_SECONDS
            denied = isinstance(error, NotPermitted)
            if kept is not None and kept.client is not None and now < kept.good_until and not denied:
                return DocumentState(kept.document, kept.client, min(retry, kept.good_until), kept.good_until)
            return DocumentState(None, None, retry, 0)
        return DocumentState(document, client, now + age, now + settings.CIMD_METADATA_MAX_AGE_SECONDS)

    def _document(self, url: str) -> tuple[Mapping[str, Any], int]:
        """Return a document and the seconds for which it is not asked for again.

        Raises:
            FetchFailed: it cannot be had.
            InvalidClientMetadata: what is there is no document of this client.
        """
        settings = self._settings
        if not self._turns.acquire(blocking=False):
            raise Busy("CIMD_MAX_CONCURRENT_FETCHES documents are being fetched")
        try:
            fetched = self._fetch(url)
        finally:
            self._turns.release()
        if fetched.status != 200 or len(fetched.body) > settings.CIMD_MAX_DOCUMENT_SIZE:
            raise FetchFailed("the answer is not of status 200, or too long", status=fetched.status)
        if fetched.media_type != "application/json" and not fetched.media_type.endswith("+json"):
            raise FetchFailed(f"the answer is of type {fetched.media_type!r}, and not JSON")
        document = _read_document(fetched.body)
        if document.get("client_id") != url:
            raise InvalidClientMetadata("client_id in the document is not its URL")
        least, most = settings.CIMD_METADATA_MIN_AGE_SECONDS, settings.CIMD_METADATA_MAX_AGE_SECONDS
        return document, min(max(fetched.max_age or 0, least), most)

    def _fetch(self, url: str) -> FetchResponse:
        fetcher = self._settings.CIMD_METADATA_FETCHER
        if fetcher is not None:
            try:
                with costly_work():
                    return fetcher(url)
            except FetchFailed:
                raise
            except Exception as error:
                raise FetchFailed(f"CIMD_METADATA_FETCHER failed: {type(error).__name__}") from error
        most = self._settings.CIMD_MAX_DOCUMENT_SIZE
        return self._provider.hooks.ask(Plugin.portula_fetcher).get(url, accept=(), max_bytes=most)

    # --- Who may ---

    def _is_allowed(self, url: str) -> bool:
        hosts = self._settings.CIMD_ALLOWED_HOSTS
        return not hosts or urlsplit(url).hostname in hosts

    def _permit(self, url: str, document: Mapping[str, Any]) -> None:
        """Ask the permission classes, then the plugins, also about a document that was permitted before."""
        for permission in self._settings.CIMD_REGISTRATION_PERMISSION_CLASSES:
            if permission().has_permission(url, document) is not True:
                raise NotPermitted(f"{permission!r} does not permit it")
        host = urlsplit(url).hostname or ""
        given = ClientDocument(provider=self._provider, client_id=url, host=host, document=document)
        try:
            self._provider.hooks.hear(CimdHooks.portula_assess_client_document, given)
        except InvalidClientMetadata as denial:
            raise NotPermitted(str(denial)) from denial

    # --- What it says ---

    def _client(self, url: str, document: Mapping[str, Any]) -> Application:
        """Return the client that a document describes; every rule on registered clients is heard.

        Raises:
            NotPermitted: a rule of this deployment denies it.
            InvalidClientMetadata: it may be none.
        """
        self._permit(url, document)
        _refuse_secrets(document)
        _refuse_addresses(document)
        return self._provider.clients.check(self._application_of(url, document)).application

    def _application_of(self, url: str, document: Mapping[str, Any]) -> Application:
        """Return the client that a document describes, whether or not it may be one.

        Raises:
            InvalidClientMetadata: a member is malformed.
        """
        usual = {"token_endpoint_auth_method": "none", "application_type": _application_type(document)}
        known = Application(client_id=url, scope="", metadata={SELF_REGISTERED: True})
        return self._metadata.client({**usual, **document}, known)


def documents_of(provider: AuthorizationServer) -> ClientDocuments | None:
    """Return what finds documents for a provider; None where no client is known by one."""
    return provider.hooks.ruling(CimdHooks.portula_client_documents).answer


def _read_document(body: bytes) -> dict[str, Any]:
    try:
        return read_object(body)
    except ValueError as error:
        raise InvalidClientMetadata(f"the document cannot be read: {error}") from None


def _refuse_secrets(document: Mapping[str, Any]) -> None:
    """Refuse what everybody could read (draft §4.1): a secret, a method that needs one, a private key."""
    method = document.get("token_endpoint_auth_method")
    if any(name in document for name in SECRETS) or str(method).startswith("client_secret_"):
        raise InvalidClientMetadata("a client that is known by a document has no secret")
    jwks = document.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, dict) and not PRIVATE_KEY_MEMBERS.isdisjoint(key):
            raise InvalidClientMetadata("jwks has a private key")


def _refuse_addresses(document: Mapping[str, Any]) -> None:
    """Refuse URLs of a document that lead to addresses which are not public; redirects to the own computer may."""
    for name, value in document.items():
        if not name.endswith("_uri") or not isinstance(value, str):
            continue
        try:
            host = urlsplit(value).hostname or ""
        except ValueError:
            continue  # whoever reads the member refuses it
        if is_loopback_host(host) or host.endswith(".localhost") or _is_special(host):
            raise InvalidClientMetadata(f"{name} leads to an address that is not public")


def _is_special(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def _application_type(document: Mapping[str, Any]) -> str:
    """Return what a document that does not say it describes: all its redirects lead to the own computer, or not."""
    uris = document.get("redirect_uris")
    try:
        hosts = [urlsplit(uri).hostname or "" for uri in uris] if isinstance(uris, list) else []
    except (AttributeError, TypeError, ValueError):
        return "web"
    return "native" if hosts and all(map(is_loopback_host, hosts)) else "web"
