"""The pages of a demo that play each grant in the browser, as `portula try` does in the terminal."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import click
from flask import Blueprint, Response, redirect, request
from wtforms import StringField, TextAreaField

from portula import hookimpl
from portula.plugin import AccountLink, Mount, PageForm, log_failure, refuse_head
from portula_playground import transcript
from portula_playground.hooks import PlayedGrant, PlaygroundHooks
from portula_playground.playing import issuer_of, pairs_of, run
from portula_playground.transcript import DONE, FAILED, WAITING, RunSuperseded, Transcript
from portula_playground.trial_clients import TrialClient, clear, remove_at_end, take

if TYPE_CHECKING:
    from portula import Provider

PATH = "/playground/"
THREAD = "playground run"
SETTLED_SECONDS = 3
"""How long a page waits for a run to go on, before it is shown as it stands."""


class RunForm(PageForm):
    """What a run asks for."""

    scope = StringField("Scope", description="Apart by spaces. Empty for all that the client may have.")
    resource = StringField(
        "Resource", description="The server that the token is for (RFC 8707). Mostly empty."
    )
    values = TextAreaField("Values", description="What the grant needs besides: NAME=VALUE, one a line.")


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Return the pages, in a demo."""
    return [_mount(provider)] if provider.demo else []


@hookimpl
def portula_demo_links(provider: Provider) -> list[AccountLink]:
    """Return the page of all grants."""
    return [AccountLink("Play a client of each grant", "playground.grants")] if provider.demo else []


@hookimpl
def portula_demo(provider: Provider) -> dict[str, str]:
    """Return the address of that page; what runs of the last start left is removed."""
    clear(provider)
    return {"Play each grant": f"{_root(provider)}{PATH}"} if provider.demo else {}


def _root(provider: Provider) -> str:
    return f"{provider.root_of(provider.issuer)}{provider.mount}"


def _mount(provider: Provider) -> Mount:
    pages = PlaygroundPages(provider)
    blueprint = Blueprint("playground", __name__, template_folder="templates")
    blueprint.add_url_rule(PATH, "grants", pages.grants, methods=["GET", "POST"], strict_slashes=False)
    blueprint.add_url_rule(f"{PATH}<named>/", "run", pages.run, strict_slashes=False)
    blueprint.add_url_rule(f"{PATH}<named>/callback", "callback", pages.callback)
    return Mount(blueprint)


class PlaygroundPages:
    """The views of one provider."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider, self._pages = provider, provider.pages

    def grants(self) -> Response:
        """List the grants, show the form of one, or begin to play it."""
        played = self._provider.hooks.collect(PlaygroundHooks.portula_grant_trials)
        name = self._pages.query().get("grant")
        if name is None:
            return self._list(played)
        if name not in played:
            return self._pages.missing("There is no such grant")
        posted = self._pages.posted_form() if request.method == "POST" else None
        form, notice = RunForm(self._pages, f"playground {name}", posted), None
        if posted is not None and form.validate():
            try:
                return self._begin(name, played[name], form)
            except click.ClickException as refusal:
                notice = refusal.message
        return self._pages.render(
            "portula_playground/grant.html",
            200 if posted is None else 400,
            name=name,
            text=_first_line(played[name]),
            form=form,
            notice=notice,
        )

    def _list(self, played: Mapping[str, PlayedGrant]) -> Response:
        url_for = self._provider.url_for
        listed = [
            (name, _first_line(grant), url_for("playground.grants", grant=name))
            for name, grant in sorted(played.items())
        ]
        return self._pages.render("portula_playground/grants.html", grants=listed)

    def _begin(self, name: str, grant: PlayedGrant, form: RunForm) -> Response:
        """Play a grant in a thread, and go to its page once there is something to do.

        Raises:
            ClickException: a value is malformed, or no client can be made.
        """
        provider, (types, play) = self._provider, grant
        given = {
            "issuer": issuer_of(provider),
            "scope": form.scope.data or "",
            "resource": form.resource.data or "",
            "given_values": pairs_of((form.values.data or "").splitlines()),
        }
        named = secrets.token_urlsafe(16)
        redirect_uri = f"{_root(provider)}{PATH}{named}/callback"
        client = take(provider, types, redirect_uri)
        kept = Transcript(provider, named, client.number, name, redirect_uri)
        threading.Thread(
            target=_play, args=(provider, client, kept, play, given), name=THREAD, daemon=True
        ).start()
        return self._await_state(named, {WAITING, DONE, FAILED})

    def run(self, named: str) -> Response:
        """Show a run as far as it is."""
        kept = transcript.find(self._provider, named)
        if kept is None:
            return self._pages.error(404, "There is no such run", "It is over, or another browser began it.")
        return self._pages.render(
            "portula_playground/run.html",
            grant=kept["grant"],
            parts=kept["parts"],
            over=kept["state"] in (DONE, FAILED),
            again=self._provider.url_for("playground.run", named=named),
            all_grants=self._provider.url_for("playground.grants"),
        )

    def callback(self, named: str) -> Response:
        """Take an authorization response for the run that waits for it, and show what comes of it."""
        refuse_head()
        kept = transcript.find(self._provider, named)
        if kept is None or kept["state"] != WAITING:
            return self._pages.missing("No run waits for this answer")
        transcript.answer(self._provider, named, kept, self._pages.query())
        return self._await_state(named, {DONE, FAILED})

    def _await_state(self, named: str, states: Collection[str]) -> Response:
        """Go to the page of a run once it is in one of these states, or as it is after some seconds."""
        ends_at = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < ends_at:
            kept = transcript.find(self._provider, named)
            if kept is None or kept["state"] in states:
                break
            time.sleep(transcript.PAUSE_SECONDS)
        return cast("Response", redirect(self._provider.url_for("playground.run", named=named), 303))


def _play(
    provider: Provider,
    client: TrialClient,
    kept: Transcript,
    play: Callable[[Any], Any],
    given: Mapping[str, Any],
) -> None:
    with provider.app.app_context(), suppress(RunSuperseded):
        try:
            with remove_at_end(provider, client):
                run(provider, play, display=kept, client_id=client.client_id, secret=client.secret, **given)
            kept.end()
        except RunSuperseded:
            raise
        except click.ClickException as refusal:
            kept.end(refusal.message)
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "a grant could not be played")
            kept.end("It could not be played; the log of the server says why.")


def _first_line(grant: PlayedGrant) -> str:
    return next(iter((grant[1].__doc__ or "").splitlines()), "")
