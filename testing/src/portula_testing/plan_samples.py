"""Plans that the contract of storage applies: what lets one fail, and what no store accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portula.errors import Conflict, DuplicateRecord, RecordReplayed
from portula.plugin import AccessToken, Grant, Plan, Store
from portula_testing.storage_samples import Sample, access_token, grant
from portula_testing.writing import add_to

Planning = Callable[[Plan], object]


def new_sample(plan: Plan) -> Plan:
    """Add a sample to a plan and return it."""
    plan.add(Sample(digest="new"))
    return plan


FAILURES: dict[str, tuple[type[Exception], Planning]] = {
    "taken before": (RecordReplayed, lambda plan: plan.take(grant("taken"), at=9)),
    "taken but gone": (RecordReplayed, lambda plan: plan.take(grant("gone"), at=9)),
    "not as given": (Conflict, lambda plan: plan.change(Sample, "a", given={"number": 2}, number=3)),
    "not unset": (Conflict, lambda plan: plan.change(Sample, "a", given={"label": None}, number=3)),
    "unset": (Conflict, lambda plan: plan.change(Sample, "a", given={"rank": 0}, number=3)),
    "one of two": (
        Conflict,
        lambda plan: plan.change(Sample, "a", given={"number": 1, "flag": True}, rank=3),
    ),
    "not as required": (Conflict, lambda plan: plan.require(Sample(digest="a"), number=2)),
    "one of two required": (Conflict, lambda plan: plan.require(Sample(digest="a"), number=1, flag=True)),
    "required but gone": (Conflict, lambda plan: plan.require(Sample(digest="gone"))),
    "changed but gone": (Conflict, lambda plan: plan.change(Sample, "gone", number=3)),
    "primary key": (DuplicateRecord, lambda plan: plan.add(Sample(digest="a"))),
    "other key": (DuplicateRecord, lambda plan: plan.add(Sample(digest="new", alias="alias"))),
    "added twice": (DuplicateRecord, lambda plan: plan.extend([grant("twice"), grant("twice")])),
    "changed key": (DuplicateRecord, lambda plan: plan.change(Sample, "b", alias="alias")),
    "key of many": (DuplicateRecord, lambda plan: plan.change_all(Sample, {"family": "f"}, alias="alias")),
}
"""What lets a plan fail, and with what."""

MISTAKES: dict[str, tuple[str, Planning]] = {
    "NUL": ("label", lambda plan: plan.add(Sample(digest="new", label="a\0b"))),
    "too long": ("label", lambda plan: plan.add(Sample(digest="new", label="x" * 256))),
    "surrogate": ("note", lambda plan: plan.change(Sample, "a", note="\ud800")),
    "NUL for many": ("note", lambda plan: plan.change_all(Sample, {"family": "f"}, note="\0")),
    "unknown field": ("nonsense", lambda plan: plan.change(Sample, "a", nonsense=1)),
    "unknown condition": ("nonsense", lambda plan: plan.change(Sample, "a", given={"nonsense": 1}, number=3)),
    "unknown requirement": ("nonsense", lambda plan: plan.require(Sample(digest="a"), nonsense=1)),
    "requirement on the key": ("digest", lambda plan: plan.require(Sample(digest="a"), digest="a")),
    "compound condition": ("names", lambda plan: plan.change(Sample, "a", given={"names": ""}, number=3)),
    "condition on the key": ("digest", lambda plan: plan.change(Sample, "a", given={"digest": "a"}, rank=3)),
    "nothing to change": ("digest", lambda plan: plan.change(Sample, "a")),
    "another primary key": ("digest", lambda plan: plan.change(Sample, "a", digest="b")),
    "another primary key for many": (
        "digest",
        lambda plan: plan.change_all(Sample, {"family": "f"}, digest="b"),
    ),
    "many without an index": ("label", lambda plan: plan.change_all(Sample, {"label": "x"}, number=3)),
    "remove without an index": ("label", lambda plan: plan.remove(Sample, label="x")),
    "take without taken_at": ("taken_at", lambda plan: plan.take(access_token("old"), at=9)),
    "unknown field of what is added": (
        "nonsense",
        lambda plan: new_sample(plan).change(Sample, "new", nonsense=1),
    ),
    "primary key of what is added": (
        "digest",
        lambda plan: new_sample(plan).change(Sample, "new", digest="newer"),
    ),
}
"""What no store accepts in a plan, and the field that its ValueError names."""


def prepare(store: Store) -> None:
    """Keep the records that the plans of this contract are about."""
    for record in (
        grant("code"),
        grant("taken", taken_at=3, code_challenge="c"),
        access_token("old"),
        access_token("older"),
        Sample(digest="a", number=1, label="label", family="f", alias="alias"),
        Sample(digest="b", number=1, family="f", names=("x",)),
        Sample(digest="c", family="g"),
    ):
        add_to(store, record)


def everything(store: Store) -> list[list[Any]]:
    """Return all records that the plans of this contract might change."""
    return [store.select(cls) for cls in (Grant, AccessToken, Sample)]


def attempt(store: Store, plan: Plan) -> Exception | None:
    """Apply a plan; return what it raises."""
    try:
        store.apply(plan)
    except Exception as error:  # noqa: BLE001 - whatever it is, the contract judges it
        return error
    return None


def redemption() -> Plan:
    """Make a plan with parts of each kind, on records that `prepare` keeps."""
    plan = Plan()
    plan.add(access_token("new"))
    plan.remove(Sample, family="g")
    plan.change_all(AccessToken, {"authorization": "authorization", "revoked_at": None}, revoked_at=7)
    plan.change(Sample, "b", given={"number": 1, "label": None}, number=2, payload={"b": [1]}, names=("y",))
    plan.take(grant("code"), at=7)
    return plan
