"""Settings are asked for by model, and keep their types; only type checkers read this."""

from __future__ import annotations

from typing import assert_type

from pydantic import BaseModel

from portula import Provider, current_provider, hookimpl
from portula.plugin import CoreSettings
from portula_sessions.settings import SessionSettings


class ShopSettings(BaseModel):
    """Settings of a plugin."""

    SHOP_LIMIT: int = 10
    SHOP_NAMES: tuple[str, ...] = ()


class Room:
    """A plugin with settings."""

    @hookimpl
    def portula_settings(self, provider: Provider) -> list[type[BaseModel]]:
        """Contribute them."""
        return [ShopSettings]


def read(provider: Provider) -> None:
    """Read settings of a plugin, of a room and of the host."""
    assert_type(provider.settings(ShopSettings), ShopSettings)
    assert_type(provider.settings(ShopSettings).SHOP_LIMIT, int)
    assert_type(provider.settings(ShopSettings).SHOP_NAMES, tuple[str, ...])
    assert_type(provider.settings(SessionSettings).SESSION_COOKIE_PERSISTENT, bool)
    assert_type(provider.settings(CoreSettings).PLUGINS_DIR, str | None)
    assert_type(provider.core_settings.TRUSTED_PROXIES, int)
    assert_type(current_provider().settings(ShopSettings).SHOP_LIMIT, int)


def misread(provider: Provider) -> None:
    """Read what is not there."""
    _ = provider.settings(ShopSettings).SHOP_LIMITS  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    provider.settings(Room)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
