"""The client registration endpoint (RFC 7591 §3), and the client configuration endpoint beside it (RFC 7592 §2).

Both stand at one path: POST registers; GET, PUT and DELETE are about the client that the query names, with its
registration access token. What does not exist and what somebody may not see are answered alike. These are the steps of
all four, in the order in which they run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from portula import Plugin
from portula.errors import InvalidClientMetadata, InvalidTokenError, MissingTokenError, OAuth2Error
from portula.plugin import (
    NO_STORE,
    SELF_REGISTERED,
    Answer,
    Application,
    Artifact,
    CheckedClient,
    Endpoint,
    Message,
    Plan,
    PresentedToken,
    Steps,
    json_answer,
    parse_pairs,
    printable,
    read_object,
    step,
)
from portula_dcr.hooks import Registration, RegistrationHooks
from portula_dcr.initial_access import InitialAccessToken
from portula_dcr.registry import SERVER_MEMBERS, ClientInformation, Registry
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

PATH = "register/"
JSON = "application/json"
METHODS = ("POST", "GET", "PUT", "DELETE")


def make(provider: Provider) -> Endpoint:
    """Return the endpoint; pages of any origin may use it when everybody may."""
    everybody = provider.settings(DcrSettings).DCR_REGISTRATION_MODE == "open"
    cors: Any = "open" if everybody else "none"
    return Endpoint("register", PATH, METHODS, cors=cors, steps=REGISTRATION_STEPS)


@dataclass(kw_only=True, eq=False)
class RegistrationExchange:
    """A request about a registration."""

    provider: Provider
    message: Message
    issuer: str
    registry: Registry
    initial: InitialAccessToken | None = None
    """The initial access token that a new client comes with; None where everybody may register."""
    client: Application | None = None
    """The client that is read, updated or removed, as it stands."""
    token: Artifact | None = None
    """Its registration access token."""
    document: dict[str, Any] = field(default_factory=dict, repr=False)
    """Client metadata as it was sent (RFC 7591 §2)."""
    draft: Application | None = None
    """The client as it is to be."""
    checked: CheckedClient | None = None
    """The same, once every rule on clients was heard."""
    plan: Plan = field(default_factory=Plan)
    """What is written with it."""
    registered: ClientInformation | None = None
    """The client that the answer is about, with what only it is told."""
    response: dict[str, Any] = field(default_factory=dict, repr=False)
    """Members of the client information response."""
    presented_token: PresentedToken | None = None
    """The token that was sent, once it is read."""
    headers: dict[str, str] = field(default_factory=dict)
    """Header fields that go with the answer."""
    answer: Answer | None = None

    @classmethod
    def of(cls, provider: Provider, message: Message) -> RegistrationExchange:
        """Begin an exchange about a message; nothing of it is read yet."""
        issuer = provider.issuer_of(message)
        return cls(provider=provider, message=message, issuer=issuer, registry=Registry(provider))

    def read_token(self) -> str:
        """Read the token that was sent; tokens of registration are bound to nothing (RFC 7591 §3, RFC 7592 §2).

        Raises:
            OAuth2Error: there is none, or it comes by a scheme of tokens that are.
        """
        presentations = self.provider.token_presentations
        presented = presentations.read(self.message, headers=self.headers)
        if presented is None or not presented.value:
            raise MissingTokenError
        self.presented_token = presented
        presentations.prove(presented, {})
        return presented.value


# --- Who asks ---


def initial_token(exchange: RegistrationExchange) -> None:
    """Require an initial access token, unless everybody may register (RFC 7591 §3)."""
    if exchange.provider.settings(DcrSettings).DCR_REGISTRATION_MODE == "initial_access_token":
        exchange.initial = exchange.registry.initial.find(exchange.read_token())
        if exchange.initial is None:
            raise InvalidTokenError


def client(exchange: RegistrationExchange) -> None:
    """Find the client that the query names, by its registration access token (RFC 7592 §2)."""
    value = exchange.read_token()
    query = dict(parse_pairs(exchange.message.query.encode("latin-1", "replace")))
    exchange.client, exchange.token = exchange.registry.find(query.get("client_id", ""), value)
    exchange.registered = ClientInformation(exchange.client, value)


# --- What is to be registered ---


def document(exchange: RegistrationExchange) -> None:
    """Read the client metadata: one JSON object that has one meaning (RFC 7591 §3.1, RFC 7592 §2.2)."""
    if exchange.message.media_type != JSON:
        raise InvalidClientMetadata(f"the body must be {JSON}")
    try:
        exchange.document = read_object(exchange.message.body)
    except ValueError as error:
        raise InvalidClientMetadata(f"the body cannot be read: {error}") from None


def quota(exchange: RegistrationExchange) -> None:
    """Refuse an address that has registered enough, before anything costly is done for it (attack S55)."""
    exchange.registry.quotas.look(exchange.message.client_address)


def replacement(exchange: RegistrationExchange) -> None:
    """Require that an update names its client, and nothing that only the provider writes (RFC 7592 §2.2)."""
    given = [name for name in SERVER_MEMBERS if name in exchange.document]
    if given:
        raise InvalidClientMetadata(f"{given[0]} is not the client's to send (RFC 7592 §2.2)")
    if exchange.document.get("client_id") != _client(exchange).client_id:
        raise InvalidClientMetadata("client_id: the client's own is needed (RFC 7592 §2.2)")


def vetoes(exchange: RegistrationExchange) -> None:
    """Hear every rule on who may register what; nobody can outvote a denial."""
    registration = Registration(
        provider=exchange.provider,
        document=exchange.document,
        client_address=exchange.message.client_address,
        initial_access_token=exchange.initial.name if exchange.initial else None,
        client_id=exchange.client.client_id if exchange.client else None,
    )
    exchange.provider.hooks.hear(RegistrationHooks.portula_validate_dynamic_registration, registration)


def own_secret(exchange: RegistrationExchange) -> None:
    """Refuse a secret that is not the client's: it cannot choose one (RFC 7592 §2.2)."""
    secret = exchange.document.get("client_secret")
    if secret is None:
        return
    verify, held = exchange.provider.hooks.ask(Plugin.portula_secret_hasher).verify, _client(exchange)
    if not isinstance(secret, str) or not any(verify(secret, stored) for stored in held.secret_hashes):
        raise InvalidClientMetadata("client_secret is not the client's own (RFC 7592 §2.2)")


