"""Declarations of hooks: a hook is a typed method that does nothing, in a class derived from `HookDeclarations`.

The method is the declaration, the documentation and the handle by which the hook is called. A decorator says its kind
and what an implementation could do if it were hostile; `portula.host.hooks` keeps each kind's promise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from oauthlib.oauth2 import OAuth2Error

from portula.model.errors import InvalidClientMetadata

F = TypeVar("F", bound=Callable[..., Any])

PREFIX = "portula_"
"""What the name of every hook begins with."""


class HookDeclarations:
    """Base of classes whose decorated methods are hooks.

    A plugin may derive from such a class: the methods that it overrides are its implementations, and those that it
    inherits are none.
    """


class HookKind(StrEnum):
    """How a hook is called; see `portula.host.hooks`."""

    SLOT = "slot"
    CONTRIBUTION = "contribution"
    VETO = "veto"
    SHAPE = "shape"
    REQUIREMENT = "requirement"
    ENRICHMENT = "enrichment"
    OUTBOX = "outbox"
    EVENT = "event"


AT_START = (HookKind.SLOT, HookKind.CONTRIBUTION)
"""Kinds that are called while a provider starts, with the provider; all others with what a request is about."""


class HookClass(StrEnum):
    """What an implementation could do if it were hostile, worst first."""

    DECIDES = "decides"
    """It answers whether something is allowed, or replaces what does."""
    SEES_SECRETS = "sees secrets"
    """It is handed passwords, client secrets, codes or tokens in clear, or makes them."""
    SHAPES_TOKENS = "shapes tokens"
    """It adds to what tokens and answers say."""
    OBSERVES = "observes"
    """It hears of things, without secrets, and changes nothing."""


NEEDS_TRUST = (HookClass.DECIDES, HookClass.SEES_SECRETS)
"""Classes whose third-party implementations must be named in PLUGINS_TRUSTED under a lock file."""


@dataclass(frozen=True, kw_only=True)
class HookFacts:
    """What the decorator of a hook says of it."""

    kind: HookKind
    hook_class: HookClass
    setting: str | None = None
    """The setting whose value answers the same question, strongest of all."""
    install: str = "a plugin that does"
    """What to install when nobody answers."""
    keys: Callable[[Any], Sequence[str | None]] | None = None
    """Returns the keys of a contributed member; two members may not share one. None: they may be alike."""
    taken: Collection[str] = ()
    """Keys that are the host's own."""
    adds_to: str = "response"
    """The field of the value that an enrichment adds to."""
    reserved: Collection[str] = ()
    """Members that no implementation of an enrichment may give, whether they stand there or not."""
    denial: type[OAuth2Error | InvalidClientMetadata] = OAuth2Error
    """What a veto raises to deny."""
    retired: str | None = None
    """Why the hook is going away, and what to implement in its place."""


_MARK = "portula_hook"


def facts_of(function: object) -> HookFacts | None:
    """Return what is said of a declared hook; None for any other function, an implementation among them."""
    facts = getattr(function, _MARK, None)
    return facts if isinstance(facts, HookFacts) else None


def _mark(facts: HookFacts) -> Callable[[F], F]:
    def mark(function: F) -> F:
        setattr(function, _MARK, facts)
        return function

    return mark


def slot(
    hook_class: HookClass,
    *,
    setting: str | None = None,
    install: str = "a plugin that does",
    retired: str | None = None,
) -> Callable[[F], F]:
    """Declare a slot: all are asked once, at start, and the answer of the strongest tier wins; None is no answer."""
    return _mark(
        HookFacts(
            kind=HookKind.SLOT, hook_class=hook_class, setting=setting, install=install, retired=retired
        )
    )


def contribution(
    hook_class: HookClass,
    *,
    setting: str | None = None,
    install: str = "a plugin that does",
    keys: Callable[[Any], Sequence[str | None]] | None = None,
    taken: Collection[str] = (),
    retired: str | None = None,
) -> Callable[[F], F]:
    """Declare a contribution: a mapping or a sequence, as the method itself answers an empty one; all are joined."""
    return _mark(
        HookFacts(
            kind=HookKind.CONTRIBUTION,
            hook_class=hook_class,
            setting=setting,
            install=install,
            keys=keys,
            taken=taken,
            retired=retired,
        )
    )


def veto(
    hook_class: HookClass,
    *,
    denial: type[OAuth2Error | InvalidClientMetadata] = OAuth2Error,
    retired: str | None = None,
) -> Callable[[F], F]:
    """Declare a veto: everyone is heard, and raising `denial` denies."""
    return _mark(HookFacts(kind=HookKind.VETO, hook_class=hook_class, denial=denial, retired=retired))


def shape(hook_class: HookClass, *, retired: str | None = None) -> Callable[[F], F]:
    """Declare a shape: everyone may change the documented fields of the value; an exception refuses."""
    return _mark(HookFacts(kind=HookKind.SHAPE, hook_class=hook_class, retired=retired))


def requirement(hook_class: HookClass, *, retired: str | None = None) -> Callable[[F], F]:
    """Declare a requirement: what everyone requires is joined by `|`; raising an OAuth2Error denies."""
    return _mark(HookFacts(kind=HookKind.REQUIREMENT, hook_class=hook_class, retired=retired))


def enrichment(
    hook_class: HookClass, *, adds_to: str, reserved: Collection[str] = (), retired: str | None = None
) -> Callable[[F], F]:
    """Declare an enrichment: everyone may add members to the field `adds_to` of the value, and overwrite none.

    Who gives one of `reserved` refuses the request; without that, what stands already stays as it is.
    """
    return _mark(
        HookFacts(
            kind=HookKind.ENRICHMENT,
            hook_class=hook_class,
            adds_to=adds_to,
            reserved=reserved,
            retired=retired,
        )
    )


def outbox(hook_class: HookClass, *, retired: str | None = None) -> Callable[[F], F]:
    """Declare an outbox: everyone may return records that are kept with what happens; an exception refuses it."""
    return _mark(HookFacts(kind=HookKind.OUTBOX, hook_class=hook_class, retired=retired))


def event(hook_class: HookClass = HookClass.OBSERVES, *, retired: str | None = None) -> Callable[[F], F]:
    """Declare an event: everyone is told what happened; an exception is logged and stops nobody."""
    return _mark(HookFacts(kind=HookKind.EVENT, hook_class=hook_class, retired=retired))
