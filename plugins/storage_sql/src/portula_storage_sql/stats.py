"""Statistics of the tables: records, growth, and what that leads to, in bounded time whatever there is.

A count goes to a limit and no further; behind it stands what the engine estimates. How fast records of a kind become
more is counted along the order of their issue, over days, or over as long as such a record lives where that is less:
what was issued in that time has not expired, so nobody has deleted it. A kind that is issued at a steady rate and lives
for a time comes to rate times lifetime.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, bindparam, case, func, select

from portula.plugin import Artifact
from portula_storage_sql.estimates import expired_estimate, row_estimate, table_bytes

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from portula import Provider
    from portula_storage_sql.statements import Statements
    from portula_storage_sql.store import SqlStore

DAY = 86_400
TIMES = ("issued_at", "created_at")
"""Fields that say when a record was made."""
NEWEST = 200
"""Records whose lifetimes are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is known of one kind of record, those of the provider's realm."""

    name: str
    rows: int
    expired: int | None = None
    """How many `portula cleartokens` would delete now; None for a kind that never expires."""
    per_day: float | None = None
    """How many are made a day; None where that cannot be told without reading all."""
    lifetime: int | None = None
    """Seconds that one of the newest lives, by the median; None for ever."""
    bytes: int | None = None
    """Of table and indexes, all realms together; None where the engine does not say."""
    estimated: tuple[str, ...] = ()
    """Which of these are estimates."""
    kinds: tuple[Usage, ...] = field(default=())
    """Kinds of artifacts, each by itself."""

    @property
    def steady_rows(self) -> int | None:
        """Rows that there will be at this rate, if what has expired is deleted; None for more and more, or unknown."""
        if self.per_day is None or self.lifetime is None:
            return None
        return round(self.per_day * self.lifetime / DAY)


class Stats:
    """Looks at the tables of a provider's records."""

    def __init__(self, provider: Provider, store: SqlStore, *, limit: int, days: int) -> None:
        """Take what bounds the looking: records to count of a kind, and days over which growth is taken."""
        self._provider = provider
        self._store = store
        self._limit = limit
        self._seconds = days * DAY
        self._now = provider.now()

    def usages(self) -> Iterator[Usage]:
        """Yield each kind that the store keeps for the provider."""
        with self._store.engine.connect() as connection:
            kept = [self._store.statements(record.cls) for record in self._store.records]
            first = [self._first(connection, statements) for statements in kept if _time_of(statements)]
            age = max([self._now - made for made in first if made is not None], default=0)
            since = max(min(self._seconds, age), 1)
            for statements in kept:
                yield self._usage(connection, statements, since)

    def _usage(self, connection: Connection, statements: Statements, since: float) -> Usage:
        record, estimated = statements.shape.record, []
        rows = self._count_rows(connection, statements)
        if rows > self._limit:
            rows, estimated = max(rows, row_estimate(connection, statements)), ["rows"]
        expired = None
        if record.expires is not None:
            expired = self._provider.storage.count_expired(record.cls, now=self._now, limit=self._limit + 1)
            if expired > self._limit:
                condition = self._own(statements) & (statements.by_field[record.expires] < self._now)
                guess = expired_estimate(connection, statements, condition, rows)
                expired, estimated = min(max(expired, guess), rows), [*estimated, "expired"]
        found = Usage(
            name=record.name,
            rows=rows,
            expired=expired,
            bytes=table_bytes(connection, statements),
            estimated=tuple(estimated),
        )
        if _time_of(statements):
            lifetime = self._lifetime(connection, statements)
            per_day = self._per_day(connection, statements, min(since, lifetime or since))
            return replace(found, lifetime=lifetime, per_day=per_day)
        if record.cls is Artifact:
            return replace(found, kinds=tuple(self._artifacts(connection, statements, since, rows)))
        return found

    def _own(self, statements: Statements) -> ColumnElement[bool]:
        """Return the condition that records are of the provider's realm."""
        given = self._provider.storage.condition(statements.shape.record.cls)
        return and_(True, *[statements.by_field[name] == value for name, value in given.items()])

    def _count_rows(self, connection: Connection, statements: Statements) -> int:
        """Count to one more than the limit."""
        some = select(statements.by_field[statements.shape.primary]).where(self._own(statements))
        counted = select(func.count()).select_from(some.limit(self._limit + 1).subquery())
        return int(connection.execute(counted).scalar_one())

    def _first(self, connection: Connection, statements: Statements) -> int | None:
        """Return when the oldest record was made."""
        made = statements.by_field[str(_time_of(statements))]
        found: int | None = connection.execute(
            select(made).where(self._own(statements)).order_by(made).limit(1)
        ).scalar()
        return found

    def _lifetime(self, connection: Connection, statements: Statements) -> int | None:
        """Return how long the newest records live, by the median; None where that is for ever."""
        record, made = statements.shape.record, statements.by_field[str(_time_of(statements))]
        if record.expires is None:
            return None
        newest = select(made, statements.by_field[record.expires]).where(self._own(statements))
        rows = connection.execute(newest.order_by(made.desc()).limit(NEWEST)).all()
        lives = sorted(float("inf") if end is None else max(end - begin, 1) for begin, end in rows)
        middle = median(lives) if lives else float("inf")
        return None if middle == float("inf") else int(middle)

    def _per_day(self, connection: Connection, statements: Statements, seconds: float) -> float:
        """Count what was made in the last seconds, or see how long ago as many were made as may be counted."""
        made = statements.by_field[str(_time_of(statements))]
        recent = select(made.label("made")).where(self._own(statements), made >= self._now - int(seconds))
        some = recent.order_by(made.desc()).limit(self._limit).subquery()
        number, oldest = connection.execute(select(func.count(), func.min(some.c.made))).one()
        if number == self._limit:
            seconds = max(self._now - oldest, 1)
        return float(number) * DAY / max(seconds, 1)

    def _artifacts(
        self, connection: Connection, statements: Statements, since: float, rows: int
    ) -> Iterator[Usage]:
        """Yield each kind of artifact: of all, or of as many as may be counted, as if the others were like these."""
        of = statements.by_field
        some = select(of["kind"], of["issued_at"], of["expires_at"]).where(self._own(statements))
        c = some.limit(self._limit).subquery().c
        is_over = func.coalesce(c.expires_at < bindparam("now"), False)
        counted = select(
            c.kind,
            func.count(),
            func.sum(case((is_over, 1), else_=0)),
            func.sum(case((c.issued_at >= bindparam("since"), 1), else_=0)),
            func.avg(c.expires_at - c.issued_at),
        )
        given = {"now": self._now, "since": self._now - int(since)}
        scale = max(rows / self._limit, 1)
        for kind, number, over, recent, lives in connection.execute(counted.group_by(c.kind), given):
            lifetime = None if lives is None else max(int(lives), 1)
            brief = lifetime is not None and lifetime < since
            per_day = int(number - over) * DAY / (lifetime or 1) if brief else int(recent) * DAY / since
            yield Usage(
                name=kind,
                rows=round(number * scale),
                expired=round(int(over) * scale),
                per_day=float(per_day) * scale,
                lifetime=lifetime,
                estimated=("rows", "expired", "per_day") if scale > 1 else (),
            )


def _time_of(statements: Statements) -> str | None:
    """Return the field by which records are ordered in time; None where there is no such order."""
    orders: tuple[Any, ...] = statements.shape.record.orders
    return next((name for name in TIMES if (name,) in orders), None)
