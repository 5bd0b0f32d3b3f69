"""What devices without a browser do, and their people (RFC 8628)."""

from failures.houses import House, expect
from portula.plugin import AccessToken, Artifact, Authorization

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CODE = "device code"


class Device(House):
    """A person signs in, types the code of a device and decides; the device polls."""

    name = "device"
    button = "consent-allow"
    may_stay = House.may_stay | frozenset(
        {
            "Artifact login-failure",
            "Artifact interaction",
            f"Artifact {CODE}",
            "Artifact device place",
            "Artifact device code attempt",
        }
    )
    """Codes that nobody got, and attempts that were not forgiven, end by themselves."""
    may_change = frozenset({f"Artifact {CODE}"})
    """It says when the device has polled."""

    def prepare(self):
        self.person()
        self.client(GRANT, "refresh_token")

    def poll(self, codes, status):
        return self.token(status, grant_type=GRANT, device_code=codes["device_code"])

    def run(self):
        codes = self.post("/o/device_authorization/", {"scope": "openid read"}).json
        self.clock.advance(60)
        assert self.poll(codes, 400)["error"] in ("authorization_pending", "slow_down")
        visitor = self.browser()
        form = expect(visitor.get("/o/device/"), 200)
        to_page = expect(self.press(visitor, form, "device-continue", user_code=codes["user_code"]), 303)
        to_login = expect(visitor.get(to_page.location), 303)
        signed_in = self.sign_in(visitor, expect(visitor.get(to_login.location), 200))
        page = expect(visitor.get(signed_in.location), 200)
        done = expect(self.press(visitor, page, self.button), 303)
        expect(visitor.get(done.location), 200)
        self.clock.advance(60)
        self.end(codes)

    def end(self, codes):
        self.tokens = self.poll(codes, 200)

    def check(self):
        kept = [known for known in self.storage.select(Artifact) if known.kind == CODE]
        assert self.one([known for known in kept if known.taken_at is not None])
        assert self.one(self.live(AccessToken))
        return self.active(self.tokens["access_token"])


class DeniedDevice(Device):
    """A person denies a device."""

    name = "denied device"
    button = "consent-deny"

    def end(self, codes):
        assert self.poll(codes, 400)["error"] == "access_denied"

    def check(self):
        return self.storage.select(Authorization)
