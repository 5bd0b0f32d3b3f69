"""Each grant with what protects or narrows its tokens: keys, certificates, resources, details, JWTs (S29, S47)."""

import json

import pytest
from support import backchannel, details, id_jag
from support.certificates import BEHIND_PROXY, Issuer, shown
from support.devices import GRANT as DEVICE
from support.devices import answered, begun, poll
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE
from support.foreign_issuers import FOREIGN, ForeignIssuer
from support.foreign_issuers import GRANT as JWT_BEARER
from support.proofs import Prover

from portula_testing import jws
from security.driving import bearer, error_of
from security.house import House

API = "https://api.example/"
DETAILS = json.dumps([details.ACCOUNTS])
TYPES = list(details.TYPES)
CIBA = backchannel.GRANT
ALL = ("authorization_code", "refresh_token", "client_credentials", DEVICE, CIBA, EXCHANGE, JWT_BEARER)


class Made:
    """A house with every grant, and a client that may use them all."""

    def __init__(self, **settings):
        self.issuer = ForeignIssuer(lambda: self.house.clock.time)
        self.house = House(
            MTLS_ENABLED=True,
            PROTECTED_RESOURCES={API: {"client_id": "api"}},
            AUTHORIZATION_DETAILS_TYPES=details.TYPES,
            **id_jag.giving(
                id_jag.AssertingPolicy(),
                TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=[f"{TYPE}access_token", id_jag.TOKEN_TYPE],
            ),
            JWT_BEARER_GRANT_ENABLED=True,
            JWT_BEARER_TRUSTED_ISSUERS={
                FOREIGN: {"jwks": self.issuer.key.jwks, "types": ["JWT", id_jag.TYP]}
            },
            JWT_BEARER_SUBJECT_RESOLVER=lambda claims, client, request: self.house.ann.sub,
            **BEHIND_PROXY,
            **settings,
        )
        self.api = self.house.client(client_id="api")
        self.door = self.house.door()

    def party(self, **metadata):
        return self.house.client(
            grant_types=ALL,
            scope="openid read introspection",
            metadata={"authorization_details_types": TYPES, **metadata},
        )

    def told(self, tokens, party=None):
        return self.door.introspect(party or self.api, tokens["access_token"]).json


@pytest.fixture(scope="module")
def made():
    return Made()


# --- How each grant comes to its token; what is asked for, and what is sent besides ---


def by_code(made, party, headers, asked):
    code, verifier = made.house.browser().code(party, scope="read", **asked)
    return made.door.redeem(party, code, verifier, headers=headers)


def by_refresh(made, party, headers, asked):
    tokens = by_code(made, party, headers() if callable(headers) else headers, asked).json
    again = headers() if callable(headers) else headers
    return made.door.refresh(party, tokens["refresh_token"], headers=again)


def by_credentials(made, party, headers, asked):
    return made.door.token(party, headers=headers, grant_type="client_credentials", scope="read", **asked)


def by_device(made, party, headers, asked):
    codes = begun(made.house, party, scope="read", **asked)
    answered(made.house.browser(), codes["user_code"])
    return poll(made.house, party, codes, headers=headers)


def by_ciba(made, party, headers, asked):
    browser = made.house.browser()
    browser.sign_in()
    members = backchannel.begun(made.house, party, **asked)
    backchannel.decided(browser)
    return backchannel.poll(made.house, party, members, headers=headers)


def by_exchange(made, party, headers, asked):
    """The subject's token has what is asked for; the new one gets all of its details."""
    subject = by_code(made, party, None, asked).json["access_token"]
    own = {name: value for name, value in asked.items() if name != "authorization_details"}
    form = {"subject_token": subject, "subject_token_type": f"{TYPE}access_token", **own}
    return made.door.token(party, headers=headers, grant_type=EXCHANGE, scope="read", **form)


def by_assertion(made, party, headers, asked):
    form = {"assertion": made.issuer.sign(), "scope": "read", **asked}
    return made.door.token(party, headers=headers, grant_type=JWT_BEARER, **form)