def metadata(exchange: RegistrationExchange) -> None:
    """Judge the metadata, fill in defaults, and leave out what the client may not have (RFC 7591 §2, §3.2.1)."""
    known = exchange.client
    if known is None:
        generate = exchange.provider.hooks.ask(Plugin.portula_client_id_generator).hash
        known = Application(client_id=generate(), scope="", metadata={SELF_REGISTERED: True})
    more = exchange.initial.scope if exchange.initial else ()
    exchange.draft = exchange.registry.metadata.client(exchange.document, known, more)


def prepare(exchange: RegistrationExchange) -> None:
    """Hear the rules on clients, and make identifier, secret and token of the new one (RFC 7591 §3.2)."""
    registry, draft = exchange.registry, cast("Application", exchange.draft)
    exchange.checked, exchange.registered = registry.prepare(draft, exchange.plan)


def prepare_update(exchange: RegistrationExchange) -> None:
    """Hear the rules on clients, and make the secret and the token that take the place of others (RFC 7592 §2.2)."""
    registry, sent = exchange.registry, exchange.document.get("client_secret")
    draft, secret = registry.with_secret(cast("Application", exchange.draft), _client(exchange), sent)
    wish = ClientInformation(draft, cast("ClientInformation", exchange.registered).token, secret)
    token = cast("Artifact", exchange.token)
    exchange.checked, exchange.registered = registry.prepare_update(token, wish, exchange.plan)


