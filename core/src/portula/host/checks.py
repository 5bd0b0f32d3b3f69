"""Findings about the posture of a deployment: what runs, but could be safer or is about to break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portula.host.kinds import NEEDS_TRUST
from portula.host.lock import startup_files
from portula.host.settings import DICTIONARY
from portula.model.sources import Tier
from portula.model.uris import is_loopback_host, uri_host

if TYPE_CHECKING:
    from portula.host.deployment import Deployment


_PROTOCOL = frozenset({"TOKEN", "GRANT", "PKCE", "OIDC", "OAUTH2"})
"""Words by which the name of a setting shows that it is about the protocol."""


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Do not go into production like this."""
    WARNING = "warning"
    """Safer is possible, and expected by a current RFC."""
    INFO = "info"
    """Good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding."""

    id: str
    """Stable, e.g. `oauth2.pkce`: the room and what it is about."""
    level: Level
    summary: str
    remedy: str
    reference: str = ""
    """Section of the RFC that says so."""
    at_start: bool = False
    """Whether `portula serve` says it too when it starts; errors it says anyway."""


def core_checks(provider: Deployment) -> Iterator[Finding]:
    """Yield what core itself finds."""
    if not provider.issuer:
        yield Finding(
            "core.issuer",
            Level.WARNING,
            "The issuer is made of the host of each request.",
            "Set OIDC_ISS_ENDPOINT to the public URL, e.g. https://id.example.com/o.",
            "RFC 8414 §2",
        )
    elif provider.issuer.startswith("http:"):
        local = is_loopback_host(uri_host(provider.issuer))
        yield Finding(
            "core.https",
            Level.INFO if local else Level.ERROR,
            "The issuer is http.",
            "Serve it by https, with --tls-cert or behind a proxy, and set OIDC_ISS_ENDPOINT to the https URL.",
            "RFC 6749 §3.1, RFC 9700 §2.6",
        )
    if provider.issuer.startswith("https:") and not provider.core_settings.TRUSTED_PROXIES:
        yield Finding(
            "core.proxies",
            Level.INFO,
            "TRUSTED_PROXIES is 0: behind a proxy everybody counts as one address, and limits shut all out together.",
            "Set TRUSTED_PROXIES to the number of proxies in front that append to X-Forwarded-For, if there are any.",
        )
    if provider.app.debug:
        yield Finding(
            "core.debug", Level.ERROR, "Flask's debug mode is on.", "Run without --debug in production."
        )
    beside = [name for name in provider.all_settings.beside if _is_ours(name, provider.app.config)]
    if beside:
        yield Finding(
            "core.beside-settings",
            Level.WARNING,
            f"Settings stand beside OAUTH2_PROVIDER, where nothing reads them: {', '.join(sorted(beside))}.",
            "Put them into OAUTH2_PROVIDER; if they are the application's own, this says nothing.",
        )
    yield from _plugin_checks(provider)


def _is_ours(name: str, config: Mapping[str, object]) -> bool:
    """Say whether a name is hardly a setting of the application's own: many have a DATABASE_URL or OAUTH_PROVIDERS."""
    words = name.split("_")
    return not _PROTOCOL.isdisjoint(words) if "PROVIDER" not in name else DICTIONARY not in config


def _plugin_checks(provider: Deployment) -> Iterator[Finding]:
    for source, reason in provider.plugins.absent.items():
        if source.name in provider.core_settings.PLUGINS_OPTIONAL:
            yield Finding(
                "core.plugin-left-out", Level.WARNING, reason, "Mend it, uninstall it, or block it."
            )
    for source, hook, warning in provider.plugins.retired_hooks():
        yield Finding(
            "core.retired-hook",
            Level.WARNING,
            f"{source} implements {hook}, which is going away: {warning}",
            "Ask for a newer version of it.",
        )
    if provider.core_settings.PLUGINS_LOCK:
        outside = startup_files()
        if outside:
            yield Finding(
                "core.lock-coverage",
                Level.INFO,
                f"Files that no lock file covers run code when Python starts: {', '.join(outside)}.",
                "Look at them; an installation without editable packages has few or none.",
            )
        return
    for name, source in sorted(provider.plugins.sources.items()):
        if source.tier is not Tier.INSTALLED:
            continue
        powers = {facts.hook_class for facts in provider.plugins.powers(name).values()}
        if powers.intersection(NEEDS_TRUST):
            yield Finding(
                "core.unlocked-plugin",
                Level.WARNING,
                f"{source} decides or sees secrets, and no lock file holds it to what you looked at.",
                "Run `portula plugins lock`, set PLUGINS_LOCK to the file and name the plugin in PLUGINS_TRUSTED.",
            )