def by_identity_assertion(made, party, headers, asked):
    """What is asked for stands in the assertion: the identity provider grants it, not this server's person."""
    resource = {"resource": asked["resource"]} if "resource" in asked else {}
    assertion = made.issuer.sign(typ=id_jag.TYP, client_id=party.client_id, scope="read", **resource)
    own = {name: value for name, value in asked.items() if name != "resource"}
    return made.door.token(party, headers=headers, grant_type=JWT_BEARER, assertion=assertion, **own)


GRANTS = [
    by_code,
    by_refresh,
    by_credentials,
    by_device,
    by_ciba,
    by_exchange,
    by_assertion,
    by_identity_assertion,
]
FIRST = [by_code, by_credentials, by_device, by_ciba, by_assertion, by_identity_assertion]
BY_ITSELF = [by_credentials, by_assertion, by_identity_assertion]
each_grant = pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: grant.__name__.removeprefix("by_"))


def got(answer):
    assert answer.status_code == 200, answer.text
    return answer.json


@each_grant
def test_a_proof_binds_the_token_to_its_key(made, grant):
    party, prover = made.party(), Prover(lambda: made.house.clock.time)
    again = (
        (lambda: {**party.auth, **prover.proof()})
        if grant is by_refresh
        else {**party.auth, **prover.proof()}
    )
    tokens = got(grant(made, party, again, {}))
    assert tokens["token_type"] == "DPoP"
    assert made.told(tokens, party)["cnf"] == {"jkt": prover.thumbprint}
    assert made.door.resource(tokens["access_token"]).status_code == 401
    proven = made.door.open("/resource", headers=prover.at("/resource", tokens["access_token"]))
    assert proven.status_code == 200


@pytest.mark.parametrize("grant", FIRST)
def test_who_has_to_prove_a_key_gets_nothing_without(made, grant):
    """The other grants begin with one of these."""
    party = made.party(dpop_bound_access_tokens=True)
    assert error_of(grant(made, party, None, {})) == "invalid_request"


@each_grant
def test_a_certificate_binds_the_token(made, grant):
    party = made.party(tls_client_certificate_bound_access_tokens=True)
    certificate = shown(Issuer().client())
    if grant is by_exchange:
        plain = made.party()
        subject = by_code(made, plain, None, {}).json["access_token"]
        form = {"subject_token": subject, "subject_token_type": f"{TYPE}access_token"}
        headers = {**party.auth, **certificate}
        answer = made.door.token(party, headers=headers, grant_type=EXCHANGE, scope="read", **form)
    else:
        answer = grant(made, party, {**party.auth, **certificate}, {})
    tokens = got(answer)
    assert "x5t#S256" in made.told(tokens, party)["cnf"]
    assert made.door.resource(tokens["access_token"]).status_code == 401
    headers = {**bearer(tokens["access_token"]), **certificate}
    assert made.door.open("/resource", headers=headers).status_code == 200


@each_grant
def test_a_token_is_for_the_server_that_is_named(made, grant):
    party = made.party()
    tokens = got(grant(made, party, None, {"resource": API}))
    assert made.told(tokens)["aud"] in (API, [API])
    assert made.door.resource(tokens["access_token"]).status_code == 401


@pytest.mark.parametrize("grant", BY_ITSELF)
def test_nobody_gets_a_token_for_a_server_that_nobody_knows(made, grant):
    """Where a person is asked, that request is refused; the rooms' own tests have it."""
    assert (
        error_of(grant(made, made.party(), None, {"resource": "https://evil.example/"})) == "invalid_target"
    )


@each_grant
def test_it_is_a_jwt_for_clients_that_are_registered_so(made, grant):
    party = made.party(jwt_access_token=True)
    tokens = got(grant(made, party, None, {"resource": API}))
    header, claims = jws.taken_apart(tokens["access_token"])[:2]
    assert header["typ"] == "at+jwt"
    assert (claims["client_id"], claims["aud"] in (API, [API])) == (party.client_id, True)
    assert claims["sub"] == (party.client_id if grant is by_credentials else made.house.ann.sub)


