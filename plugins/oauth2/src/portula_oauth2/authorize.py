"""The authorization endpoint (RFC 6749 §3.1): a page for people, so Flask, sessions and forms are in here.

The steps are: read the request, know client and redirect URI, know the person, ask them, answer. What the person is
asked about stays on the server between the page and the answer (attack S07).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from portula import hookimpl
from portula.blueprints import Mount
from portula.errors import AuthorizationRefused, Replayed
from portula.events import ConsentGiven
from portula.records import Application, Artifact
from portula.slots import ConsentQuestion
from portula.uris import is_loopback_host
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from portula import Provider
    from portula.endpoints import Answer
    from portula.engine.backend import AuthorizationRequest
    from portula.engine.messages import Pairs
    from portula.slots import Authenticated

INTERACTION_SECONDS = 600
"""How long a person may take over the page."""

MAX_RETURN_CHARACTERS = 2000
"""A longer URL would have to pass through a query string of the login, where few servers promise room for it."""

_KIND = "interaction"


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Return the blueprint of the endpoint; what it lacks (a login, a consent page) shows at start."""
    steps = Authorize(provider)
    blueprint = Blueprint("oauth2", __name__)
    for rule in ("/authorize/", "/authorize"):
        blueprint.add_url_rule(rule, "authorize", steps.view, methods=["GET", "POST"], strict_slashes=True)
    return [Mount(blueprint)]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An authorization request kept on the server."""

    name: str
    artifact: Artifact
    pairs: Pairs


class Authorize:
    """The view and its steps."""

    def __init__(self, provider: Provider) -> None:
        """Resolve the slots that the endpoint cannot do without."""
        self._provider = provider
        self._backend = provider.backend
        self._login = provider.hooks.login
        self._consent = provider.hooks.consent

    def view(self) -> Response:
        """Answer a request, an error of it, or the person's word on it."""
        try:
            if request.method == "POST":
                return self._posted()
            return self._asked(self._read())
        except AuthorizationRefused as refused:
            return _sent(self._backend.error_response(refused, self._provider.current_issuer()))
        except OAuth2Error as error:
            return self._provider.pages.error(
                400, "This request cannot be answered", error.description, error.error
            )

    # --- Reading ---

    def _read(self) -> Pairs:
        asked = self._provider.pages.query()
        if set(asked) != {_KIND}:
            return list(asked.items(multi=True))
        waiting = self._find(asked[_KIND])
        if waiting is None:
            raise InvalidRequestError(
                description="The request waited too long. Please start again at the app."
            )
        return waiting.pairs

    def _posted(self) -> Response:
        """Take an answer to our page; or keep a client's POST and come back by GET, so that Lax cookies arrive."""
        pairs = list(self._provider.pages.posted().items(multi=True))
        if not set(dict(pairs)).isdisjoint(self._provider.pages.query()):
            raise InvalidRequestError(description="A parameter stands in both the query and the body.")
        answered = dict(pairs).get(_KIND)
        if answered is not None:
            return self._answered(answered)
        self._backend.validate_authorization_request(pairs, self._provider.current_issuer())
        target = self._provider.url_for("oauth2.authorize", **{_KIND: self._keep(pairs, None)})
        return cast("Response", redirect(target, 303))

    # --- Asking ---

    def _asked(self, pairs: Pairs) -> Response:
        issuer = self._provider.current_issuer()
        authorization = self._backend.validate_authorization_request(pairs, issuer)
        client = authorization.request.client
        user = self._login.current()
        if user is None:
            return cast("Response", redirect(self._login.login_url(self._here(pairs), client)))
        if client is not None and self._may_skip(client, authorization, user):
            return _sent(
                self._backend.create_authorization_response(authorization, user, authorization.scopes, issuer)
            )
        return cast(
            "Response", self._consent.page(self._question(self._keep(pairs, user), authorization, user))
        )

    def _here(self, pairs: Pairs) -> str:
        """Return the URL that comes back to this request; a long request waits on the server."""
        path = request.root_path + (request.full_path if request.query_string else request.path)
        if len(path) <= MAX_RETURN_CHARACTERS:
            return path
        return self._provider.url_for("oauth2.authorize", **{_KIND: self._keep(pairs, None)})

    def _may_skip(
        self, client: Application, authorization: AuthorizationRequest, user: Authenticated
    ) -> bool:
        """Say whether to go on without asking. A client can only make it stricter (attack S09)."""
        if client.skip_authorization:
            return True
        asked = dict(authorization.pairs).get("approval_prompt")
        if self._provider.settings(OAuth2Settings).REQUEST_APPROVAL_PROMPT != "auto" or asked == "force":
            return False
        host = urlsplit(authorization.request.redirect_uri or "").hostname or ""
        if client.client_type == "public" and (client.application_type == "native" or is_loopback_host(host)):
            return False  # RFC 8252 §8.6: nothing proves that it is the same app
        return self._consent.remembered(client, user.subject).issuperset(authorization.scopes)

    def _question(
        self, name: str, authorization: AuthorizationRequest, user: Authenticated
    ) -> ConsentQuestion:
        return ConsentQuestion(
            interaction=name,
            client=cast("Application", authorization.request.client),
            user=user,
            scopes=authorization.scopes,
            redirect_uri=authorization.request.redirect_uri or "",
            action=self._provider.url_for("oauth2.authorize"),
            csrf_context=f"consent {name} {user.subject}",
        )

    # --- Answering ---

    def _answered(self, name: str) -> Response:
        """Act on the form of our page: once, in the browser and for the person it was shown to (attack S10)."""
        user, waiting = self._login.current(), self._find(name)
        if user is None or waiting is None or waiting.artifact.payload["subject"] != user.subject:
            raise InvalidRequestError(
                description="This page was open too long. Please start again at the app."
            )
        issuer = self._provider.current_issuer()
        authorization = self._backend.validate_authorization_request(waiting.pairs, issuer)
        question = self._question(name, authorization, user)
        allowed = self._consent.answer(question)
        if allowed is None:
            raise InvalidRequestError(description="This page was open too long or came from another browser.")
        try:
            self._provider.storage.take(waiting.artifact, self._provider.now())
        except Replayed:
            raise InvalidRequestError(description="This page was answered before.") from None
        if not allowed:
            return _sent(self._backend.denied_response(authorization, issuer))
        self._consent.remember(question.client, user.subject, question.scopes)
        self._provider.hooks.consent_given(
            ConsentGiven(question.client.client_id, user.subject, question.scopes, self._provider.now())
        )
        return _sent(
            self._backend.create_authorization_response(authorization, user, question.scopes, issuer)
        )

    # --- Keeping ---

    def _keep(self, pairs: Pairs, user: Authenticated | None) -> str:
        provider, now, name = self._provider, self._provider.now(), secrets.token_urlsafe(32)
        provider.storage.add(
            Artifact(
                digest=provider.keys.digest(_KIND, name),
                kind=_KIND,
                payload={"pairs": [list(pair) for pair in pairs], "subject": user.subject if user else None},
                issued_at=now,
                expires_at=now + INTERACTION_SECONDS,
            )
        )
        return name

    def _find(self, name: str) -> _Waiting | None:
        provider = self._provider
        artifact = provider.storage.find(Artifact, digest=provider.keys.digests(_KIND, name))
        if artifact is None or artifact.taken_at is not None or (artifact.expires_at or 0) <= provider.now():
            return None
        return _Waiting(name, artifact, [(key, value) for key, value in artifact.payload["pairs"]])


def _sent(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))
