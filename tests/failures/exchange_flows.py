"""What clients do with tokens that others gave them: exchange them (RFC 8693), redeem assertions (RFC 7523)."""

from types import MappingProxyType

from security.driving import bearer
from support import id_jag
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE, Policy
from support.foreign_issuers import FOREIGN, ForeignIssuer
from support.foreign_issuers import GRANT as JWT_BEARER

from failures.houses import House, claims_of, expect
from portula.plugin import AccessToken, Artifact


class Exchange(House):
    """A client exchanges the token of a person who allowed it."""

    name = "token exchange"
    settings = MappingProxyType({"TOKEN_EXCHANGE_POLICY": Policy()})

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token", EXCHANGE)
        self.code_flow()

    def run(self):
        form = {
            "subject_token": self.tokens["access_token"],
            "subject_token_type": f"{TYPE}access_token",
        }
        self.made = self.token(grant_type=EXCHANGE, scope="read", **form)

    def check(self):
        made = [token for token in self.live(AccessToken) if token.payload]
        assert self.one(made).payload["act"]["sub"] == self.client_id
        assert self.refusals == []
        return expect(self.browser().get("/resource", headers=bearer(self.made["access_token"])), 200).text


class ExchangeOfClient(House):
    """A client exchanges a token of its own, which no person gave."""

    name = "token exchange of a client"
    settings = Exchange.settings

    def prepare(self):
        self.client("client_credentials", EXCHANGE)
        self.own = self.token(grant_type="client_credentials", scope="read")["access_token"]

    def run(self):
        form = {"subject_token": self.own, "subject_token_type": f"{TYPE}access_token"}
        self.made = self.token(grant_type=EXCHANGE, scope="read", **form)

    def check(self):
        assert self.one(self.live(AccessToken)).payload["act"]["sub"] == self.client_id
        assert self.active(self.own)
        return expect(self.browser().get("/resource", headers=bearer(self.made["access_token"])), 200).text


class ForeignAssertion(House):
    """A client redeems an assertion of a trusted issuer; one that was used up is followed by the next."""

    name = "assertion of an issuer"
    may_stay = House.may_stay | frozenset({"Artifact jwt_bearer"})
    issuer = ForeignIssuer(lambda: 0)

    @property
    def settings(self):
        return {
            "JWT_BEARER_GRANT_ENABLED": True,
            "JWT_BEARER_TRUSTED_ISSUERS": {FOREIGN: {"jwks": self.issuer.key.jwks}},
            "JWT_BEARER_SUBJECT_RESOLVER": lambda claims, client, request: self.ann.sub,
        }

    def prepare(self):
        self.person()
        self.client(JWT_BEARER)
        self.issuer.now = lambda: int(self.clock())

    def signed(self):
        return self.issuer.sign()

    def run(self):
        def ask():
            form = {"grant_type": JWT_BEARER, "assertion": self.signed(), "scope": "read"}
            return self.browser().post("/o/token/", data=form, headers=self.basic)

        self.made = expect(self.attempt(ask), 200).json

    def check(self):
        assert [known.kind for known in self.storage.select(Artifact) if known.kind == "jwt_bearer"]
        self.one(self.live(AccessToken))
        return expect(self.browser().get("/resource", headers=bearer(self.made["access_token"])), 200).text


class IdentityAssertion(ForeignAssertion):
    """The same with an assertion of an identity provider for this client alone, bound to no key."""

    name = "identity assertion"

    @property
    def settings(self):
        given = super().settings
        trusted = {FOREIGN: {"jwks": self.issuer.key.jwks, "types": [id_jag.TYP]}}
        return {**given, "JWT_BEARER_TRUSTED_ISSUERS": trusted}

    def signed(self):
        claims = {"client_id": self.client_id, "scope": "read", "resource": "https://api.example/"}
        return self.issuer.sign(typ=id_jag.TYP, **claims)

    def check(self):
        made = self.one(self.live(AccessToken))
        assert (made.scope, made.audience) == ("read", ("https://api.example/",))
        return made.scope


class Assertion(House):
    """A client gets an assertion for another server, made of the ID token of a person."""

    name = "assertion for another server"
    settings = MappingProxyType(id_jag.giving(id_jag.AssertingPolicy()))

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token", EXCHANGE)
        self.code_flow()
        self.kept = len(self.storage.select(AccessToken))

    def run(self):
        form = {
            "subject_token": self.tokens["id_token"],
            "subject_token_type": f"{TYPE}id_token",
            "requested_token_type": id_jag.TOKEN_TYPE,
            "audience": id_jag.CHAT,
        }
        self.made = self.token(grant_type=EXCHANGE, scope="read", **form)

    def check(self):
        claims = claims_of(self.made["access_token"])
        assert (claims["aud"], claims["client_id"], claims["sub"]) == (
            id_jag.CHAT,
            self.client_id,
            self.ann.sub,
        )
        assert len(self.storage.select(AccessToken)) == self.kept
        return self.made["token_type"]
