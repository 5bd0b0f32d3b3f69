"""S27: a client that has lost a scope gets no further tokens with it (RFC 7591 §2, RFC 6749 §3.3)."""

import json
from types import MappingProxyType

import pytest

from portula import OAuth2Validator, hookimpl
from portula.plugin import ScopesBackend
from portula_testing import jws
from security.driving import bearer, error_of


@pytest.fixture
def client(house):
    return house.client(scope="read write")


def test_a_refresh_leaves_out_what_the_client_has_lost(house, door, client):
    first = house.tokens(client, scope="read write")
    house.change(client, scope="read")
    second = door.refresh(client, first["refresh_token"]).json
    assert second["scope"] == "read"
    assert error_of(door.refresh(client, second["refresh_token"], scope="write")) == "invalid_scope"
    house.change(client, scope="read write")
    assert door.refresh(client, second["refresh_token"]).json["scope"] == "read write"


def test_one_that_has_lost_all_of_them_is_told_so(house, door, client):
    first = house.tokens(client, scope="write")
    house.change(client, scope="read")
    assert error_of(door.refresh(client, first["refresh_token"])) == "invalid_scope"


def test_so_does_a_code_that_was_sent_before(house, browser, door, client):
    code, verifier = browser.code(client, scope="read write")
    house.change(client, scope="read")
    assert door.redeem(client, code, verifier).json["scope"] == "read"
    code, verifier = browser.code(client, scope="read")
    house.change(client, scope="write")
    assert error_of(door.redeem(client, code, verifier)) == "invalid_scope"


class Backend(ScopesBackend):
    """Scopes that come and go, as those in a table do, and that not every client may have."""

    def __init__(self):
        self.scopes = {"read": "Read", "write": "Write"}
        self.barred = ()

    @hookimpl
    def portula_scopes_backend(self, provider):
        return self

    def get_all_scopes(self):
        return dict(self.scopes)

    def get_available_scopes(self, application=None, request=None):
        return [name for name in self.scopes if name not in self.barred]

    def get_default_scopes(self, application=None, request=None):
        return ["read"]


def gone(backend):
    del backend.scopes["write"]


def barred(backend):
    backend.barred = ("write",)


@pytest.mark.parametrize("withdraw", [gone, barred])
def test_a_scope_that_the_backend_withdraws_is_in_no_further_token(make_house, withdraw):
    backend = Backend()
    house = make_house(backend, PLUGINS_CHOICE={"scopes_backend": "Backend"})
    client, door = house.client(), house.door()
    both, alone = house.tokens(client, scope="read write"), house.tokens(client, scope="write")
    code, verifier = house.browser().code(client, scope="read write")
    withdraw(backend)
    second = door.refresh(client, both["refresh_token"]).json
    assert second["scope"] == "read"
    assert error_of(door.refresh(client, second["refresh_token"], scope="write")) == "invalid_scope"
    assert error_of(door.refresh(client, alone["refresh_token"])) == "invalid_scope"
    assert door.redeem(client, code, verifier).json["scope"] == "read"
    backend.scopes, backend.barred = {"read": "Read", "write": "Write"}, ()
    assert door.refresh(client, second["refresh_token"]).json["scope"] == "read write"


class Payroll(OAuth2Validator):
    """Tells what people earn, where the scope `write` is allowed."""

    oidc_claim_scope = MappingProxyType({"salary": "write"})

    def get_additional_claims(self, request):
        return {"salary": 100}


def test_a_claim_that_was_asked_for_by_name_goes_with_its_scope(make_house):
    """OpenID Connect Core §5.5; a token that the person allowed before tells it no more."""
    backend = Backend()
    settings = {"PLUGINS_CHOICE": {"scopes_backend": "Backend"}, "OAUTH2_VALIDATOR_CLASS": Payroll}
    house = make_house(backend, OIDC_ENABLED=True, **settings)
    client, claims = house.client(), json.dumps({"userinfo": {"salary": None}, "id_token": {"salary": None}})
    tokens = house.tokens(client, scope="openid read", claims=claims)

    def told(tokens):
        person = house.door().open("/o/userinfo/", headers=bearer(tokens["access_token"])).json
        return [said.get("salary") for said in (person, jws.taken_apart(tokens["id_token"])[1])]

    assert told(tokens) == [100, 100]
    for withdraw in (barred, gone):
        withdraw(backend)
        tokens = house.door().refresh(client, tokens["refresh_token"]).json
        assert told(tokens) == [None, None]
        backend.scopes, backend.barred = {"read": "Read", "write": "Write"}, ()
    assert told(house.door().refresh(client, tokens["refresh_token"]).json) == [100, 100]
