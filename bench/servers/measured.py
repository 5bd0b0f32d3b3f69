"""Measuring: batches of one workload against one server, and what each of them took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from servers.cpu import ProcessEnded
from servers.engines import Engine
from servers.load import Client, WrongAnswer
from servers.process import Running
from servers.workloads import Operation, Workload, check_revocation

SLOW_BATCH = 2
WARM_BATCHES = 2


@dataclass
class Sample:
    """One batch: milliseconds an operation."""

    server: float
    """CPU time of all processes of the server."""
    database: float | None
    """CPU time of the processes of the database; None where it has none of its own or they cannot be seen."""
    waits: list[float]
    """From the first request of each operation to its last answer, as the client saw it."""

    @property
    def total(self) -> float:
        """Server and database together."""
        return self.server + (self.database or 0.0)


@dataclass
class Case:
    """One workload on one server."""

    workload: Workload
    server: Running
    engine: Engine | None
    batch: int
    connections: int
    samples: list[Sample | None] = field(default_factory=list)
    """One a round; None for a round whose answers were wrong."""
    failure: str = ""
    """Why a round, or all, are missing."""

    def run(self) -> None:
        """Measure one batch; once a server answered wrongly, this workload is not asked of it again."""
        sample = None
        if not self.failure:
            try:
                sample = self._sample()
            except (WrongAnswer, ProcessEnded) as error:
                self.failure = str(error)
        self.samples.append(sample)

    def warm_up(self) -> None:
        """Run batches that do not count, and prove once that what is revoked is revoked.

        Each thread of a server opens its own connection, on which a statement is prepared when it was seen some times.
        """
        for _ in range(WARM_BATCHES):
            self.run()
        self.samples.clear()
        if self.workload.key == "WR" and not self.failure:
            try:
                with Client(self.server.site, self.server.place.port) as client:
                    check_revocation(client)
            except WrongAnswer as error:
                self.failure = str(error)

    def _database_seconds(self) -> float | None:
        return self.engine.cpu_seconds(self.server.place.url) if self.engine else None

    def _sample(self) -> Sample:
        size = SLOW_BATCH if self.server.side.slow else self.batch
        with ExitStack() as stack:
            clients = [
                stack.enter_context(Client(self.server.site, self.server.place.port))
                for _ in range(min(self.connections, size))
            ]
            operations = [self.workload.make(clients[0]) for _ in range(size)]
            for client in clients:
                client.open()
            database, server = self._database_seconds(), self.server.cpu_seconds()
            waits = sent(clients, operations)
            server, after = self.server.cpu_seconds() - server, self._database_seconds()
        spent = None if database is None or after is None else (after - database) * 1000 / size
        return Sample(server * 1000 / size, spent, waits)


def sent(clients: Sequence[Client], operations: Sequence[Operation]) -> list[float]:
    """Send operations, over all connections at once; return the milliseconds that each took."""

    def one_connection(number: int) -> list[float]:
        waits = []
        for operation in operations[number :: len(clients)]:
            begun = time.perf_counter()
            operation(clients[number])
            waits.append((time.perf_counter() - begun) * 1000)
        return waits

    if len(clients) == 1:
        return one_connection(0)
    with ThreadPoolExecutor(len(clients)) as pool:
        return [wait for waits in pool.map(one_connection, range(len(clients))) for wait in waits]
