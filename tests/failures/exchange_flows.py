"""What clients do with tokens that others gave them: exchange them (RFC 8693)."""

from types import MappingProxyType

from security.driving import bearer
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE, Policy

from failures.houses import House, expect
from portula.plugin import AccessToken


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
