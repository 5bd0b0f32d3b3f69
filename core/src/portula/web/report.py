"""Who answers what: the facts behind `portula plugins`, `hooks`, `explain` and `settings`, as plain data."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from portula.flow.hooks import FlowHooks
from portula.host.checks import Finding, Level, core_checks
from portula.host.commands import in_an_app
from portula.host.declarations import HostHooks
from portula.host.joining import keys_of
from portula.host.kinds import PREFIX, HookKind
from portula.host.settings import AnswersSlot, DeclaredSetting, display_value
from portula.model.errors import ConfigError, PortulaError, nearest
from portula.model.sources import PluginSource, Tier
from portula.web.endpoints import idle_steps

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from portula.flow.steps import Steps
    from portula.web.provider import Provider


STORAGE_FINDING = "core.storage"

_NAMED: Mapping[str, Callable[[Any, Any], Any]] = {
    "grant type": FlowHooks.portula_grant_types,
    "response type": FlowHooks.portula_response_types,
    "response mode": FlowHooks.portula_response_modes,
    "client authentication method": FlowHooks.portula_client_auth_methods,
    "client metadata": FlowHooks.portula_client_metadata,
    "token format": FlowHooks.portula_token_formats,
    "audience": FlowHooks.portula_audiences,
    "profile": HostHooks.portula_profiles,
}
"""What plugins contribute under the names of the standards, by what such a name is of."""


class UnknownName(PortulaError):
    """Nothing that `explain` knows has this name; the message names the nearest."""


def source_facts(source: PluginSource) -> dict[str, Any]:
    """Return what is said of a plugin wherever it is mentioned."""
    return {
        "plugin": source.name,
        "distribution": source.distribution,
        "version": source.version,
        "tier": source.tier.name.lower(),
        "default": source.tier is Tier.DEFAULT,
    }


def plugins(provider: Provider) -> list[dict[str, Any]]:
    """Return every plugin that takes part, weakest tier first, and those blocked or left out."""
    active = [
        {
            **source_facts(source),
            "status": "active",
            "hooks": provider.plugins.hooks_of(source.name),
            "classes": sorted({facts.hook_class for facts in provider.plugins.powers(source.name).values()}),
        }
        for source in sorted(provider.plugins.sources.values(), key=lambda source: (source.tier, source.name))
    ]
    absent = [
        {**source_facts(source), "status": status, "hooks": [], "classes": []}
        for source, status in provider.plugins.absent.items()
    ]
    return active + absent


def hooks(provider: Provider) -> list[dict[str, Any]]:
    """Return every hook in the order in which it fires, with those who implement it, strongest first."""
    return [_hook(provider, name) for name in provider.plugins.declared.in_order()]


def _hook(provider: Provider, name: str) -> dict[str, Any]:
    facts = provider.plugins.facts(name)
    implementations = provider.plugins.implementations(name)
    return {
        "hook": name,
        "kind": facts.kind.value,
        "class": facts.hook_class.value,
        "setting": facts.setting,
        "implementations": [source_facts(implementation.source) for implementation in implementations],
    }


def findings(provider: Provider) -> list[Finding]:
    """Return what could be safer, by name: what core finds and, unless the storage is not ready, what rooms find."""
    found = [*core_checks(provider), *idle_steps(provider), *_storage_checks(provider)]
    if all(finding.id != STORAGE_FINDING for finding in found):
        found += provider.hooks.collect(HostHooks.portula_checks)
    if not provider.stand_alone:
        found = [
            replace(each, summary=in_an_app(each.summary), remedy=in_an_app(each.remedy)) for each in found
        ]
    return sorted(found, key=lambda finding: finding.id)


def _storage_checks(provider: Provider) -> Iterator[Finding]:
    try:
        provider.check_storage()
    except ConfigError as error:
        remedy = "Mend that first: the checks that read the storage did not run."
        yield Finding(STORAGE_FINDING, Level.ERROR, str(error), remedy)


def settings(provider: Provider) -> list[dict[str, Any]]:
    """Return every setting by name; secret values are hidden."""
    return [_setting(provider, declared) for declared in provider.all_settings.declarations()]


def _setting(provider: Provider, declared: DeclaredSetting) -> dict[str, Any]:
    field = declared.field
    value = provider.all_settings.value(declared.name)
    return {
        "name": declared.name,
        "type": _type_text(field.annotation),
        "default": display_value(declared.name, value, field)
        if declared.origin not in ("default", "configured")
        else default_text(declared.name, field),
        "value": display_value(declared.name, value, field),
        "source": declared.origin,
        "room": declared.owner.name,
        "doc": " ".join(field_docs(declared.model).get(declared.name, "").split()),
    }


def default_text(name: str, field: FieldInfo) -> str:
    """Write the default of a setting as people read it."""
    if field.is_required():
        return "(required)"
    try:
        return display_value(name, field.get_default(call_default_factory=True), field)
    except (TypeError, ValueError):
        return "(made of other settings)"


def explain(provider: Provider, name: str) -> dict[str, Any]:
    """Return who answers a setting, a hook (with or without `portula_`) or a question `validator.METHOD`.

    For an endpoint, such as `token`, the steps that it runs, in order; for a plugin what `plugins` says of it; for a
    grant type, a member of client metadata and the like who contributes it.

    Raises:
        UnknownName: nothing has this name.
    """
    if name.startswith("validator."):
        return _explain_question(provider, name.removeprefix("validator."))
    for look in (_explain_endpoint, _explain_setting, _explain_hook, _explain_plugin, _explain_contributed):
        facts = look(provider, name)
        if facts:
            return facts
    endpoints, hooks_in_order = provider.step_lists, provider.plugins.declared.in_order()
    words = [
        *(setting.name for setting in provider.all_settings.declarations()),
        *(hook.removeprefix(PREFIX) for hook in hooks_in_order),
        *hooks_in_order,
        *endpoints,
        *(plugin["plugin"] for plugin in plugins(provider)),
        *(facts["name"] for facts in _contributions(provider)),
    ]
    raise UnknownName(
        f"no setting, hook, plugin, endpoint or name that plugins contribute is called {name!r}"
        f"{nearest(name, words, 0.75) or '.'} Endpoints with steps here: {', '.join(endpoints) or 'none'}"
    )


def _explain_endpoint(provider: Provider, name: str) -> dict[str, Any]:
    lists = provider.step_lists
    return {"endpoint": name, "steps": _steps(lists, name)} if name in lists else {}


def _explain_setting(provider: Provider, name: str) -> dict[str, Any]:
    declared = next((found for found in provider.all_settings.declarations() if found.name == name), None)
    if declared is None:
        return {}
    slot = next((mark.slot for mark in declared.field.metadata if isinstance(mark, AnswersSlot)), None)
    return {"setting": _setting(provider, declared), **({"slot": _ruling(provider, slot)} if slot else {})}


def _explain_hook(provider: Provider, name: str) -> dict[str, Any]:
    slot = name.removeprefix(PREFIX)
    if f"{PREFIX}{slot}" not in provider.plugins.declared:
        return {}
    facts = _hook(provider, f"{PREFIX}{slot}")
    return {"hook": facts, **({"slot": _ruling(provider, slot)} if facts["kind"] == HookKind.SLOT else {})}


def _explain_plugin(provider: Provider, name: str) -> dict[str, Any]:
    found = next((plugin for plugin in plugins(provider) if plugin["plugin"] == name), None)
    return {"plugin": found} if found else {}


def _explain_contributed(provider: Provider, name: str) -> dict[str, Any]:
    found = [facts for facts in _contributions(provider) if facts["name"] == name]
    return {"contributed": found} if found else {}


def _contributions(provider: Provider) -> Iterator[dict[str, Any]]:
    """Yield what plugins contribute by name, and which of them does."""
    for kind, contribution in _NAMED.items():
        hook = contribution.__name__
        facts = provider.plugins.facts(hook)
        yield from ({"kind": kind, "name": name, "hook": hook, "by": None} for name in facts.taken)
        for source, entry in provider.hooks.entries(contribution):
            for name in keys_of(facts, entry, mapping=isinstance(entry, tuple)):
                yield {"kind": kind, "name": name, "hook": hook, "by": source_facts(source)}


def _steps(lists: Mapping[str, Steps[Any]], name: str) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "name": step.name,
            "by": source_facts(step.source),
            "only": sorted(step.when),
            "doc": step.summary,
        }
        for number, step in enumerate(lists[name], 1)
    ]


def _ruling(provider: Provider, slot: str) -> dict[str, Any]:
    ruling = provider.hooks.ruling(provider.plugins.declared[f"{PREFIX}{slot}"])
    return {
        "slot": slot,
        "winner": source_facts(ruling.winner) if ruling.winner else None,
        "answer": _type_name(ruling.answer),
        "outranked": [source_facts(source) for source in ruling.outranked],
        "default": ruling.winner is not None and ruling.winner.tier is Tier.DEFAULT,
    }


def _explain_question(provider: Provider, question: str) -> dict[str, Any]:
    classes = type(provider.validator).__mro__
    answering = [cls for cls in classes if question in vars(cls)]
    if not answering:
        known = {name for cls in classes for name in vars(cls) if not name.startswith("_")}
        raise UnknownName(f"the validator has no question {question!r}{nearest(question, known)}")
    return {
        "question": question,
        "winner": _type_name(answering[0]),
        "outranked": [_type_name(cls) for cls in answering[1:]],
    }


def _type_name(answer: object) -> str:
    """Name an answer by its type, never by its value: it may hold a secret."""
    named = answer if inspect.isclass(answer) or inspect.isroutine(answer) else type(answer)
    return f"{named.__module__}.{named.__qualname__}"


def _type_text(annotation: Any) -> str:
    """Write a type as people read it; bounds and the like are left out."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_text(inner[0])
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(map(_type_text, inner)))
    if origin is Callable:
        return "callable"
    if origin is Literal:
        return " | ".join(map(repr, inner))
    plain: str | None = {NoneType: "None", Ellipsis: "..."}.get(annotation)
    name = plain or str(getattr(origin or annotation, "__name__", annotation))
    return f"{name}[{', '.join(map(_type_text, inner))}]" if inner else name


@cache
def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each field of a settings model or of a model it derives from, else its description."""
    texts = {name: info.description or "" for name, info in model.model_fields.items()}
    for cls in reversed(model.__mro__):
        texts |= docs_in_source(cls)
    return {name: texts[name] for name in model.model_fields}


def docs_in_source(cls: type) -> dict[str, str]:
    """Return the docstring below each field in the source of a class; a class made by a program has none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
