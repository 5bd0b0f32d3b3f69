"""The stores that STORAGE chooses, and the names in it that nothing has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from portula.host.declarations import HostHooks
from portula.model.errors import ConfigError, nearest
from portula.model.records import CORE_RECORDS
from portula.model.storage import Storage

if TYPE_CHECKING:
    from portula.host.hooks import Hooks
    from portula.model.records import RecordType
    from portula.model.storage import Store, StoreFactory


def check_stores(stores: Iterable[Store]) -> None:
    """Let every store say whether it is ready.

    Raises:
        ConfigError: one is not.
    """
    for store in stores:
        ready = getattr(store, "ready", None)
        if ready is not None:
            ready()


def tell_unknown_stores(hooks: Hooks, configuration: Mapping[str, Any], errors: list[ConfigError]) -> None:
    """Add unknown names in STORAGE to errors, where there are some; where there are none, `build_storage` tells."""
    named = configuration.get("STORAGE")
    chosen = {"default": named} if isinstance(named, str) else named
    if not errors or not isinstance(chosen, Mapping) or not all(isinstance(n, str) for n in chosen.values()):
        return
    try:
        factories = hooks.collect(HostHooks.portula_stores)
        records = (*CORE_RECORDS, *hooks.collect(HostHooks.portula_records))
    except ConfigError:  # a plugin cannot say its own before its settings are right
        return
    findings = _unknown_names(chosen, factories, records, hooks.remedy(HostHooks.portula_stores))
    if findings:
        errors.append(ConfigError(*findings))


def build_storage(
    choice: str | Mapping[str, str] | None,
    factories: Mapping[str, StoreFactory],
    records: Sequence[RecordType],
    remedy: str = "install one",
    realm_of: Callable[[RecordType], str] = lambda _: "",
) -> Storage:
    """Make the stores that STORAGE chooses; without a choice the only one installed serves all.

    Args:
        choice: what STORAGE says.
        factories: the stores that are installed.
        records: types to keep.
        remedy: what to do where there is no store.
        realm_of: the realm whose records of a type are the provider's.

    Raises:
        ConfigError: a named store is not installed, or none is.
    """
    chosen = {"default": choice} if isinstance(choice, str) else dict(choice or {})
    if "default" not in chosen:
        if len(factories) != 1:
            known = ", ".join(sorted(factories)) or f"none; {remedy}"
            raise ConfigError(f"STORAGE: name the default store; installed: {known}")
        chosen["default"] = next(iter(factories))
    findings = _unknown_names(chosen, factories, records, remedy)
    if findings:
        raise ConfigError(*findings)
    placed: dict[str, list[RecordType]] = {}
    for record in records:
        placed.setdefault(chosen.get(record.name, chosen["default"]), []).append(record)
    routes: dict[type[Any], Store] = {}
    for name, types in placed.items():
        store = factories[name](tuple(types))
        routes.update({cls: store for record in types for cls in (record.cls, record.replaces) if cls})
    models = {record.replaces: record.cls for record in records if record.replaces}
    return Storage(routes, models, {record.cls: realm_of(record) for record in records if record.in_realm})


def _unknown_names(
    chosen: Mapping[str, str],
    factories: Mapping[str, StoreFactory],
    records: Iterable[RecordType],
    remedy: str,
) -> list[str]:
    names, installed = {record.name for record in records}, ", ".join(sorted(factories)) or f"none; {remedy}"
    findings = [
        f"STORAGE: unknown record type {name!r}{nearest(name, names)}"
        for name in chosen
        if name != "default" and name not in names
    ]
    return findings + [
        f"STORAGE: no store named {store!r} is installed{nearest(store, factories)}; installed: {installed}"
        for store in sorted(set(chosen.values()))
        if store not in factories
    ]
