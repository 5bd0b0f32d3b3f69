"""An answer that is of the type that a slot declares, and does nothing."""

from types import NoneType
from typing import Any, get_args, get_origin

from portula.host.signatures import return_type
from portula.plugin import Plugin


def fitting(hook):
    """Return what the slot `hook` takes for an answer."""
    (expected,) = (kind for kind in get_args(return_type(getattr(Plugin, hook))) if kind is not NoneType)
    if get_origin(expected) is type:
        (base,) = get_args(expected)
        return type("Answer", () if base is Any else (base,), {})
    if not isinstance(expected, type):
        return lambda *_, **__: None
    return stubbed(expected)()


def stubbed(base):
    """Return a subclass of a slot's class whose methods do nothing, for a test that needs some of them only."""
    return type(base.__name__, (base,), {name: lambda *_, **__: {} for name in base.__abstractmethods__})
