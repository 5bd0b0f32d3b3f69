"""What instances of a client do whose key is attested; a request that is sent again has a new proof."""

import json
from types import MappingProxyType

from support.attesting import ATTESTER, METHOD, Attester, Instance

from failures.houses import CALLBACK, VERIFIER, House, expect
from portula import hookimpl
from portula.plugin import AccessToken, Authorization, Fetcher, FetchResponse

ATTESTING = Attester(lambda: 0)
"""Attests at the time of the flow that runs."""
TRUST = ATTESTING.trust()


class Attested(House):
    """An instance redeems a code, and its refresh token is its own."""

    name = "attested instance"
    settings = MappingProxyType(TRUST)
    may_stay = House.may_stay | frozenset(
        {"Artifact attestation-pop", "Artifact login-failure", "Artifact interaction"}
    )

    def prepare(self):
        ATTESTING.now = self.clock
        self.person()
        self.client("authorization_code", "refresh_token", token_endpoint_auth_method=METHOD)
        self.instance, self.basic = Instance(ATTESTING, self.client_id), {}

    def headers(self):
        return self.instance.headers()

    def send(self, form, status=200):
        """Send a request to the token endpoint, with a proof of its own each time."""
        ATTESTING.now = self.clock
        answer = self.attempt(lambda: self.browser().post("/o/token/", data=form, headers=self.headers()))
        return expect(answer, status).json

    def run(self):
        code = self.authorize(self.browser())["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        self.tokens = self.send({**form, "code_verifier": VERIFIER})

    def check(self):
        assert len(self.live(AccessToken)) == 1, "a code became tokens twice"
        return self.bound()

    def bound(self):
        """See that what counts is the instance's alone."""
        live = [kept for kept in self.storage.select(Authorization) if kept.revoked_at is None]
        assert [bool(kept.facts.get("attestation")) for kept in live] == [True], (
            "its refresh token is anybody's"
        )
        return self.tokens["token_type"]


class AttestedRefresh(Attested):
    """It refreshes."""

    name = "attested refresh"

    def prepare(self):
        super().prepare()
        super().run()

    def run(self):
        self.fresh = self.send({"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]})

    def start_over(self):
        """Sign in anew: without a grace period a refresh token that comes back ends its family (RFC 9700 §4.14.2)."""
        assert [refusal.error for refusal in self.refusals] == ["invalid_grant"]
        super().run()
        self.run()

    def check(self):
        assert len(self.live(AccessToken)) == 2, "the one that was refreshed is kept, and ended"
        return self.bound()


class Keys(Fetcher):
    """The server that has the keys of the attester."""

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        return FetchResponse(200, "application/json", json.dumps(ATTESTING.key.jwks).encode())

    def post(self, url, form, *, max_bytes=65536):
        raise NotImplementedError


class AttestedChallenge(Attested):
    """It takes a challenge first; the keys of the attester are elsewhere."""

    name = "attested challenge"
    settings = MappingProxyType(
        {
            "ATTESTATION_TRUSTED_ATTESTERS": {ATTESTER: {"jwks_uri": f"{ATTESTER}/keys"}},
            "ATTESTATION_CHALLENGE_REQUIRED": True,
            "PLUGINS_CHOICE": {"fetcher": "Keys"},
        }
    )
    may_stay = House.may_stay | frozenset({"Artifact attestation-challenge"})

    def plugins(self):
        return (Keys(),)

    def prepare(self):
        ATTESTING.now = self.clock
        self.client("client_credentials", token_endpoint_auth_method=METHOD)
        self.instance, self.basic = Instance(ATTESTING, self.client_id), {}

    def headers(self):
        given = expect(self.browser().post("/o/challenge/"), 200).json["attestation_challenge"]
        return self.instance.headers(challenge=given)

    def run(self):
        self.answer = self.send({"grant_type": "client_credentials", "scope": "read"})

    def check(self):
        self.one(self.storage.select(AccessToken))
        return self.answer["token_type"]
