"""Comparing a secret with what Django stores of it: PBKDF2 (RFC 8018 §5.2), scrypt (RFC 7914 §6), argon2 (RFC 9106 §3).

How long a comparison takes follows from a form and, in proportion, from a number: iterations of PBKDF2, `p` of scrypt,
passes of argon2. So any of them is made as long as the longest of its form, and nobody sees which one it was.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from argon2 import Type, extract_parameters
from argon2.exceptions import HashingError, InvalidHashError
from argon2.low_level import hash_secret_raw

MAX_ITERATIONS = 5_000_000
"""Of PBKDF2, for which a processor needs seconds; Django 5.2 has one million."""
MAX_SCRYPT_BYTES = 64 * 1024**2
"""What scrypt may fill, 128 bytes times `n` times `r`; Django's own take 16 MiB."""
MAX_ARGON2_KIB = 256 * 1024
"""What argon2 may fill; Django's own take 100 MiB."""
MAX_LANES = 16
"""Lanes and passes of argon2, and `p` of scrypt."""

_PBKDF2 = {"pbkdf2_sha256": "sha256", "pbkdf2_sha1": "sha1"}
_TYPES = {"argon2i": Type.I, "argon2d": Type.D, "argon2id": Type.ID}

Form = tuple[str | int, ...]
"""The algorithm, and what the time of one unit follows from: `(n, r)` of scrypt, memory, lanes, version of argon2."""


@dataclass(frozen=True, slots=True)
class StoredHash:
    """What Django stored, taken apart."""

    form: Form
    units: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)


class DjangoHashes:
    """Compares with what Django stored; each comparison takes as long as the longest of each form there was."""

    def __init__(self) -> None:
        """Start with no form."""
        self._longest: dict[Form, int] = {}

    @property
    def in_use(self) -> bool:
        """Whether there was anything to compare with, so that one more takes time."""
        return bool(self._longest)

    def verify(self, secret: str, stored: str) -> bool:
        """Compare in constant time; False for anything malformed or beyond the bounds."""
        known, right, own = read(stored), False, dict[Form, int]()
        if known is not None:
            try:
                digest = _work(known.form, known.units, secret, known.salt, len(known.digest))
            except (ValueError, OverflowError, HashingError):  # parameters that the algorithm itself refuses
                return False
            right = hmac.compare_digest(digest, known.digest)
            own[known.form] = known.units
            self._longest[known.form] = max(known.units, self._longest.get(known.form, 0))
        for form, units in list(self._longest.items()):
            rest = units - own.get(form, 0)
            if rest > 0:
                _work(form, rest, secret, secrets.token_bytes(16), 32)
        return right


def read(stored: str) -> StoredHash | None:
    """Take apart what Django stored; None for what is of another form, malformed or beyond the bounds."""
    algorithm, _, rest = stored.partition("$")
    reader = _READERS.get(algorithm)
    if reader is None or not stored.isascii():
        return None
    try:
        return reader(algorithm, rest.split("$"))
    except (ValueError, binascii.Error, InvalidHashError):
        return None


def _read_pbkdf2(algorithm: str, parts: Sequence[str]) -> StoredHash:
    iterations, salt, digest = parts
    found = StoredHash((algorithm,), _number(iterations, MAX_ITERATIONS), salt.encode(), _bytes(digest))
    return _check_digest(found, hashlib.new(_PBKDF2[algorithm], usedforsecurity=False).digest_size)


def _read_scrypt(algorithm: str, parts: Sequence[str]) -> StoredHash:
    n, salt, r, p, digest = parts
    cost, block = _number(n, MAX_SCRYPT_BYTES), _number(r, MAX_SCRYPT_BYTES)
    if 128 * cost * block > MAX_SCRYPT_BYTES or cost < 2 or cost & (cost - 1):
        raise ValueError("too much memory, or a cost that is no power of two")
    return _check_digest(
        StoredHash((algorithm, cost, block), _number(p, MAX_LANES), salt.encode(), _bytes(digest)), 64
    )


def _read_argon2(_algorithm: str, parts: Sequence[str]) -> StoredHash:
    given = extract_parameters("$" + "$".join(parts))
    if given.version not in (0x10, 0x13):
        raise ValueError("a version that argon2 does not have")
    lanes = _number(str(given.parallelism), MAX_LANES)
    form = (parts[0], _number(str(given.memory_cost), MAX_ARGON2_KIB), lanes, given.version)
    found = StoredHash(
        form,
        _number(str(given.time_cost), MAX_LANES),
        _bytes(parts[-2], pad=True),
        _bytes(parts[-1], pad=True),
    )
    return _check_digest(found, given.hash_len)


_READERS: dict[str, Callable[[str, Sequence[str]], StoredHash]] = {
    "pbkdf2_sha256": _read_pbkdf2,
    "pbkdf2_sha1": _read_pbkdf2,
    "scrypt": _read_scrypt,
    "argon2": _read_argon2,
}


def _number(text: str, most: int) -> int:
    if not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= most:
        raise ValueError("a number that is none or is beyond the bounds")
    return int(text)


def _bytes(text: str, *, pad: bool = False) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4) if pad else text, validate=True)


def _check_digest(found: StoredHash, length: int) -> StoredHash:
    if not found.salt or len(found.digest) != length or length < 16:
        raise ValueError("no salt, or a digest of another length")
    return found


def _work(form: Form, units: int, secret: str, salt: bytes, length: int) -> bytes:
    algorithm, *numbers = form
    if algorithm in _PBKDF2:
        return hashlib.pbkdf2_hmac(_PBKDF2[str(algorithm)], secret.encode(), salt, units)
    if algorithm == "scrypt":
        n, r = map(int, numbers)
        most = 2 * MAX_SCRYPT_BYTES
        return hashlib.scrypt(secret.encode(), salt=salt, n=n, r=r, p=units, maxmem=most, dklen=64)
    memory, lanes, version = map(int, numbers)
    return hash_secret_raw(
        secret.encode(), salt, units, memory, lanes, length, _TYPES[str(algorithm)], version
    )
