"""Clients that have tokens encrypted, and encrypt some themselves: with joserfc, not with the code that is tested."""

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwe, jwk

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse

URI = "https://client.example/jwks"


@functools.cache
def rsa_key(kid: str = "rsa") -> Any:
    """Return an RSA key for encryption, made once for each name."""
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "enc"})


@functools.cache
def ec_key(crv: str = "P-256") -> Any:
    """Return a key for ECDH on a curve, made once for each."""
    members = {"kid": crv, "use": "enc"}
    if crv == "X25519":
        return jwk.OKPKey.generate_key(crv, members)
    return jwk.ECKey.generate_key(crv, members)


def public(key: Any, **members: Any) -> dict[str, Any]:
    """Return the public members of a key, with others in their place."""
    return {**key.as_dict(private=False), **members}


def jwks_of(*keys: Any) -> dict[str, Any]:
    """Return a JWK Set of public keys."""
    return {"keys": [public(key) for key in keys]}


def key_of_secret(secret: str, size: int) -> Any:
    """Return the key of so many bytes that follows from a client's secret (OpenID Connect Core §10.2)."""
    digest = hashlib.sha256 if size <= 32 else hashlib.sha384 if size <= 48 else hashlib.sha512
    return jwk.OctKey.import_key(digest(secret.encode()).digest()[:size])


def opened(token: str, key: Any, algorithm: str, enc: str = "A128CBC-HS256") -> tuple[dict[str, Any], str]:
    """Return header and content of an encrypted token."""
    found = jwe.decrypt_compact(token, key, algorithms=[algorithm, enc])
    assert found.plaintext is not None
    return dict(found.protected), found.plaintext.decode()


def encrypted(payload: str, key: Any, algorithm: str, enc: str = "A128CBC-HS256", **header: Any) -> str:
    """Return something encrypted; a member of the header that is None is left out."""
    members = {"alg": algorithm, "enc": enc, "cty": "JWT", **header}
    known = {name: value for name, value in members.items() if value is not None}
    return jwe.encrypt_compact(known, payload.encode(), key, algorithms=[algorithm, enc])


class KeyServer(Fetcher):
    """The slot of the fetcher: what stands at URI, and how often it was asked for."""

    def __init__(self) -> None:
        """Begin without an answer."""
        self.jwks: Mapping[str, Any] | None = None
        self.status: int | None = None
        self.times = 0

    @hookimpl
    def portula_fetcher(self, provider: object) -> Fetcher:
        """Answer the slot."""
        return self

    def get(self, url: str, *, accept: object, max_bytes: int = 65536) -> FetchResponse:
        """Answer with the keys."""
        assert url == URI
        self.times += 1
        if self.jwks is None:
            raise FetchFailed("there is nothing", self.status)
        return FetchResponse(200, "application/json", json.dumps(self.jwks).encode())

    def post(self, url: str, body: object, **others: object) -> FetchResponse:
        """Refuse: keys are not posted."""
        raise AssertionError("keys are not posted")
