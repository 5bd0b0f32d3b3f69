"""S45 beyond the token endpoint: an assertion counts once at all endpoints together, and for the issuer alone at each.

Rooms: par, introspection and device beside `oauth2`; what is pushed by it is bound to who signed it.
"""

import itertools
from itertools import permutations

import pytest
from support.assertions import TYPE
from support.devices import GRANTS

from portula_testing import jws
from security.driving import CALLBACK, ISSUER, s256
from security.house import House

KEY = jws.TokenKey("ES256")
_numbers = itertools.count()
ENDPOINTS = {
    "/o/token/": {"grant_type": "client_credentials", "scope": "read"},
    "/o/par/": {
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "read",
        "code_challenge": s256("v" * 43),
        "code_challenge_method": "S256",
    },
    "/o/introspect/": {"token": "x"},
    "/o/revoke_token/": {"token": "x"},
    "/o/device_authorization/": {"scope": "read"},
}


@pytest.fixture(scope="module")
def house():
    return House(OIDC_ENABLED=True)


def registered(house):
    grants = ("authorization_code", "client_credentials", *GRANTS)
    fields = {"token_endpoint_auth_method": "private_key_jwt", "grant_types": grants}
    return house.client(metadata={"jwks": KEY.jwks}, **fields)


@pytest.fixture(scope="module")
def party(house):
    return registered(house)


def assertion(house, party, **changes):
    now = house.clock.time
    claims = {"iss": party.client_id, "sub": party.client_id, "aud": ISSUER, "exp": now + 60}
    return KEY.sign({**claims, "iat": now, "jti": f"{next(_numbers)}", **changes})


def ask(house, party, path, signed):
    form = {"client_assertion_type": TYPE, "client_assertion": signed, "client_id": party.client_id}
    return house.door().post(path, {**form, **ENDPOINTS[path]})


def refused(answer):
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client"), answer.text


@pytest.mark.parametrize(("first", "then"), list(permutations(ENDPOINTS, 2)))
def test_an_assertion_counts_at_one_endpoint(house, party, first, then):
    signed = assertion(house, party)
    assert ask(house, party, first, signed).status_code in (200, 201)
    refused(ask(house, party, then, signed))
    refused(ask(house, party, first, signed))


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "aud",
    [*(f"https://id.example{path}" for path in ENDPOINTS), [ISSUER], [ISSUER, "https://other.example"]],
    ids=str,
)
def test_an_assertion_is_for_the_issuer_as_one_string(house, party, path, aud):
    """CVE-2025-27370, CVE-2025-27371: whoever runs another server could have it signed for an endpoint of this one."""
    refused(ask(house, party, path, assertion(house, party, aud=aud)))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_assertion_of_another_client_is_of_no_use(house, party, path):
    other = registered(house)
    refused(ask(house, party, path, assertion(house, other)))
    refused(ask(house, party, path, assertion(house, other, iss=party.client_id)))
    refused(ask(house, party, path, assertion(house, other, sub=party.client_id)))


@pytest.mark.parametrize("path", ENDPOINTS)
def test_an_assertion_does_not_count_for_long(house, party, path):
    now = house.clock.time
    for changes in ({"exp": now + 3600}, {"exp": now - 60}, {"exp": None}, {"jti": None}):
        refused(ask(house, party, path, assertion(house, party, **changes)))
