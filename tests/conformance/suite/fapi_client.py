"""What clients of the FAPI plans send, and how they check what they get."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from conformance.suite import checks, tokens
from conformance.suite.fapi import ALGORITHM, FapiParty
from conformance.suite.pages import Arrival, Page
from conformance.suite.parties import ASSERTION_TYPE

ALGORITHMS = {"PS256", "ES256", "EdDSA"}
REQUEST_URI = re.compile(r"urn:ietf:params:oauth:request_uri:(.+)")


@dataclass
class Outcome:
    """What came of a flow that succeeded."""

    asked: dict[str, Any]
    response: dict[str, Any]
    pages: list[str]
    tokens: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)

    @property
    def access_token(self) -> str:
        """The access token."""
        return str(self.tokens["access_token"])


class FapiClient(FapiParty):
    """A client in front of the server under test."""

    # --- What it sends ---

    def offer(
        self, asked: Mapping[str, Any], *, beside: Mapping[str, str] | None = None, **changes: Any
    ) -> httpx.Response | Page | Arrival:
        """Push a request, or bring it by value, and return what comes.

        Args:
            asked: what the request asks for.
            beside: parameters beside the request object.
            changes: how the request object is made; see `request_object`.
        """
        form = {**self.form(asked, **changes), **(beside or {})}
        if self.variant.pushes:
            return self.post("pushed_authorization_request_endpoint", form)
        return self.visit({"client_id": self.client_id, **self._doubled(asked), **form})

    def check_refusal(
        self,
        answer: httpx.Response | Page | Arrival,
        asked: Mapping[str, Any],
        *errors: str,
        redirected: Sequence[str] = (),
    ) -> None:
        """Demand that an offer is refused: pushed with one of the errors, else with one of these or the redirected."""
        if isinstance(answer, httpx.Response):
            checks.token_error(answer, *errors)
        else:
            self.check_error_anywhere(answer, asked, *errors, *redirected)

    def post(
        self,
        endpoint: str,
        form: Mapping[str, Any],
        *,
        assertion: str | bool | None = True,
        proof: str | bool | None = True,
        bare: bool = False,
    ) -> httpx.Response:
        """Send a form to an endpoint, as the client authenticates.

        Args:
            endpoint: member of the metadata.
            form: the parameters.
            assertion: one that is sent in place of a fresh one; None for none.
            proof: the same of the proof, which a request has at the token endpoint alone.
            bare: whether no certificate is shown.
        """
        url, form, headers = self.op.metadata[endpoint], dict(form), {}
        if self.variant.auth == "mtls":
            form.setdefault("client_id", self.client_id)
        elif assertion is not None:
            form["client_assertion_type"] = ASSERTION_TYPE
            form["client_assertion"] = self.assertion() if assertion is True else assertion
        if proof is True and self.variant.bound == "dpop" and endpoint == "token_endpoint":
            headers["DPoP"] = self.proof("POST", url)
        elif isinstance(proof, str):
            headers["DPoP"] = proof
        return (self.bare if bare else self.http).post(url, data=form, headers=headers)

    def form(self, asked: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """Return what is pushed: the parameters, or the signed object; the suite sends no client_id beside it."""
        return {"request": self.request_object(asked, **changes)} if self.variant.signs else dict(asked)

    def push(self, asked: Mapping[str, Any], **how: Any) -> httpx.Response:
        """Push a request."""
        return self.post("pushed_authorization_request_endpoint", self.form(asked), **how)

    def request_uri(self, asked: Mapping[str, Any], **how: Any) -> str:
        """Push a request that is taken, and return its request_uri (RFC 9126 §2.2)."""
        answer = self.push(asked, **how)
        document = checks.json_answer(answer, 201)
        checks.expires_in(document["expires_in"])
        assert document["expires_in"] < 600
        found = REQUEST_URI.fullmatch(document["request_uri"])
        assert found
        checks.unguessable(found[1])
        return str(document["request_uri"])

    def browser_parameters(self, asked: Mapping[str, Any], **how: Any) -> dict[str, str]:
        """Return what the browser brings to the authorization endpoint: the request by reference, or by value."""
        if self.variant.pushes:
            carried = {"request_uri": self.request_uri(asked, **how)}
        else:
            carried = {"request": self.request_object(asked, **how)}
        return {"client_id": self.client_id, **self._doubled(asked), **carried}

    @staticmethod
    def _doubled(asked: Mapping[str, Any]) -> dict[str, str]:
        """Return the parameters that OAuth 2.0 asks for beside a request object too."""
        return {name: asked[name] for name in ("response_type", "scope") if name in asked}

    def visit(self, brought: Mapping[str, str], *, consent: bool = True) -> Page | Arrival:
        """Open the authorization endpoint, and do what the pages ask for."""
        self.browser.seen.clear()
        opened = self.open(brought)
        return self.person.go_through(self.browser, opened, consent=consent)

    def open(self, brought: Mapping[str, str]) -> Page | Arrival:
        """Open the authorization endpoint, and do nothing more."""
        return self.browser.open(f"{self.op.metadata['authorization_endpoint']}?{urlencode(brought)}")

    # --- What it gets ---

    def parameters(self, landed: Page | Arrival, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of a response, from the one place where they may be; those of a JWT once it counts."""
        assert isinstance(landed, Arrival), f"status {landed.status}: {landed.text}"
        assert landed.path == asked["redirect_uri"].partition("?")[0]
        query = dict(landed.query)
        if "?" in asked["redirect_uri"]:
            assert (query.pop("dummy1"), query.pop("dummy2")) == ("lorem", "ipsum")
        assert not landed.form
        if self.variant.jarm:
            assert (set(query), landed.fragment) == ({"response"}, {})
            return self._of_jwt(query["response"])
        if self.variant.hybrid and "response_type" in asked and asked["response_type"] != "code":
            assert not query
            return dict(landed.fragment)
        assert not landed.fragment
        return query

    def _of_jwt(self, response: str) -> dict[str, Any]:
        """Return the parameters of a signed response (JARM §2.4)."""
        assert tokens.header_of(response)["alg"] in ALGORITHMS
        claims = self.op.verified(response)
        now = self.op.clock.now()
        assert claims["iss"] == self.op.issuer
        assert claims.pop("aud") == self.client_id
        assert now < claims.pop("exp") <= now + 600 + checks.SKEW_SECONDS
        return claims

    def check_error(self, landed: Page | Arrival, asked: Mapping[str, Any], *errors: str) -> None:
        """Demand an error in the response."""
        response = self.parameters(landed, asked)
        assert checks.redirected_error(response, self.op.issuer, asked.get("state")) in errors

    def check_error_anywhere(self, landed: Page | Arrival, asked: Mapping[str, Any], *errors: str) -> None:
        """Demand an error in the response, or on a page that leads nowhere."""
        if isinstance(landed, Arrival):
            self.check_error(landed, asked, *errors)
        else:
            self.check_error_page(landed)

    def check_error_page(self, landed: Page | Arrival) -> None:
        """Demand an error page."""
        assert isinstance(landed, Page), landed
        assert landed.status == 400, landed.text
        assert not landed.buttons

    def outcome_of(self, landed: Page | Arrival, asked: Mapping[str, Any]) -> Outcome:
        """Read a response that succeeds."""
        response = self.parameters(landed, asked)
        assert "error" not in response, response
        assert response.get("state") == asked.get("state")
        assert response["iss"] == self.op.issuer
        assert ("id_token" in response) == self.variant.hybrid
        checks.unguessable(response["code"])
        if "id_token" in response:
            claims = self._id_token(response["id_token"], asked)
            for name, value in (("c_hash", "code"), ("s_hash", "state")):
                assert (name in claims) == (value in response), name
                if name in claims:
                    assert claims[name] == tokens.half_hash(response[value], ALGORITHM)
        return Outcome(dict(asked), response, list(self.browser.seen))

    def _id_token(self, token: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert tokens.header_of(token)["alg"] in ALGORITHMS
        claims = self.op.verified(token)
        checks.id_token(claims, issuer=self.op.issuer, client_id=self.client_id, now=self.op.clock.now())
        assert claims.get("nonce") == asked.get("nonce")
        return claims

    def authorize(self, **changes: Any) -> Outcome:
        """Run a flow up to the response; there is none where clients ask for themselves."""
        if self.variant.credentials:
            return Outcome({}, {}, [])
        asked = self.request(**changes)
        return self.outcome_of(self.visit(self.browser_parameters(asked)), asked)

    def grant_form(self, outcome: Outcome, **changes: Any) -> dict[str, Any]:
        """Return the form that gets the first token; None leaves a parameter out."""
        if self.variant.credentials:
            form = {"grant_type": "client_credentials", "scope": self.scope, **changes}
        else:
            form = {
                "grant_type": "authorization_code",
                "code": outcome.response["code"],
                "redirect_uri": outcome.asked["redirect_uri"],
                "code_verifier": self.verifier if "code_challenge" in outcome.asked else None,
                **changes,
            }
        return {name: value for name, value in form.items() if value is not None}

    def redeem(self, outcome: Outcome, **how: Any) -> Outcome:
        """Redeem a code, and check what comes."""
        outcome.tokens = self.token_response(self.post("token_endpoint", self.grant_form(outcome), **how))
        if self.variant.openid:
            outcome.id_token = self._id_token(outcome.tokens["id_token"], outcome.asked)
        else:
            assert "id_token" not in outcome.tokens
        return outcome

    def token_response(self, answer: httpx.Response) -> dict[str, Any]:
        """Check a successful answer of the token endpoint, and return it."""
        document = checks.json_answer(answer, 200)
        assert "no-store" in answer.headers["cache-control"]
        assert document["token_type"].lower() == ("dpop" if self.variant.bound == "dpop" else "bearer")
        assert document.get("authorization_details", []) == self.details
        checks.bearer_token(document["access_token"])
        checks.expires_in(document["expires_in"])
        return document

    def call(
        self,
        token: str,
        *,
        scheme: str | None = None,
        proof: str | list[str] | bool | None = True,
        bare: bool = False,
        header: str = "DPoP",
    ) -> httpx.Response:
        """Call the API with an access token, and the proof or the certificate that goes with it."""
        binds = self.variant.bound == "dpop"
        headers = [("Authorization", f"{scheme or ('DPoP' if binds else 'Bearer')} {token}")]
        if proof is True:
            proof = self.proof("GET", self.resource, token) if binds else None
        headers += [(header, each) for each in ([proof] if isinstance(proof, str) else proof or [])]
        return (self.bare if bare else self.http).get(self.resource, headers=headers)

    def check_served(self, answer: httpx.Response) -> None:
        """Demand that the API answers."""
        assert checks.json_answer(answer, 200)["orders"] == self.details
        assert answer.headers["date"]

    def check_turned_away(self, answer: httpx.Response) -> None:
        """Demand that the API refuses."""
        assert answer.status_code in (400, 401), answer.text
        assert "error=" in answer.headers["www-authenticate"]

    def run(self, **changes: Any) -> Outcome:
        """Run a whole flow that succeeds."""
        outcome = self.redeem(self.authorize(**changes))
        self.check_served(self.call(outcome.access_token))
        return outcome
