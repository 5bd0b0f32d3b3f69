"""Errors of the authorization endpoint that oauthlib does not know (OpenID Connect Core §3.1.2.6, RFC 9101 §7)."""

from __future__ import annotations

from oauthlib.oauth2 import OAuth2Error


class RequestNotSupportedError(OAuth2Error):  # type: ignore[misc]
    """The parameter `request` is not understood here."""

    error = "request_not_supported"


class RequestURINotSupportedError(OAuth2Error):  # type: ignore[misc]
    """The parameter `request_uri` is not understood here."""

    error = "request_uri_not_supported"


class InvalidRequestObjectError(OAuth2Error):  # type: ignore[misc]
    """A request object is malformed, or its signature or claims are refused."""

    error = "invalid_request_object"


class InvalidRequestURIError(OAuth2Error):  # type: ignore[misc]
    """A request_uri is refused, or leads to nothing that may be used."""

    error = "invalid_request_uri"
