"""What client programs do."""

import json
from types import MappingProxyType

from security.driving import bearer
from security.keyed import a_pem

from failures.houses import PASSWORD, House, as_json, claims_of, expect, sent_back
from portula import Plugin, hookimpl
from portula.plugin import (
    AccessToken,
    Application,
    Artifact,
    Authorization,
    Fetcher,
    FetchResponse,
    RefreshToken,
)
from portula_testing import jws
from portula_testing.provider import CALLBACK, client_for

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ClientCredentials(House):
    name = "client credentials"

    def prepare(self):
        self.client("client_credentials")

    def run(self):
        self.answer = self.token(grant_type="client_credentials", scope="read")

    def check(self):
        self.one(self.storage.select(AccessToken))
        return expect(self.browser().get("/resource", headers=bearer(self.answer["access_token"])), 200).text


class CodeFlow(House):
    name = "code"

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")

    def run(self):
        sent = self.authorize(self.browser())
        assert sent["state"] == "the state"
        self.tokens = self.redeem(sent["code"])
        claims = claims_of(self.tokens["id_token"])
        assert (claims["sub"], claims["aud"]) == (self.ann.sub, self.client_id)

    may_stay = House.may_stay | frozenset({"Artifact login-failure", "Artifact interaction"})

    def check(self):
        self.one(self.storage.select(Authorization))
        assert len(self.live(AccessToken)) == 1, "a code became tokens twice"
        assert len(self.live(RefreshToken)) == 1
        assert {refusal.error for refusal in self.refusals} <= {"", "invalid_grant"}
        return self.active(self.tokens["access_token"])


class Hybrid(House):
    """Tokens in the redirect."""

    name = "hybrid"
    settings = MappingProxyType({"IMPLICIT_GRANT_ENABLED": True})

    def prepare(self):
        self.person()
        self.client("authorization_code", "implicit", skip_authorization=True)
        self.visitor = self.browser()
        self.sign_in(self.visitor)

    def run(self):
        asked = {"response_type": "code id_token token", "nonce": "the nonce"}
        self.sent = sent_back(self.ask(self.visitor, **asked))
        assert claims_of(self.sent["id_token"])["sub"] == self.ann.sub

    def check(self):
        return self.active(self.sent["access_token"])


class Refresh(House):
    name = "refresh"

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        self.code_flow()

    def run(self):
        self.fresh = self.token(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])
        assert self.fresh["refresh_token"] != self.tokens["refresh_token"]

    def start_over(self):
        """Sign in anew: without a grace period a refresh token that comes back ends its family (RFC 9700 §4.14.2)."""
        assert [refusal.error for refusal in self.refusals] == ["invalid_grant"]
        assert self.live(RefreshToken) == []
        self.code_flow()
        self.run()

    def check(self):
        (kept,) = self.live(RefreshToken) or self.storage.select(RefreshToken)
        assert kept.generation == 1
        return self.active(self.tokens["access_token"]), self.active(self.fresh["access_token"])


