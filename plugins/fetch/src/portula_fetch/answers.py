"""Judges the head of an answer before its body is read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from portula.errors import FetchFailed

Headers = Sequence[tuple[str, str]]
"""Names in lower case."""


def judge_head(method: str, status: int, headers: Headers, accept: Collection[str], max_bytes: int) -> None:
    """Raise FetchFailed for an answer whose body need not be read."""
    if 300 <= status < 400:
        raise FetchFailed(f"it answered {status}, and redirects are not followed", status)
    if not (status == 200 if method == "GET" else 200 <= status < 300):
        raise FetchFailed(f"it answered {status}", status)
    encodings = {encoding.lower() for encoding in _values(headers, "content-encoding")} - {"", "identity"}
    if encodings:
        raise FetchFailed("the answer is compressed, which was not asked for", status)
    length = next(iter(_values(headers, "content-length")), "")
    if length.isdecimal() and len(length) < 20 and int(length) > max_bytes:
        raise FetchFailed(f"the answer has more than {max_bytes} bytes", status)
    if accept and media_type_of(headers) not in {kind.lower() for kind in accept}:
        raise FetchFailed(f"the answer is not of type {' or '.join(accept)}", status)


def media_type_of(headers: Headers) -> str:
    """Return the media type (RFC 9110 §8.3.1) in lower case without parameters; empty without one, or with several."""
    given = [value for name, value in headers if name == "content-type"]
    return given[0].partition(";")[0].strip().lower() if len(given) == 1 else ""


def max_age_of(headers: Headers) -> int | None:
    """Return how long an answer may be kept (RFC 9111 §5.2.2), less the time that it was kept on its way (§5.1)."""
    ages = [_seconds(value) for value in _values(headers, "age")]
    found: int | None = None
    for directive in _values(headers, "cache-control"):
        name, _, value = directive.partition("=")
        if name.strip().lower() in ("no-store", "no-cache"):
            return 0
        if name.strip().lower() == "max-age":
            seconds = _seconds(value.strip().strip('"'))
            found = seconds if found is None else min(found, seconds)
    return found if found is None else max(0, found - max(ages, default=0))


def _values(headers: Headers, name: str) -> list[str]:
    """Return the members of a header that is a list (RFC 9110 §5.6.1)."""
    return [part.strip() for known, value in headers if known == name for part in value.split(",")]


def _seconds(text: str) -> int:
    """Return delta-seconds (RFC 9111 §1.2.2), at most 2^31; 0 for what is none, so that it counts as stale."""
    return min(int(text[:20]), 2**31) if text.isascii() and text.isdecimal() else 0
