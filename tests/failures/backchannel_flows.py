"""What clients do whose people are elsewhere, and those people (OpenID Connect CIBA)."""

from types import MappingProxyType

from failures.houses import ISSUER, House, expect
from failures.people_flows import Receiver
from portula.plugin import AccessToken, Artifact, Authorization
from portula_testing import jws

GRANT = "urn:openid:params:grant-type:ciba"
REQUEST = "backchannel authentication request"
TOLD = "https://till.example/told"


class Backchannel(House):
    """A client asks for a person by a signed request, the person decides, the client is told and comes for tokens."""

    name = "backchannel"
    button = "consent-allow"
    settings = MappingProxyType({"PLUGINS_CHOICE": {"fetcher": "Receiver"}})
    may_stay = House.may_stay | frozenset(
        {
            "Artifact login-failure",
            "Artifact interaction",
            f"Artifact {REQUEST}",
            "Artifact backchannel authentication place",
            "Artifact backchannel authentication attempt",
            "Artifact backchannel request object",
        }
    )
    """Requests whose answer was lost, and attempts and names that were used up, end by themselves."""
    may_change = frozenset({f"Artifact {REQUEST}", "Artifact ciba-ping"})
    """A request says when its client has polled; a delivery is leased to who delivers it."""
    key = jws.TokenKey("ES256")

    def __init__(self):
        super().__init__()
        self.heard, self.number = [], 0

    def plugins(self):
        return (Receiver(self.heard),)

    def prepare(self):
        self.person()
        metadata = {
            "jwks": self.key.jwks,
            "backchannel_token_delivery_mode": "ping",
            "backchannel_client_notification_endpoint": TOLD,
        }
        self.client(GRANT, "refresh_token", metadata=metadata)

    def ask_for(self, name):
        """Send a signed request; who sends it again signs a new one, later, which is shown first."""

        def send():
            self.clock.advance(1)
            self.number, now = self.number + 1, int(self.clock())
            claims = {
                "iss": self.client_id,
                "aud": ISSUER,
                "iat": now,
                "nbf": now,
                "exp": now + 300,
                "jti": f"{self.number}",
                "scope": "openid read",
                "login_hint": name,
                "requested_expiry": 600,
                "client_notification_token": "t" * 22,
            }
            return self.browser().post(
                "/o/bc-authorize/", data={"request": self.key.sign(claims)}, headers=self.basic
            )

        return expect(self.attempt(send), 200).json

    def poll(self, members, status):
        return self.token(status, grant_type=GRANT, auth_req_id=members["auth_req_id"])

    def run(self):
        members = self.ask_for("ann")
        self.clock.advance(60)
        assert self.poll(members, 400)["error"] in ("authorization_pending", "slow_down")
        visitor = self.browser()
        self.sign_in(visitor)
        listed = expect(visitor.get("/o/ciba/"), 200).text
        url = next(part for part in listed.split('"') if "backchannel_request=" in part)
        page = expect(visitor.get(url), 200)
        done = expect(self.press(visitor, page, self.button), 303)
        expect(visitor.get(done.location), 200)
        self.deliver()
        self.end(members)

    def deliver(self):
        self.clock.advance(1)
        self.provider.deliveries.deliver()
        if not self.heard:  # what failed in a delivery is tried again, once nobody is thought to be at it
            self.clock.advance(200)
            self.provider.deliveries.deliver()

    def end(self, members):
        self.tokens = self.poll(members, 200)

    def check(self):
        assert self.heard == [TOLD] * len(self.heard) != [], f"the client heard {self.heard}"
        kept = [known for known in self.storage.select(Artifact) if known.kind == REQUEST]
        assert self.one([known for known in kept if known.taken_at is not None])
        assert self.one(self.live(AccessToken))
        return self.active(self.tokens["access_token"])


class DeniedBackchannel(Backchannel):
    """A person denies what a client asks for."""

    name = "denied backchannel"
    button = "consent-deny"

    def end(self, members):
        assert self.poll(members, 400)["error"] == "access_denied"

    def check(self):
        assert self.heard, "the client heard nothing"
        return self.storage.select(Authorization)
