"""The client registration endpoint (RFC 7591 §3), and the client configuration endpoint beside it (RFC 7592 §2).

Both stand at one path: POST registers; GET, PUT and DELETE are about the client that the query names, with its
registration access token. What does not exist and what somebody may not see are answered alike.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from portula.errors import (
    HookFailed,
    InvalidClientMetadata,
    InvalidTokenError,
    MissingTokenError,
    OAuth2Error,
)
from portula.plugin import (
    NO_STORE,
    Answer,
    Endpoint,
    Message,
    bearer_error,
    bearer_token,
    json_answer,
    parse_pairs,
    printable,
    read_object,
)
from portula_dcr.errors import TryLater
from portula_dcr.hooks import Registration
from portula_dcr.registry import Registered, Registry
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

log = logging.getLogger("portula")

PATH = "register/"
JSON = "application/json"


def make(provider: Provider) -> Endpoint:
    """Return the endpoint; pages of any origin may use it when everybody may."""
    everybody = provider.settings(DcrSettings).DCR_REGISTRATION_MODE == "open"
    methods = ("POST", "GET", "PUT", "DELETE")
    cors: Any = "open" if everybody else "none"
    return Endpoint("register", PATH, methods, RegistrationEndpoint(provider).answer, cors)


class RegistrationEndpoint:
    """Answers requests about registrations."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._settings = provider.settings(DcrSettings)
        self._registry = Registry(provider)
        self._steps = {
            "POST": self._register,
            "GET": self._show,
            "HEAD": self._show,
            "PUT": self._update,
            "DELETE": self._remove,
        }

    def answer(self, message: Message) -> Answer:
        """Answer one request, or say what is wrong with it (RFC 7591 §3.2.2, RFC 6750 §3)."""
        try:
            return self._steps[message.method](message)
        except InvalidClientMetadata as error:
            return json_answer(400, {"error": error.error, "error_description": printable(str(error))})
        except TryLater as error:
            described = {"error": "temporarily_unavailable", "error_description": str(error)}
            return json_answer(error.status, described, {"Retry-After": str(error.retry_after)})
        except OAuth2Error as error:
            return bearer_error(error)
        except HookFailed:
            log.exception("the registration is refused")
            return json_answer(500, {"error": "server_error"})

    # --- RFC 7591 §3 ---

    def _register(self, message: Message) -> Answer:
        token = None
        if self._settings.DCR_REGISTRATION_MODE == "initial_access_token":
            token = self._registry.initial.find(_bearer(message))
            if token is None:
                raise InvalidTokenError
        name = token.name if token else None
        registration = Registration(
            provider=self._provider,
            document=_document(message),
            client_address=message.client_address,
            initial_access_token=name,
        )
        return self._told(201, self._registry.register(registration, token), message)

    # --- RFC 7592 §2 ---

    def _show(self, message: Message) -> Answer:
        value = _bearer(message)
        client, _ = self._registry.find(_client_id(message), value)
        return self._told(200, Registered(client, value), message)

    def _update(self, message: Message) -> Answer:
        value, client_id = _bearer(message), _client_id(message)
        self._registry.find(client_id, value)  # strangers are not told what is wrong with what they send
        registration = Registration(
            provider=self._provider,
            document=_document(message),
            client_address=message.client_address,
            client_id=client_id,
        )
        return self._told(200, self._registry.update(registration, value), message)

    def _remove(self, message: Message) -> Answer:
        self._registry.remove(_client_id(message), _bearer(message))
        return Answer(204, NO_STORE)

    def _told(self, status: int, registered: Registered, message: Message) -> Answer:
        """Return the client information response (RFC 7591 §3.2.1, RFC 7592 §3)."""
        provider, client = self._provider, registered.client
        base = f"{provider.origin_of(provider.issuer_of(message))}{provider.mount}"
        secret = {"client_secret": registered.secret, "client_secret_expires_at": 0}
        return json_answer(
            status,
            {
                "client_id": client.client_id,
                "client_id_issued_at": client.created_at,
                **(secret if registered.secret is not None else {}),
                "registration_access_token": registered.token,
                "registration_client_uri": f"{base}/{PATH}?{urlencode({'client_id': client.client_id})}",
                **self._registry.wanted.written(client),
            },
        )


def _bearer(message: Message) -> str:
    token = bearer_token(message.headers.get("authorization", ""))
    if token is None:
        raise MissingTokenError
    return token


def _client_id(message: Message) -> str:
    return dict(parse_pairs(message.query.encode("latin-1", "replace"))).get("client_id", "")


def _document(message: Message) -> dict[str, Any]:
    """Return the client metadata that was sent."""
    if message.media_type != JSON:
        raise InvalidClientMetadata(f"the body must be {JSON}")
    try:
        return read_object(message.body)
    except ValueError as error:
        raise InvalidClientMetadata(f"the body cannot be read: {error}") from None
