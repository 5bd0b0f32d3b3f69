"""Tokens that are bound to a certificate: RFC 8705 §3, §4, §5."""

from contextlib import closing

import pytest
from security.driving import answered, basic, bearer, error_of
from support.certificates import self_signed, shown
from support.high_security import register
from support.proofs import Prover

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import read_client_metadata
from portula_mtls.certificates import thumbprint
from portula_resource_server.tokens import VerifiedToken

BOUND = {"tls_client_certificate_bound_access_tokens": True}
FORM = {"grant_type": "client_credentials", "scope": "read"}
PLACES = ("/o/userinfo/", "/resource")


@pytest.fixture
def client(house):
    """A client of a secret, whose tokens are bound."""
    return house.client(metadata=BOUND)


@pytest.fixture
def der(authority):
    return authority.client()


@pytest.fixture
def other(authority):
    return authority.client("CN=another")


def signed_in(house, party, headers, scope="openid read"):
    code, verifier = house.browser().code(party, scope=scope)
    return house.door().redeem(party, code, verifier, headers={**party.auth, **headers})


def refused(answer, status=401, error="invalid_token"):
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]


def test_a_token_is_bound_to_the_certificate_that_is_shown(house, door, client, der, other):
    tokens = signed_in(house, client, shown(der)).json
    token = tokens["access_token"]
    assert tokens["token_type"] == "Bearer"
    told = house.door().introspect(client, token).json
    assert (told["token_type"], told["cnf"]) == ("Bearer", {"x5t#S256": thumbprint(der)})
    for path in PLACES:
        assert door.open(path, headers={**bearer(token), **shown(der)}).status_code == 200
        for headers in ({}, shown(other), {"Client-Cert": next(iter(shown(der).values()))}):
            refused(door.open(path, headers={**bearer(token), **headers}))
        doubled = ", ".join((*shown(der).values(), *shown(other).values()))
        answer = door.open(path, headers={**bearer(token), next(iter(shown(der))): doubled})
        assert answer.status_code == 400


def test_a_token_in_a_form_passes_unless_the_profile_of_its_client_has_it_in_the_header(house, client, der):
    strict = register(house, metadata={**BOUND, "profile": "fapi2"})
    pushed, verifier = strict.push()
    code = answered(strict.back(pushed))["code"]
    bound = strict.redeem(code, verifier, headers=shown(der)).json["access_token"]
    assert house.door().open(PLACES[0], headers={**bearer(bound), **shown(der)}).status_code == 200
    refused(house.door().post(PLACES[0], {"access_token": bound}, shown(der)))
    plain = signed_in(house, client, shown(der)).json["access_token"]
    assert house.door().post(PLACES[0], {"access_token": plain}, shown(der)).status_code == 200


def test_whose_tokens_are_bound_gets_none_without_a_certificate(house, client, der):
    code, verifier = house.browser().code(client)
    assert error_of(house.door().redeem(client, code, verifier)) == "invalid_request"
    answer = house.door().redeem(client, code, verifier, headers={**client.auth, **shown(der)})
    assert answer.status_code == 200


def test_a_certificate_that_is_shown_by_another_client_binds_nothing(house, door, der):
    client = house.client()
    token = door.token(client, {**client.auth, **shown(der)}, **FORM).json["access_token"]
    assert "cnf" not in door.introspect(client, token).json
    assert door.open("/resource", headers=bearer(token)).status_code == 200


def test_an_end_of_the_certificate_is_none_of_the_token(house, door, authority, client):
    """Neither who issued a certificate nor when it ends is a resource's business (RFC 8705 §3, §6.3)."""
    for der in (self_signed()[0], authority.client(ends=-1)):
        token = door.token(client, {**client.auth, **shown(der)}, **FORM).json["access_token"]
        assert door.open("/resource", headers={**bearer(token), **shown(der)}).status_code == 200


def test_a_public_client_refreshes_with_its_certificate_alone(house, der, other):
    public = house.public_client(metadata=BOUND)
    tokens = signed_in(house, public, shown(der)).json

    def refresh(headers):
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        return house.door().token(public, headers, **form)

    assert error_of(refresh({})) == "invalid_request"
    assert error_of(refresh(shown(other))) == "invalid_grant"
    assert refresh(shown(der)).status_code == 200


def test_a_confidential_client_may_renew_its_certificate(house, client, der, other):
    tokens = signed_in(house, client, shown(der)).json
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    fresh = house.door().token(client, {**client.auth, **shown(other)}, **form).json
    told = house.door().introspect(client, fresh["access_token"]).json
    assert told["cnf"] == {"x5t#S256": thumbprint(other)}


