"""The hooks of the host: what a server is made of, whatever protocol it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import click
from pydantic import BaseModel

from portula.host.checks import Finding
from portula.host.commands import HOST_COMMANDS
from portula.host.deployment import Deployment
from portula.host.events import Event
from portula.host.kinds import HookClass, HookDeclarations, contribution, event, slot
from portula.host.profiles import Profile
from portula.model.records import CORE_RECORDS, RecordType
from portula.model.secret_hasher import SecretHasher
from portula.model.slots import Clock, HashGenerator
from portula.model.storage import StoreFactory

P = TypeVar("P", bound=Deployment)
"""The provider: `portula.Provider` for who derives from `portula.Plugin`."""


class HostHooks(HookDeclarations, Generic[P]):
    """Hooks that the host calls."""

    @contribution(HookClass.DECIDES)
    def portula_declarations(self, provider: P) -> Sequence[type[HookDeclarations]]:
        """Contribute classes that declare hooks of a room's own, for other plugins to answer.

        Example:
            class KettleHooks(HookDeclarations):
                @slot(HookClass.OBSERVES)
                def portula_kettle(self, provider: Provider) -> str | None: ...

            class Room(Plugin):
                def portula_declarations(self, provider):
                    return [KettleHooks]
        """
        return ()

    @contribution(HookClass.OBSERVES)
    def portula_readiness(self, provider: P) -> Mapping[str, Callable[[], object]]:
        """Contribute checks of `/readyz`, by the names that it shows: each raises when the server could not answer.

        They are called once a second at most, and have to have an end of their own.

        Example:
            class Room(Plugin):
                def portula_readiness(self, provider):
                    return {"kettle": lambda: None}
        """
        return {}

    @contribution(HookClass.OBSERVES)
    def portula_settings(self, provider: P) -> Sequence[type[BaseModel]]:
        """Contribute pydantic models; their fields are settings in OAUTH2_PROVIDER.

        Example:
            class Greetings(BaseModel):
                GREETING: str = "hello"

            class Room(Plugin):
                def portula_settings(self, provider):
                    return [Greetings]
        """
        return ()

    @contribution(HookClass.DECIDES, keys=lambda profile: [profile.name], setting="PROFILE")
    def portula_profiles(self, provider: P) -> Sequence[Profile]:
        """Contribute profiles, which PROFILE and the client metadata `profile` name; the settings do not stand yet.

        Example:
            class Room(Plugin):
                def portula_profiles(self, provider):
                    return [Profile(name="brief", floors=(Floor.at_most("ACCESS_TOKEN_EXPIRE_SECONDS", 300, 300),))]
        """
        return ()

    @slot(HookClass.DECIDES)
    def portula_clock(self, provider: P) -> Clock | None:
        """Answer the slot of the clock: a callable that returns Unix seconds.

        Example:
            class Stopped(Plugin):
                def portula_clock(self, provider):
                    return lambda: 1_700_000_000.0
        """
        return None

    @contribution(
        HookClass.OBSERVES,
        keys=lambda record: [record.name],
        taken=tuple(record.name for record in CORE_RECORDS),
    )
    def portula_records(self, provider: P) -> Sequence[RecordType]:
        """Contribute record types; every storage makes a place for them.

        Records of a class with a field `realm` belong to the provider's realm, others to all.

        Example:
            @dataclass(frozen=True)
            class Note:
                key: str
                text: str
                realm: str = ""

            class Notes(Plugin):
                def portula_records(self, provider):
                    return [RecordType("note", Note, keys=("key",))]
        """
        return ()

    @slot(HookClass.DECIDES, setting="APPLICATION_MODEL")
    def portula_application_model(self, provider: P) -> type[Any] | None:
        """Answer the slot of the class of clients (APPLICATION_MODEL).

        Example:
            class Client(Application):
                def is_usable(self, request):
                    return super().is_usable(request) and not self.metadata.get("in_arrears")

            class Room(Plugin):
                def portula_application_model(self, provider):
                    return Client
        """
        return None

    @slot(HookClass.DECIDES, setting="GRANT_MODEL")
    def portula_grant_model(self, provider: P) -> type[Any] | None:
        """Answer the slot of the class of authorization codes (GRANT_MODEL).

        Example:
            @dataclass(frozen=True, kw_only=True)
            class Code(Grant):
                tenant: str = ""

            class Room(Plugin):
                def portula_grant_model(self, provider):
                    return Code
        """
        return None

    @slot(HookClass.DECIDES, setting="ACCESS_TOKEN_MODEL")
    def portula_access_token_model(self, provider: P) -> type[Any] | None:
        """Answer the slot of the class of access tokens (ACCESS_TOKEN_MODEL).

        Example:
            @dataclass(frozen=True, kw_only=True)
            class Token(AccessToken):
                tenant: str = ""

            class Room(Plugin):
                def portula_access_token_model(self, provider):
                    return Token
        """
        return None

    @slot(HookClass.DECIDES, setting="REFRESH_TOKEN_MODEL")
    def portula_refresh_token_model(self, provider: P) -> type[Any] | None:
        """Answer the slot of the class of refresh tokens (REFRESH_TOKEN_MODEL).

        Example:
            @dataclass(frozen=True, kw_only=True)
            class Token(RefreshToken):
                tenant: str = ""

            class Room(Plugin):
                def portula_refresh_token_model(self, provider):
                    return Token
        """
        return None

    @slot(HookClass.DECIDES, setting="ID_TOKEN_MODEL")
    def portula_id_token_model(self, provider: P) -> type[Any] | None:
        """Answer the slot of the class of ID tokens, where a room keeps them (ID_TOKEN_MODEL).

        Example:
            @dataclass(frozen=True, kw_only=True)
            class Token(IDToken):
                tenant: str = ""

            class Room(Plugin):
                def portula_id_token_model(self, provider):
                    return Token
        """
        return None

    @contribution(HookClass.DECIDES, setting="STORAGE", install="portula-storage-sql")
    def portula_stores(self, provider: P) -> Mapping[str, StoreFactory]:
        """Contribute storages by the name that the STORAGE setting knows them by.

        Example:
            class Memory(Plugin):
                def portula_stores(self, provider):
                    return {"memory": MemoryStore}
        """
        return {}

    @slot(HookClass.OBSERVES, setting="CLIENT_ID_GENERATOR_CLASS", install="portula-generators")
    def portula_client_id_generator(self, provider: P) -> HashGenerator | None:
        """Answer the slot of the client identifier generator (CLIENT_ID_GENERATOR_CLASS).

        Example:
            class Generator(HashGenerator):
                def hash(self):
                    return "client-" + secrets.token_hex(16)

            class Room(Plugin):
                def portula_client_id_generator(self, provider):
                    return Generator()
        """
        return None

    @slot(HookClass.SEES_SECRETS, setting="CLIENT_SECRET_GENERATOR_CLASS", install="portula-generators")
    def portula_client_secret_generator(self, provider: P) -> HashGenerator | None:
        """Answer the slot of the client secret generator (CLIENT_SECRET_GENERATOR_CLASS).

        Example:
            class Generator(HashGenerator):
                def hash(self):
                    return secrets.token_urlsafe(64)

            class Room(Plugin):
                def portula_client_secret_generator(self, provider):
                    return Generator()
        """
        return None

    @slot(HookClass.SEES_SECRETS, install="portula-generators")
    def portula_secret_hasher(self, provider: P) -> SecretHasher | None:
        """Answer the slot of the secret hasher: how client secrets and passwords are kept.

        Example:
            class Room(Plugin):
                def __init__(self, hasher):
                    self.hasher = hasher

                def portula_secret_hasher(self, provider):
                    return self.hasher
        """
        return None

    @contribution(HookClass.OBSERVES, keys=lambda command: [command.name], taken=HOST_COMMANDS)
    def portula_commands(self, provider: P) -> Sequence[click.Command]:
        """Contribute commands of `portula` and `flask portula`.

        Example:
            class Room(Plugin):
                def portula_commands(self, provider):
                    return [click.Command("hello", callback=lambda: None)]
        """
        return ()

    @contribution(HookClass.OBSERVES)
    def portula_checks(self, provider: P) -> Sequence[Finding]:
        """Contribute findings about the posture of the deployment, for `portula check`.

        Example:
            class Room(Plugin):
                def portula_checks(self, provider):
                    return [Finding("tea.cold", Level.INFO, "The tea is cold.", "Make new tea.")]
        """
        return ()

    @contribution(HookClass.OBSERVES)
    def portula_demo(self, provider: P) -> Mapping[str, str]:
        """Prepare data for `portula serve --demo`, once at start; return lines to print, label to text.

        Example:
            class Room(Plugin):
                def portula_demo(self, provider):
                    return {"Tea": "ready"}
        """
        return {}

    @event()
    def portula_event(self, event: Event) -> None:
        """Hear of every event, besides the hook that an event has of its own; `event.as_json()` is its form for logs.

        Example:
            class Listener(Plugin):
                def portula_event(self, event):
                    print(event.as_json()["type"])
        """
