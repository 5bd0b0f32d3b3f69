"""Pages for people: sign in, sign out, and where they land in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, redirect, request
from werkzeug.datastructures import MultiDict

from portula import Plugin
from portula.plugin import Mount, PageForm, visible_links
from portula_accounts.forms import LoginForm, same_origin_path, too_many
from portula_accounts.known_browsers import known_browser, remember_browser
from portula_accounts.login import AccountsLogin
from portula_accounts.password_links import PATH
from portula_accounts.password_pages import PasswordPages
from portula_accounts.settings import AccountsSettings
from portula_accounts.users import MAX_USERNAME_CHARACTERS, comparable

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import LoginSession

WRONG_CREDENTIALS = "The user name or the password is not right."


def make_mount(provider: Provider, login: AccountsLogin) -> Mount:
    """Return the pages, below the root of the host."""
    path = provider.settings(AccountsSettings).ACCOUNTS_PATH
    blueprint = Blueprint("accounts", __name__, template_folder="templates", url_prefix=path)
    views = AccountViews(provider, login)
    blueprint.add_url_rule("/", "account", views.account, strict_slashes=False)
    blueprint.add_url_rule("/login/", "login", views.login, methods=["GET", "POST"], strict_slashes=False)
    blueprint.add_url_rule("/logout/", "logout", views.logout, methods=["GET", "POST"], strict_slashes=False)
    passwords = PasswordPages(provider, login)
    for rule, name, view in (
        ("/password/", "password", passwords.change),
        (PATH, "set_password", passwords.set),
    ):
        blueprint.add_url_rule(rule, name, view, methods=["GET", "POST"], strict_slashes=False)
    return Mount(blueprint, at="root")


class AccountViews:
    """The views of one provider."""

    def __init__(self, provider: Provider, login: AccountsLogin) -> None:
        """Take the provider and the login that won the slot."""
        self._provider = provider
        self._pages = provider.pages
        self._login = login
        self._links = provider.hooks.collect(Plugin.portula_account_links)

    def account(self) -> Response:
        """Say who is signed in."""
        person = self._login.current()
        if person is None:
            return self._redirect(self._login.login_url(self._provider.url_for("accounts.account")))
        url_for = self._provider.url_for
        return self._pages.render(
            "portula_accounts/account.html",
            username=person.username,
            links=[(link.text, url_for(link.view)) for link in visible_links(self._links, person)],
            password_url=url_for("accounts.password"),
            logout_url=url_for("accounts.logout"),
        )

    def login(self) -> Response:
        """Show the sign-in form, or judge what was typed into it."""
        query = self._pages.query()
        if request.method != "POST":
            form = self._login_form(None, query)
            done = form.next.data and self._has_signed_in(query)
            return self._redirect(self._next(form)) if done else self._login_page(form, query)
        form = self._login_form(self._pages.posted_form(), query)
        if not form.validate():
            return self._login_page(form, query, status=400)
        name, password = form.username.data or "", form.password.data or ""
        plain_name = comparable(name) or ""
        browser, address = known_browser(self._provider, plain_name), self._provider.client_address()
        verdict = self._login.verify(name, password, address, browser)
        if verdict.retry_after:
            page = self._login_page(form, query, status=429, notice=too_many(verdict.retry_after))
            page.headers["Retry-After"] = str(verdict.retry_after)
            return page
        if verdict.user is None or not self._login.begin_session(verdict.user, address):
            return self._login_page(form, query, status=400, notice=WRONG_CREDENTIALS)
        response = self._redirect(self._next(form))
        remember_browser(self._provider, plain_name, response)
        return response

    def _has_signed_in(self, query: MultiDict[str, str]) -> bool:
        """Say whether the person signed in meanwhile, in another tab: what they came from goes on by itself."""
        person, before = self._login.current(), query.get("signed_in_at", "0")
        return (
            person is not None and before.isdecimal() and len(before) < 20 and person.auth_time > int(before)
        )

    def logout(self) -> Response:
        """Ask whether to sign out, or do it."""
        sessions = self._provider.hooks.ask(Plugin.portula_sessions)
        session = sessions.current()
        if session is None:
            return self._pages.render("portula_accounts/logged_out.html")
        if request.method != "POST":
            return self._logout_page(session, self._logout_form(session, None))
        form = self._logout_form(session, self._pages.posted_form())
        if not form.validate():
            return self._logout_page(session, form, status=400)
        sessions.end()
        return self._pages.render("portula_accounts/logged_out.html")

    def _login_form(self, fields: MultiDict[str, str] | None, query: MultiDict[str, str]) -> LoginForm:
        hint = query.get("login_hint", "")[:MAX_USERNAME_CHARACTERS]
        back = same_origin_path(query.get("next")) or ""
        return LoginForm(self._pages, "login", fields, next=back, username=hint)

    def _login_page(
        self, form: LoginForm, query: MultiDict[str, str], status: int = 200, notice: str | None = None
    ) -> Response:
        client = self._client(form, query)
        return self._pages.render(
            "portula_accounts/login.html", status, form=form, client=client, notice=notice
        )

    def _logout_form(self, session: LoginSession, fields: MultiDict[str, str] | None) -> PageForm:
        return PageForm(self._pages, f"logout {session.sid} {session.authentication}", fields)

    def _logout_page(self, session: LoginSession, form: PageForm, status: int = 200) -> Response:
        return self._pages.render(
            "portula_accounts/logout.html", status, form=form, username=session.username
        )

    def _next(self, form: LoginForm) -> str:
        """Return where to go after signing in: never to another site (attack S13)."""
        return (
            same_origin_path(form.next.data)
            or self._provider.settings(AccountsSettings).LOGIN_REDIRECT_URL
            or self._provider.url_for("accounts.account")
        )

    def _client(self, form: LoginForm, query: MultiDict[str, str]) -> dict[str, Any] | None:
        """Return what is shown of the app that a person signs in for, if one is named and usable."""
        waiting = parse_qs(urlsplit(same_origin_path(form.next.data) or "").query)
        client_id = query.get("client_id") or _only(waiting.get("client_id"))
        if not client_id.isprintable() or not client_id:
            return None
        client = self._provider.clients.find(client_id)
        if client is None or client.disabled:
            return None
        ui_locales = query.get("ui_locales") or _only(waiting.get("ui_locales"))
        return self._pages.shown_client(client, ui_locales)

    def _redirect(self, location: str) -> Response:
        response = cast("Response", redirect(location, 302))
        response.headers["Cache-Control"] = "no-store"
        return response


def _only(values: list[str] | None) -> str:
    """Return a value that stands once."""
    return values[0] if values is not None and len(values) == 1 else ""
