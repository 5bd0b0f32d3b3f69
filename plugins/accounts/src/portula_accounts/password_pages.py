"""Pages on which people change their password, or set one with a link of an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Response, redirect, request
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, HiddenField, PasswordField
from wtforms.validators import EqualTo, InputRequired, Length

from portula import Plugin
from portula.plugin import PageForm
from portula_accounts.forms import too_many
from portula_accounts.known_browsers import known_browser
from portula_accounts.login import AccountsLogin
from portula_accounts.password_links import PasswordLink, PasswordLinks
from portula_accounts.passwords import MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARACTERS
from portula_accounts.users import UserError

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthenticatedUser, LoginSession
    from portula_accounts.records import User

WRONG_PASSWORD = "This is not your present password."


class NewPasswordForm(PageForm):
    """A password, twice."""

    token = HiddenField()
    new = PasswordField(
        "New password",
        [InputRequired("Enter a new password."), Length(max=MAX_PASSWORD_BYTES)],
        description=f"At least {MIN_PASSWORD_CHARACTERS} characters; several words are good.",
    )
    again = PasswordField(
        "New password, once more",
        [InputRequired("Enter the new password once more."), EqualTo("new", "The two are not the same.")],
    )


class ChangeForm(NewPasswordForm):
    """A new password for who knows the present one."""

    present = PasswordField(
        "Present password", [InputRequired("Enter your present password."), Length(max=MAX_PASSWORD_BYTES)]
    )
    apps = BooleanField(
        "Disconnect all apps, too",
        description="They lose their access at once, and have to ask you again.",
    )


class PasswordPages:
    """The views of one provider."""

    def __init__(self, provider: Provider, login: AccountsLogin) -> None:
        """Take the provider and the login that won the slot."""
        self._provider = provider
        self._pages = provider.pages
        self._login = login
        self._links = PasswordLinks(provider, login.users)

    def change(self) -> Response:
        """Change the password of the person signed in, who has to know the present one."""
        person = self._login.current()
        session = self._provider.hooks.ask(Plugin.portula_sessions).current()
        user = self._login.users.find(person.subject) if person else None
        if person is None or session is None or user is None:
            url = self._login.login_url(self._provider.url_for("accounts.password"))
            return cast("Response", redirect(url, 302))
        if request.method != "POST":
            return self._change_page(person, self._change_form(session))
        form = self._change_form(session, self._pages.posted_form())
        wait = self._change_password(form, user, session) if form.validate() else 0
        if not form.errors:
            return self._done_page()
        page = self._change_page(person, form, 429 if wait else 400)
        if wait:
            page.headers["Retry-After"] = str(wait)
        return page

    def _change_password(self, form: ChangeForm, user: User, session: LoginSession) -> int:
        """Change a password as a form says, or write into the form why not; return the seconds to wait, if any."""
        address, browser = self._provider.client_address(), known_browser(self._provider, user.username)
        verdict = self._login.judge(user.username, form.present.data or "", address, browser)
        if verdict.retry_after:
            form.form_errors.append(too_many(verdict.retry_after))
        elif verdict.user is None:
            form.present.errors = [WRONG_PASSWORD]
        else:
            new, apps = form.new.data or "", bool(form.apps.data)
            try:
                self._login.users.set_password(verdict.user, new, except_sid=session.sid, end_apps=apps)
            except UserError as error:
                form.new.errors = [str(error)]
        return verdict.retry_after

    def set(self) -> Response:
        """Set a password with a link, once."""
        posted = self._pages.posted_form() if request.method == "POST" else None
        token = (self._pages.query() if posted is None else posted).get("token", "")
        link = self._links.find(token)
        if link is None:
            return self._pages.error(
                404,
                "This link does not count any more",
                "It was used, is too old, or was replaced by a newer one. Ask for another.",
            )
        form = NewPasswordForm(self._pages, f"set password {link.artifact.digest}", posted, token=token)
        if posted is None:
            return self._set_page(link, form)
        if not form.validate():
            return self._set_page(link, form, 400)
        try:
            self._links.use(link, form.new.data or "")
        except UserError as error:
            form.new.errors = [str(error)]
            return self._set_page(link, form, 400)
        return self._done_page()

    def _change_form(self, session: LoginSession, posted: MultiDict[str, str] | None = None) -> ChangeForm:
        context = f"password {session.sid} {session.authentication}"
        return ChangeForm(self._pages, context, posted)

    def _change_page(self, person: AuthenticatedUser, form: ChangeForm, status: int = 200) -> Response:
        return self._pages.render(
            "portula_accounts/password.html", status, form=form, username=person.username
        )

    def _set_page(self, link: PasswordLink, form: NewPasswordForm, status: int = 200) -> Response:
        return self._pages.render(
            "portula_accounts/password.html", status, form=form, username=link.user.display_username
        )

    def _done_page(self) -> Response:
        return self._pages.render(
            "portula_accounts/password_changed.html",
            account_url=self._provider.url_for("accounts.account"),
        )
