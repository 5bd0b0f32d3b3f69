"""What clients do that ask for a payment (RFC 9396), or for a token for one server (RFC 8707).

Each method of a type, and the policy on resources, is a call that can fail like a hook.
"""

import json
from types import MappingProxyType

from support.details import ACCOUNTS, BANK, PAYMENT, AccountInformation, PaymentInitiation

from failures.houses import House, expect
from portula import hookimpl
from portula.plugin import AccessToken, Authorization, HookKind
from portula_testing.provider import client_for

OTHER = "https://other.example/"
CHOSEN = {**ACCOUNTS, "identifier": AccountInformation.chosen}


def watched(kind, flow):
    """Return a type like another, whose methods are calls of a flow."""

    def method(name):
        def call(self, *arguments):
            label = f"type {kind.__name__}.{name}"
            with flow.crossings.cross(label, RuntimeError, HookKind.VETO):
                return getattr(kind, name)(self, *arguments)

        return call

    names = ("problem", "describe", "narrower", "enrich")
    return type(kind.__name__, (kind,), {name: method(name) for name in names})()


class Bank:
    """Contributes the types of a flow."""

    def __init__(self, flow):
        self.types = {
            "payment_initiation": watched(PaymentInitiation, flow),
            "account_information": watched(AccountInformation, flow),
        }

    @hookimpl
    def portula_authorization_details_types(self, provider):
        return self.types


class Details(House):
    """A flow of a client that may ask for payments and accounts."""

    settings = MappingProxyType({"PROTECTED_RESOURCES": {BANK: {}, OTHER: {}}})
    may_stay = House.may_stay | frozenset({"Artifact login-failure", "Artifact interaction"})

    def plugins(self):
        return (Bank(self),)

    def prepare(self):
        self.person()
        types = {"authorization_details_types": ["payment_initiation", "account_information"]}
        self.client("authorization_code", "refresh_token", metadata=types)

    def payloads(self):
        return [token.payload for token in self.live(AccessToken)]

    def granted(self):
        return [
            known.facts["rar"]["details"]
            for known in self.storage.select(Authorization)
            if known.revoked_at is None
        ]


class Payment(Details):
    """A person allows a payment and accounts, and the token is for the payment."""

    name = "payment"

    def run(self):
        asked = {"authorization_details": json.dumps([PAYMENT, ACCOUNTS])}
        self.code = self.authorize(self.browser(), **asked)["code"]
        narrower = {"authorization_details": json.dumps([ACCOUNTS])}
        form = {"redirect_uri": "https://client.example/cb", "code_verifier": "v" * 43, **narrower}
        self.tokens = self.token(grant_type="authorization_code", code=self.code, **form)
        assert self.tokens["authorization_details"] == [CHOSEN]

    def check(self):
        assert [PAYMENT, ACCOUNTS] in self.granted()
        assert self.payloads() == [{"authorization_details": [CHOSEN]}]
        told = self.post("/o/introspect/", {"token": self.tokens["access_token"]}).json
        return told["authorization_details"]


class PaymentRefreshed(Details):
    """A refresh names less than was allowed, and the next one nothing."""

    name = "payment refreshed"

    def prepare(self):
        super().prepare()
        self.sign_in_for_details()

    def sign_in_for_details(self):
        asked = {"authorization_details": json.dumps([PAYMENT, ACCOUNTS])}
        self.tokens = self.redeem(self.authorize(self.browser(), **asked)["code"])

    def run(self):
        for named, expected in (([PAYMENT], [PAYMENT]), (None, [PAYMENT, CHOSEN])):
            form = {} if named is None else {"authorization_details": json.dumps(named)}
            token = self.tokens["refresh_token"]
            self.tokens = self.token(grant_type="refresh_token", refresh_token=token, **form)
            assert self.tokens["authorization_details"] == expected

    def start_over(self):
        """Sign in anew: without a grace period a refresh token that comes back ends its family (RFC 9700 §4.14.2)."""
        assert [refusal.error for refusal in self.refusals] == ["invalid_grant"]
        self.sign_in_for_details()
        self.run()

    def check(self):
        assert self.granted() == [[PAYMENT, ACCOUNTS]]
        return self.tokens["authorization_details"]


class ConnectedApp(Details):
    """A person looks at what was allowed, and ends it, whatever its type can say of it."""

    name = "connected app with details"

    def prepare(self):
        super().prepare()
        self.visitor = self.browser()
        asked = {"authorization_details": json.dumps([PAYMENT])}
        self.redeem(self.authorize(self.visitor, **asked)["code"])

    def run(self):
        page = expect(self.visitor.get("/o/authorized_tokens/"), 200)
        assert "123.50 EUR" in page.text or "cannot be shown now" in page.text
        expect(self.press(self.visitor, page), 303)

    def check(self):
        assert self.payloads() == []
        return self.granted()


class ServerOfToken(House):
    """A person allows an app the use of two servers, and each token is for one."""

    name = "token for a server"
    may_stay = House.may_stay | frozenset({"Artifact login-failure", "Artifact interaction"})

    @property
    def settings(self):
        return {"PROTECTED_RESOURCES": {BANK: {}, OTHER: {}}, "RESOURCE_INDICATORS_POLICY": self.policy}

    def policy(self, client, resources, scopes):
        with self.crossings.cross("policy on resources", RuntimeError, HookKind.VETO):
            return True

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        basic, client_id = self.basic, self.client_id
        self.servers = {}
        for uri in (BANK, OTHER):
            made, secret = client_for(self.provider, "client_credentials", client_id=uri)
            self.servers[uri] = (made.client_id, secret)
        self.basic, self.client_id = basic, client_id

    def run(self):
        self.code = self.authorize(self.browser(), resource=[BANK, OTHER])["code"]
        form = {"redirect_uri": "https://client.example/cb", "code_verifier": "v" * 43, "resource": BANK}
        first = self.token(grant_type="authorization_code", code=self.code, **form)
        self.fresh = self.token(
            grant_type="refresh_token", refresh_token=first["refresh_token"], resource=OTHER
        )

    def check(self):
        kept = [known for known in self.live(AccessToken) if known.revoked_at is None]
        assert [known.audience for known in kept] == [(OTHER,)]
        assert (BANK, OTHER) in [known.resources for known in self.storage.select(Authorization)]
        return self.introspected(OTHER), self.introspected(BANK)

    def introspected(self, uri):
        form = dict(zip(("client_id", "client_secret"), self.servers[uri], strict=True))
        return self.post("/o/introspect/", {**form, "token": self.fresh["access_token"]}, headers={}).json[
            "active"
        ]
