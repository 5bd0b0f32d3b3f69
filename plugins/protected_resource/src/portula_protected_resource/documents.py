"""The documents about resources, and where they are (RFC 9728 §2, §3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from portula import Plugin
from portula.errors import ConfigError
from portula.plugin import Answer, Endpoint, is_below, is_loopback_host, json_answer, origin_of
from portula_protected_resource.settings import (
    ProtectedResourceSettings,
    ResourceMetadata,
    identifier_problem,
)
from portula_protected_resource.signed_metadata import signed_metadata

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Message

KNOWN = "/.well-known/oauth-protected-resource"
MAX_AGE_SECONDS = 300
"""How long a client or a proxy may keep a document."""
NOT_FOR_RESOURCES = "offline_access"
"""Says nothing of a resource: it is asked for with the scopes of one (OpenID Connect Core §11)."""
AS_AT_THE_SERVER = (
    "authorization_details_types_supported",
    "dpop_signing_alg_values_supported",
    "tls_client_certificate_bound_access_tokens",
)
"""Members that have the same name and meaning in the metadata of the server that issues the tokens (RFC 8414)."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that this app serves."""

    identifier: str
    """Empty for the URL of the app of the issuer that a request is for."""
    metadata: ResourceMetadata

    def name_for(self, provider: Provider, issuer: str) -> str:
        """Return its identifier at an issuer of this provider."""
        return self.identifier or provider.root_of(issuer)


_known: WeakKeyDictionary[Provider, list[Resource]] = WeakKeyDictionary()


def resources_of(provider: Provider) -> list[Resource]:
    """Return the resources of this app, in order; they are found once, while the provider starts."""
    if provider not in _known:
        _known[provider] = _find_resources(provider)
    return _known[provider]


def _find_resources(provider: Provider) -> list[Resource]:
    """Return what is configured, else what others know of this app's resources, else the app itself with its issuer.

    Those are audiences that are URLs, and resources at the issuer's origin that tokens can be for.
    """
    configured = provider.settings(ProtectedResourceSettings).resources
    if not configured:
        settings, here = provider.all_settings, origin_of(provider.issuer)
        audiences: tuple[str, ...] = settings.value("RESOURCE_SERVER_AUDIENCES", ())
        known = settings.value("PROTECTED_RESOURCES", {})
        own = [each for each in known if (origin_of(each) == here if here else _is_loopback(each))]
        configured = {
            each: ResourceMetadata(scopes=getattr(known.get(each), "scopes", None))
            for each in (*audiences, *own)
            if identifier_problem(each) is None
        }
    if not configured and _issuer_elsewhere(provider) is None:
        configured = {"": ResourceMetadata()}
    found = [Resource(identifier, metadata) for identifier, metadata in configured.items()]
    return list({_path_of(each.identifier): each for each in reversed(found)}.values())[::-1]


def _is_loopback(url: str) -> bool:
    return is_loopback_host(urlsplit(url).hostname or "")


def _issuer_elsewhere(provider: Provider) -> str | None:
    """Return who issues tokens for this app when that is not the provider here; empty when it is not said who."""
    settings = provider.all_settings
    issuer: str | None = settings.value("RESOURCE_SERVER_ISSUER", None)
    return issuer or ("" if settings.value("RESOURCE_SERVER_INTROSPECTION_URL", None) else None)


def require_signer(provider: Provider) -> None:
    """Require at start that somebody signs, and for the issuer of the tokens, where documents are signed.

    Raises:
        EmptySlot: nobody signs JWTs.
        ConfigError: tokens are issued elsewhere.
    """
    if not provider.settings(ProtectedResourceSettings).OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA:
        return
    _ = provider.hooks.ask(Plugin.portula_jose)
    if _issuer_elsewhere(provider) is not None:
        raise ConfigError("OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA: tokens are issued elsewhere")


def endpoint_of(provider: Provider, number: int, resource: Resource) -> Endpoint:
    """Return the endpoint of a document: the well-known name in front of the resource's path (RFC 9728 §3.1)."""
    path = _path_of(resource.identifier) if resource.identifier else provider.root_path
    signed = provider.settings(ProtectedResourceSettings).OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA
    return Endpoint(
        f"protected_resource_{number}",
        f"{KNOWN}{path}",
        ("GET",),
        partial(_publish, provider, resource),
        cors="open",
        in_memory=not signed,
    )


def _publish(provider: Provider, resource: Resource, message: Message) -> Answer:
    issuer = provider.issuer_of(message)
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
    told = document(provider, resource, issuer)
    if provider.settings(ProtectedResourceSettings).OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA:
        told = {**told, "signed_metadata": signed_metadata(provider, issuer, told)}
    return json_answer(200, told, headers)


def document(provider: Provider, resource: Resource, issuer: str) -> dict[str, Any]:
    """Return the members about a resource; what nothing is known of is left out (RFC 9728 §2)."""
    settings, metadata = provider.settings(ProtectedResourceSettings), resource.metadata
    elsewhere, server = _issuer_elsewhere(provider), provider.metadata_publisher.document()
    scopes = metadata.scopes
    if scopes is None:
        scopes = tuple(name for name in server.get("scopes_supported", ()) if name != NOT_FOR_RESOURCES)
    servers = metadata.authorization_servers or settings.OAUTH2_PROTECTED_RESOURCE_AUTHORIZATION_SERVERS
    prefix = "OAUTH2_PROTECTED_RESOURCE_"
    members = {
        "authorization_servers": servers or [issuer if elsewhere is None else elsewhere],
        "scopes_supported": scopes,
        "bearer_methods_supported": settings.OAUTH2_PROTECTED_RESOURCE_BEARER_METHODS_SUPPORTED,
        **{
            f"resource_{name}": getattr(metadata, name) or getattr(settings, f"{prefix}{name.upper()}")
            for name in ("name", "documentation", "policy_uri", "tos_uri")
        },
        **{name: server.get(name) for name in AS_AT_THE_SERVER},
    }
    told = {name: value for name, value in members.items() if value and value != [""]}
    return {"resource": resource.name_for(provider, issuer), **told}


def url_of(provider: Provider, url: str) -> str | None:
    """Return where the document is of the resource that a URL is of, the most specific one; None when it is of none."""
    names = [each.name_for(provider, provider.current_issuer()) for each in resources_of(provider)]
    name = max((name for name in names if is_below(url, name)), key=len, default=None)
    if name is None:
        return None
    parts = urlsplit(name)
    return f"{parts.scheme}://{parts.netloc}{KNOWN}{_path_of(name)}"


def _path_of(identifier: str) -> str:
    """Return its path, without a slash that is all of it (RFC 9728 §3.1)."""
    path = urlsplit(identifier).path
    return "" if path == "/" else path
