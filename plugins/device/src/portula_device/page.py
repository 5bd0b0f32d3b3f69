"""The pages on which a person types the code of a device and decides about it (RFC 8628 §3.3).

The code is typed, or filled in by the address that the device shows; then the person signs in, is shown what asks, and
allows or denies it. A code that was typed on our page is looked up once its person is known, so that guesses can be
counted; between the pages it travels sealed, and is of use in one browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Response, redirect, request
from typing_extensions import override
from wtforms import StringField
from wtforms.validators import InputRequired

from portula import Plugin, hookimpl
from portula.errors import (
    AccessDeniedError,
    Conflict,
    InvalidRequestError,
    OAuth2Error,
    RecordReplayed,
    RetryLater,
    RuleFailed,
)
from portula.plugin import (
    Answer,
    Artifact,
    InteractionView,
    Mount,
    PageForm,
    Plan,
    change_pending,
    is_pending,
    log_failure,
    page_exchange_about,
    refuse_head,
    return_address,
    tell_refusal,
)
from portula_device import attempts, codes
from portula_device.exchange import DevicePageExchange
from portula_device.grant import GRANT_TYPE
from portula_device.user_codes import MAX_CHARACTERS, display_form, normal_form

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthenticatedUser, Pairs

SEALED = "device"
"""Parameter of our own addresses: the code that was typed."""
TRIES = 5


class CodeForm(PageForm):
    """Takes the code of a device."""

    user_code = StringField(
        "Code on your device",
        [InputRequired("Type the code that your device shows.")],
        description="Letters may be small or capital; hyphens do not matter.",
    )


class CodeRefused(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """A code is not known, or not this person's: they may type another."""

    description = "No device waits with this code. Look at its screen again, or let it show a new one."


