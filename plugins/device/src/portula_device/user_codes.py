"""Codes that a person reads on a device and types at a browser (RFC 8628 §6.1)."""

from __future__ import annotations

import secrets

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come of it; nothing that looks like something else."""
LETTERS = 8
"""34.5 bits, which is enough where few guesses are allowed (§5.1)."""
MAX_CHARACTERS = 64
"""Of what somebody types."""


def generate() -> str:
    """Return a new code in the form in which devices show it."""
    return display_form("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)))


def normal_form(typed: str) -> str:
    """Return what of a code counts: letters and digits, in upper case."""
    return "".join(filter(str.isalnum, typed[:MAX_CHARACTERS].upper()))


def display_form(code: str) -> str:
    """Return a code of ours with a hyphen in its middle; another as it is."""
    return f"{code[:4]}-{code[4:]}" if len(code) == LETTERS and set(code) <= set(ALPHABET) else code
