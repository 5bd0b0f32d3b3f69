"""Findings of `portula check` about keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_jose.jose import own
from portula_jose.settings import DAY, JoseSettings
from portula_jose.signing_keys import KeyRing
from portula_jose.stored_keys import State

if TYPE_CHECKING:
    from portula import Provider
    from portula_jose.jose import SigningRoom
    from portula_jose.stored_keys import SigningKeys

SHORT_MAX_AGE_SECONDS = 300
OLD_KEY_SECONDS = 366 * DAY
"""A key in use for longer than a year should have been followed by another (NIST SP 800-57 Part 1 §5.3.6)."""
SHORT_RETIRING_SECONDS = DAY

CONFIGURED = Finding(
    "jose.configured-key",
    Level.INFO,
    "The signing key comes from OIDC_RSA_PRIVATE_KEY, so nothing rotates it by itself.",
    "Once a year publish a new key in OIDC_RSA_PRIVATE_KEYS_INACTIVE, then let the two change places.",
    "NIST SP 800-57 Part 1 §5.3.6",
)


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Keys that grow old, and lists that are kept too short."""
    jose = own(provider)
    return list(_findings(provider, jose)) if jose else []


def _findings(provider: Provider, jose: SigningRoom) -> Iterator[Finding]:
    settings = provider.settings(JoseSettings)
    if settings.OIDC_JWKS_MAX_AGE_SECONDS < SHORT_MAX_AGE_SECONDS:
        yield Finding(
            "jose.max-age",
            Level.INFO,
            f"Others may keep the published keys for {settings.OIDC_JWKS_MAX_AGE_SECONDS} seconds only.",
            "Set OIDC_JWKS_MAX_AGE_SECONDS to 3600; with less, every client asks for the keys all the time.",
            "RFC 9111 §5.2.2.1",
        )
    if settings.OIDC_RSA_PRIVATE_KEY:
        yield CONFIGURED
    if jose.ring is not None:
        yield from _check_generated_keys(provider, settings, jose.ring)


def _check_generated_keys(provider: Provider, settings: JoseSettings, ring: KeyRing) -> Iterator[Finding]:
    now, age = provider.now(), settings.SIGNING_KEY_ROTATION_SECONDS
    if age is None:
        yield Finding(
            "jose.rotation",
            Level.WARNING,
            "SIGNING_KEY_ROTATION_SECONDS is None, so signing keys are rotated by hand only.",
            "Leave it at its default of 90 days, or run `portula keys rotate` from a timer.",
            "NIST SP 800-57 Part 1 §5.3.6",
        )
    if settings.SIGNING_KEY_RETIRING_SECONDS < SHORT_RETIRING_SECONDS:
        yield Finding(
            "jose.retiring",
            Level.WARNING,
            "A key is withdrawn less than a day after its last signature; tokens that live longer lose their proof.",
            "Set SIGNING_KEY_RETIRING_SECONDS above the life of ID tokens and of JWT access tokens.",
        )
    yield from _check_sealed_keys(ring.ring())
    for placed in ring.placed_keys():
        if placed.state is State.ACTIVE and now - placed.stored.signs_from > OLD_KEY_SECONDS:
            yield Finding(
                "jose.old-key",
                Level.WARNING,
                f"The {placed.stored.algorithm} key has been in use for more than a year.",
                "Run `portula keys rotate`.",
                "NIST SP 800-57 Part 1 §5.3.6",
            )


def _check_sealed_keys(held: SigningKeys) -> Iterator[Finding]:
    if held.former:
        yield Finding(
            "jose.former-secret-key",
            Level.WARNING,
            f"{held.former} keys are encrypted under a secret key that is no longer the first.",
            "Keep it in SECRET_KEYS until they are retired; `portula keys rotate` makes their successors now.",
        )
    if held.locked:
        yield Finding(
            "jose.other-secret-key",
            Level.WARNING,
            f"The storage was written under another secret key: {held.locked_text}.",
            "Put the former key back into the list, behind the present one: without it no token and no generated "
            "secret of before counts. Where it is lost, `portula keys forget` removes what it locks.",
            at_start=True,
        )
    if held.damaged:
        yield Finding(
            "jose.unreadable-key",
            Level.ERROR,
            f"{held.damaged} stored keys do not open: they are damaged, or were not written by portula.",
            "Find out who writes to the storage, and delete these records.",
        )
