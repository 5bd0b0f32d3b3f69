"""Tokens that are signed for a client: by which algorithms it can be registered for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.flow.service_hooks import ServiceHooks
from portula.model.errors import InvalidClientMetadata, JoseError

if TYPE_CHECKING:
    from collections.abc import Collection

    from portula.flow.registration import ClientRegistration


def check_signed_response_alg(
    registration: ClientRegistration, member: str, algorithms: Collection[str]
) -> None:
    """Refuse an algorithm by which nothing here signs for the client.

    One that needs its secret is tried, since that may be hashed or too short (RFC 7518 §3.2).

    Args:
        registration: what is to be saved.
        member: of client metadata, whose name ends in `_signed_response_alg`.
        algorithms: those in use.

    Raises:
        InvalidClientMetadata: names the member.
    """
    algorithm = registration.application.metadata.get(member)
    if algorithm is None:
        return
    if algorithm not in algorithms:
        raise InvalidClientMetadata(f"{member} {algorithm!r} is none of this provider's")
    if str(algorithm).startswith("HS"):
        jose = registration.provider.hooks.ask(ServiceHooks.portula_jose)
        try:
            jose.sign({}, typ="JWT", algorithm=algorithm, client=registration.application)
        except JoseError as error:
            raise InvalidClientMetadata(f"{member}: {error}") from None
