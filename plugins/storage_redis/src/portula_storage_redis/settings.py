"""Settings of the storage in Redis."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

STORE = "storage_redis"
"""Name of the store in the setting STORAGE."""


class RedisSettings(BaseModel):
    """Where the server is, and how long it may take."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    REDIS_URL: str | None = Field(
        default=None, repr=False, pattern=r"^(redis|rediss|unix)://", examples=["redis://host:6379/0"]
    )
    """URL of the server: `redis://host:6379/0`, `rediss://…` with TLS, or `unix://path`. Of a cluster that of any node.
    It may hold a password, which is never printed. Needed where STORAGE names this store."""

    REDIS_CLUSTER: bool = False
    """Whether the server is a node of a cluster. All records of a provider are in one slot, so a cluster makes them
    survive a node, and no faster."""

    REDIS_KEY_PREFIX: str = Field(default="portula", pattern=r"^[A-Za-z0-9_.-]{1,64}$", examples=["portula"])
    """What all keys begin with, as a hash tag. Providers that share records share it."""

    REDIS_TIMEOUT_SECONDS: float = Field(default=5, ge=0.1, le=600)
    """Seconds within which the server has to accept a connection, and to answer. A request whose time is over is
    answered 503."""

    REDIS_MAX_CONNECTIONS: int = Field(default=50, ge=1, le=10_000)
    """Connections that a process keeps open at most."""

    REDIS_WAIT_REPLICAS: int = Field(default=0, ge=0, le=16)
    """Replicas that have to have what was written before it is acknowledged (WAIT).

    With 0 a replica that takes over may lack what its master had acknowledged a moment before. With 1 it has it, where
    each master has one replica; a request is answered 503 while none tells within half of REDIS_TIMEOUT_SECONDS.
    """
