"""A machine endpoint as a room contributes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portula.flow.steps import Steps
    from portula.model.http import Cors, Handler


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A machine endpoint that a room contributes."""

    name: str
    """Unique, and the Flask endpoint name below `portula.`."""
    path: str
    """Below the mount point, e.g. `token/`; with a leading slash it is below the host's root."""
    methods: tuple[str, ...]
    handler: Handler | None = None
    """Answers a message; None where `steps` do."""
    cors: Cors = "none"
    origin_schemes: tuple[str, ...] = ()
    """Schemes besides http and https that the origins of its clients may have."""
    in_memory: bool = False
    """Whether it is answered without the storage, or hardly ever with it."""
    steps: Steps[Any] | None = None
    """The steps that answer it; beside a handler, those that the handler runs."""
