"""The hooks of the services that answering requests needs: people, consent, keys, other servers."""

from __future__ import annotations

from typing import Generic

from portula.host.declarations import P
from portula.host.kinds import HookClass, HookDeclarations, slot
from portula.model.consent import Consent
from portula.model.fetcher import Fetcher
from portula.model.slots import Jose, Login, Sessions


class ServiceHooks(HookDeclarations, Generic[P]):
    """Slots of services."""

    @slot(
        HookClass.DECIDES,
        install="portula-accounts, or give Provider(plugins=[…]) a plugin with portula_login",
    )
    def portula_login(self, provider: P) -> Login | None:
        """Answer the slot of the login: who is signed in at the browser, and where people sign in.

        Example:
            class Room(Plugin):
                def __init__(self, login):
                    self.login = login

                def portula_login(self, provider):
                    return self.login
        """
        return None

    @slot(HookClass.DECIDES, install="portula-sessions")
    def portula_sessions(self, provider: P) -> Sessions | None:
        """Answer the slot of the server-side login sessions.

        Example:
            class Room(Plugin):
                def __init__(self, sessions):
                    self.sessions = sessions

                def portula_sessions(self, provider):
                    return self.sessions
        """
        return None

    @slot(HookClass.DECIDES, install="portula-consent")
    def portula_consent(self, provider: P) -> Consent | None:
        """Answer the slot of consent: the page and the memory of it.

        Example:
            class Room(Plugin):
                def __init__(self, consent):
                    self.consent = consent

                def portula_consent(self, provider):
                    return self.consent
        """
        return None

    @slot(HookClass.SEES_SECRETS, install="portula-fetch")
    def portula_fetcher(self, provider: P) -> Fetcher | None:
        """Answer the slot of the fetcher, which makes every request to other servers.

        Example:
            class Room(Plugin):
                def __init__(self, fetcher):
                    self.fetcher = fetcher

                def portula_fetcher(self, provider):
                    return self.fetcher
        """
        return None

    @slot(HookClass.SEES_SECRETS, install="portula-jose")
    def portula_jose(self, provider: P) -> Jose | None:
        """Answer the slot of JOSE: signing keys, and tokens that are signed and verified.

        Example:
            class Room(Plugin):
                def __init__(self, jose):
                    self.jose = jose

                def portula_jose(self, provider):
                    return self.jose
        """
        return None
