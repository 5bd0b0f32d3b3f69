"""What clients do that manage grants: widen one, look at it, and end it (Grant Management)."""

from types import MappingProxyType

from security.driving import bearer

from failures.houses import House, expect, sent_back
from portula.plugin import AccessToken, Authorization, RefreshToken


class Managed(House):
    """A flow of a client that has a grant with `read`."""

    settings = MappingProxyType(
        {"GRANT_MANAGEMENT_ENABLED": True, "SCOPES": {"read": "Read", "write": "Write"}}
    )
    may_stay = House.may_stay | frozenset({"Artifact login-failure", "Artifact interaction"})

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token", "client_credentials")
        self.begin()

    def begin(self):
        self.visitor = self.browser()
        sent = self.authorize(self.visitor, grant_management_action="create", scope="read")
        self.first = self.redeem(sent["code"])
        scope = "grant_management_query grant_management_revoke"
        self.own = self.token(grant_type="client_credentials", scope=scope)["access_token"]

    def of_the_person(self, cls):
        """Return the live records of a class that are about the person."""
        return [kept for kept in self.live(cls) if kept.subject is not None]

    def grant(self, method="GET", status=200):
        path, headers = f"/o/grants/{self.first['grant_id']}", bearer(self.own)
        return expect(self.browser().open(path, method=method, headers=headers), status)

    def live_authorizations(self):
        return [kept for kept in self.storage.select(Authorization) if kept.revoked_at is None]


class MergedGrant(Managed):
    """A person adds a scope to the grant; the code for it gets tokens with both."""

    name = "merged grant"

    def run(self):
        asked = {"grant_management_action": "merge", "grant_id": self.first["grant_id"], "scope": "write"}
        page = expect(self.ask(self.visitor, **asked), 200)
        self.code = sent_back(self.press(self.visitor, page, "consent-allow"))["code"]
        self.tokens = self.redeem(self.code)

    def start_over(self):
        """Begin anew where a code came again, whose answer was lost: that ends the grant (RFC 6749 §4.1.2)."""
        if not self.live_authorizations():
            assert self.answer_lost
            self.begin()
        self.run()

    def check(self):
        assert len(self.of_the_person(AccessToken)) == 1
        assert len(self.of_the_person(RefreshToken)) == 1
        assert not self.active(self.first["access_token"])
        assert set(self.tokens["scope"].split()) == {"read", "write"}
        return set(self.grant().json["scopes"][0]["scope"].split()), self.active(self.tokens["access_token"])


class EndedGrant(Managed):
    """A client looks at the grant, and ends it."""

    name = "ended grant"

    def run(self):
        assert self.grant().json["scopes"] == [{"scope": "read"}]
        self.grant("DELETE", 204)

    def start_over(self):
        """End it unless the attempt that failed did: then it is not known any more."""
        if self.live_authorizations():
            self.run()

    def check(self):
        self.grant(status=404)
        return self.live_authorizations(), self.active(self.first["access_token"])
