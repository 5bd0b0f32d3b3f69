"""S44 over HTTP: each kind of token is presented at each place, and is taken only where it belongs."""

import secrets

import pytest
from support import attesting, details, exchanges, foreign_issuers, id_jag
from support.elsewhere import Elsewhere

from portula import Plugin
from portula_testing import jws
from security.driving import answered, bearer, pkce
from security.house import House

ISSUER = "https://id.example/o"
MEANT = "https://idp.example"
"""An issuer that is trusted with identity assertions too."""
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = jws.TokenKey("ES256")
WALLET = "wallet"
"""A client whose instances are attested, and whose attester and instance have the same key."""


@pytest.fixture(scope="module")
def house():
    """A house in which OpenID Connect is on, people may be signed out by apps, and every grant is offered."""
    both = {"types": ["JWT", id_jag.TYP]}
    trusted = {foreign_issuers.FOREIGN: {"jwks": KEY.jwks}, MEANT: {"jwks": KEY.jwks, **both}}
    made = House(
        OIDC_RP_INITIATED_LOGOUT_ENABLED=True,
        OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT=False,
        **id_jag.giving(
            id_jag.AssertingPolicy(),
            TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=[exchanges.TYPE + "access_token", id_jag.TOKEN_TYPE],
        ),
        JWT_BEARER_GRANT_ENABLED=True,
        JWT_BEARER_TRUSTED_ISSUERS=trusted,
        JWT_BEARER_SUBJECT_RESOLVER=lambda claims, client, request: made.ann.sub,
        AUTHORIZATION_DETAILS_TYPES=details.TYPES,
        ATTESTATION_TRUSTED_ATTESTERS={attesting.ATTESTER: {"jwks": KEY.jwks}},
    )
    made.client(
        client_id=WALLET, token_endpoint_auth_method=attesting.METHOD, grant_types=("client_credentials",)
    )
    return made


@pytest.fixture(scope="module")
def signing(house):
    """A client that signs its assertions and its request objects with one key."""
    return house.client(
        metadata={"jwks": KEY.jwks},
        token_endpoint_auth_method="private_key_jwt",
        skip_authorization=True,
    )


@pytest.fixture(scope="module")
def plain(house):
    grants = ("authorization_code", "refresh_token", "client_credentials")
    return house.client(
        skip_authorization=True, grant_types=(*grants, exchanges.GRANT, foreign_issuers.GRANT)
    )


@pytest.fixture(scope="module")
def reading(house):
    """A client whose access tokens are JWTs."""
    return house.client(skip_authorization=True, metadata={"jwt_access_token": True})


@pytest.fixture(scope="module")
def elsewhere(house):
    """A resource server in another process, which verifies tokens by the keys of the house."""
    return Elsewhere(house=house, RESOURCE_SERVER_AUDIENCES=[ISSUER])


def of_client(house, party, **claims):
    now = house.clock.time
    names = {"iss": party.client_id, "sub": party.client_id, "aud": ISSUER}
    return {**names, "iat": now, "exp": now + 60, "jti": secrets.token_hex(16), **claims}


OF_INSTANCES = ("client attestation", "proof of an instance")


def of_instance(house, kind):
    """Return an attestation, or the proof of its key, as `kind` says."""
    now = house.clock.time
    if kind == "client attestation":
        claims = {"sub": WALLET, "iat": now, "exp": now + 60, "cnf": {"jwk": KEY.jwk}}
        return KEY.sign(claims, typ=attesting.TYP)
    claims = {"aud": ISSUER, "iat": now, "jti": secrets.token_hex(16)}
    return KEY.sign(claims, typ=attesting.POP_TYP)


def signed_answer(house, party, kind):
    if kind == "introspection answer":
        token = house.tokens(party, scope="openid")["access_token"]
        headers = {**party.auth, "Accept": "application/token-introspection+jwt"}
        return house.door().post("/o/introspect/", {"token": token}, headers).text
    browser = house.browser()
    browser.sign_in()
    return answered(browser.authorize(party, scope="openid", response_mode="jwt"))["response"]


OF_ANSWERS = {
    "ID token": "id_token",
    "access token": "access_token",
    "JWT access token": "access_token",
    "refresh token": "refresh_token",
}


def an_assertion(house, signing, plain, kind):
    if kind in OF_INSTANCES:
        return of_instance(house, kind)
    if kind == "identity assertion of ours":
        asked = {
            "requested_token_type": id_jag.TOKEN_TYPE,
            "audience": id_jag.CHAT,
            "subject_token": house.tokens(plain, scope="openid")["id_token"],
            "subject_token_type": f"{exchanges.TYPE}id_token",
        }
        return house.door().token(plain, grant_type=exchanges.GRANT, **asked).json["access_token"]
    if kind.startswith("identity assertion"):
        issuer = foreign_issuers.FOREIGN if kind.endswith("untrusted with them") else MEANT
        return KEY.sign(of_client(house, plain, iss=issuer, client_id=plain.client_id), typ=id_jag.TYP)
    typ = "client-authentication+jwt" if kind == "client assertion" else None
    of_issuer = {"iss": foreign_issuers.FOREIGN} if kind == "assertion of an issuer" else {}
    return KEY.sign(of_client(house, signing, **of_issuer), typ=typ)


