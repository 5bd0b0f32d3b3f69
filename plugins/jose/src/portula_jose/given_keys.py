"""Private keys that whoever asks brings along, such as that of a client of another provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from portula.errors import JoseError
from portula_jose.algorithms import ALGORITHMS, fits, sign
from portula_jose.compact import encode, signing_input
from portula_jose.pem import lines_of


class GivenKey:
    """Signs with one key, by one algorithm. Safe to share between threads."""

    def __init__(self, pem: str, algorithm: str | None, kid: str | None) -> None:
        """Take the key, and what headers name.

        Raises:
            JoseError: it is no private key, or fits no algorithm, or not this one; nothing of it is said.
        """
        try:
            key = JWK.from_pem(lines_of(pem))
        except (JWException, UnsupportedAlgorithm, TypeError, ValueError) as error:
            raise JoseError("this is no private key in PEM, or it is encrypted") from error
        fitting = [name for name in ALGORITHMS if fits(key, name) and algorithm in (None, name)]
        if not key.has_private or not fitting:
            named = "any algorithm here" if algorithm is None else algorithm
            raise JoseError(f"this is no private key that fits {named}")
        self._key, self._algorithm = key, fitting[0]
        self._header = {"alg": self._algorithm, **({} if kid is None else {"kid": kid})}

    def __call__(self, claims: Mapping[str, Any], typ: str) -> str:
        """Return a signed token in compact form.

        Raises:
            JoseError: the claims are no JSON.
        """
        data = signing_input({"typ": typ, **self._header}, claims)
        return f"{data}.{encode(sign(self._key, self._algorithm, data.encode()))}"
