"""Passwords that nobody may choose: common, repeated, in a row, or made of names that everybody can guess.

NIST SP 800-63B-3 §5.1.1.2 has verifiers compare a new password with values known to be common, expected or compromised.
The words here are those that such passwords are built around; PASSWORD_BLOCKLIST_FILE names a list of leaked ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from portula_accounts.passwords import MIN_PASSWORD_CHARACTERS

COMMON = frozenset(files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8").split())
"""Words that are no password by themselves, nor with digits and signs around them."""

ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "zaq12wsxcde34rfvbgt56yhn",
    "a1b2c3d4e5f6g7h8i9",
    "!@#$%^&*()",
)
"""What stands in a row in the alphabet or on a keyboard."""

SIGNS_FOR_LETTERS = str.maketrans("@4013$5!7", "aaolessit")
"""Signs that people write for letters."""

LEFT_BESIDE_NAMES = MIN_PASSWORD_CHARACTERS
"""Characters that a password has beside the names in it: what is left has to be one by itself."""
SHORTEST_NAME = 3
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class Blocklist:
    """Judges passwords, by the words above and by a file."""

    def __init__(self, file: Path | None) -> None:
        """Read the file, one password a line in UTF-8; case does not count."""
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file else ()
        self._listed = frozenset(line.strip().casefold() for line in lines) - {""}

    def problem(self, password: str, names: Iterable[str]) -> str | None:
        """Return why nobody should have this password, or None.

        Args:
            password: as it would be kept.
            names: what is known of its owner and of the service; no password is one of them with little added.
        """
        plain = password.casefold()
        if plain in self._listed or _is_common(plain):
            return "This password is too common: it is among the first that anybody tries."
        if _is_repeated(plain) or any(plain in row or plain in row[::-1] for row in ROWS):
            return "This password only repeats characters, or has them as they stand in a row."
        rest = plain
        for name in sorted(_with_parts(names), key=len, reverse=True):
            rest = rest.replace(name, "")
        if rest != plain and (len(rest) < LEFT_BESIDE_NAMES or _is_common(rest)):
            return "This password is little more than a name: of its user, or of this service."
        return None


def _with_parts(names: Iterable[str]) -> set[str]:
    """Return names and the words in them, those that are long enough to tell."""
    plain = [name.casefold() for name in names]
    found = {*plain, *(part for name in plain for part in _BETWEEN_WORDS.split(name))}
    return {name for name in found if len(name) >= SHORTEST_NAME}


def _is_common(plain: str) -> bool:
    """Say whether a common word is left when digits and signs are taken from both ends, or read as letters."""
    candidates = (plain, plain.translate(SIGNS_FOR_LETTERS))
    bare = {_without_ends(candidate) for candidate in candidates}
    return not COMMON.isdisjoint(bare | {word.translate(SIGNS_FOR_LETTERS) for word in bare})


def _without_ends(text: str) -> str:
    letters = [place for place, character in enumerate(text) if character.isalpha()]
    return "".join(text[letters[0] : letters[-1] + 1].split()) if letters else ""


def _is_repeated(plain: str) -> bool:
    """Say whether a text is one of at most half its length, over and over; the last may be cut off."""
    return any(
        plain.startswith((plain[:length] * len(plain))[: len(plain)])
        for length in range(1, len(plain) // 2 + 1)
    )
