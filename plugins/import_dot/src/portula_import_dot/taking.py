"""Taking over people, clients and refresh tokens of a dump, row by row: each whole or not at all."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from portula import Plugin
from portula.errors import DuplicateRecord, InvalidClientMetadata, InvalidPerson
from portula.plugin import (
    REFRESH_TOKEN_PURPOSE,
    AddsPeople,
    Application,
    Artifact,
    Authorization,
    NamesPeople,
    Plan,
    RefreshToken,
    User,
    plan_to_add,
)
from portula_import_dot.clients import RowRefused, foreign_form, missing_setting, prepare_client, setting
from portula_import_dot.dump import (
    AccessTokenFields,
    ClientFields,
    PersonFields,
    RefreshTokenFields,
    Row,
    problem_of,
)

if TYPE_CHECKING:
    from portula import Provider

KIND = "import-dot refresh token"
"""Artifacts that remember which refresh tokens were taken over: one that ended meanwhile does not come back."""
LIFETIME = "REFRESH_TOKEN_EXPIRE_SECONDS"


class Outcome(StrEnum):
    """What becomes of a row."""

    TAKEN = "taken"
    THERE = "already there"
    LEFT = "left out"
    """There is nothing in it that counts, such as a token that was revoked."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """A row, and what becomes of it."""

    kind: str
    row: Row
    outcome: Outcome
    text: str = ""


class Taking:
    """Takes over the rows of a dump."""

    def __init__(
        self,
        provider: Provider,
        rows: Sequence[Row],
        *,
        user_model: str,
        application_model: str,
        dry_run: bool,
    ) -> None:
        """Take what `portula import-dot-data` is given."""
        self._provider, self._dry_run = provider, dry_run
        self._rows = [row.model_copy(update={"model": row.model.lower()}) for row in rows]
        self.models: dict[str, tuple[str, Callable[[Row], tuple[Outcome, str]]]] = {
            user_model.lower(): ("people", self._person),
            application_model.lower(): ("clients", self._client),
            "oauth2_provider.refreshtoken": ("refresh tokens", self._refresh_token),
        }
        """Kinds in the order in which they are taken, by the model that has them."""
        self.settings: Counter[str] = Counter()
        """Settings without which clients cannot do what they did, and how many need each."""
        self._clients: dict[str, str] = {}
        self._people: dict[str, bool | None] = {}
        """Whether a person is active, by subject; None for who is not the one of the dump."""

    def __len__(self) -> int:
        """Return how many rows are looked at."""
        return sum(row.model in self.models for row in self._rows)

    @property
    def others(self) -> Counter[str]:
        """How many rows there are of models that are passed over."""
        return Counter(row.model for row in self._rows if row.model not in self.models)

    def run(self) -> Iterator[Result]:
        """Take over row after row."""
        for model, (kind, take) in self.models.items():
            for row in self._rows:
                if row.model == model:
                    yield self._result(kind, row, take)

    def _result(self, kind: str, row: Row, take: Callable[[Row], tuple[Outcome, str]]) -> Result:
        try:
            return Result(kind, row, *take(row))
        except ValidationError as error:
            reason = problem_of(error)
        except (RowRefused, InvalidPerson, InvalidClientMetadata) as error:
            reason = str(error)
        except DuplicateRecord:
            reason = "somebody else added it at this moment"
        except ValueError as error:  # a value that no store takes
            reason = str(error)
        return Result(kind, row, Outcome.REFUSED, reason)

    def _apply(self, plan: Plan) -> None:
        if not self._dry_run:
            self._provider.storage.apply(plan)

    @cached_property
    def _login(self) -> Any:
        return self._provider.hooks.ask(Plugin.portula_login)

    def _person(self, row: Row) -> tuple[Outcome, str]:
        """Take over a user: the primary key is the subject, as django-oauth-toolkit has it."""
        fields, subject = PersonFields.model_validate(row.fields), str(row.pk)
        found = self._login.find(subject)
        if found is not None and isinstance(self._login, AddsPeople) and not self._is_same(found, fields):
            self._people[subject] = None
            raise RowRefused(
                "somebody of another name has this subject here, and gets nothing that is theirs"
            )
        if found is not None:
            self._people[subject] = found.active
            return Outcome.THERE, ""
        if not isinstance(self._login, AddsPeople):
            raise RowRefused("the login here keeps its people itself, and none of them has this subject")
        password = None
        if fields.password and not fields.password.startswith("!"):  # by which Django says that there is none
            hasher = self._provider.hooks.ask(Plugin.portula_secret_hasher)
            password = foreign_form(hasher, fields.password)
        names = {"given_name": fields.first_name, "family_name": fields.last_name}
        names["name"] = f"{fields.first_name} {fields.last_name}".strip()
        claims = {name: value for name, value in (*names.items(), ("email", fields.email)) if value}
        try:
            person = User(subject, fields.username, active=fields.is_active, claims=claims)
        except TypeError as error:
            raise RowRefused(str(error)) from None
        self._apply(self._login.plan_person(person, password))
        self._people[subject] = fields.is_active
        return Outcome.TAKEN, ""

    def _is_same(self, person: User, fields: PersonFields) -> bool:
        """Say whether a person here is the one of a row, by name or address; at another site its key is another's."""
        login: object = self._login
        named = login.find_by_name(fields.username) if isinstance(login, NamesPeople) else None
        address = str(person.claims.get("email") or "").casefold()
        has_address = bool(address) and address == (fields.email or "").casefold()
        return has_address or (named is not None and named.subject == person.subject)

    def _client(self, row: Row) -> tuple[Outcome, str]:
        fields, clients = ClientFields.model_validate(row.fields), self._provider.clients
        if clients.is_of_a_source(fields.client_id):
            return Outcome.LEFT, "what its client_id leads to says what it is like"
        missing = missing_setting(self._provider, fields)
        if missing:
            self.settings[missing] += 1
        there = self._provider.storage.find(Application, client_id=fields.client_id) is not None
        if not there:
            checked = prepare_client(self._provider, fields)
            if not self._dry_run:
                clients.save(checked)
        self._clients[str(row.pk)] = fields.client_id
        return (Outcome.THERE if there else Outcome.TAKEN), ""

    def _refresh_token(self, row: Row) -> tuple[Outcome, str]:
        """Take over a refresh token that counts, and what its person allowed: its value is found by its digest."""
        fields, now = RefreshTokenFields.model_validate(row.fields), self._provider.now()
        if fields.revoked is not None:
            return Outcome.LEFT, "revoked"
        made = fields.created if fields.created.tzinfo else fields.created.replace(tzinfo=UTC)
        expires_at = None if self._lifetime is None else min(now, int(made.timestamp())) + self._lifetime
        if expires_at is not None and expires_at <= now:
            return Outcome.LEFT, "expired"
        client_id, subject = self._clients.get(fields.application), fields.user
        if client_id is None:
            raise RowRefused("its client is not taken over")
        if subject is None:
            raise RowRefused("it is nobody's")
        active = self._is_active(subject)
        if active is None:
            raise RowRefused(f"nobody here has the subject {subject!r}")
        if not active:
            return Outcome.LEFT, "its person is disabled"
        issued = self._access_tokens.get(fields.access_token or "")
        if issued is None:
            raise RowRefused("the access token that has its scope is not in the file")
        scope = AccessTokenFields.model_validate(issued.fields).scope
        digests = self._provider.keys.digests(KIND, fields.token)
        if self._provider.storage.find(Artifact, digest=digests) is not None:
            return Outcome.THERE, ""
        authorization = Authorization(
            id=secrets.token_hex(16),
            client_id=client_id,
            subject=subject,
            scope=scope,
            issued_at=now,  # what is older than its client counts for none
            expires_at=expires_at,
            resources=tuple(fields.resource),
        )
        self._apply(self._token_plan(authorization, fields.token))
        return Outcome.TAKEN, ""

    def _token_plan(self, authorization: Authorization, value: str) -> Plan:
        """Return a plan that adds an authorization, its refresh token, and the mark that it was taken over."""
        keys, expires_at = self._provider.keys, authorization.expires_at
        token = RefreshToken(
            authorization=authorization.id,
            digest=keys.digest(REFRESH_TOKEN_PURPOSE, value),
            client_id=authorization.client_id,
            subject=authorization.subject,
            scope=authorization.scope,
            issued_at=authorization.issued_at,
            expires_at=expires_at,
        )
        mark = Artifact(
            digest=keys.digest(KIND, value),
            kind=KIND,
            payload={},
            issued_at=authorization.issued_at,
            expires_at=expires_at,
        )
        return plan_to_add(authorization, token, mark)

    def _is_active(self, subject: str) -> bool | None:
        """Say whether a person may sign in; None for nobody, and for somebody else than the dump means."""
        if subject not in self._people:
            found = self._login.find(subject)
            if found is None:
                return None
            self._people[subject] = found.active
        return self._people[subject]

    @cached_property
    def _access_tokens(self) -> dict[str, Row]:
        """The access tokens, which have the scopes of refresh tokens, by primary key."""
        return {str(row.pk): row for row in self._rows if row.model == "oauth2_provider.accesstoken"}

    @cached_property
    def _lifetime(self) -> int | None:
        """Seconds for which refresh tokens count from when they were made; None for without end."""
        value = setting(self._provider, LIFETIME)
        if callable(value):
            raise RowRefused(f"{LIFETIME} is a function of the request, and there is none")
        return int(value.total_seconds()) if isinstance(value, timedelta) else value
