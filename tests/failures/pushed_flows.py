"""What clients do whose requests and responses are protected: pushed (RFC 9126), signed (JARM), or not registered."""

from types import MappingProxyType

from security.driving import bearer, s256
from support.client_documents import DOCUMENT, URL, Documents

from failures.houses import CALLBACK, VERIFIER, House, claims_of, expect, sent_back
from portula.plugin import AccessToken, Artifact

PUSHED = "Artifact pushed authorization request"


class PushedRequest(House):
    """A request is pushed, and its person allows it."""

    name = "pushed request"
    may_stay = House.may_stay | frozenset({"Artifact login-failure", "Artifact interaction"})

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")

    def run(self):
        form = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid read",
            "state": "the state",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        reference = self.post("/o/par/", form, 201).json["request_uri"]
        visitor, brought = self.browser(), {"client_id": self.client_id, "request_uri": reference}
        to_login = expect(visitor.get("/o/authorize/", query_string=brought), 302)
        signed_in = self.sign_in(visitor, expect(visitor.get(to_login.location), 200))
        page = expect(visitor.get(signed_in.location), 200)
        sent = sent_back(self.press(visitor, page, "consent-allow"))
        assert sent["state"] == "the state"
        self.tokens = self.redeem(sent["code"])

    def check(self):
        kept = [known for known in self.storage.select(Artifact) if f"Artifact {known.kind}" == PUSHED]
        assert self.one([known for known in kept if known.taken_at is not None])
        assert len(self.live(AccessToken)) == 1
        return self.active(self.tokens["access_token"])


class SignedResponse(House):
    """A person who allowed the app before comes back, and the answer is a JWT."""

    name = "signed response"

    def prepare(self):
        self.person()
        self.client("authorization_code", skip_authorization=True)
        self.visitor = self.browser()
        self.sign_in(self.visitor)

    def run(self):
        claims = claims_of(sent_back(self.ask(self.visitor, response_mode="jwt"))["response"])
        if "error" in claims:
            raise AssertionError(f"the app gets the error {claims['error']}")
        assert (claims["aud"], claims["state"]) == (self.client_id, "the state")
        self.tokens = self.redeem(claims["code"])

    def check(self):
        assert len(self.live(AccessToken)) == 1
        return self.active(self.tokens["access_token"])


class DocumentClient(House):
    """A client that is known by a document comes with a person, and again after its document was fetched anew."""

    name = "client document"
    settings = MappingProxyType({"CIMD_ENABLED": True, "PLUGINS_CHOICE": {"fetcher": "Documents"}})
    may_stay = House.may_stay | frozenset({"Artifact login-failure", "Artifact interaction"})
    documents = None

    def plugins(self):
        self.documents = Documents()
        self.documents.published[URL] = {**DOCUMENT, "redirect_uris": [CALLBACK]}
        return (self.documents,)

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        self.client_id, self.basic = URL, {}

    def run(self):
        code = self.authorize(self.browser())["code"]
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        self.tokens = self.token(grant_type="authorization_code", client_id=URL, **form)

    def check(self):
        digest = self.provider.keys.digest("client-document", URL)
        kept = self.storage.find(Artifact, digest=digest)
        assert kept.payload["document"]["client_id"] == URL
        assert {refusal.error for refusal in self.refusals} <= {"", "invalid_grant"}
        return expect(self.browser().get("/resource", headers=bearer(self.tokens["access_token"])), 200).text
