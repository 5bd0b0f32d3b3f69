"""The settings of core itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from portula.model.uris import issuer_problem

REALM_PATTERN = r"^[A-Za-z0-9._-]{0,64}$"
"""Names of realms: part of keys, of rows and of what is logged."""

EARLY = (
    "PLUGINS_LOCK",
    "PLUGINS_TRUSTED",
    "PLUGINS_BLOCKED",
    "PLUGINS_CHOICE",
    "PLUGINS_OPTIONAL",
    "PLUGINS_DIR",
)
"""Settings that are read before the plugins are there."""


@dataclass(frozen=True, slots=True)
class StandAlone:
    """Marks a setting that has another default when the provider runs by itself (`portula serve`)."""

    value: Any


class CoreSettings(BaseModel):
    """Settings of the host itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    PROFILE: str | tuple[str, ...] | None = None
    """Name of a profile, or a list of names. A profile is a set of rules under one name: it changes defaults, refuses
    settings that are less strict, and refuses clients that are. A single client is held to one by its metadata
    `profile`."""

    SECRET_KEYS: tuple[str, ...] | None = Field(default=None, repr=False)
    """Secret keys, current first, at least 16 bytes each. None: Flask's SECRET_KEY and SECRET_KEY_FALLBACKS."""

    OIDC_ISS_ENDPOINT: str | Callable[[Any], str] = ""
    """Issuer URL (RFC 8414 §2), e.g. `https://id.example.com/o`. Empty: made of the host of each request, which then
    must be loopback or one of Flask's TRUSTED_HOSTS. A callable is given each request (its `scheme` and `headers`) and
    knows a list of hosts of its own, never any Host header that comes; the path of its answer is MOUNT_PATH, behind the
    path at which the app is mounted. An issuer that ends in MOUNT_PATH says that path too: with
    `https://id.example.com/sub/o` all URLs are below `/sub`, and `portula serve` answers there."""

    ALWAYS_RELOAD_OAUTHLIB_CORE: bool = False
    """Whether server and backend are made anew for each use instead of once at start: for tests that replace what they
    are made of. It costs time and gives nothing else."""

    USE_TZ: bool = False
    """Whether datetimes given to plugins and templates know that they are UTC; name and default are those of Django's
    setting at that time. `app.config["USE_TZ"]` is heard as well. What is stored are Unix seconds in any case."""

    MOUNT_PATH: str = Field(default="/o", pattern=r"^(/[A-Za-z0-9._~-]+)*$", examples=["/o", ""])
    """Path below which the endpoints stand; empty for the root of the host."""

    REALM: str = Field(default="", pattern=REALM_PATTERN, examples=["shop", "shop.example-2"])
    """Name of the realm whose clients, people, authorizations, tokens, sessions and keys are the provider's: what
    belongs to another realm of the same database is unknown to it. Empty is a realm too. The name never changes: under
    another one nothing that was kept is found."""

    CLIENTS_SHARED: str | None = Field(
        default=None, pattern=REALM_PATTERN, examples=["shop", "shop.example-2"]
    )
    """Name of the realm whose clients are the provider's in place of clients of its own, so that a client is registered
    once for several realms; all else stays in REALM. None: the clients of REALM."""

    PROVIDER_NAME: str = Field(default="portula", min_length=1, max_length=80)
    """Name that pages show in their header."""

    STORAGE: str | dict[str, str] | None = None
    """Name of the storage, or a mapping from record type (and `default`) to names. None: the only one installed."""

    CLIENT_CACHE_SECONDS: Annotated[int, StandAlone(5)] = Field(default=0, ge=0, le=300)
    """Seconds for which a process remembers a client that it has read, so that a request reads once less. 0: not at
    all. Nothing is issued, revoked, told or refused by what is remembered: the write or read of the request compares it
    with what is stored, and the request is answered anew where it changed; so a client that was disabled and a secret
    that was taken away count no more, on any node. What a page shows may be as old as this on other processes than the
    one that changed it. Who changes clients by SQL counts their `version` up."""

    TRUSTED_PROXIES: int = Field(default=0, ge=0, le=16)
    """How many reverse proxies in front append to X-Forwarded-For; used for client addresses, and for whether
    CLIENT_CERTIFICATE_HEADER is believed."""

    CLIENT_CERTIFICATE_HEADER: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9-]+$", examples=["Client-Cert"]
    )
    """Header in which the proxy in front passes on the certificate that a client showed in TLS: `Client-Cert` (RFC
    9440), or another that holds percent-encoded PEM, as nginx's `$ssl_client_escaped_cert`. The proxy sets or removes
    it in each request, so that no client can send it; this needs TRUSTED_PROXIES. None: the certificate is that of the
    server's own TLS."""

    LOG_FORMAT: Literal["console", "json"] | None = None
    """How lines of the log are written: as text, or each as a JSON object. None: `portula serve` writes text, and the
    logging of an application of your own is left as it is."""

    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """From which level on they are written: INFO has a line for each event, WARNING those that went wrong."""

    LOG_DESTINATION: str = Field(default="stderr", min_length=1)
    """Where they go: `stderr`, `stdout`, or a file. It is made readable by its owner only, and may be rotated."""

    REQUEST_ID_HEADER: str = Field(
        default="X-Request-ID", pattern=r"^[A-Za-z0-9-]+$", examples=["X-Request-ID"]
    )
    """Header in which the proxy names a request, looked at with TRUSTED_PROXIES only. Else names are made."""

    HEALTH_PATH: Annotated[str | None, StandAlone("")] = Field(
        default=None, pattern=r"^(/[A-Za-z0-9._~-]+)*$", examples=["/health", ""]
    )
    """Path below which `/healthz` and `/readyz` are answered, empty for the root of the host; None for neither."""

    TOKENS_IN_FORMS: bool = True
    """Whether an access token may stand in the form of a POST (RFC 6750 §2.2), at endpoints that allow it. False: in
    the header Authorization alone."""

    MAX_BODY_BYTES: int = Field(default=64 * 1024, ge=1024, le=16 * 1024 * 1024)
    """Bytes a request to a machine endpoint may have; more is answered 413."""

    INTERACTION_EXPIRE_SECONDS: int = Field(default=1800, ge=60, le=86400)
    """Seconds a person may take over signing in when an app demands it, and over the consent page. For as long again
    the answer is `access_denied` at the client; then an error page, since nothing is known of the request any more."""

    DELIVERY_THREADS: int = Field(default=4, ge=0, le=100)
    """How many threads of a process send at once what plugins deliver to other servers, half of them to one server. 0:
    none; `portula deliver`, run as a job every minute or so, then sends it all."""

    HSTS_SECONDS: int = Field(default=365 * 24 * 3600, ge=0)
    """Seconds for which browsers come by https alone (RFC 6797), told by `portula serve` with `--tls-cert` unless the
    issuer is on loopback. 0: not told."""

    PLUGINS_BLOCKED: tuple[str, ...] = ()
    """Names of installed plugins to leave out."""

    PLUGINS_CHOICE: dict[str, str] = Field(default_factory=dict)
    """Slot name to plugin name, where several plugins answer."""

    PLUGINS_OPTIONAL: tuple[str, ...] = ()
    """Names of plugins that may fail to import without stopping start-up."""

    PLUGINS_DIR: str | None = None
    """Folder whose `*.py` files are plugins."""

    TEMPLATES_DIR: str | None = None
    """Folder whose templates are taken before all others of the same name, e.g. `portula/base.html`."""

    PLUGINS_LOCK: str | None = None
    """Lock file that `portula plugins lock` wrote. With it, what is not in it or was changed is refused."""

    PLUGINS_TRUSTED: tuple[str, ...] = ()
    """Under a lock file: names of plugins not ours that may answer hooks which decide or see secrets."""

    @field_validator("CLIENT_CERTIFICATE_HEADER")
    @classmethod
    def _set_by_a_proxy(cls, header: str | None, info: ValidationInfo) -> str | None:
        if header is not None and info.data.get("TRUSTED_PROXIES") == 0:
            raise ValueError("it needs TRUSTED_PROXIES: without a proxy in front any client could set it")
        return header

    @field_validator("OIDC_ISS_ENDPOINT")
    @classmethod
    def _an_issuer(cls, issuer: str | Callable[[Any], str]) -> str | Callable[[Any], str]:
        problem = issuer_problem(issuer) if issuer and isinstance(issuer, str) else None
        if problem:
            raise ValueError(problem)
        return issuer

    @field_validator("TEMPLATES_DIR")
    @classmethod
    def _a_folder(cls, folder: str | None) -> str | None:
        if folder is not None and not Path(folder).is_dir():
            raise ValueError(f"{folder!r} is not a folder")
        return folder
