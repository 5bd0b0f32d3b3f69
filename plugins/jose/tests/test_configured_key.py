"""OIDC_RSA_PRIVATE_KEY and OIDC_RSA_PRIVATE_KEYS_INACTIVE, as in django-oauth-toolkit."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from flask import Flask

from portula import Plugin
from portula.errors import ConfigError, JoseError, UntrustedToken
from portula.plugin import Message
from portula.web import report
from portula_jose import pem as parsing
from portula_jose.settings import JoseSettings
from portula_testing.jws import TokenKey, encode, taken_apart, verify_token
from portula_testing.provider import make_provider


def pem_of(key, form=PrivateFormat.PKCS8, encryption=None):
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


def public_pem_of(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def published(jose):
    return json.loads(jose.publish(Message("GET", "/")).body)["keys"]


@pytest.fixture(scope="module")
def other():
    return rsa.generate_private_key(65537, 2048)


def test_the_configured_key_signs_and_nothing_is_stored(make, pem, rsa_key):
    provider = make(OIDC_RSA_PRIVATE_KEY=pem)
    jose = provider.hooks.ask(Plugin.portula_jose)
    assert (jose.has_configured_keys, list(jose.signing_algorithms())) == (True, ["RS256", "PS256"])
    for algorithm in ("RS256", "PS256"):
        token = jose.sign({"sub": "ann"}, typ="JWT", algorithm=algorithm)
        assert verify_token(token, TokenKey(private=rsa_key).jwk)[0]["alg"] == algorithm
    with pytest.raises(JoseError):
        jose.sign({}, typ="JWT", algorithm="ES256")
    assert [key["kty"] for key in published(jose)] == ["RSA"]
    assert [record for kind in provider.records for record in provider.storage.select(kind.cls)] == []


def test_without_a_key_none_is_configured(generated):
    assert generated.has_configured_keys is False


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize(
    "spelled", [str, lambda text: text.replace("\n", "\\n"), lambda text: f"\n  {text}\n"]
)
def test_a_pem_may_be_spelled_as_in_an_environment_variable(make, rsa_key, form, spelled):
    jose = make(OIDC_RSA_PRIVATE_KEY=spelled(pem_of(rsa_key, form))).hooks.ask(Plugin.portula_jose)
    verify_token(jose.sign({}, typ="JWT"), TokenKey(private=rsa_key).jwk)


def test_a_pem_from_the_environment_signs(monkeypatch, pem, rsa_key):
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__OIDC_RSA_PRIVATE_KEY", pem.replace("\n", "\\n"))
    app = Flask("from_environment")
    app.config.from_prefixed_env()
    verify_token(
        make_provider("jose", app=app).hooks.ask(Plugin.portula_jose).sign({}, typ="JWT"),
        TokenKey(private=rsa_key).jwk,
    )


def unusable():
    weak = rsa.generate_private_key(65537, 1024)
    fine = rsa.generate_private_key(65537, 2048)
    return {
        "text": ("a key", "no private key in PEM"),
        "half a PEM": (pem_of(fine)[:200], "no private key in PEM"),
        "a password on it": (pem_of(fine, encryption=BestAvailableEncryption(b"x")), "encrypted"),
        "a weak key": (pem_of(weak), "at least 2048 bits"),
        "a curve": (pem_of(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
        "a public key": (public_pem_of(fine), "no private key in PEM"),
    }


UNUSABLE = unusable()


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_key_that_does_not_do_stops_the_start_and_is_not_shown(make, name):
    text, said = UNUSABLE[name]
    with pytest.raises(ConfigError) as caught:
        make(OIDC_RSA_PRIVATE_KEY=text, OIDC_JWKS_MAX_AGE_SECONDS=-1)
    named, about = sorted(caught.value.findings)[::-1]
    assert named.startswith("OIDC_RSA_PRIVATE_KEY: <hidden> is not allowed: ")
    assert said in named
    assert about.startswith("OIDC_JWKS_MAX_AGE_SECONDS: -1"), "all findings come together"
    assert text not in str(caught.value)


def test_inactive_keys_are_published_and_verify_and_sign_nothing(make, pem, other):
    old = (
        make(OIDC_RSA_PRIVATE_KEY=pem_of(other))
        .hooks.ask(Plugin.portula_jose)
        .sign({"sub": "ann"}, typ="JWT")
    )
    jose = make(OIDC_RSA_PRIVATE_KEY=pem, OIDC_RSA_PRIVATE_KEYS_INACTIVE=[pem_of(other)]).hooks.ask(
        Plugin.portula_jose
    )
    new = jose.sign({}, typ="JWT")
    kids = [taken_apart(token)[0]["kid"] for token in (new, old)]
    assert [key["kid"] for key in published(jose)] == kids
    assert jose.verify_own(old, typ={"JWT"}).claims == {"sub": "ann"}
    with pytest.raises(UntrustedToken):
        make(OIDC_RSA_PRIVATE_KEY=pem).hooks.ask(Plugin.portula_jose).verify_own(old, typ={"JWT"})


def test_of_inactive_keys_the_public_part_is_enough(make, pem, other):
    given = {"OIDC_RSA_PRIVATE_KEY": pem}
    private = make(**given, OIDC_RSA_PRIVATE_KEYS_INACTIVE=[pem_of(other)]).hooks.ask(Plugin.portula_jose)
    public = make(**given, OIDC_RSA_PRIVATE_KEYS_INACTIVE=[public_pem_of(other)]).hooks.ask(
        Plugin.portula_jose
    )
    assert published(private) == published(public)


@pytest.mark.parametrize(
    "wrong",
    ["", " ", "a key", UNUSABLE["a weak key"][0]],
    ids=["nothing", "a space", "a word", "a weak key"],
)
def test_an_inactive_key_that_does_not_do_is_named_by_its_place(make, pem, other, wrong):
    """An empty string is what an unset environment variable leaves behind (PostHog#60895)."""
    with pytest.raises(ConfigError) as caught:
        make(OIDC_RSA_PRIVATE_KEY=pem, OIDC_RSA_PRIVATE_KEYS_INACTIVE=[pem_of(other), wrong])
    (finding,) = caught.value.findings
    assert finding.startswith("OIDC_RSA_PRIVATE_KEYS_INACTIVE[1]: ")


def test_inactive_keys_without_an_active_one_leave_the_others_to_be_generated(make, other):
    jose = make(OIDC_RSA_PRIVATE_KEYS_INACTIVE=[pem_of(other)]).hooks.ask(Plugin.portula_jose)
    assert jose.has_configured_keys is False
    assert len(jose.signing_algorithms()) == 5
    assert published(jose)[0]["n"] == TokenKey(private=other).jwk["n"]


def test_the_name_of_a_key_is_its_thumbprint(configured, rsa_key):
    """RFC 7638 §3; computed here by hand."""
    members = TokenKey(private=rsa_key).jwk
    text = json.dumps({name: members[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    kid = encode(hashlib.sha256(text.encode()).digest())
    assert taken_apart(configured.sign({}, typ="JWT"))[0]["kid"] == kid
    assert published(configured)[0]["kid"] == kid


def test_a_key_of_two_algorithms_names_none_and_a_key_of_one_names_it(make, pem):
    assert "alg" not in published(make(OIDC_RSA_PRIVATE_KEY=pem).hooks.ask(Plugin.portula_jose))[0]
    jose = make(OIDC_RSA_PRIVATE_KEY=pem, SIGNING_ALGORITHMS=["RS256"]).hooks.ask(Plugin.portula_jose)
    assert published(jose)[0]["alg"] == "RS256"
    assert list(jose.signing_algorithms()) == ["RS256"]
    with pytest.raises(JoseError):
        jose.sign({}, typ="JWT", algorithm="PS256")


def test_rs256_cannot_be_left_out(make):
    with pytest.raises(ConfigError, match="RS256 is one of them"):
        make(SIGNING_ALGORITHMS=["ES256"])


def test_keys_are_generated_beside_a_configured_one_where_the_deployment_says_so(make, pem):
    jose = make(OIDC_RSA_PRIVATE_KEY=pem, SIGNING_KEYS_GENERATED=True).hooks.ask(Plugin.portula_jose)
    assert list(jose.signing_algorithms()) == ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
    kinds = [(key["kty"], key.get("crv")) for key in published(jose)]
    signing, encryption = (
        [("EC", "P-256"), ("EC", "P-384"), ("OKP", "Ed25519")],
        [("RSA", None), ("EC", "P-256")],
    )
    assert kinds == [("RSA", None), *signing, *encryption]
    assert jose.verify_own(jose.sign({"a": 1}, typ="JWT", algorithm="EdDSA"), typ={"JWT"}).claims == {"a": 1}


def test_without_a_key_none_may_be_made_where_the_deployment_says_so(make):
    jose = make(SIGNING_KEYS_GENERATED=False).hooks.ask(Plugin.portula_jose)
    assert list(jose.signing_algorithms()) == []
    assert published(jose) == []
    with pytest.raises(JoseError):
        jose.sign({}, typ="JWT")


def test_a_key_is_parsed_once(make, pem, monkeypatch):
    """It costs 76 ms on a small machine; OpenSSL's own parsing is what takes them."""
    calls = []
    load = parsing.load_pem_private_key
    monkeypatch.setattr(parsing, "load_pem_private_key", lambda *given: calls.append(1) or load(*given))
    jose = make(OIDC_RSA_PRIVATE_KEY=pem).hooks.ask(Plugin.portula_jose)
    for _ in range(3):
        jose.verify_own(jose.sign({}, typ="JWT"), typ={"JWT"})
        published(jose)
    assert calls == [1]


def test_nothing_shows_the_key(make, pem):
    """Attack S58."""
    provider = make(OIDC_RSA_PRIVATE_KEY=pem, OIDC_RSA_PRIVATE_KEYS_INACTIVE=[pem])
    shown = "".join(
        map(
            repr,
            (
                provider.settings(JoseSettings),
                provider.hooks.ask(Plugin.portula_jose),
                *provider.hooks.ask(Plugin.portula_jose).sources,
            ),
        )
    )
    assert "PRIVATE KEY-----" not in shown
    told = json.dumps(report.settings(provider))
    assert "OIDC_RSA_PRIVATE_KEYS_INACTIVE" in told
    assert "PRIVATE KEY-----" not in told
