"""What client programs do that prove a key in each request; a request that is sent again has a new proof.

And those that show a certificate.
"""

from types import MappingProxyType

from support.certificates import BEHIND_PROXY, self_signed, shown
from support.proofs import ROOT, Prover
from werkzeug.test import Client

from failures.houses import CALLBACK, VERIFIER, House, expect
from portula.plugin import AccessToken, Authorization


class Proving(House):
    """A flow of a client with a key."""

    may_stay = House.may_stay | frozenset(
        {"Artifact dpop-proof", "Artifact login-failure", "Artifact interaction"}
    )

    def prepare(self):
        self.prover = Prover(self.clock)
        self.person()
        self.client("authorization_code", "refresh_token", client_type=self.client_type)
        self.client_auth = self.basic or {}

    client_type = "confidential"

    def send(self, path, token=None, form=None, status=200):
        """Send a request with a proof of its own each time."""
        browser, method = self.browser(), "GET" if form is None else "POST"

        def send():
            proven = self.prover.at(path, token, method) if token else self.prover.proof(method, path)
            headers = {**self.client_auth, **proven}
            return Client.open(browser, path, base_url=ROOT, method=method, data=form, headers=headers)

        return expect(self.attempt(send), status)

    def sign_in_bound(self):
        """Return tokens of a code that is bound too."""
        code = self.authorize(self.browser(), dpop_jkt=self.prover.thumbprint)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        form |= {"code_verifier": VERIFIER, **self.named}
        return self.send("/o/token/", form=form).json

    @property
    def named(self):
        return {} if self.basic else {"client_id": self.client_id}

    def confirmations(self, cls):
        return [kept.confirmation for kept in self.live(cls)]


class BoundCode(Proving):
    name = "bound code"

    def run(self):
        self.tokens = self.sign_in_bound()
        assert self.tokens["token_type"] == "DPoP"

    def check(self):
        assert len(self.live(AccessToken)) == 1, "a code became tokens twice"
        assert self.confirmations(AccessToken) == [{"jkt": self.prover.thumbprint}]
        return self.active(self.tokens["access_token"])


class BoundRefresh(Proving):
    """A public client's refresh token is bound too."""

    name = "bound refresh"
    client_type = "public"

    def prepare(self):
        super().prepare()
        self.tokens = self.sign_in_bound()

    def run(self):
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"], **self.named}
        self.fresh = self.send("/o/token/", form=form).json
        assert self.fresh["token_type"] == "DPoP"

    def start_over(self):
        """Sign in anew: without a grace period a refresh token that comes back ends its family (RFC 9700 §4.14.2)."""
        assert [refusal.error for refusal in self.refusals] == ["invalid_grant"]
        self.tokens = self.sign_in_bound()
        self.run()

    def check(self):
        bound = [kept.confirmation for kept in self.storage.select(Authorization) if kept.revoked_at is None]
        assert bound == [{"jkt": self.prover.thumbprint}], "the refresh token is nobody's, or anybody's"
        return self.fresh["token_type"]


class BoundResource(BoundCode):
    """A guarded view takes the proof."""

    name = "bound token at a view"

    def prepare(self):
        super().prepare()
        self.tokens = self.sign_in_bound()
        self.client_auth = {}

    def run(self):
        self.send("/resource", token=self.tokens["access_token"])
        self.send("/o/userinfo/", token=self.tokens["access_token"])


class Certificate(House):
    """A client authenticates by its certificate, and so its token is bound."""

    name = "certificate"
    settings = MappingProxyType({"MTLS_ENABLED": True, **BEHIND_PROXY})

    def prepare(self):
        der, jwks = self_signed(self.clock())
        members = {"jwks": jwks, "tls_client_certificate_bound_access_tokens": True}
        self.client(
            "client_credentials", metadata=members, token_endpoint_auth_method="self_signed_tls_client_auth"
        )
        self.basic = shown(der)

    def run(self):
        form = {"grant_type": "client_credentials", "scope": "read", "client_id": self.client_id}
        self.answer = self.token(**form)

    def check(self):
        headers = {"Authorization": f"Bearer {self.answer['access_token']}"}
        expect(self.browser().get("/resource", headers=headers), 401)
        return expect(self.browser().get("/resource", headers={**headers, **self.basic}), 200).text
