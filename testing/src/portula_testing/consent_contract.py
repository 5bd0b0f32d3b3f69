"""The contract of the slot `consent`. Subclass ConsentContract and override its fixture `provider`."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from portula import Plugin, Provider
from portula.plugin import (
    Application,
    AuthenticatedUser,
    Consent,
    ConsentItem,
    ConsentQuestion,
    Plan,
    current_provider,
)
from portula_testing.attacks import Visits, nearly_right
from portula_testing.writing import add_to

MARKUP = "<b id=contract>Tea</b>"


@dataclass
class _Form(HTMLParser):
    """The first form of a page that posts: where to, its fields, and what each button adds."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)
    _within: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post" and not self.action:
            self.action, self._within = given.get("action", ""), True
        elif not self._within or "disabled" in given:
            return
        elif tag == "button" or (tag == "input" and given.get("type") == "submit"):
            self.buttons.append({given["name"]: given.get("value", "")} if given.get("name") else {})
        elif tag == "input" and given.get("name") and "radio" not in given.get("type", ""):
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "form"


def remember(consent: Consent, client: Application, subject: str, scopes: list[str]) -> None:
    """Let a plan with nothing else keep what was allowed."""
    plan = Plan()
    consent.remember(client, subject, scopes, plan)
    current_provider().storage.apply(plan)