# --- The answer ---


def response(exchange: RegistrationExchange) -> None:
    """Say what is registered: the client information response (RFC 7591 §3.2.1, RFC 7592 §3)."""
    provider, registered = exchange.provider, cast("ClientInformation", exchange.registered)
    named = registered.client
    base = f"{provider.root_of(exchange.issuer)}{provider.mount}"
    secret = {"client_secret": registered.secret, "client_secret_expires_at": 0}
    exchange.response = {
        "client_id": named.client_id,
        "client_id_issued_at": named.created_at,
        **(secret if registered.secret is not None else {}),
        "registration_access_token": registered.token,
        "registration_client_uri": f"{base}/{PATH}?{urlencode({'client_id': named.client_id})}",
        **exchange.registry.metadata.write(named),
    }


def write(exchange: RegistrationExchange) -> None:
    """Write the answer, never to be cached: 201 for a new client, 204 for one that is gone."""
    if exchange.message.method == "DELETE":
        exchange.answer = Answer(204, NO_STORE)
    else:
        status = 201 if exchange.message.method == "POST" else 200
        exchange.answer = json_answer(status, exchange.response)


# --- Save: nothing is inserted between the answer and this ---


def register(exchange: RegistrationExchange) -> None:
    """Save the client, and use quota and initial access token up (RFC 7591 §3.1)."""
    checked = cast("CheckedClient", exchange.checked)
    exchange.registry.register(checked, exchange.plan, exchange.initial, exchange.message.client_address)


def update(exchange: RegistrationExchange) -> None:
    """Save the client in place of the one that was read (RFC 7592 §2.2)."""
    exchange.registry.update(cast("CheckedClient", exchange.checked), exchange.plan)


def remove(exchange: RegistrationExchange) -> None:
    """Remove the client, its codes and its tokens (RFC 7592 §2.3)."""
    exchange.registry.remove(_client(exchange).client_id, cast("Artifact", exchange.token))


def refuse(exchange: RegistrationExchange, error: Exception) -> Answer | None:
    """Write a refusal: of metadata as RFC 7591 §3.2.2 says, of a token as RFC 6750 §3 does."""
    if isinstance(error, InvalidClientMetadata):
        return json_answer(400, {"error": error.error, "error_description": printable(str(error))})
    if not isinstance(error, OAuth2Error):
        return None
    return exchange.provider.token_presentations.refusal(error, exchange.presented_token)


_OF_CLIENT, _SENT = ("GET", "PUT", "DELETE"), ("POST", "PUT")

REGISTRATION_STEPS = Steps(
    "register",
    [
        step(initial_token, sets="initial", when=["POST"]),
        step(client, sets="client token registered", when=_OF_CLIENT),
        step(document, sets="document", when=_SENT),
        step(quota, reads="document", when=["POST"]),
        step(replacement, reads="client document", when=["PUT"]),
        step(vetoes, reads="document", when=_SENT),
        step(own_secret, reads="client document", when=["PUT"]),
        step(metadata, reads="document", sets="draft", when=_SENT),
        step(prepare, reads="draft", sets="checked registered", when=["POST"]),
        step(prepare_update, reads="draft client token", sets="checked registered", when=["PUT"]),
        step(response, reads="registered", sets="response", when=["POST", "GET", "PUT"]),
        step(write, sets="answer"),
        step(register, reads="checked initial", when=["POST"]),
        step(update, reads="checked", when=["PUT"]),
        step(remove, reads="client token", when=["DELETE"]),
    ],
    begin=RegistrationExchange.of,
    refuse=refuse,
    variant=lambda exchange: "GET" if exchange.message.method == "HEAD" else exchange.message.method,
    variants=METHODS,
    closed=("write", "remove"),
)


def _client(exchange: RegistrationExchange) -> Application:
    """Return the client that the request is about, once it is found."""
    if exchange.client is None:
        raise LookupError("no client is found yet")
    return exchange.client
