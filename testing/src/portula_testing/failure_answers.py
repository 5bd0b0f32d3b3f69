"""What an answer has to be like when something failed inside the provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from click.testing import Result
from werkzeug.test import TestResponse

from portula.plugin import HookKind
from portula_testing import jws
from portula_testing.crossings import MESSAGE, Crossing

if TYPE_CHECKING:
    from portula import Provider

FAULTS = ("server_error", "temporarily_unavailable")
"""RFC 6749 §4.1.2.1; machine endpoints say the same."""
STATUSES = (500, 503)
DENIAL = "access_denied"
"""What a rule that cannot be applied leads to: nobody is let through."""
_DENYING = (HookKind.VETO, HookKind.REQUIREMENT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request or a command ended."""

    status: int = 0
    """Of the answer, or the exit code."""
    error: str = ""
    """As a client is told it."""
    failed: bool = False


def outcome_of(answer: Any) -> Outcome:
    """Return how a request or a command ended: by status, by the error at the redirect URI, by exit code."""
    if isinstance(answer, Result):
        return Outcome(answer.exit_code, failed=answer.exit_code != 0)
    if not isinstance(answer, TestResponse):
        return Outcome()
    body = answer.get_json(silent=True)
    error = _redirect_parameters(answer).get("error", "") or (
        str(body.get("error", "")) if isinstance(body, dict) else ""
    )
    return Outcome(answer.status_code, error, answer.status_code >= 400 or bool(error))


def problems_of(
    answer: Any, provider: Provider, failed: Crossing, passed: Sequence[Crossing], *, is_down: bool = False
) -> Iterator[str]:
    """Yield what is wrong with an answer that tells of an error.

    Args:
        answer: of the request or command that met the fault.
        provider: who gave it.
        failed: the call that failed.
        passed: the calls of the same request that went well before.
        is_down: whether it failed since the storage does not answer.
    """
    if not isinstance(answer, TestResponse):
        return
    if MESSAGE in answer.text or "Traceback" in answer.text:
        yield "the answer tells what failed inside"
    errors = (*FAULTS, DENIAL) if failed.kind in _DENYING else FAULTS
    if answer.request.path in provider.machine_endpoints.paths:
        yield from _machine_problems(answer, errors)
    elif "Location" in answer.headers:
        yield from _redirect_problems(answer, errors)
    else:
        yield from _page_problems(answer, failed, passed)
    if is_down:
        yield from _down_problems(answer)


def _down_problems(answer: TestResponse) -> Iterator[str]:
    """Look at what is answered while the storage is down (RFC 6749 §4.1.2.1, RFC 9110 §15.6.4)."""
    outcome = outcome_of(answer)
    if "Location" not in answer.headers and (
        answer.status_code != 503 or "Retry-After" not in answer.headers
    ):
        yield f"the answer is {answer.status_code}, and does not say when to come again"
    if outcome.error not in ("", FAULTS[1]):
        yield f"the error is {outcome.error}"


def _machine_problems(answer: TestResponse, errors: Sequence[str]) -> Iterator[str]:
    """Look at the error of a machine endpoint: JSON, not cached, and no fault of the client's."""
    body = answer.get_json(silent=True)
    error = body.get("error") if isinstance(body, dict) else None
    if error not in errors:
        yield f"the answer is {answer.status_code} with the error {error!r}"
    elif answer.status_code not in STATUSES and error != DENIAL:
        yield f"the error {error} has the status {answer.status_code}"
    if answer.headers.get("Cache-Control") != "no-store":
        yield "the error may be cached"


def _redirect_problems(answer: TestResponse, errors: Sequence[str]) -> Iterator[str]:
    """Look at the error that the client gets at its redirect URI (RFC 6749 §4.1.2.1, RFC 9207 §2)."""
    sent = _redirect_parameters(answer)
    if sent.get("error") not in errors:
        yield f"the client gets the error {sent.get('error')!r}"
    if "iss" not in sent:
        yield "the client gets an error without iss"


def _page_problems(answer: TestResponse, failed: Crossing, passed: Sequence[Crossing]) -> Iterator[str]:
    """Look at the page that a person sees; the client is told instead where it is known.

    Where it is told by a JWT alone (JARM §2.1) what signs may be away too, and then nobody but the person is told. So
    it is where the request was pushed and cannot be read, since it says where the error goes (RFC 9126 §4). A client
    whose name is a URL is known by what is there, which may be what failed.
    """
    known = any(crossing.label == "store.find Application" for crossing in passed)
    asked = answer.request.args
    is_signed = asked.get("response_mode", "").endswith("jwt")
    is_unread = (
        failed.label == "store.find Artifact" and "request_uri" in asked and "redirect_uri" not in asked
    )
    is_elsewhere = asked.get("client_id", "").startswith("https://")
    excused = is_signed or is_unread or is_elsewhere
    if answer.request.path.rstrip("/").endswith("/authorize") and known and not excused:
        yield f"{answer.status_code} is a page, but the client is known and could be told"
    denied = failed.kind in _DENYING and answer.status_code == 403
    if answer.status_code not in STATUSES and not denied:
        yield f"the page has the status {answer.status_code}"
    if "Content-Security-Policy" not in answer.headers and not answer.is_json:
        yield f"{answer.status_code} is a bare answer, no page of the provider's"


def _redirect_parameters(answer: TestResponse) -> dict[str, str]:
    """Return the parameters of a redirect, of its query and its fragment, or of the JWT that is there (JARM §2.1)."""
    parts = urlsplit(answer.location or "")
    pairs = {**parse_qs(parts.query), **parse_qs(parts.fragment)}
    sent = {name: values[0] for name, values in pairs.items()}
    return jws.taken_apart(sent["response"])[1] if "response" in sent else sent