class ConsentContract:
    """What is true of every consent page and of what is remembered of it.

    Example:
        class TestMyConsent(ConsentContract):
            @pytest.fixture
            def provider(self):
                return make_provider("scopes_settings", "my_consent")
    """

    @pytest.fixture
    def provider(self) -> Provider:
        """Return a provider, fresh for each test, with the plugin and a scopes backend in it. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def consent(self, provider: Provider) -> Consent:
        """Return what answers the slot."""
        return provider.hooks.ask(Plugin.portula_consent)

    @pytest.fixture
    def client(self, provider: Provider) -> Application:
        """Return a registered client whose name is not to be trusted."""
        client = Application(
            client_id="contract", name=f"Tea {MARKUP}", redirect_uris=("https://tea.example/cb",)
        )
        add_to(provider.storage, client)
        return client

    @pytest.fixture
    def question(self, provider: Provider, client: Application) -> ConsentQuestion:
        """Return what is asked."""
        return ConsentQuestion(
            interaction="the-interaction-of-the-contract",
            client=client,
            user=AuthenticatedUser("ann", "Ann", auth_time=provider.now()),
            scopes=tuple(provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes()),
            redirect_uri=client.redirect_uris[0],
            action=Visits.PATH,
            csrf_context="consent the-interaction-of-the-contract ann",
        )

    @pytest.fixture
    def visit(self, provider: Provider) -> Visits:
        """Return the function that does something within a request."""
        return Visits(provider)

    @staticmethod
    def ask(visit: Visits, browser: FlaskClient, consent: Consent, question: ConsentQuestion) -> _Form:
        """Show the page to a browser and return its form."""
        visit(browser, lambda: consent.page(question))
        form = _Form()
        form.feed(visit.response.text)
        return form

    @staticmethod
    def post(
        visit: Visits,
        browser: FlaskClient,
        consent: Consent,
        question: ConsentQuestion,
        fields: Mapping[str, str],
    ) -> bool | None:
        """Post fields from a browser and return how the answer is read."""
        answer: bool | None = visit(browser, lambda: consent.answer(question), data=fields)
        return answer

    # --- The page ---

    def test_the_page_says_who_wants_what(
        self, visit: Visits, consent: Consent, question: ConsentQuestion, provider: Provider
    ) -> None:
        self.ask(visit, visit.browser(), consent, question)
        assert visit.response.status_code == 200
        page = html.unescape(visit.response.text)
        assert "Tea" in page
        for name, text in provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes().items():
            assert (text or name) in page

    def test_the_page_does_not_run_what_a_client_calls_itself(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        """Attack S11."""
        self.ask(visit, visit.browser(), consent, question)
        assert MARKUP not in visit.response.text

    def test_the_page_shows_what_else_is_asked_about(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        """RFC 9396 §11.2; a page that shows no items says so, and is never asked about any."""
        if not consent.shows_items:
            return
        items = (
            ConsentItem(title=f"Pay {MARKUP}", details=(("To", f"Tea shop {MARKUP}"), ("Sum", "12 EUR"))),
        )
        self.ask(visit, visit.browser(), consent, replace(question, items=items))
        assert MARKUP not in visit.response.text
        page = html.unescape(visit.response.text)
        for text in (f"Pay {MARKUP}", "To", f"Tea shop {MARKUP}", "Sum", "12 EUR"):
            assert text in page

    def test_the_page_cannot_be_framed_or_kept(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        """RFC 9700 §4.16, attack S10."""
        self.ask(visit, visit.browser(), consent, question)
        headers = visit.response.headers
        policy = headers.get("Content-Security-Policy", "")
        assert "frame-ancestors 'none'" in policy or headers.get("X-Frame-Options") == "DENY"
        assert "no-store" in headers.get("Cache-Control", "")

    def test_the_form_posts_to_the_action(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        form = self.ask(visit, visit.browser(), consent, question)
        assert form.action == question.action
        assert form.fields["interaction"] == question.interaction

    # --- The answer ---

    def test_one_button_allows_and_one_denies(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        browser = visit.browser()
        form = self.ask(visit, browser, consent, question)
        answers = [
            self.post(visit, browser, consent, question, {**form.fields, **button}) for button in form.buttons
        ]
        assert sorted(answers, key=str) == [False, True]

    def test_a_form_without_a_button_allows_nothing(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        browser = visit.browser()
        form = self.ask(visit, browser, consent, question)
        assert self.post(visit, browser, consent, question, form.fields) is not True

    def test_what_another_browser_posts_is_not_our_form(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        """Attack S10: neither a yes nor a no of another site's counts."""
        form = self.ask(visit, visit.browser(), consent, question)
        other = visit.browser()
        self.ask(visit, other, consent, question)
        for button in form.buttons:
            for browser in (other, visit.browser()):
                assert self.post(visit, browser, consent, question, {**form.fields, **button}) is None

    def test_the_form_of_another_question_is_not_our_form(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        browser = visit.browser()
        another = replace(question, interaction="another", csrf_context="consent another ann")
        form = self.ask(visit, browser, consent, question)
        for button in form.buttons:
            for fields in (form.fields, {**form.fields, "interaction": "another"}):
                assert self.post(visit, browser, consent, another, {**fields, **button}) is None

    def test_the_form_of_another_person_is_not_our_form(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        browser = visit.browser()
        another = replace(
            question,
            user=replace(question.user, subject="bob"),
            csrf_context=question.csrf_context.replace(" ann", " bob"),
        )
        form = self.ask(visit, browser, consent, question)
        for button in form.buttons:
            assert self.post(visit, browser, consent, another, {**form.fields, **button}) is None

    def test_a_form_that_is_nearly_right_is_not_our_form(
        self, visit: Visits, consent: Consent, question: ConsentQuestion
    ) -> None:
        """Attack S28: without a field, or with one that differs a little."""
        browser = visit.browser()
        form = self.ask(visit, browser, consent, question)
        spoiled: list[dict[str, Any]] = [{}]
        for name, value in form.fields.items():
            spoiled.append({other: kept for other, kept in form.fields.items() if other != name})
            spoiled += [{**form.fields, name: wrong} for wrong in nearly_right(value)]
        for fields in spoiled:
            for button in form.buttons:
                assert self.post(visit, browser, consent, question, {**fields, **button}) is None, fields

    # --- The memory ---

    def test_nothing_is_remembered_at_first(
        self, visit: Visits, consent: Consent, client: Application
    ) -> None:
        assert visit(visit.browser(), lambda: consent.recall(client, "ann")) == frozenset()

    def test_what_was_allowed_is_joined_with_what_was_allowed_before(
        self, visit: Visits, consent: Consent, client: Application
    ) -> None:
        def work() -> frozenset[str]:
            for scopes in (["read"], ["write", "read"], []):
                remember(consent, client, "ann", scopes)
            return consent.recall(client, "ann")

        assert visit(visit.browser(), work) == {"read", "write"}
        remembered = visit(visit.browser(), lambda: consent.recall(client, "ann"))
        assert remembered == {"read", "write"}
        assert isinstance(remembered, frozenset)

    def test_each_person_and_each_client_is_remembered_apart(
        self, visit: Visits, consent: Consent, client: Application, provider: Provider
    ) -> None:
        other = Application(client_id="Contract", name="Another app")
        add_to(provider.storage, other)
        visit(visit.browser(), lambda: remember(consent, client, "ann", ["read"]))
        for asked, subject in ((client, "Ann"), (client, "ann "), (client, "bob"), (other, "ann")):
            remembered = visit(visit.browser(), partial(consent.recall, asked, subject))
            assert remembered == frozenset(), (asked.client_id, subject)

    def test_long_names_are_remembered(self, visit: Visits, consent: Consent, provider: Provider) -> None:
        client, subject = Application(client_id="c" * 255), "s" * 255
        add_to(provider.storage, client)
        visit(visit.browser(), lambda: remember(consent, client, subject, ["read"]))
        assert visit(visit.browser(), lambda: consent.recall(client, subject)) == {"read"}
