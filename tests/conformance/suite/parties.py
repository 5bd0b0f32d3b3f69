"""The server under test, the suite's own server, and clients, registered by hand or dynamically."""

import base64
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus

import httpx
from joserfc.jwk import RSAKey

from conformance.suite import tokens
from conformance.suite.clock import Clock
from portula_testing.tls import HttpsServer, ReceivedRequest, Reply

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALIAS = "/test/a/portula"


class Suite:
    """What stands for the suite's server: callbacks, keys and documents of clients."""

    def __init__(self, server: HttpsServer) -> None:
        """Take a running server."""
        self.server = server
        self.origin = server.url
        self.base = f"{server.url}{ALIAS}"
        self.callback = f"{self.base}/callback"
        self.post_logout = f"{self.base}/post_logout_redirect"

    def publish(self, name: str, body: Any, content_type: str = "application/json") -> str:
        """Serve a document at an address of its own, and return that."""
        url = f"{self.base}/{secrets.token_hex(8)}/{name}"
        self.publish_again(url, body, content_type)
        return url

    def publish_again(self, url: str, body: Any, content_type: str = "application/json") -> None:
        """Serve another document at an address that has one."""
        text = body if isinstance(body, str) else json.dumps(body)
        reply = Reply(200, {"Content-Type": content_type}, text.encode())
        self.server.answer(url.removeprefix(self.server.url), reply)

    def listen(self, name: str) -> str:
        """Answer an address of its own with an empty 200, and return that."""
        path = f"{ALIAS}/{secrets.token_hex(8)}/{name}"
        return self.server.answer(path, Reply(200, {"Cache-Control": "no-store"}))

    def heard(self, url: str) -> list[ReceivedRequest]:
        """Return the requests that came for an address."""
        path = url.removeprefix(self.server.url)
        return [asked for asked in self.server.asked if asked.path == path]


@dataclass
class Client:
    """A client, as its own side knows it."""

    client_id: str
    secret: str | None = None
    auth: str = "client_secret_basic"
    key: RSAKey | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    scope: str = "openid"
    registered: dict[str, Any] = field(default_factory=dict)
    """What the registration endpoint answered; empty for a static client."""

    def prove(self, op: "OP", form: dict[str, str], audience: str | None = None) -> dict[str, str]:
        """Authenticate a request: add to its form, return its headers."""
        if self.auth == "client_secret_basic":
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret or '')}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form["client_id"] = self.client_id
        if self.auth == "client_secret_post":
            form["client_secret"] = self.secret or ""
        elif self.auth == "private_key_jwt":
            form["client_assertion_type"] = ASSERTION_TYPE
            form["client_assertion"] = self.assertion(op, audience)
        return {}

    def assertion(self, op: "OP", audience: str | None = None) -> str:
        """Return a fresh client assertion (OpenID Connect Core §9)."""
        assert self.key is not None
        now = int(op.clock.now())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience or op.metadata["token_endpoint"],
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        return tokens.sign(claims, self.key)


@dataclass
class OP:
    """The OpenID Provider under test, as a relying party sees it."""

    issuer: str
    clock: Clock
    trust: ssl.SSLContext

    def __post_init__(self) -> None:
        """Open connections."""
        self.http = httpx.Client(verify=self.trust, follow_redirects=False, timeout=30)
        self._keys: dict[str, Any] = {"keys": []}

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        response = self.http.get(f"{self.issuer}/.well-known/openid-configuration")
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        return response.json()

    @property
    def keys(self) -> dict[str, Any]:
        """The published keys, as they are now."""
        response = self.http.get(self.metadata["jwks_uri"])
        assert response.status_code == 200
        self._keys = response.json()
        return self._keys

    def verified(self, token: str) -> dict[str, Any]:
        """Return the claims of a JWT of the provider, its keys asked for again when one is not known."""
        kid = tokens.header_of(token).get("kid")
        known = kid in {key["kid"] for key in self._keys["keys"]}
        return tokens.verified(token, self._keys if known else self.keys)

    def register(self, document: Mapping[str, Any], access_token: str | None = None) -> httpx.Response:
        """Ask the registration endpoint for a client."""
        headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
        return self.http.post(self.metadata["registration_endpoint"], json=document, headers=headers)

    def unregister(self, client: Client) -> httpx.Response:
        """Give a dynamically registered client back (RFC 7592 §2.3)."""
        token = client.registered["registration_access_token"]
        uri = client.registered["registration_client_uri"]
        return self.http.delete(uri, headers={"Authorization": f"Bearer {token}"})

    def post(self, endpoint: str, client: Client, audience: str | None = None, **form: str) -> httpx.Response:
        """Send a form to an endpoint as a client."""
        headers = client.prove(self, form, audience)
        return self.http.post(self.metadata[endpoint], data=form, headers=headers)

    def userinfo(self, access_token: str) -> httpx.Response:
        """Ask for claims with the access token in the header (RFC 6750 §2.1)."""
        return self.http.get(
            self.metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {access_token}"}
        )
