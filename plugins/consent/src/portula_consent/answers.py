"""The consent slot: the question as a page, the answer from its form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Response, has_request_context, request
from wtforms import HiddenField

from portula.plugin import (
    Application,
    Artifact,
    Consent,
    ConsentQuestion,
    PageForm,
    Plan,
    origin_of,
)
from portula_consent.display import shown_destination, shown_scopes
from portula_consent.endpoint import VIEW
from portula_consent.memory import ConsentMemory, counts

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import PlanPart


class ConsentForm(PageForm):
    """The hidden part of the consent form; the buttons are `allow` and `deny`."""

    interaction = HiddenField()


class ConsentPages(Consent):
    """Asks people, and remembers what they allowed."""

    shows_items = True

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._read = f"portula.{provider.name}.consent as stored"
        self.memory = ConsentMemory(provider)

    def recall(self, client: Application, subject: str) -> frozenset[str]:
        """Return what this person allowed this client before: scopes, and the memory of items."""
        consent = self.memory.find(subject, client.client_id)
        if consent is None or not counts(consent, client):
            return frozenset()
        if has_request_context():
            request.environ[self._read] = consent
        return frozenset(consent.payload["scopes"])

    def require_consent(self, client_id: str) -> list[PlanPart]:
        """Return the part of a plan that requires the consent as this request read it; nothing where it read none."""
        known: Artifact | None = request.environ.pop(self._read, None) if has_request_context() else None
        plan = Plan()
        if known is not None and known.client_id == client_id:
            plan.require(known, version=known.version)
        return plan.parts

    def remember(self, client: Application, subject: str, scopes: Sequence[str], plan: Plan) -> None:
        """Plan to keep that this person allowed this, joined with what they allowed before."""
        if has_request_context():
            request.environ.pop(
                self._read, None
            )  # it is allowed anew, so nothing rests on what was remembered
        self.memory.join(subject, client, scopes, plan)

    def forget(self, subject: str, plan: Plan) -> None:
        """Plan to forget all that this person allowed."""
        self.memory.forget(subject, plan)

    def page(self, question: ConsentQuestion) -> Response:
        """Return the page with the question."""
        host, on_this_device = shown_destination(question.redirect_uri)
        client_id = question.client.client_id
        return self._provider.pages.render(
            "portula_consent/consent.html",
            client=self._provider.pages.shown_client(question.client, question.ui_locales),
            username=question.user.username,
            scopes=shown_scopes(self._provider, question.scopes),
            items=question.items,
            redirect_host=host,
            on_this_device=on_this_device,
            self_registered=question.self_registered,
            client_host=shown_destination(client_id)[0] if origin_of(client_id) else None,
            offline=question.offline,
            action=question.action,
            connected_apps=self._provider.url_for(VIEW),
            form=ConsentForm(self._provider.pages, question.csrf_context, interaction=question.interaction),
        )

    def answer(self, question: ConsentQuestion) -> bool | None:
        """Read the posted form: True for yes, False for no, None when it is not the form we showed this browser."""
        form = ConsentForm(self._provider.pages, question.csrf_context, request.form)
        if not form.validate() or form.interaction.data != question.interaction:
            return None
        return "allow" in request.form