def test_certificate_and_key_are_both_proven(house, door, client, der, other):
    prover = Prover(lambda: house.clock.time)
    given = door.token(client, {**client.auth, **shown(der), **prover.proof()}, **FORM).json
    token = given["access_token"]
    assert given["token_type"] == "DPoP"
    assert door.introspect(client, token).json["cnf"] == {
        "jkt": prover.thumbprint,
        "x5t#S256": thumbprint(der),
    }
    for headers, status in ((shown(der), 200), ({}, 401), (shown(other), 401)):
        answer = door.open("/resource", headers={**prover.at("/resource", token), **headers})
        assert answer.status_code == status
    refused(door.open("/resource", headers={**bearer(token), **shown(der)}))


def test_a_client_is_bound_in_one_way(house):
    with pytest.raises(InvalidClientMetadata, match="exclude each other"):
        house.client(metadata={**BOUND, "dpop_bound_access_tokens": True})
    with pytest.raises(InvalidClientMetadata, match="tls_client_certificate_bound_access_tokens"):
        read_client_metadata(house.provider.client_members, dict.fromkeys(BOUND, "yes"))


def test_other_processes_and_those_that_come_after_know_the_binding(make_house, der, other, tmp_path):
    with closing(make_house(folder=tmp_path)) as one, closing(make_house(folder=tmp_path)) as two:
        client = one.client(metadata=BOUND)
        token = one.door().token(client, {**client.auth, **shown(der)}, **FORM).json["access_token"]
        for headers, status in ((shown(der), 200), (shown(other), 401), ({}, 401)):
            assert two.door().open("/resource", headers={**bearer(token), **headers}).status_code == status
    with closing(make_house(folder=tmp_path)) as after:
        assert after.door().open("/resource", headers={**bearer(token), **shown(der)}).status_code == 200
        refused(after.door().open("/resource", headers=bearer(token)))
    with closing(make_house(folder=tmp_path, MTLS_ENABLED=False)) as off:
        refused(off.door().open("/resource", headers={**bearer(token), **shown(der)}))


def test_where_the_server_class_runs_no_steps_nothing_is_bound(make_house, der):
    house = make_house(OAUTH2_SERVER_CLASS="oauthlib.oauth2.BackendApplicationServer")
    client = house.client(metadata=BOUND)
    answer = house.door().token(client, {**client.auth, **shown(der)}, **FORM)
    assert error_of(answer) == "invalid_request"
    document = house.door().open("/o/.well-known/oauth-authorization-server").json
    assert "tls_client_certificate_bound_access_tokens" not in document


class Remote:
    """What another provider says of any token."""

    def __init__(self, der):
        self.cnf = {"x5t#S256": thumbprint(der)}

    @hookimpl
    def portula_token_verifier(self, provider):
        members = {
            "active": True,
            "scope": "read",
            "client_id": "app",
            "cnf": self.cnf,
            "token_type": "Bearer",
        }
        return lambda token: VerifiedToken.of(members)


def test_a_token_of_another_provider_is_proven_here(make_house, der, other):
    house = make_house(Remote(der), PLUGINS_CHOICE={"token_verifier": "Remote"})
    for headers, status in ((shown(der), 200), (shown(other), 401), ({}, 401)):
        assert house.door().open("/resource", headers={**bearer("token"), **headers}).status_code == status


# --- What the server tells ---


def test_the_server_tells_that_it_binds_and_where(make_house, house):
    document = house.door().open("/o/.well-known/openid-configuration").json
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert "mtls_endpoint_aliases" not in document
    apart = make_house(
        MTLS_ENDPOINT_BASE_URL="https://mtls.example/in", OIDC_RP_INITIATED_LOGOUT_ENABLED=True
    )
    document = apart.door().open("/o/.well-known/openid-configuration").json
    assert document["mtls_endpoint_aliases"] == {
        "token_endpoint": "https://mtls.example/in/o/token/",
        "revocation_endpoint": "https://mtls.example/in/o/revoke_token/",
        "introspection_endpoint": "https://mtls.example/in/o/introspect/",
        "userinfo_endpoint": "https://mtls.example/in/o/userinfo/",
        "pushed_authorization_request_endpoint": "https://mtls.example/in/o/par/",
        "device_authorization_endpoint": "https://mtls.example/in/o/device_authorization/",
        "backchannel_authentication_endpoint": "https://mtls.example/in/o/bc-authorize/",
    }
    assert document["end_session_endpoint"].startswith("https://id.example/")


def test_at_an_alias_the_issuer_is_the_same(make_house, der):
    base = "https://mtls.example"
    house = make_house(MTLS_ENDPOINT_BASE_URL=base, DPOP_BASE_URLS=[base])
    client, prover = house.client(metadata=BOUND), Prover(lambda: house.clock.time)
    headers = {**basic(client.client_id, client.secret), **shown(der)}
    headers |= prover.proof(htu=f"{base}/o/token/")
    answer = house.door().post("/o/token/", FORM, headers, base_url=base)
    assert answer.json["token_type"] == "DPoP"
    told = house.door().introspect(client, answer.json["access_token"]).json
    assert told["iss"] == "https://id.example/o"