def made(house, signing, plain, reading, kind):
    """Return a fresh token of a kind."""
    now = house.clock.time
    if kind in OF_ANSWERS:
        party = reading if kind == "JWT access token" else plain
        return house.tokens(party, scope="openid read")[OF_ANSWERS[kind]]
    if kind in ("authorization response", "introspection answer"):
        return signed_answer(house, plain, kind)
    if kind == "logout token":
        claims = {"iss": ISSUER, "sub": house.ann.sub, "aud": plain.client_id, "iat": now, "exp": now + 60}
        return house.provider.hooks.ask(Plugin.portula_jose).sign(claims, typ="logout+jwt")
    if "assertion" in kind or kind in OF_INSTANCES:
        return an_assertion(house, signing, plain, kind)
    if kind.startswith("request object"):
        asked = {
            "client_id": signing.client_id,
            "response_type": "code",
            "scope": "openid",
            "prompt": "none",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        }
        typ = None if kind.endswith("without type") else "oauth-authz-req+jwt"
        return KEY.sign(of_client(house, signing, **asked), typ=typ)
    return KEY.sign(
        of_client(house, signing, htm="POST", htu=f"{ISSUER}/token/"), typ="dpop+jwt", jwk=KEY.jwk
    )


KINDS = [
    "ID token",
    "access token",
    "JWT access token",
    "refresh token",
    "authorization response",
    "introspection answer",
    "logout token",
    "client assertion",
    "client assertion without type",
    "request object",
    "request object without type",  # which is about the client itself, so it is taken nowhere
    "DPoP proof",
    "assertion of an issuer",
    "identity assertion",
    "identity assertion of one untrusted with them",
    "identity assertion of ours",
    *OF_INSTANCES,
]


class Places:
    """Presents a token; says whether it was taken."""

    def __init__(self, house, signing, plain, elsewhere):
        self.house, self.signing, self.plain, self.elsewhere = house, signing, plain, elsewhere
        self.door = house.door()

    def at_userinfo(self, token):
        return self.door.open("/o/userinfo/", headers=bearer(token)).status_code == 200

    def at_a_resource(self, token):
        return self.door.resource(token).status_code == 200

    def at_a_resource_elsewhere(self, token):
        return self.elsewhere.status(token) == 200

    def as_a_refresh_token(self, token):
        return self.door.refresh(self.plain, token).status_code == 200

    def as_a_code(self, token):
        return self.door.redeem(self.plain, token, "v" * 43).status_code == 200

    def as_an_assertion(self, token):
        asked = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
        return self.door.token(grant_type="client_credentials", **asked).status_code == 200

    def as_an_assertion_of_an_issuer(self, token):
        return (
            self.door.token(self.plain, grant_type=foreign_issuers.GRANT, assertion=token).status_code == 200
        )

    def as_a_subject(self, token, kind="access_token"):
        asked = {"subject_token": token, "subject_token_type": exchanges.TYPE + kind}
        return self.door.token(self.plain, grant_type=exchanges.GRANT, **asked).status_code == 200

    def as_a_subject_by_its_id_token(self, token):
        return self.as_a_subject(token, "id_token")

    def as_a_subject_by_a_jwt(self, token):
        return self.as_a_subject(token, "jwt")

    def as_a_proof(self, token):
        headers = {**self.plain.auth, "DPoP": token}
        return self.door.token(self.plain, headers, grant_type="client_credentials").status_code == 200

    def as_an_attestation(self, token, proof=None):
        proof = proof or of_instance(self.house, "proof of an instance")
        headers = {attesting.ATTESTATION: token, attesting.POP: proof}
        return self.door.token(headers=headers, grant_type="client_credentials").status_code == 200

    def as_a_proof_of_an_instance(self, token):
        return self.as_an_attestation(of_instance(self.house, "client attestation"), token)

    def as_a_request_object(self, token):
        browser = self.house.browser()
        answer = answered(browser.ask(self.signing, request=token, state=None))
        return answer["error"] == "login_required"  # which the object asks for

    def as_a_hint(self, token):
        browser = self.house.browser()
        browser.sign_in()
        asked = {"scope": "openid", "prompt": "none", "id_token_hint": token}
        challenge = {"code_challenge": pkce()[1], "code_challenge_method": "S256"}
        return "code" in answered(browser.ask(self.plain, **asked, **challenge))

    def as_a_hint_of_logout(self, token):
        browser = self.house.browser()
        return browser.get("/o/logout/", query_string={"id_token_hint": token}).status_code == 200


TAKEN = {
    "at_userinfo": {"access token", "JWT access token"},
    "at_a_resource": {"access token", "JWT access token"},
    "at_a_resource_elsewhere": {"JWT access token"},
    "as_a_refresh_token": {"refresh token"},
    "as_a_code": set(),
    "as_an_assertion": {"client assertion", "client assertion without type"},
    "as_an_assertion_of_an_issuer": {"assertion of an issuer", "identity assertion"},
    "as_a_subject": {"access token", "JWT access token"},
    "as_a_subject_by_its_id_token": {"ID token"},
    "as_a_subject_by_a_jwt": {"ID token", "JWT access token"},
    "as_a_proof": {"DPoP proof"},
    "as_an_attestation": {"client attestation"},
    "as_a_proof_of_an_instance": {"proof of an instance"},
    "as_a_request_object": {"request object"},
    "as_a_hint": {"ID token"},
    "as_a_hint_of_logout": {"ID token"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", TAKEN)
def test_a_token_is_taken_where_it_belongs_and_nowhere_else(
    house, signing, plain, reading, elsewhere, place, kind
):
    token = made(house, signing, plain, reading, kind)
    house.clock.forward(1)
    assert getattr(Places(house, signing, plain, elsewhere), place)(token) is (kind in TAKEN[place])
