"""Protected resource metadata: how a client that knows an API alone finds who issues tokens for it.

Source: RFC 9728. It never makes a resource identifier of the header `Host`, and never tells of a resource that is not
configured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_protected_resource.documents import endpoint_of, require_signer, resources_of, url_of
from portula_protected_resource.settings import ProtectedResourceSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Endpoint

__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[ProtectedResourceSettings]]:
    """Return the settings of this room."""
    return [ProtectedResourceSettings]


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """Return a document for each resource (RFC 9728 §3); what signed ones lack shows at start."""
    require_signer(provider)
    return [endpoint_of(provider, number, resource) for number, resource in enumerate(resources_of(provider))]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Tell the resources that are configured (RFC 9728 §4)."""
    settings = provider.settings(ProtectedResourceSettings)
    return {"protected_resources": sorted(settings.resources)}


@hookimpl(optionalhook=True)
def portula_resource_challenge(challenge: Any) -> dict[str, str]:
    """Lead a client from a view to the document of the resource that the view belongs to (RFC 9728 §5.1)."""
    url = url_of(challenge.provider, challenge.url)
    if url is None:
        return {}
    scope = {"scope": " ".join(challenge.scopes)} if challenge.scopes else {}
    return {"resource_metadata": url, **scope}