class DevicePage(InteractionView[DevicePageExchange]):
    """Asks a person about a device."""

    endpoint = "device.confirm"

    def __init__(self, provider: Provider) -> None:
        """Resolve the login."""
        super().__init__(provider)
        self._people = provider.hooks.ask(Plugin.portula_login)

    # --- The code ---

    def type_code(self) -> Response:
        """Show the form, filled in where the address has the code, and take what is typed (RFC 8628 §3.3.1)."""
        pages = self.provider.pages
        if request.method != "POST":
            return self._code_page(self._form(user_code=pages.query().get("user_code", "")[:MAX_CHARACTERS]))
        form = self._form(pages.posted_form())
        if not form.validate():
            return self._code_page(form, 400)
        sealed = self.provider.keys.seal(
            SEALED, normal_form(form.user_code.data or ""), under=pages.browser()
        )
        return _to(self.provider.url_for(self.endpoint, **{SEALED: sealed}))

    def end(self, template: str) -> Response:
        """Show a page after the answer; loading it again does nothing."""
        return self.provider.pages.render(
            f"portula_device/{template}.html", account=self._people.account_url()
        )

    def _form(self, data: Any = None, **values: str) -> CodeForm:
        return CodeForm(self.provider.pages, "device", data, **values)

    def _code_page(self, form: CodeForm, status: int = 200) -> Response:
        action = self.provider.url_for("device.code")
        return self.provider.pages.render("portula_device/code.html", status, form=form, action=action)

    def _page_again(self, refusal: OAuth2Error) -> Response:
        """Show the form again with what was wrong."""
        tell_refusal(self.provider, "device", refusal)
        form = self._form()
        form.user_code.errors = (str(refusal.description),)
        page = self._code_page(form, refusal.status_code)
        if isinstance(refusal, RetryLater):
            page.headers["Retry-After"] = str(refusal.retry_after)
        return page

    # --- The person ---

    @override
    def view(self) -> Response:
        """Let the person sign in before anything is looked up, then look whether the code may be theirs."""
        refuse_head()
        if request.method == "POST":
            return super().view()
        person = self._people.current()
        if person is None:
            return _to(self._people.login_url(return_address()))
        try:
            sealed = self.provider.pages.query().get(SEALED)
            if sealed is not None:
                self._claim(self._unseal(sealed), person)
        except (CodeRefused, RetryLater) as refusal:
            return self._page_again(refusal)
        return super().view()

    def _claim(self, user_code: str, person: AuthenticatedUser) -> None:
        """Give a code to the person who types it first: nobody else can allow it, nor learn that there is one.

        Raises:
            CodeRefused: it is wrong.
            RetryLater: too many were.
        """
        attempt = attempts.begin(self.provider, person.subject)
        for _ in range(TRIES):
            code, plan = codes.of_person(self.provider, user_code), Plan()
            if code is None or not is_pending(self.provider, code):
                raise CodeRefused
            if code.payload.get(codes.CLAIMED_BY, person.subject) != person.subject:
                raise CodeRefused
            if codes.CLAIMED_BY not in code.payload:
                change_pending(plan, code, **{codes.CLAIMED_BY: person.subject})
            plan.remove(Artifact, digest=tuple(attempt))
            try:
                self.provider.storage.apply(plan)
            except Conflict:  # the device polls
                continue
            return
        raise RetryLater("The device polls too often.", 1)

    def _unseal(self, sealed: str) -> str:
        user_code = self.provider.keys.unseal(SEALED, sealed, under=self.provider.pages.browser())
        if user_code is None:
            raise CodeRefused(description="This page was open too long or came from another browser.")
        return user_code

    # --- The decision ---

    @override
    def exchange(self, pairs: Pairs, presented: Pairs) -> DevicePageExchange:
        """Make the exchange of a code that the person at the browser has typed, as it was asked for."""
        user_code = self._unseal(dict(pairs).get(SEALED, ""))
        code, person = codes.of_person(self.provider, user_code), self._people.current()
        if code is None or person is None or code.payload.get(codes.CLAIMED_BY) != person.subject:
            raise CodeRefused
        exchange = page_exchange_about(DevicePageExchange, self.provider, code, pairs, GRANT_TYPE)
        exchange.device, exchange.user_code = code, display_form(user_code)
        return exchange

    @override
    def decide(self, exchange: DevicePageExchange, *, allowed: bool) -> Response:
        """Write down what the person decided; the device hears of it when it polls.

        Raises:
            RecordReplayed: they decided before.
        """
        if not is_pending(self.provider, exchange.device):
            raise RecordReplayed(exchange.device)
        given = self.grant(exchange, expires_at=exchange.device.expires_at).id if allowed else None
        codes.decide(exchange.plan, exchange.device, given)
        answer = _to(self.provider.url_for("device.allowed" if allowed else "device.denied"))
        if exchange.on_answer is not None:
            exchange.on_answer(Answer(answer.status_code, {"Location": answer.headers["Location"]}))
        exchange.apply()
        return answer

    @override
    def refuse(self, exchange: DevicePageExchange, error: OAuth2Error) -> Response:
        """Tell the device of a denial, whoever denies; after a fault of ours its person may come again."""
        denied = isinstance(error, AccessDeniedError) and not isinstance(error, RuleFailed)
        if denied and is_pending(self.provider, exchange.device):
            plan = Plan()
            codes.decide(plan, exchange.device, None)
            try:
                self.provider.storage.apply(plan)
            except Exception as failure:  # noqa: BLE001 - it is logged
                log_failure(failure, "a device is not told that it was denied")
        return super().refuse(exchange, error)

    @override
    def offline(self, exchange: DevicePageExchange) -> bool:
        """Say whether the device may get a refresh token too."""
        return self.provider.validator.issues_refresh_token(exchange.request)


def _to(location: str) -> Response:
    return cast("Response", redirect(location, 303))


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Return the pages; what they lack (a login, a consent page) shows at start."""
    page = DevicePage(provider)
    blueprint = Blueprint("device", __name__, template_folder="templates")
    both = ["GET", "POST"]
    blueprint.add_url_rule("/device/", "code", page.type_code, methods=both, strict_slashes=False)
    blueprint.add_url_rule("/device/confirm/", "confirm", page.view, methods=both)
    for answer in ("allowed", "denied"):
        blueprint.add_url_rule(f"/device/{answer}/", answer, page.end, defaults={"template": answer})
    return [Mount(blueprint)]
