"""What is asked: each workload makes what a request needs before the clock starts, and then one operation."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from servers.load import REDIRECT_URI, Client, WrongAnswer

SCOPE, OPENID_SCOPE = "read", "openid read"

HINT = {"token_type_hint": "access_token"}
"""Of W2 (RFC 7662 §2.1): a server that keeps kinds of tokens apart need not look for each."""

Operation = Callable[[Client], None]
"""Sends what is timed, good for one time, and checks what comes."""


@dataclass(frozen=True)
class Workload:
    """One of the things that are measured."""

    key: str
    name: str
    make: Callable[[Client], Operation]
    """Makes what one operation needs."""


def need(holds: object, what: str, found: object) -> None:
    """Check an answer.

    Raises:
        WrongAnswer: it does not hold.
    """
    if not holds:
        raise WrongAnswer(f"{what}: {found!r}")


def authorization_request(client_id: str, scope: str, verifier: str) -> str:
    """Return the query of an authorization request with PKCE (RFC 7636 §4.3)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": scope,
            "state": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
    )


def tokens(client: Client, scope: str) -> dict[str, Any]:
    """Let the person go through the app, which redeems its code: two requests."""
    site, verifier = client.site, secrets.token_urlsafe(48)
    query = authorization_request(site.app[0], scope, verifier)
    answer = client.get(f"{site.authorize}?{query}", Cookie=site.cookie, Accept="text/html")
    need(answer.status in {302, 303}, "no redirect to the app", (answer.status, answer.body[:300]))
    need(answer.location.startswith(REDIRECT_URI), "no redirect to the app", answer.location)
    answered = parse_qs(urlsplit(answer.location).query)
    need("code" in answered, "no code", answered)
    need(answered["state"] == parse_qs(query)["state"], "another state", answered)
    form = {"code": answered["code"][0], "redirect_uri": REDIRECT_URI, "code_verifier": verifier}
    issued = client.post(site.token, site.app, grant_type="authorization_code", **form).json()
    need(issued.get("access_token") and issued.get("refresh_token"), "tokens are missing", issued)
    return issued


def client_credentials(client: Client) -> Operation:
    """W1."""

    def ask(client: Client) -> None:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        issued = client.post(client.site.token, client.site.service, **form).json()
        need(issued.get("access_token"), "no access token", issued)

    return ask


def introspection(client: Client) -> Operation:
    """W2."""
    token = tokens(client, SCOPE)["access_token"]

    def ask(client: Client) -> None:
        told = client.post(client.site.introspect, client.site.api, token=token, **HINT).json()
        need(told.get("active") is True, "not active", told)

    return ask


def refresh(client: Client) -> Operation:
    """W3."""
    before = tokens(client, SCOPE)["refresh_token"]

    def ask(client: Client) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": before}
        issued = client.post(client.site.token, client.site.app, **form).json()
        need(issued.get("access_token"), "no access token", issued)
        need(issued.get("refresh_token", before) != before, "no new refresh token", issued)

    return ask


def code(client: Client) -> Operation:
    """W4."""

    def ask(client: Client) -> None:
        issued = tokens(client, SCOPE)
        need("id_token" not in issued, "an ID token", issued)

    return ask


def documents(client: Client) -> Operation:
    """W5."""

    def ask(client: Client) -> None:
        site = client.site
        told = client.get(site.discovery).json()
        need(told.get("issuer") == site.issuer, "another issuer", told)
        keys = client.get(site.jwks).json()
        need(keys.get("keys"), "no keys", keys)

    return ask


def id_token(client: Client) -> Operation:
    """W6."""

    def ask(client: Client) -> None:
        issued = tokens(client, OPENID_SCOPE)
        header = issued.get("id_token", "").partition(".")[0]
        algorithm = json.loads(base64.urlsafe_b64decode(f"{header}==")).get("alg") if header else None
        need(algorithm == "RS256", "no ID token of RS256", issued)

    return ask


def userinfo(client: Client) -> Operation:
    """W6U."""
    token = tokens(client, OPENID_SCOPE)["access_token"]

    def ask(client: Client) -> None:
        told = client.get(client.site.userinfo, Authorization=f"Bearer {token}").json()
        need(told.get("sub"), "no subject", told)

    return ask


def revocation(client: Client) -> Operation:
    """WR."""
    token = tokens(client, SCOPE)["refresh_token"]

    def ask(client: Client) -> None:
        client.post(
            client.site.revoke, client.site.app, token=token, token_type_hint="refresh_token"
        ).expect()

    return ask


def consent_page(client: Client) -> Operation:
    """WC."""

    def ask(client: Client) -> None:
        query = authorization_request(client.site.asking, SCOPE, secrets.token_urlsafe(48))
        answer = client.page(f"{client.site.authorize}?{query}").expect()
        need(b"<form" in answer.body, "no form", answer.body[:300])

    return ask


def check_revocation(client: Client) -> None:
    """Prove that what WR revokes is revoked: after it the refresh token gets `invalid_grant` (RFC 6749 §5.2).

    Raises:
        WrongAnswer: it is not.
    """
    site, token = client.site, tokens(client, SCOPE)["refresh_token"]
    client.post(site.revoke, site.app, token=token, token_type_hint="refresh_token").expect()
    answer = client.post(site.token, site.app, grant_type="refresh_token", refresh_token=token)
    need(b"invalid_grant" in answer.expect(400).body, "a revoked refresh token lives", answer.body[:300])


WORKLOADS = (
    Workload("W1", "client credentials", client_credentials),
    Workload("W2", "introspection", introspection),
    Workload("W3", "refresh, rotating", refresh),
    Workload("W4", "authorize and code with PKCE", code),
    Workload("W5", "discovery and JWKS", documents),
    Workload("W6", "W4 with an ID token, RS256", id_token),
    Workload("W6U", "userinfo", userinfo),
    Workload("WR", "revocation", revocation),
    Workload("WC", "consent page", consent_page),
)
