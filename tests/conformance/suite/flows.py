"""Whole flows: the request, what people do, the response, the tokens; each step under the suite's base checks."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from conformance.suite import checks, tokens
from conformance.suite.pages import Arrival, Browser, Page, Person
from conformance.suite.parties import OP, Client


@dataclass(frozen=True)
class Variant:
    """Which of the suite's variants a test runs in."""

    response_type: str = "code"
    form_post: bool = False
    auth: str = "client_secret_basic"
    dynamic: bool = False

    @property
    def words(self) -> set[str]:
        """The words of the response type."""
        return set(self.response_type.split())

    @property
    def mode(self) -> str:
        """Where responses are to be."""
        if self.form_post:
            return "form_post"
        return "query" if self.response_type == "code" else "fragment"

    @property
    def repeats(self) -> bool:
        """Whether it runs what another variant runs: by form post, or with less of the hybrid flow in the answer."""
        return self.form_post or self.response_type in ("code id_token", "code token")

    def __str__(self) -> str:
        """Say which it is, for the ids of tests."""
        parts = [self.response_type.replace(" ", "+")]
        parts += ["form_post"] if self.form_post else []
        parts += ["dynamic" if self.dynamic else "static"]
        return "-".join(parts)


@dataclass
class Result:
    """What came of a flow."""

    request: dict[str, str]
    response: dict[str, str]
    pages: list[str]
    """Ids of the buttons that were shown on the way."""
    front: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token of the authorization response."""
    back: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token of the token response."""
    tokens: dict[str, Any] = field(default_factory=dict)
    """The token response."""
    claims: dict[str, Any] = field(default_factory=dict)
    """What userinfo said."""

    @property
    def id_token(self) -> dict[str, Any]:
        """Claims of the last ID token."""
        return self.back or self.front

    @property
    def raw_id_token(self) -> str:
        """The last ID token."""
        return self.tokens.get("id_token") or self.response["id_token"]

    @property
    def access_token(self) -> str:
        """The last access token."""
        return self.tokens.get("access_token") or self.response["access_token"]

    @property
    def signed_in(self) -> bool:
        """Whether the login page was shown."""
        return "login-submit" in self.pages


