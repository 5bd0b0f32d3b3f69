"""Asks a person whether an app may have what it asked for, remembers the answer, and lets them take it back.

Sources: RFC 6749 §4.1.1 and §10.2, RFC 9700 §4.16 (clickjacking), OpenID Connect Core §3.1.2.4.
It never takes an answer from another browser or another page than the one it showed, and never widens what was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import AccountLink
from portula_consent.administering import ConsentRecords
from portula_consent.answers import ConsentPages
from portula_consent.commands import consents_group
from portula_consent.endpoint import VIEW, make_mount

if TYPE_CHECKING:
    import click

    from portula import Provider
    from portula.plugin import AuthorizationGranted, AuthorizationServer, Mount, PlanPart

__version__ = "0.1.0"


@hookimpl
def portula_consent(provider: Provider) -> ConsentPages:
    """The consent page, and answers kept as artifacts."""
    return ConsentPages(provider)


def _own(provider: AuthorizationServer) -> ConsentPages | None:
    consent = provider.hooks.ruling(Plugin.portula_consent).answer
    return consent if isinstance(consent, ConsentPages) else None


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """The connected apps page, unless another plugin won the slot: its answers are not ours to show."""
    consent = _own(provider)
    return [make_mount(provider, consent.memory)] if consent else []


@hookimpl
def portula_account_links(provider: Provider) -> list[AccountLink]:
    """The way to that page."""
    return [AccountLink("Connected apps", VIEW)] if _own(provider) else []


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    """The group `consents`."""
    consent = _own(provider)
    return [consents_group(provider, consent.memory)] if consent else []


@hookimpl
def portula_admin_records(provider: Provider) -> list[ConsentRecords]:
    """The connected apps of a person, in the pages of administrators."""
    consent = _own(provider)
    return [ConsentRecords(provider, consent.memory)] if consent else []


@hookimpl
def portula_record_authorization(event: AuthorizationGranted) -> list[PlanPart]:
    """Require the consent by which an authorization was granted without a page."""
    consent = _own(event.provider)
    return consent.require_consent(event.client_id) if consent else []
