"""Access tokens that are JWTs: what is signed is kept whole or not at all, and is verified by keys that are fetched."""

import json
from types import MappingProxyType

from security.driving import bearer
from support.fitting import stubbed

from failures.houses import ISSUER, House, expect
from failures.machine_flows import ClientCredentials, CodeFlow, RefreshInGrace
from portula import Plugin, hookimpl
from portula.plugin import Fetcher, FetchResponse, Message

JWTS = {"ACCESS_TOKEN_FORMAT": "jwt"}
KEYS = "https://id.example/keys"


class JwtToken(ClientCredentials):
    name = "JWT access token"
    settings = MappingProxyType(JWTS)

    def run(self):
        super().run()
        assert self.answer["access_token"].count(".") == 2


class JwtCode(CodeFlow):
    name = "code, JWT access token"
    settings = MappingProxyType(JWTS)


class JwtRefresh(RefreshInGrace):
    """Who did not get the tokens asks again, and gets the very JWT."""

    name = "refresh in grace, JWT access token"
    settings = MappingProxyType({**RefreshInGrace.settings, **JWTS})


class Documents(stubbed(Fetcher)):
    """Metadata and keys of the issuer, as another process fetches them."""

    @hookimpl
    def portula_fetcher(self, provider):
        self.provider = provider
        return self

    def get(self, url, *, accept, max_bytes=65536):
        if url == KEYS:
            return FetchResponse(
                200,
                "application/json",
                self.provider.hooks.ask(Plugin.portula_jose).publish(Message("GET", KEYS)).body,
            )
        return FetchResponse(
            200, "application/json", json.dumps({"issuer": ISSUER, "jwks_uri": KEYS}).encode()
        )


class JwtResource(House):
    """A guarded view verifies a JWT by the keys of its issuer."""

    name = "JWT access token at a view"
    settings = MappingProxyType(
        {
            **JWTS,
            "RESOURCE_SERVER_ISSUER": ISSUER,
            "RESOURCE_SERVER_AUDIENCES": [ISSUER],
            "PLUGINS_CHOICE": {"fetcher": "Documents"},
        }
    )

    def plugins(self):
        return (Documents(),)

    def prepare(self):
        self.client("client_credentials")
        self.tokens = self.token(grant_type="client_credentials", scope="read")

    def run(self):
        expect(self.browser().get("/resource", headers=bearer(self.tokens["access_token"])), 200)
