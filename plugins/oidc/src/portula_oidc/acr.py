"""Authentication context classes (OpenID Connect Core §2, `acr`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula_oidc.settings import OIDCSettings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer


def reached_classes(provider: AuthorizationServer, amr: Sequence[str]) -> list[str]:
    """Return the classes that a sign-in by these methods reaches, weakest first."""
    classes = provider.settings(OIDCSettings).ACR_VALUES
    return [name for name, methods in classes.items() if set(methods).issubset(amr)]


def acr_of(provider: AuthorizationServer, amr: Sequence[str], requested: Sequence[str]) -> str | None:
    """Return the class to tell: the one wanted most of those reached, else the strongest; None when none is."""
    known = reached_classes(provider, amr)
    return next((name for name in requested if name in known), known[-1] if known else None)
