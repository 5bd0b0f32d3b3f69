"""A backend that is made anew each time it is used (ALWAYS_RELOAD_OAUTHLIB_CORE)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from portula.flow.backend import Backend


class _Reloading:
    """Stands where a backend stands; whatever is asked of it is asked of a new one."""

    def __init__(self, make: Callable[[], Backend]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._make(), name)
        if not callable(found):
            return found

        def call(*args: Any, **keywords: Any) -> Any:
            return getattr(self._make(), name)(*args, **keywords)

        return call


def reloading(make: Callable[[], Backend]) -> Backend:
    """Return what makes a backend with `make` at every call of one of its methods, those bound earlier too."""
    return cast("Backend", _Reloading(make))
