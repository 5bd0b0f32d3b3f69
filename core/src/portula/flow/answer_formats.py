"""In which form an endpoint answers, where the request chooses it by its header `Accept` (RFC 9110 §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from portula.model.http import Answer, json_answer

if TYPE_CHECKING:
    from portula.flow.exchange import Exchange

_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
"""RFC 9110 §12.4.2."""


def _never(exchange: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFormat:
    """One form of the answers of an endpoint."""

    media_type: str
    """Its Content-Type, in lower case and without parameters."""
    write: Callable[[Any], Answer]
    """Takes the exchange, whose `response` is made; returns an answer that is not cached."""
    endpoint: str = ""
    """Name of the list of steps that it answers for, e.g. `introspect`; without that endpoint it is never used."""
    required: Callable[[Any], bool] = _never
    """Says of an exchange, whose client is known, whether this form alone answers it, so that nothing is chosen."""


JSON = AnswerFormat(media_type="application/json", write=lambda exchange: json_answer(200, exchange.response))
"""The form of an answer unless a request chooses another one."""


def preferred_format(exchange: Exchange, endpoint: str) -> AnswerFormat:
    """Return the form that a request prefers: the one of most weight, and of two the same the one that it names.

    Where that settles nothing it is JSON: a wildcard, a header that names no form there is, or none at all.
    """
    ranges = _ranges(exchange)

    def preference(offered: AnswerFormat) -> tuple[float, bool]:
        weight = _weight(ranges, offered)
        return weight, weight > 0 and offered is not JSON and offered.media_type in ranges

    return max((JSON, *_of(exchange, endpoint)), key=preference)


def answer_format(exchange: Exchange, endpoint: str) -> AnswerFormat:
    """Return the form in which a request is answered, once its client is known.

    Raises:
        InvalidRequestError: one form alone answers the client, and the request does not accept that.
    """
    preferred, required = preferred_format(exchange, endpoint), _required_format(exchange, endpoint)
    if required is None or preferred is required:
        return preferred
    if not _weight(_ranges(exchange), required):
        raise InvalidRequestError(
            description=f"The answer is {required.media_type} alone, which Accept leaves out."
        )
    return required


def _of(exchange: Exchange, endpoint: str) -> list[AnswerFormat]:
    return [each for each in exchange.provider.answer_formats if each.endpoint == endpoint]


def _required_format(exchange: Exchange, endpoint: str) -> AnswerFormat | None:
    return next((each for each in _of(exchange, endpoint) if each.required(exchange)), None)


def _ranges(exchange: Exchange) -> Mapping[str, float]:
    """Return the media ranges of the header with their weights; those of another form count for nothing."""
    found: dict[str, float] = {}
    for element in exchange.message.headers.get("accept", "").lower().split(","):
        name, *parameters = (part.strip() for part in element.split(";"))
        weight = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
        if name and _WEIGHT.fullmatch(weight):
            found[name] = float(weight)
    return found


def _weight(ranges: Mapping[str, float], offered: AnswerFormat) -> float:
    """Return the weight of the closest range that a media type is of; all weigh the same without a header."""
    kind = offered.media_type.partition("/")[0]
    closest = (offered.media_type, f"{kind}/*", "*/*")
    return next((ranges[name] for name in closest if name in ranges), 0.0 if ranges else 1.0)
