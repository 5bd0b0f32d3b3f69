"""Token presentations: the schemes of access tokens in requests, and proofs of possession."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749 import errors

from portula.flow.messages import FORM, parse_form
from portula.flow.responses import MissingTokenError, RetryLater, error_parameters, token_error
from portula.model.http import NO_STORE, Answer, Message, json_answer

if TYPE_CHECKING:
    from portula.model.records import Application

_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 9110 §11.2; the same as b64token of RFC 6750 §2.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedToken:
    """An access token as it came with a request; whether it counts is not known yet."""

    message: Message
    """The request, with what may prove the possession: a header, a client certificate."""
    scheme: str
    """Name of the scheme by which it came, as its presentation writes it."""
    value: str = field(repr=False)
    """What follows the scheme, whatever that is; may be empty."""
    well_formed: bool = True
    """Whether the header holds one token in the characters of RFC 6750 §2.1, and nothing besides."""
    headers: dict[str, str] = field(default_factory=dict)
    """Header fields that go with the answer, success and error alike; a proof may add some."""
    in_form: bool = False
    """Whether it stood in the form, not in the header Authorization."""
    client: Application | None = field(default=None, repr=False)
    """The client that the token was issued to, for who proves it; None where that is not known here."""


Prove = Callable[[PresentedToken, Any], None]
"""Takes the token as presented, and the member of its confirmation; raises an OAuth2Error unless it is proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPresentation:
    """A scheme by which access tokens are presented, a proof of possession, or both in one."""

    scheme: str = ""
    """HTTP authentication scheme (RFC 9110 §11.1), compared without case; also the token_type of the tokens that are
    presented by it (RFC 6749 §7.1). Empty for a proof that goes along with other schemes, as a client certificate."""
    parameter: str = ""
    """Form parameter that carries the token at endpoints which allow that (RFC 6750 §2.2); empty for none."""
    confirmation: str = ""
    """Member of `cnf` that is proven (RFC 7800 §3.1); empty where nothing is."""
    prove: Prove | None = None
    """Checks the proof of `confirmation`; one is not given without the other."""
    label: str = ""
    """What people read that a token is bound to, before the value of its `confirmation`, e.g. `TLS certificate`."""
    challenge: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of the challenge of the scheme (RFC 9110 §11.6.1)."""

    def __post_init__(self) -> None:
        """Refuse what would prove nothing."""
        if bool(self.confirmation) != (self.prove is not None):
            raise ValueError("`confirmation` and `prove` are given both or neither")

    @property
    def keys(self) -> list[str]:
        """What no other presentation may have."""
        scheme = [f"scheme {self.scheme.lower()}"] if self.scheme else []
        return scheme + ([f"cnf {self.confirmation}"] if self.confirmation else [])


BEARER = TokenPresentation(scheme="Bearer", parameter="access_token")
"""RFC 6750."""


def _allow_any(_client: Application | None) -> bool:
    return True


class TokenPresentations:
    """Every presentation of a provider: the one way to read a token from a message, and to refuse it."""

    def __init__(
        self,
        contributed: Sequence[TokenPresentation],
        *,
        in_forms: Callable[[Application | None], bool] = _allow_any,
    ) -> None:
        """Take what plugins contribute, and what says whether tokens of a client may stand in a form; None for any."""
        self._in_forms = in_forms
        self._schemes = {each.scheme.lower(): each for each in (BEARER, *contributed) if each.scheme}
        self._proofs = {each.confirmation: each for each in contributed if each.confirmation}

    def read(
        self, message: Message, *, form: bool = False, headers: dict[str, str] | None = None
    ) -> PresentedToken | None:
        """Return the token of a message; None without one, since another scheme is no attempt (RFC 6750 §3.1).

        Args:
            message: its Authorization header is read.
            form: whether the token may stand in the form of a POST instead.
            headers: see `PresentedToken.headers`.

        Raises:
            InvalidRequestError: there are two tokens, or the form cannot be read.
        """
        collected = {} if headers is None else headers
        found = self._in_header(message, collected)
        if form and self._in_forms(None) and message.method == "POST" and message.media_type == FORM:
            found += self._in_form(message, collected)
        if len(found) > 1:
            raise errors.InvalidRequestError(description="The request has two access tokens.")
        return found[0] if found else None

    def _in_header(self, message: Message, headers: dict[str, str]) -> list[PresentedToken]:
        """Return one token a scheme; more than one come in two headers, which WSGI joins by a comma."""
        sent = message.headers.get("authorization", "").strip()
        names = [(credentials.split() or [""])[0].lower() for credentials in sent.split(",")]
        return [
            PresentedToken(
                message=message,
                scheme=self._schemes[name].scheme,
                value=(value := sent.partition(" ")[2].strip() if name == names[0] else ""),
                well_formed=len(names) == 1 and _TOKEN68.fullmatch(value) is not None,
                headers=headers,
            )
            for name in dict.fromkeys(names)
            if name in self._schemes
        ]

    def _in_form(self, message: Message, headers: dict[str, str]) -> list[PresentedToken]:
        parameters = dict(parse_form(message))
        return [
            PresentedToken(
                message=message,
                scheme=each.scheme,
                value=parameters[each.parameter],
                headers=headers,
                in_form=True,
            )
            for each in self._schemes.values()
            if each.parameter and each.parameter in parameters
        ]

    def token_type(self, confirmation: Mapping[str, Any]) -> str:
        """Return the type of a token with this confirmation: the scheme by which it has to come (RFC 6749 §7.1)."""
        proofs = [self._proofs[member] for member in confirmation if member in self._proofs]
        return next((each.scheme for each in proofs if each.scheme), BEARER.scheme)

    def label(self, member: str) -> str:
        """Return what people read in place of a member of `cnf`; its name where no plugin says."""
        proof = self._proofs.get(member)
        return (proof.label if proof else "") or member

    def bindings(self, confirmation: Mapping[str, Any]) -> list[str]:
        """Return what people read of what a token is bound to; empty for a bearer token."""
        return [f"{self.label(member)} {value}" for member, value in confirmation.items()]

    def prove(
        self,
        presented: PresentedToken,
        confirmation: Mapping[str, Any],
        client: Application | None = None,
    ) -> None:
        """Require that a token comes by its scheme, and that each member of its confirmation is proven.

        So a token that is bound to a key passes neither as a bearer's nor where nothing can check the proof.

        Args:
            presented: the token as it came.
            confirmation: what it is bound to (RFC 7800 §3.1); empty for a bearer token.
            client: whom it was issued to, whose profile may be stricter than the server; None where that is not known.

        Raises:
            InvalidTokenError: it comes by another scheme, stands in a form where those of its client may not, or is
                bound to what no plugin can check.
            OAuth2Error: a proof is missing or wrong.
        """
        if presented.scheme != self.token_type(confirmation):
            raise errors.InvalidTokenError
        if presented.in_form and not self._in_forms(client):
            raise errors.InvalidTokenError(description="The token belongs into the header Authorization.")
        for member, bound in confirmation.items():
            proof = self._proofs.get(member)
            if proof is None or proof.prove is None:
                raise errors.InvalidTokenError
            proof.prove(replace(presented, client=client), bound)

    def refusal(
        self,
        error: OAuth2Error,
        presented: PresentedToken | None = None,
        *,
        parameters: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Return a resource's refusal, with a challenge of each scheme (RFC 6750 §3, RFC 9449 §7.2).

        The error stands with the scheme by which the token came; with all where that is not known.

        Args:
            error: a MissingTokenError names no error, it only asks for a token; a RetryLater is about no token.
            presented: the token that is refused.
            parameters: of the challenges besides, e.g. `scope` with what is needed; a value without quotation marks.
        """
        if isinstance(error, RetryLater):
            return token_error(error)
        missing = isinstance(error, MissingTokenError)
        challenges = []
        for each in self._schemes.values():
            named = not missing and (presented is None or presented.scheme == each.scheme)
            said = error_parameters(error) if named else {}
            challenges.append(
                _challenge(each.scheme, {"realm": "portula", **said, **parameters, **each.challenge})
            )
        headers = {"WWW-Authenticate": ", ".join(challenges)}
        if missing:
            return Answer(401, {**headers, **NO_STORE})
        return json_answer(error.status_code, error_parameters(error), headers)


def _challenge(scheme: str, parameters: Mapping[str, str]) -> str:
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