@dataclass
class Flow:
    """Runs flows of one client in one browser."""

    op: OP
    client: Client
    browser: Browser
    person: Person
    variant: Variant

    # --- The request ---

    def request(self, **changes: str | None) -> dict[str, str]:
        """Return an authorization request; None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "scope": self.client.scope,
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "response_type": self.variant.response_type,
            "response_mode": "form_post" if self.variant.form_post else None,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def send(
        self,
        sent: Mapping[str, str],
        *,
        post: bool = False,
        consent: bool = True,
        person: Person | None = None,
    ) -> Page | Arrival:
        """Open the authorization endpoint and do what the pages ask for."""
        self.browser.seen.clear()
        endpoint = self.op.metadata["authorization_endpoint"]
        address = endpoint if post else f"{endpoint}?{urlencode(sent)}"
        opened = self.browser.open(address, sent if post else None)
        return (person or self.person).go_through(self.browser, opened, consent=consent)

    # --- The response ---

    def parameters(self, landed: Page | Arrival, asked: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters of a response, from the one place where they may be."""
        assert isinstance(landed, Arrival), f"status {landed.status}: {landed.text}"
        assert landed.path == asked["redirect_uri"].partition("?")[0]
        places = {"query": landed.query, "fragment": landed.fragment, "form_post": landed.form}
        of_client = dict(
            pair.split("=") for pair in asked["redirect_uri"].partition("?")[2].split("&") if pair
        )
        assert of_client.items() <= landed.query.items()
        places["query"] = {name: value for name, value in landed.query.items() if name not in of_client}
        mode = self.variant.mode if "response_type" in asked or self.variant.form_post else "query"
        for name, found in places.items():
            assert name == mode or not found, f"{name} holds {found}"
        assert (landed.method == "POST") == (mode == "form_post")
        return places[mode]

    def refused(self, sent: Mapping[str, str], *errors: str, **how: Any) -> dict[str, str]:
        """Send a request that gets an error in the response, and return that."""
        response = self.parameters(self.send(sent, **how), sent)
        assert checks.redirected_error(response, self.op.issuer, sent.get("state")) in errors
        return response

    def error_page(self, sent: Mapping[str, str], *, status: int = 400) -> Page:
        """Send a request that gets an error page and no redirect anywhere."""
        page = self.send(sent)
        assert isinstance(page, Page), page
        assert page.status == status, page.text
        assert not page.buttons
        return page

    def authorized(self, sent: Mapping[str, str], landed: Page | Arrival, asked: Mapping[str, str]) -> Result:
        """Read a successful response; `sent` is what the URL said, `asked` what was meant."""
        response = self.parameters(landed, asked)
        assert "error" not in response, response
        assert response.get("state") == asked.get("state")
        assert response["iss"] == self.op.issuer
        for word in ("code", "id_token", "token"):
            name = "access_token" if word == "token" else word
            assert (name in response) == (word in self.variant.words), name
        result = Result(dict(asked), response, list(self.browser.seen))
        if "token" in self.variant.words:
            assert response["token_type"].lower() == "bearer"
            checks.bearer_token(response["access_token"])
            checks.expires_in(int(response["expires_in"]))
        if "id_token" in self.variant.words:
            result.front = self.checked(response["id_token"], asked)
            for name, value in (("at_hash", "access_token"), ("c_hash", "code")):
                assert (name in result.front) == (value in response), name
            self.hashes(response["id_token"], response)
        if "token" in self.variant.words:
            self.claims_of(response["access_token"], result)
        return result

    def checked(self, token: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """Verify an ID token against what was asked for, and return its claims."""
        claims = self.op.verified(token)
        checks.id_token(
            claims, issuer=self.op.issuer, client_id=self.client.client_id, now=self.op.clock.now()
        )
        assert claims.get("nonce") == asked.get("nonce")
        return claims

    def hashes(self, token: str, beside: Mapping[str, Any]) -> None:
        """Check at_hash and c_hash, where an ID token has them, against what came with it."""
        claims, algorithm = tokens.claims_of(token), tokens.header_of(token)["alg"]
        for name, value in (("at_hash", "access_token"), ("c_hash", "code"), ("s_hash", "state")):
            if name in claims and value in beside:
                assert claims[name] == tokens.half_hash(beside[value], algorithm), name

    # --- Tokens ---

    def redeem(self, result: Result, **changes: str) -> Result:
        """Redeem the code of a response, and check what comes."""
        asked = result.request
        form = {
            "grant_type": "authorization_code",
            "code": result.response["code"],
            "redirect_uri": asked["redirect_uri"],
            **changes,
        }
        answer = self.op.post("token_endpoint", self.client, **form)
        result.tokens = self.token_response(answer)
        result.back = self.checked(result.tokens["id_token"], asked)
        self.hashes(result.tokens["id_token"], {**result.response, **result.tokens})
        if result.front:
            assert result.back["sub"] == result.front["sub"]
            assert result.back.get("auth_time") == result.front.get("auth_time")
        return result

    def token_response(self, answer: Any) -> dict[str, Any]:
        """Check a successful answer of the token endpoint, and return it (Core §3.1.3.3)."""
        document = checks.json_answer(answer, 200)
        assert "no-store" in answer.headers["cache-control"]
        assert document["token_type"].lower() == "bearer"
        checks.bearer_token(document["access_token"])
        checks.expires_in(document["expires_in"])
        return document

    def claims_of(self, access_token: str, result: Result) -> dict[str, Any]:
        """Ask userinfo, which every access token has to open, and check what it says (Core §5.3)."""
        result.claims = checks.json_answer(self.op.userinfo(access_token), 200)
        checks.standard_claims(result.claims)
        if result.id_token:
            assert result.claims["sub"] == result.id_token["sub"]
        return result.claims

    def finish(self, result: Result) -> Result:
        """Redeem the code, if there is one, and ask userinfo."""
        if "code" in result.response:
            self.redeem(result)
            self.claims_of(result.access_token, result)
        return result

    def run(self, *, post: bool = False, **changes: str | None) -> Result:
        """Run a whole flow that succeeds."""
        sent = self.request(**changes)
        return self.finish(self.authorized(sent, self.send(sent, post=post), sent))
