"""Keys that are generated and kept encrypted in the storage, one for each algorithm at a time.

Most sign; those for `RSA-OAEP` and `ECDH-ES` decrypt, by all algorithms of their family. A rotation is one record added
under a digest that only one worker can add, and every worker changes over at the same second.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jwcrypto.jwk import JWK

from portula.errors import DuplicateRecord, JoseError
from portula.plugin import Artifact, Plan, log_failure, plan_to_add, unkeyed_digest
from portula_jose.algorithms import ALGORITHMS, sign
from portula_jose.encryption import FAMILIES, RSA
from portula_jose.sources import PublicKey, SigningKey
from portula_jose.stored_keys import PlacedKey, SigningKeys, State, StoredKey

if TYPE_CHECKING:
    from portula import Provider
    from portula_jose.settings import JoseSettings

log = logging.getLogger("portula")

KIND = "signing-key"
_ALL = "signing-keys"
_PAGE = 100

REREAD_SECONDS = 5
"""How soon every worker hears of a rotation."""

MAX_TRIED = 8
"""Keys that a token is tried with that names none."""

PATIENCE_SECONDS = 1.0
"""How long a request waits for keys that are read again."""


class KeyRing:
    """The generated keys of a provider: a KeySource, and what `portula keys` turns."""

    name = "storage"

    def __init__(self, provider: Provider, settings: JoseSettings, algorithms: Sequence[str]) -> None:
        """Take the algorithms it signs with. The storage is asked for later, when it stands."""
        self._provider = provider
        self._settings = settings
        self._algorithms = tuple(algorithms)
        decrypting = (name for name, family in FAMILIES.items() if self._algorithms_in_use(family))
        self.names = (*self._algorithms, *decrypting)
        """What there is a key for each: the algorithms it signs with, and the families it decrypts."""
        self._begin()
        self._parsed: dict[str, StoredKey] = {}

    def _begin(self) -> None:
        """Hold nothing: what was read in another process before a fork may be old, and its lock may be held there."""
        self._pid = os.getpid()
        self._held: SigningKeys | None = None
        self._looked_at: int | None = None
        self._reading = threading.Lock()

    # --- KeySource ---

    def algorithms(self) -> Sequence[str]:
        """See KeySource.algorithms; a key is made when it is first needed."""
        return self._algorithms

    def signing_key(self, algorithm: str) -> SigningKey:
        """See KeySource.signing_key."""
        now = self._provider.now()
        stored = self.ring().active(algorithm, now) or self._first(algorithm)
        return SigningKey(stored.public.kid, lambda data: sign(stored.key, algorithm, data))

    def published_keys(self) -> Sequence[PublicKey]:
        """See KeySource.published."""
        now = self._provider.now()
        for algorithm in self.names:
            if self.ring().active(algorithm, now) is None:
                self._first(algorithm)
        return [placed.stored.public for placed in self.placed_keys() if self._is_published(placed)]

    def find(self, kid: str) -> PublicKey | None:
        """See KeySource.find; an unknown name may be that of a key that another worker has just made."""
        found, now = self._find(kid), self._provider.now()
        if found is None and self._looked_at != now:  # once a second, whatever names come in
            self._looked_at = now
            self.read()
            found = self._find(kid)
        return found

    def decryption_algorithms(self) -> Sequence[str]:
        """Return what it decrypts; a key is made when it is first published."""
        return [name for family in FAMILIES.values() for name in self._algorithms_in_use(family)]

    def decryption_keys(self, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may decrypt, newest first: that of the name, or a few where none is named."""
        if kid is not None:
            self.find(kid)  # which looks again for a key that another worker has just made
        found = [
            placed.stored.key
            for placed in self.placed_keys()
            if algorithm in placed.stored.public.algorithms
            and placed.state is not State.RETIRED
            and kid in (None, placed.stored.public.kid)
        ]
        return found[: -MAX_TRIED - 1 : -1]

    def _algorithms_in_use(self, family: Sequence[str]) -> list[str]:
        """Return the algorithms of a family that the settings have."""
        return [name for name in family if name in self._settings.ENCRYPTION_ALGORITHMS]

    def _is_published(self, placed: PlacedKey) -> bool:
        """Say whether others are to see a key; they encrypt with any that they see."""
        if placed.stored.algorithm not in FAMILIES:
            return placed.state is not State.RETIRED
        return placed.state in (State.NEXT, State.ACTIVE) and placed.stored.algorithm in self.names

    def _find(self, kid: str) -> PublicKey | None:
        return next(
            (
                placed.stored.public
                for placed in self.placed_keys()
                if placed.stored.public.kid == kid and placed.state is not State.RETIRED
            ),
            None,
        )

    # --- Looking and turning ---

    def ring(self) -> SigningKeys:
        """Return the keys as read in the last seconds; one thread reads again, the others go on with what is held.

        Where that fails, or takes long, the keys that are held go on: to be published, and to sign.

        Raises:
            StorageDown: the storage does not answer, and no keys are held.
        """
        if self._pid != os.getpid():
            self._begin()
        held = self._held
        if held is None:
            with self._reading:
                return self._held or self.read()
        if 0 <= self._provider.now() - held.read_at < REREAD_SECONDS or not self._reading.acquire(
            blocking=False
        ):
            return held
        reader = threading.Thread(target=self._read_again, args=(held,), name="portula keys", daemon=True)
        reader.start()
        reader.join(PATIENCE_SECONDS)
        return self._held or held

    def _read_again(self, held: SigningKeys) -> None:
        try:
            with self._provider.app.app_context():
                self.read()
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "the signing keys are not read again; those of before go on")
            self._held = replace(held, read_at=self._provider.now())
        finally:
            self._reading.release()

    def placed_keys(self) -> list[PlacedKey]:
        """Return every key with its state now."""
        return list(
            self.ring().placed_keys(self._provider.now(), self._settings.SIGNING_KEY_RETIRING_SECONDS)
        )

    def read(self) -> SigningKeys:
        """Read the keys, make the successors that are due, and remove what is retired."""
        ring = self._read()
        if self._tend(ring):
            ring = self._read()
        self._held = ring
        return ring

    def rotate(self, algorithm: str, *, at_once: bool = False) -> StoredKey:
        """Return the key that signs next: the one that waits already, or a new one, made here or by a faster worker.

        Nothing is read once the key is kept, so that what fails has changed nothing.

        Args:
            algorithm: one of `names`.
            at_once: whether it signs from now on, although others may not have seen it published.
        """
        now = self._provider.now()
        newest = next(reversed(self.read().of(algorithm)), None)
        if newest is None:
            return self._first(algorithm)
        if newest.signs_from <= now:
            made = self._add(algorithm, newest.generation + 1, now if at_once else now + self.lead)
            newest = made or self.read().of(algorithm)[-1]
        if at_once and newest.signs_from > now:
            newest = self._hasten(newest, now)
        self._held = None
        return newest

    def forget(self) -> int:
        """Remove the keys that no key of SECRET_KEYS opens, and return how many they were."""
        locked, plan = self.read().locked, Plan()
        for digest in locked:
            plan.remove(Artifact, digest=digest)
        if locked:
            self._provider.storage.apply(plan)
            self._held = None
        return len(locked)

    @property
    def lead(self) -> int:
        """Seconds between publishing a key and signing with it: until no cache holds a list without it.

        Caches may serve a stale copy for as long again as a fresh one, and workers notice after a while.
        """
        return 2 * self._settings.OIDC_JWKS_MAX_AGE_SECONDS + REREAD_SECONDS

    def _read(self) -> SigningKeys:
        now, found, locked, former, damaged = self._provider.now(), [], [], 0, 0
        marks = self._marks
        for artifact in self._artifacts():
            under, stored = artifact.payload.get("under", artifact.family), self._open(artifact)
            if stored is not None:
                found.append(stored)
                former += under != marks[0]
            elif isinstance(under, str) and under not in (*marks, self._family):
                locked.append(artifact.digest)
            else:
                damaged += 1
        self._parsed = {stored.digest: stored for stored in found}
        order = [
            *ALGORITHMS,
            *FAMILIES,
        ]  # some clients take the first key they see, and RS256 is what they expect
        found.sort(key=lambda stored: (order.index(stored.algorithm), stored.generation))
        return SigningKeys(now, tuple(found), former, tuple(locked), damaged)

    @property
    def _family(self) -> str:
        """What joins the keys of this issuer and realm; not keyed, so that those under other secret keys show too."""
        return unkeyed_digest(f"{_ALL} {self._provider.keys.namespace}")

    @property
    def _marks(self) -> tuple[str, ...]:
        """What a record says of the secret key that it is sealed under, for each of SECRET_KEYS, current first."""
        marks = self._provider.keys.digests(_ALL, "")
        return (marks,) if isinstance(marks, str) else marks

    def _artifacts(self) -> Iterator[Artifact]:
        family = (self._family, *self._marks)  # the marks were the families once
        after: str | None = None
        while True:
            page = self._provider.storage.select(Artifact, limit=_PAGE, after=after, family=family)
            yield from (artifact for artifact in page if artifact.kind == KIND)
            if len(page) < _PAGE:
                return
            after = page[-1].digest

    def _open(self, artifact: Artifact) -> StoredKey | None:
        """Return the key in a record, None when it is not ours. All of it is sealed: nothing is believed unread."""
        text = self._provider.keys.unseal(KIND, str(artifact.payload.get("sealed", "")))
        if text is None:
            return None
        members: dict[str, Any] = json.loads(text)
        known = self._parsed.get(artifact.digest)
        if known is not None and known.signs_from == members["signs_from"]:
            return known
        key = JWK(**members["jwk"])
        key.unsafe_skip_rsa_key_validation = (
            True  # it was validated when it was made, and the seal is authentic
        )
        return StoredKey(
            digest=artifact.digest,
            algorithm=members["algorithm"],
            generation=members["generation"],
            made_at=artifact.issued_at,
            signs_from=members["signs_from"],
            public=self._public(key, members["algorithm"]),
            key=key,
        )

    def _public(self, key: JWK, algorithm: str) -> PublicKey:
        family = FAMILIES.get(algorithm)
        return (
            PublicKey.of(key, [algorithm])
            if family is None
            else PublicKey.of(key, self._algorithms_in_use(family), "enc")
        )

    def _tend(self, ring: SigningKeys) -> bool:
        """Make the successors that are due and remove what is retired; say whether there was anything to do."""
        now, age = self._provider.now(), self._settings.SIGNING_KEY_ROTATION_SECONDS
        done, retired = False, Plan()
        for placed in ring.placed_keys(now, self._settings.SIGNING_KEY_RETIRING_SECONDS):
            stored = placed.stored
            if placed.state is State.RETIRED:
                retired.remove(Artifact, digest=stored.digest)
            elif placed.state is State.ACTIVE and placed.until is None and age is not None:
                due = stored.signs_from + age
                if now >= due - self.lead and stored.algorithm in self.names:
                    self._add(stored.algorithm, stored.generation + 1, max(due, now + self.lead))
                    done = True
        if retired:
            self._provider.storage.apply(retired)
        return done or bool(retired)

    def _first(self, algorithm: str) -> StoredKey:
        """Make the first key of an algorithm, which signs at once: nobody holds a list without it."""
        now, ring = self._provider.now(), self.read()
        found = ring.active(algorithm, now)
        for generation in range(
            1, len(ring.locked) + ring.damaged + 2
        ):  # past what stands in the way and does not open
            if found is not None:
                break
            self._add(algorithm, generation, now)
            found = self.read().active(algorithm, now)
        if found is None:
            raise JoseError(f"the key for {algorithm} cannot be read back")
        return found

    def _add(self, algorithm: str, generation: int, signs_from: int) -> StoredKey | None:
        """Keep a new key and return it; None when another worker was faster."""
        key = _generate(algorithm, self._settings.SIGNING_KEY_RSA_BITS)
        keys = self._provider.keys
        artifact = Artifact(
            digest=keys.digest(KIND, f"{algorithm} {generation}"),
            kind=KIND,
            payload=self._seal(key, algorithm, generation, signs_from),
            issued_at=self._provider.now(),
            family=self._family,
        )
        try:
            self._provider.storage.apply(plan_to_add(artifact))
        except DuplicateRecord:
            return None
        log.info("made the key %s for %s", key.thumbprint(), algorithm)
        return self._open(artifact)

    def _hasten(self, stored: StoredKey, signs_from: int) -> StoredKey:
        """Let a key that waits sign earlier."""
        payload = self._seal(stored.key, stored.algorithm, stored.generation, signs_from)
        plan = Plan()
        plan.change(Artifact, stored.digest, payload=payload)
        self._provider.storage.apply(plan)
        return replace(stored, signs_from=signs_from)

    def _seal(self, key: JWK, algorithm: str, generation: int, signs_from: int) -> dict[str, str]:
        text = json.dumps(
            {
                "jwk": key.export_private(as_dict=True),
                "algorithm": algorithm,
                "generation": generation,
                "signs_from": signs_from,
            }
        )
        return {"sealed": self._provider.keys.seal(KIND, text), "under": self._marks[0]}


def _generate(algorithm: str, rsa_bits: int) -> JWK:
    if algorithm in FAMILIES:
        return (
            JWK.generate(kty="RSA", size=rsa_bits)
            if algorithm in RSA
            else JWK.generate(kty="EC", crv="P-256")
        )
    kind = ALGORITHMS[algorithm]
    if kind.kty == "RSA":
        return JWK.generate(kty="RSA", size=rsa_bits)
    return JWK.generate(kty="OKP" if kind.kty == "OKP" else "EC", crv=kind.crv)
