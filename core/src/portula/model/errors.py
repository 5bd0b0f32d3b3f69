"""The exceptions of portula: one tree, whose base is never raised itself.

Start-up errors derive from ConfigError and name the culprit, its distribution and the remedy. The errors a client
sees on the wire are oauthlib's OAuth2Error classes (RFC 6749 §4.1.2.1 and §5.2), not these.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oauthlib.oauth2 import OAuth2Error


class PortulaError(Exception):
    """Base of everything portula raises on its own account."""


class ConfigError(PortulaError):
    """The deployment cannot start as configured. The message lists every finding, one a line."""

    def __init__(self, *findings: str) -> None:
        """Keep the findings and join them into the message."""
        super().__init__("\n".join(findings))
        self.findings: tuple[str, ...] = findings

    def reword(self, change: Callable[[str], str]) -> None:
        """Change the words of every finding."""
        self.findings = tuple(map(change, self.findings))
        self.args = ("\n".join(self.findings),)


class StorageDown(ConfigError):
    """The storage does not answer now: at the start, or in any of its verbs.

    The configuration may be right, and the storage may come back by itself. A request is answered 503, or with
    `temporarily_unavailable` at the redirect URI; the message is for logs, and holds no password.
    """


class UnknownSetting(ConfigError):
    """A key of OAUTH2_PROVIDER that no installed room declares."""


class UnknownPlugin(ConfigError):
    """PLUGINS_BLOCKED, PLUGINS_CHOICE or PLUGINS_OPTIONAL names a plugin that is not installed."""


class EmptySlot(ConfigError):
    """A slot that something needs has no answer; the message says what to install."""


class SlotConflict(ConfigError):
    """Two plugins of the winning tier answer one slot; the message says how to choose."""


class Together:
    """Start-up errors of parts that do not need each other, to be told at once."""

    def __init__(self) -> None:
        """Begin without errors."""
        self.errors: list[ConfigError] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        """Keep the error of a part; a storage that does not answer is told as such, and at once."""
        try:
            yield
        except StorageDown:
            raise
        except ConfigError as error:
            self.errors.append(error)

    def check(self) -> None:
        """Raise what was kept, each finding once: in its class if it is of one, else as ConfigError."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            classes = {type(error) for error in self.errors}
            cls = classes.pop() if len(classes) == 1 else ConfigError
            raise cls(*dict.fromkeys(finding for error in self.errors for finding in error.findings))


class DuplicateContribution(ConfigError):
    """Two plugins contribute under one key."""


class DuplicatePlugin(ConfigError):
    """Two distributions claim one entry-point name."""


class BrokenPlugin(ConfigError):
    """A plugin fails to import, or breaks a rule of registration."""


class InvalidClientMetadata(PortulaError):
    """A client cannot be saved as described (RFC 7591 §3.2.2); `error` is the code of that section."""

    def __init__(self, description: str, error: str = "invalid_client_metadata") -> None:
        """Keep the code and the description."""
        self.error = error
        super().__init__(description)


class UnknownClient(PortulaError):
    """There is no client with this `client_id`."""


class UnknownPerson(PortulaError):
    """There is no person of this name or subject."""


class InvalidPerson(PortulaError):
    """Somebody cannot be added to the people of the login; the message says why and holds no password."""


class AdminRefused(PortulaError):
    """What an administrator wants cannot be done; the message says why to that person."""


class HookFailed(PortulaError):
    """A deciding hook raised something that is not a denial; the request is refused."""


class AuthorizationRefused(PortulaError):
    """An authorization request is refused, and the client may hear of it at its redirect URI.

    `error` is the OAuth2Error, `exchange` the request whose client and redirect URI are known good.
    """

    def __init__(self, error: OAuth2Error, exchange: Any) -> None:
        """Keep both."""
        self.error = error
        self.exchange = exchange
        super().__init__(str(error.error))


class RecordReplayed(PortulaError):
    """A single-use record was taken a second time. Carries the record as it stands."""

    def __init__(self, record: object) -> None:
        """Keep the record; its values never enter the message."""
        self.record = record
        super().__init__(f"{type(record).__name__} was used before")


class Conflict(PortulaError):
    """A record is not as a plan requires, since somebody else changed or removed it.

    `record` is the record as it stands, None when it is gone; `cls` its class.
    """

    def __init__(self, cls: type[Any], record: object | None) -> None:
        """Keep both; no value enters the message."""
        self.cls = cls
        self.record = record
        super().__init__(f"{cls.__name__} {'is gone' if record is None else 'is not as the plan requires'}")


class JoseError(PortulaError):
    """A token cannot be signed or encrypted as asked."""


class UntrustedToken(PortulaError):
    """A JSON Web Token is refused; the message says why, for logs, and holds nothing of the token."""


class KeysUnavailable(UntrustedToken):
    """None of a client's keys is held, and the server that has them gives no answer.

    A token of the client cannot be judged then, and none be encrypted for it. `retry_after` says in how many seconds
    that server is asked again.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        """Keep the seconds."""
        self.retry_after = retry_after
        super().__init__(message)


class FetchFailed(PortulaError):
    """Another server could not be asked, or gave no answer that may be used; the message says why.

    `status` is that of its answer, None when there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the status of the answer."""
        self.status = status
        super().__init__(message)


class DuplicateRecord(PortulaError):
    """A record with one of these keys exists already."""


def with_article(word: str) -> str:
    """Return a word behind its article: `an int`, `a UUID`."""
    return f"{'an' if word[:1].lower() in 'aeio' else 'a'} {word}"


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `; did you mean 'X'?` for the nearest known name, or an empty string; case does not count.

    Args:
        name: what somebody wrote.
        known: what there is.
        cutoff: how near it has to come, from 0 to 1.
    """
    plain = {each.casefold(): each for each in known}
    match: Sequence[str] = difflib.get_close_matches(name.casefold(), list(plain), n=1, cutoff=cutoff)
    return f"; did you mean {plain[match[0]]!r}?" if match else ""
