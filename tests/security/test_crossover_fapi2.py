"""Each grant under FAPI 2.0: what the profile refuses, and with which error (Security Profile §5.3.2, §5.4)."""

import pytest
from support import id_jag
from support.devices import GRANT as DEVICE
from support.devices import answered, asked
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE
from support.foreign_issuers import FOREIGN, ForeignIssuer
from support.foreign_issuers import GRANT as JWT_BEARER
from support.high_security import register
from support.proofs import Prover

from portula.errors import InvalidClientMetadata
from portula_testing import jws
from security.driving import ISSUER, basic, error_of
from security.driving import answered as sent_back
from security.house import House

ALL = ("authorization_code", "refresh_token", "client_credentials", DEVICE, EXCHANGE, JWT_BEARER)


class Made:
    """A house under the profile, a client of every grant, and an issuer that it trusts."""

    def __init__(self):
        self.issuer = ForeignIssuer(lambda: self.house.clock.time)
        self.house = House(
            PROFILE="fapi2",
            JWT_BEARER_GRANT_ENABLED=True,
            JWT_BEARER_TRUSTED_ISSUERS={
                FOREIGN: {"jwks": self.issuer.key.jwks, "types": ["JWT", id_jag.TYP]}
            },
            JWT_BEARER_SUBJECT_RESOLVER=lambda claims, client, request: self.house.ann.sub,
            **id_jag.giving(
                id_jag.AssertingPolicy(),
                TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=[f"{TYPE}access_token", id_jag.TOKEN_TYPE],
            ),
        )
        self.client = register(self.house, grant_types=ALL)
        self.own = self.client.prover

    def code(self):
        pushed, verifier = self.client.push()
        form = {"code": sent_back(self.client.back(pushed))["code"], "code_verifier": verifier}
        return {"grant_type": "authorization_code", "redirect_uri": self.client.party.redirect_uri, **form}

    def tokens(self):
        """Return tokens of a person, as the profile gives them."""
        answer = self.client.token(**self.code())
        assert answer.status_code == 200, answer.text
        return answer.json

    def refresh(self):
        return {"grant_type": "refresh_token", "refresh_token": self.tokens()["refresh_token"]}

    def credentials(self):
        return {"grant_type": "client_credentials", "scope": "read"}

    def device(self):
        codes = asked(self.house, self.client.party, **self.client.proof()).json
        answered(self.house.browser(), codes["user_code"])
        return {"grant_type": DEVICE, "device_code": codes["device_code"]}

    def exchange(self):
        token = self.tokens()["access_token"]
        form = {"subject_token": token, "subject_token_type": f"{TYPE}access_token", "scope": "read"}
        return {"grant_type": EXCHANGE, **form}

    def identity_assertion_wanted(self):
        form = {"subject_token": self.tokens()["id_token"], "subject_token_type": f"{TYPE}id_token"}
        form |= {"requested_token_type": id_jag.TOKEN_TYPE, "audience": id_jag.CHAT}
        return {"grant_type": EXCHANGE, **form}

    def assertion(self):
        return {"grant_type": JWT_BEARER, "assertion": self.issuer.sign(), "scope": "read"}

    def identity_assertion(self):
        signed = self.issuer.sign(typ=id_jag.TYP, client_id=self.client.party.client_id, scope="read")
        return {"grant_type": JWT_BEARER, "assertion": signed}


GRANTS = [
    "code",
    "refresh",
    "credentials",
    "device",
    "exchange",
    "identity_assertion_wanted",
    "assertion",
    "identity_assertion",
]
each_grant = pytest.mark.parametrize("grant", GRANTS)


@pytest.fixture(scope="module")
def made():
    return Made()


@each_grant
def test_a_client_that_does_all_of_it_gets_a_token_that_is_bound(made, grant):
    answer = made.client.token(**getattr(made, grant)())
    assert answer.status_code == 200, answer.text
    if grant == "identity_assertion_wanted":
        assert answer.json["token_type"] == "N_A"
        claims = jws.taken_apart(answer.json["access_token"])[1]
        assert claims["cnf"] == {"jkt": made.own.thumbprint}
        return
    assert answer.json["token_type"] == "DPoP"
    token = answer.json["access_token"]
    assert made.house.door().resource(token).status_code == 401
    proven = made.house.door().open("/resource", headers=made.own.at("/resource", token))
    assert proven.status_code == 200


def without_a_proof(made):
    return {"headers": {}}, 400, "invalid_request"


def proof_by_an_algorithm_of_yesterday(made):
    return {"headers": Prover(made.house.provider.now, "RS256").proof()}, 400, "invalid_dpop_proof"


def with_a_secret(made):
    secret = basic(made.client.party.client_id, "x" * 40)
    return {"headers": {**made.own.proof(), **secret}, "auth": {"unused": "x"}}, 401, "invalid_client"


def by_its_name_alone(made):
    return {"auth": {"client_id": made.client.party.client_id}}, 401, "invalid_client"


def assertion_for_the_endpoint(made):
    return {"auth": made.client.proof(aud=f"{ISSUER}/token/")}, 401, "invalid_client"


def assertion_for_a_list(made):
    return {"auth": made.client.proof(aud=[ISSUER])}, 401, "invalid_client"


def assertion_by_another_key(made):
    return {"auth": made.client.proof(key=jws.TokenKey("ES256"))}, 401, "invalid_client"


FAULTS = [
    without_a_proof,
    proof_by_an_algorithm_of_yesterday,
    with_a_secret,
    by_its_name_alone,
    assertion_for_the_endpoint,
    assertion_for_a_list,
    assertion_by_another_key,
]


@each_grant
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_the_profile_refuses(made, grant, fault):
    form = getattr(made, grant)()
    change, status, error = fault(made)
    assert error_of(made.client.token(**form, **change), status) == error


@pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:saml2-bearer"])
def test_what_is_no_grant_of_the_profile(made, grant):
    answer = made.client.token(grant_type=grant, username="ann", password="x")
    assert error_of(answer) == "unsupported_grant_type"


@pytest.mark.parametrize("grant", [name for name in ALL if name != "refresh_token"])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_no_client_is_registered_with_a_secret(made, grant, method):
    with pytest.raises(InvalidClientMetadata):
        register(made.house, grant_types=(grant,), token_endpoint_auth_method=method)


@pytest.mark.parametrize("grant", [name for name in ALL if name != "refresh_token"])
def test_no_public_client_is_registered(made, grant):
    with pytest.raises(InvalidClientMetadata):
        made.house.client(client_type="public", grant_types=(grant,), token_endpoint_auth_method="none")


def test_a_request_that_was_not_pushed_gets_no_code(made):
    answer = made.house.browser().ask(
        made.client.party, code_challenge="x" * 43, code_challenge_method="S256"
    )
    told = sent_back(answer)["error"] if answer.status_code == 302 else answer.text
    assert "invalid_request" in told
    assert "code=" not in (answer.location or "")


def test_a_refresh_token_is_not_rotated(made):
    form = made.refresh()
    for _ in range(3):
        answer = made.client.token(**form)
        assert answer.status_code == 200, answer.text
        assert answer.json.get("refresh_token", form["refresh_token"]) == form["refresh_token"]