class RefreshInGrace(Refresh):
    """Who did not get the tokens asks again, and gets the same."""

    name = "refresh in grace"
    settings = MappingProxyType({"REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 60})

    def check(self):
        assert self.refusals == []
        assert self.active(self.fresh["refresh_token"])
        assert len(self.storage.select(AccessToken)) == 2
        return super().check()


class Replay(Refresh):
    """A refresh token that was superseded comes back: all its family ends."""

    name = "refresh replay"

    def prepare(self):
        super().prepare()
        super().run()

    def run(self):
        refused = self.token(400, grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])
        assert refused["error"] == "invalid_grant"

    def check(self):
        seen = super().check()
        assert not any(seen), "the family lives on after a replay"
        return seen


class CodeReplay(House):
    """A code comes back: the tokens that it became end."""

    name = "code replay"

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        self.code = self.authorize(self.browser())["code"]
        self.tokens = self.redeem(self.code)

    def run(self):
        assert self.redeem(self.code, 400)["error"] == "invalid_grant"

    def check(self):
        seen = self.active(self.tokens["access_token"]), self.active(self.tokens["refresh_token"])
        assert not any(seen), "the family lives on after a replay"
        return seen


class Revocation(Refresh):
    name = "revocation"

    def run(self):
        self.post("/o/revoke_token/", {"token": self.tokens["refresh_token"]})

    def check(self):
        seen = self.active(self.tokens["access_token"]), self.active(self.tokens["refresh_token"])
        assert not any(seen), "a token counts after its revocation"
        return seen


class Introspection(House):
    name = "introspection"

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        self.code_flow()

    def run(self):
        self.told = self.post("/o/introspect/", {"token": self.tokens["access_token"]}).json
        assert self.told["active"]
        assert self.told["sub"] == self.ann.sub


class SignedIntrospection(Introspection):
    """A client that is registered for a JWT asks, and is never answered by JSON."""

    name = "signed introspection"

    def prepare(self):
        self.person()
        self.client("authorization_code", metadata={"introspection_signed_response_alg": "ES256"})
        self.code_flow()

    def run(self):
        self.told = self.signed(self.tokens["access_token"])
        assert self.told["active"]
        assert self.told["sub"] == self.ann.sub

    def signed(self, token):
        return claims_of(self.post("/o/introspect/", {"token": token}).text)["token_introspection"]

    def check(self):
        return self.signed(self.tokens["access_token"])


class Userinfo(Introspection):
    name = "userinfo"

    def run(self):
        token = self.tokens["access_token"]
        self.told = expect(self.browser().get("/o/userinfo/", headers=bearer(token)), 200).json
        assert self.told["sub"] == self.ann.sub


class Resource(Introspection):
    """A view of the app that is guarded."""

    name = "guarded view"

    def run(self):
        expect(self.browser().get("/resource", headers=bearer(self.tokens["access_token"])), 200)


class Discovery(House):
    name = "discovery"

    @property
    def settings(self):
        return {"OIDC_RSA_PRIVATE_KEY": a_pem()}

    def run(self):
        browser = self.browser()
        self.told = expect(browser.get("/o/.well-known/openid-configuration"), 200).json
        assert expect(browser.get("/o/.well-known/jwks.json"), 200).json["keys"]


class FirstKey(House):
    """A key is made when the first token is to be signed."""

    name = "first key"
    keyed = False

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        self.code = self.authorize(self.browser())["code"]

    def run(self):
        self.tokens = self.redeem(self.code)

    def start_over(self):
        self.code = self.authorize(self.browser())["code"]
        self.run()

    def check(self):
        header, _ = jws.taken_apart(self.tokens["id_token"])
        made = [artifact.digest for artifact in self.storage.select(Artifact) if "key" in artifact.kind]
        key = self.provider.hooks.ask(Plugin.portula_jose).verify_own(self.tokens["id_token"], typ={"JWT"})
        return header["kid"], made, key.claims["sub"]


class Pairwise(FirstKey):
    """The first identifier that differs from one client's sector to the next, after a request that is refused."""

    name = "pairwise"
    keyed = True

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token", metadata={"subject_type": "pairwise"})
        self.code = self.authorize(self.browser())["code"]

    def check(self):
        told = self.browser().get("/o/userinfo/", headers=bearer(self.tokens["access_token"]))
        sub = claims_of(self.tokens["id_token"])["sub"]
        assert expect(told, 200).json["sub"] == sub, "the sub has changed"
        return sub


class Registration(House):
    """Dynamic client registration: make, read, change, remove."""

    name = "registration"
    settings = MappingProxyType({"DCR_ENABLED": True, "DCR_REGISTRATION_MODE": "open"})

    def run(self):
        browser = self.browser()
        document = {"redirect_uris": [CALLBACK], "client_name": "Tea"}
        made = expect(browser.post("/o/register/", **as_json(document)), 201).json
        uri, token = made["registration_client_uri"], made["registration_access_token"]
        assert expect(browser.get(uri, headers=bearer(token)), 200).json["client_name"] == "Tea"
        changed = {"client_id": made["client_id"], "redirect_uris": [CALLBACK], "client_name": "Coffee"}
        updated = expect(browser.put(uri, headers=bearer(token), **as_json(changed)), 200).json
        self.seen = updated["client_name"]
        expect(browser.delete(uri, headers=bearer(updated["registration_access_token"])), 204)

    def check(self):
        left = self.storage.select(Application)
        tokens = [kept for kept in self.storage.select(Artifact) if kept.kind == "registration access token"]
        assert self.answer_lost or left == []
        assert len(left) <= 1
        assert {kept.client_id for kept in left} == {kept.client_id for kept in tokens if not kept.taken_at}
        return self.seen


class Assertion(House):
    """A client authenticates by tokens that it signs; each is used once."""

    name = "client assertion"
    may_stay = House.may_stay | frozenset({"Artifact client_assertion"})

    key = jws.TokenKey("ES256")
    metadata = MappingProxyType({"jwks": key.jwks})

    def prepare(self):
        made, _ = client_for(
            self.provider,
            "client_credentials",
            token_endpoint_auth_method="private_key_jwt",
            metadata=dict(self.metadata),
        )
        self.client_id, self.number = made.client_id, 0

    def assertion(self):
        self.number += 1
        now = int(self.clock())
        about = {"iss": self.client_id, "sub": self.client_id, "aud": "https://id.example/o"}
        return self.key.sign({**about, "jti": f"{self.number}", "iat": now, "exp": now + 60})

    def form(self, assertion):
        named = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return {"grant_type": "client_credentials", **named}

    def run(self):
        def ask():
            self.used = self.assertion()
            return self.browser().post("/o/token/", data=self.form(self.used))

        self.answer = expect(self.attempt(ask), 200).json

    def check(self):
        self.one(self.storage.select(AccessToken))
        self.post("/o/token/", self.form(self.used), 401, headers={})
        return self.answer["access_token"]


class Keys(Fetcher):
    """The server that has the keys of a client."""

    def __init__(self, key):
        self.key = key

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        return FetchResponse(200, "application/json", json.dumps(self.key.jwks).encode())

    def post(self, url, form, *, max_bytes=65536):
        raise NotImplementedError


class ClientKeys(Assertion):
    """The same, with keys that are fetched from the client's server."""

    name = "client keys"
    settings = MappingProxyType({"PLUGINS_CHOICE": {"fetcher": "Keys"}})
    metadata = MappingProxyType({"jwks_uri": "https://client.example/keys"})

    def plugins(self):
        return (Keys(self.key),)


class Password(House):
    """The password grant."""

    name = "password"
    settings = MappingProxyType({"PASSWORD_GRANT_ENABLED": True})
    may_stay = House.may_stay | frozenset({"Artifact login-failure"})

    def prepare(self):
        self.person()
        self.client("password", "refresh_token")

    def run(self):
        self.answer = self.token(grant_type="password", username="ann", password=PASSWORD, scope="read")

    def check(self):
        self.one(self.storage.select(AccessToken))
        return self.active(self.answer["access_token"])
