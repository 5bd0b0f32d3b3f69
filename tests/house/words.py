"""Words of a feature stand in its room. Its manifest lists them; core uses them ever less."""

import re
import tomllib
from pathlib import Path

from house.files import at, python_files, room_folders

CEILINGS = {
    "admin": 4,  # the joint by which a room shows its records to administrators
    "client_assertion": 1,  # credentials that no log and no copy of a request has (RFC 7521 §4.2)
    "logout": 6,  # post_logout_redirect_uris, a column of clients that django-oauth-toolkit has
    "oidc": 45,  # oauthlib's RequestValidator and errors, ID_TOKEN_MODEL, and Issue, which says whether one is made
}
"""How many lines of core have a room's words; 0 for a room that is not named. A lower count is to be noted here."""


def vocabulary(room: Path) -> re.Pattern[str] | None:
    """Return the words of a room, as `vocabulary` in its manifest lists them; a star stands for further letters."""
    path = room / "pyproject.toml"
    listed = (
        tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("portula", {}).get("vocabulary")
    )
    if not listed:
        return None
    words = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in listed)
    return re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])")


def lines_of_core(root: Path, room: Path) -> list[str]:
    """Return where the words of a room stand in core; the list of defaults may name all, and so may settings."""
    pattern = vocabulary(room)
    return [
        at(path, root, number)
        for path in python_files(root, "core/src")
        if pattern is not None and path.name != "defaults.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def words_of_rooms_stay_in_them(root: Path) -> list[str]:
    """As many lines of core have a room's words as CEILINGS says, none for most."""
    problems = []
    for room in room_folders(root):
        lines, ceiling = lines_of_core(root, room), CEILINGS.get(room.name, 0)
        if len(lines) != ceiling:
            problems.append(f"{room.name}: {len(lines)} lines, {ceiling} are noted: {', '.join(lines)}")
    return problems
