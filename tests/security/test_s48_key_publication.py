"""S48: no private member is published; a retired key is refused; a new one is published before it signs."""

import json

import pytest
from support.fitting import stubbed

from portula import Plugin, hookimpl
from portula.errors import JoseError, UntrustedToken
from portula_jose.hooks import Signer
from portula_testing.jws import TokenKey, taken_apart, verify_token
from security.keyed import a_pem, provider_with, published

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}
WAIT = 2 * 3600 + 5
RETIRING = 14 * 24 * 3600


@pytest.fixture(params=["generated", "configured", "both"])
def house(request, make_house):
    settings = {
        "generated": {"OIDC_ENABLED": True},
        "configured": {"OIDC_RSA_PRIVATE_KEY": a_pem()},
        "both": {"OIDC_RSA_PRIVATE_KEY": a_pem(), "SIGNING_KEYS_GENERATED": True},
    }[request.param]
    return make_house(**settings)


def test_what_is_served_holds_no_private_member(house, kind):
    discovery = house.door(kind).open("/o/.well-known/openid-configuration").json
    path = discovery["jwks_uri"].partition(discovery["issuer"].partition("/o")[0])[2]
    answer = house.door(kind).open(path)
    assert answer.status_code == 200
    keys = answer.json["keys"]
    assert keys
    for key in keys:
        assert PRIVATE.isdisjoint(key)
        assert key["kty"] in {"RSA", "EC", "OKP"}
    kids = [key["kid"] for key in keys]
    assert len(set(kids)) == len(kids)
    for algorithm in house.provider.hooks.ask(Plugin.portula_jose).signing_algorithms():
        token = house.provider.hooks.ask(Plugin.portula_jose).sign({"a": 1}, typ="JWT", algorithm=algorithm)
        verify_token(token, keys[kids.index(taken_apart(token)[0]["kid"])])


def test_no_private_part_is_in_what_is_stored_or_served(make_house):
    house = make_house(OIDC_ENABLED=True)
    served = json.dumps(published(house.provider))
    for stored in house.provider.hooks.ask(Plugin.portula_jose).ring.ring().keys:
        members = json.loads(stored.key.export_private())
        assert not any(members[name] in served for name in PRIVATE & members.keys())


def test_a_new_key_is_published_before_it_signs_and_a_retired_one_is_refused(make_house):
    house = make_house(OIDC_ENABLED=True, SIGNING_KEY_ROTATION_SECONDS=None)
    jose = house.provider.hooks.ask(Plugin.portula_jose)
    old = jose.sign({}, typ="JWT")
    new = jose.ring.rotate("RS256").public.kid
    assert new in [key["kid"] for key in published(house.provider)]
    house.clock.forward(WAIT - 1)
    assert taken_apart(jose.sign({}, typ="JWT"))[0]["kid"] != new
    house.clock.forward(1)
    assert taken_apart(jose.sign({}, typ="JWT"))[0]["kid"] == new
    house.clock.forward(RETIRING - 1)
    assert jose.verify_own(old, typ={"JWT"})
    house.clock.forward(1)
    assert taken_apart(old)[0]["kid"] not in [key["kid"] for key in published(house.provider)]
    with pytest.raises(UntrustedToken):
        jose.verify_own(old, typ={"JWT"})


class Leaky(stubbed(Signer)):
    """A signer whose plugin gives too much away."""

    @hookimpl
    def portula_signer(self, provider):
        return self

    def keys(self):
        return [{**TokenKey("EdDSA").jwk, "d": "AAAA"}]

    def sign(self, kid, algorithm, data):
        return b""


def test_a_plugin_cannot_have_a_private_key_published():
    with pytest.raises(JoseError, match="shows a private key"):
        published(provider_with(Leaky()))
