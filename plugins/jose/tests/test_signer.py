"""The slot `signer`: keys that stay in a service or a device, of which this process has no private part."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from support.fitting import stubbed

from portula import Plugin, hookimpl
from portula.errors import ConfigError, JoseError, SlotConflict, UntrustedToken
from portula.plugin import Artifact, Message
from portula_jose.hooks import Signer
from portula_jose.sources import SIGNER_KEYS_SECONDS
from portula_testing.jws import TokenKey, raw_signature, taken_apart, verify_token


class Device(stubbed(Signer)):
    """Signs elsewhere, with keys that a test may take out or put in."""

    def __init__(self, *keys):
        self.held = list(keys)
        self.asked = 0
        self.signed = []

    @hookimpl
    def portula_signer(self, provider):
        return self

    def keys(self):
        self.asked += 1
        return [key.jwk for key in self.held]

    def sign(self, kid, algorithm, data):
        self.signed.append(kid)
        key = next(key for key in self.held if key.kid == kid)
        return raw_signature(key.private, algorithm, data)


class Other(Device):
    pass


@pytest.fixture(scope="module")
def rs256():
    return TokenKey("RS256", "kms/1")


@pytest.fixture
def device(rs256):
    return Device(rs256, TokenKey("ES256", "kms/2"), TokenKey("EdDSA", "kms/3"))


def published(jose):
    return json.loads(jose.publish(Message("GET", "/")).body)["keys"]


def test_what_the_device_signs_goes_out_under_its_name(make, device):
    provider = make(device)
    jose = provider.hooks.ask(Plugin.portula_jose)
    assert jose.has_configured_keys is True
    assert list(jose.signing_algorithms()) == ["RS256", "ES256", "EdDSA"]
    for key in device.held:
        token = jose.sign({"a": 1}, typ="JWT", algorithm=key.algorithm)
        assert verify_token(token, key.jwk) == (
            {"typ": "JWT", "alg": key.algorithm, "kid": key.kid},
            {"a": 1},
        )
        assert jose.verify_own(token, typ={"JWT"}).claims == {"a": 1}
    assert device.signed == ["kms/1", "kms/2", "kms/3"]
    assert published(jose) == [key.jwk for key in device.held]
    assert provider.storage.select(Artifact) == [], "no key of ours is made"
    with pytest.raises(JoseError):
        jose.sign({}, typ="JWT", algorithm="PS256")


def test_of_two_keys_the_first_signs_and_both_are_published(make, device, clock):
    new = TokenKey("RS256", "kms/4")
    device.held.append(new)
    jose = make(device).hooks.ask(Plugin.portula_jose)
    old = jose.sign({}, typ="JWT")
    assert taken_apart(old)[0]["kid"] == "kms/1"
    assert "kms/4" in [key["kid"] for key in published(jose)]
    device.held.reverse()
    clock.advance(SIGNER_KEYS_SECONDS)
    assert taken_apart(jose.sign({}, typ="JWT"))[0]["kid"] == "kms/4"
    assert jose.verify_own(old, typ={"JWT"})
    device.held.remove(next(key for key in device.held if key.kid == "kms/1"))
    clock.advance(SIGNER_KEYS_SECONDS)
    with pytest.raises(UntrustedToken):
        jose.verify_own(old, typ={"JWT"})


def test_the_device_is_asked_for_its_keys_once_a_minute(make, device, clock):
    jose = make(device).hooks.ask(Plugin.portula_jose)
    for _ in range(10):
        jose.verify_own(jose.sign({}, typ="JWT"), typ={"JWT"})
        published(jose)
    assert device.asked == 1
    clock.advance(SIGNER_KEYS_SECONDS)
    published(jose)
    assert device.asked == 2


class Der(Device):
    """The usual mistake: ECDSA signatures as the device gives them."""

    def sign(self, kid, algorithm, data):
        return self.held[0].private.sign(data, ec.ECDSA(SHA256()))


class WrongKey(Device):
    def sign(self, kid, algorithm, data):
        return raw_signature(TokenKey(algorithm).private, algorithm, data)


class Broken(Device):
    def sign(self, kid, algorithm, data):
        raise ConnectionError("no route to the device")


@pytest.mark.parametrize("kind", [Der, WrongKey, Broken])
def test_a_signature_that_does_not_verify_never_goes_out(make, kind):
    with pytest.raises(JoseError, match="signer"):
        make(kind(TokenKey("ES256", "1"))).hooks.ask(Plugin.portula_jose).sign(
            {}, typ="JWT", algorithm="ES256"
        )


class Silent(Device):
    silent = False

    def keys(self):
        if self.silent:
            raise ConnectionError("no route to the device")
        return super().keys()


def test_keys_that_are_known_go_on_while_the_device_is_silent(make, rs256, clock):
    device = Silent(rs256)
    jose = make(device).hooks.ask(Plugin.portula_jose)
    token = jose.sign({}, typ="JWT")
    device.silent = True
    clock.advance(SIGNER_KEYS_SECONDS)
    assert jose.verify_own(token, typ={"JWT"})
    assert [key["kid"] for key in published(jose)] == ["kms/1"]


def test_a_device_that_never_spoke_is_an_error(make, rs256):
    device = Silent(rs256)
    device.silent = True
    jose = make(device).hooks.ask(Plugin.portula_jose)
    with pytest.raises(JoseError, match="does not say which keys"):
        jose.sign({}, typ="JWT")
    with pytest.raises(UntrustedToken, match="the signer is silent"):
        jose.verify_own(rs256.sign({}), typ={"JWT"})


class Careless(Device):
    def __init__(self, members):
        super().__init__(TokenKey("RS256", "1"))
        self.members = members

    def keys(self):
        return [{**self.held[0].jwk, **self.members}]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"d": "AQAB"}, "shows a private key"),
        ({"kid": ""}, "has a kid and an alg"),
        ({"kid": 7}, "has a kid and an alg"),
        ({"alg": None}, "has a kid and an alg"),
        ({"alg": "none"}, "has a kid and an alg"),
        ({"alg": "ES256"}, "not fit for ES256"),
        ({"alg": "HS256"}, "not fit for HS256"),
        ({"n": "!"}, "no JWK"),
        ({"kty": "unknown"}, "no JWK"),
        ({"n": TokenKey(private=rsa.generate_private_key(65537, 1024)).jwk["n"]}, "not fit for RS256"),
    ],
)
def test_a_key_that_does_not_do_is_neither_used_nor_published(make, members, said):
    """Attack S48: whatever the plugin says, no private member is published."""
    jose = make(Careless(members)).hooks.ask(Plugin.portula_jose)
    with pytest.raises(JoseError, match=said):
        published(jose)
    with pytest.raises(JoseError, match=said):
        jose.sign({}, typ="JWT")


def test_a_key_of_the_configuration_beside_a_device_is_a_contradiction(make, device, pem):
    with pytest.raises(ConfigError, match="OIDC_RSA_PRIVATE_KEY: a plugin answers the slot 'signer'"):
        make(device, OIDC_RSA_PRIVATE_KEY=pem)


def test_tokens_of_the_key_before_the_device_still_verify(make, device, pem):
    token = make(OIDC_RSA_PRIVATE_KEY=pem).hooks.ask(Plugin.portula_jose).sign({"a": 1}, typ="JWT")
    jose = make(device, OIDC_RSA_PRIVATE_KEYS_INACTIVE=[pem]).hooks.ask(Plugin.portula_jose)
    assert jose.verify_own(token, typ={"JWT"}).claims == {"a": 1}
    assert [key["kid"] for key in published(jose)][-1] == taken_apart(token)[0]["kid"]


def test_two_devices_are_a_conflict(make, device):
    with pytest.raises(SlotConflict, match="signer"):
        make(device, Other())


def test_keys_are_generated_beside_a_device_only_where_the_deployment_says_so(make, device):
    jose = make(device, SIGNING_KEYS_GENERATED=True).hooks.ask(Plugin.portula_jose)
    assert list(jose.signing_algorithms()) == ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
    assert taken_apart(jose.sign({}, typ="JWT"))[0]["kid"] == "kms/1"
    assert jose.verify_own(jose.sign({}, typ="JWT", algorithm="PS256"), typ={"JWT"})