@pytest.mark.parametrize("grant", BY_ITSELF)
def test_details_of_persons_are_given_to_no_client_by_itself(made, grant):
    answer = grant(made, made.party(), None, {"authorization_details": DETAILS})
    assert error_of(answer) == "invalid_authorization_details"


@pytest.mark.parametrize("grant", [by_code, by_refresh, by_device, by_ciba, by_exchange])
def test_details_are_given_where_a_person_allowed_them(made, grant):
    """RFC 9396 §5, §7, §9.2."""
    party = made.party()
    tokens = got(grant(made, party, None, {"authorization_details": DETAILS}))
    (seen,) = tokens["authorization_details"]
    assert seen["type"] == "account_information"
    (told,) = made.told(tokens, party)["authorization_details"]
    assert told["type"] == "account_information"


# --- An assertion for another server is no token of ours, whatever the request proves or names ---


def asserted(made, party, headers=None, **form):
    """Ask for an assertion, made of an ID token of the client."""
    code, verifier = made.house.browser().code(party, scope="openid read")
    given = {
        "subject_token": made.door.redeem(party, code, verifier).json["id_token"],
        "subject_token_type": f"{TYPE}id_token",
        "requested_token_type": id_jag.TOKEN_TYPE,
        "audience": id_jag.CHAT,
        **form,
    }
    headers = {**party.auth, **(headers or {})}
    return made.door.token(party, headers=headers, grant_type=EXCHANGE, **given)


def test_a_proof_binds_an_assertion_and_its_type_stays(made):
    prover = Prover(lambda: made.house.clock.time)
    tokens = got(asserted(made, made.party(), prover.proof()))
    assert tokens["token_type"] == "N_A"
    assert jws.taken_apart(tokens["access_token"])[1]["cnf"] == {"jkt": prover.thumbprint}
    bound = made.party(dpop_bound_access_tokens=True)
    code, verifier = made.house.browser().code(bound, scope="openid read")
    headers = {**bound.auth, **prover.proof()}
    id_token = got(made.door.redeem(bound, code, verifier, headers=headers))["id_token"]
    form = {"subject_token": id_token, "subject_token_type": f"{TYPE}id_token", "audience": id_jag.CHAT}
    form |= {"grant_type": EXCHANGE, "requested_token_type": id_jag.TOKEN_TYPE}
    assert error_of(made.door.token(bound, **form)) == "invalid_request"
    assert (
        got(made.door.token(bound, headers={**bound.auth, **prover.proof()}, **form))["token_type"] == "N_A"
    )


def test_servers_and_details_of_others_are_not_judged_by_ours(made):
    asked = {"resource": "https://elsewhere.example/", "authorization_details": '[{"type": "unknown here"}]'}
    tokens = got(asserted(made, made.party(jwt_access_token=True), scope="of:others", **asked))
    header, claims = jws.taken_apart(tokens["access_token"])[:2]
    assert (header["typ"], claims["scope"]) == (id_jag.TYP, "of:others")
    assert claims["resource"] == asked["resource"]
    assert claims["authorization_details"] == json.loads(asked["authorization_details"])
    assert made.door.resource(tokens["access_token"]).status_code == 401


@pytest.fixture(scope="module")
def strict():
    return Made(PROFILE="oauth2.1")


@pytest.mark.parametrize("grant", ["password", "implicit"])
def test_what_oauth_2_1_excludes_is_no_grant_at_all(strict, grant):
    metadata = strict.door.open("/o/.well-known/openid-configuration").json
    assert grant not in metadata["grant_types_supported"]
    answer = strict.door.token(strict.party(), grant_type=grant, username="ann", password="x")
    assert error_of(answer) == "unsupported_grant_type"


@each_grant
def test_the_other_grants_stand_under_oauth_2_1(strict, grant):
    assert got(grant(strict, strict.party(), None, {}))["token_type"] == "Bearer"
