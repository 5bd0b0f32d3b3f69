"""Plans that are acknowledged when replicas have them too (WAIT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis
from redis.cluster import RedisCluster
from redis.commands.core import Script
from redis.exceptions import AskError, MovedError, NoScriptError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from portula.errors import StorageDown

APPLIED = b"ok"
"""With which the script begins its answer when it wrote; a refusal waits for nobody."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How many replicas have to have a plan, and within which time."""

    replicas: int
    seconds: float


def run_confirming(
    client: Redis | RedisCluster, script: Script, key: str, args: Sequence[str], asked: Confirmation
) -> Any:
    """Run a script, and wait for replicas on the same connection, which is what WAIT is about.

    Raises:
        StorageDown: fewer replicas have told in time; whether the plan outlives its master is unknown.
    """
    try:
        answer, replicas = _send(_master(client, key), script, key, args, asked)
        if isinstance(answer, NoScriptError):
            _master(client, key).script_load(script.script)
            answer, replicas = _send(_master(client, key), script, key, args, asked)
        elif isinstance(answer, MovedError) and isinstance(client, RedisCluster):
            client.nodes_manager.initialize()
            answer, replicas = _send(_master(client, key), script, key, args, asked)
    except (RedisConnectionError, RedisTimeoutError):
        if isinstance(client, RedisCluster):
            client.nodes_manager.initialize()  # a replica may have taken over
        raise
    for told in (answer, replicas):
        if isinstance(told, AskError):  # the slot is on its way to another node
            raise StorageDown("Redis does not answer: AskError") from told
        if isinstance(told, Exception):
            raise told
    if answer[0] == APPLIED and replicas < asked.replicas:
        raise StorageDown(
            f"REDIS_WAIT_REPLICAS: {replicas} of {asked.replicas} replicas told within {asked.seconds:g} s that they "
            "have what was written"
        )
    return answer


def _master(client: Redis | RedisCluster, key: str) -> Redis:
    if not isinstance(client, RedisCluster):
        return client
    node = cast("Any", client).get_node_from_key(key)
    if node is None:
        raise StorageDown("Redis does not answer: no node has the slot")
    return client.get_redis_connection(node)


def _send(
    master: Redis, script: Script, key: str, args: Sequence[str], asked: Confirmation
) -> tuple[Any, Any]:
    with master.pipeline(transaction=False) as pipe:
        pipe.evalsha(script.sha, 1, key, *args)
        pipe.wait(asked.replicas, int(asked.seconds * 1000))
        return cast("tuple[Any, Any]", tuple(pipe.execute(raise_on_error=False)))
