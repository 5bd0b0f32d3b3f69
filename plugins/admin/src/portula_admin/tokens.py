"""Access tokens, refresh tokens, codes, and ID tokens where they are kept. None is ever shown, nor its digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from portula import Plugin
from portula.plugin import (
    AccessToken,
    Authorization,
    Grant,
    NamesPeople,
    Plan,
    RefreshToken,
    consent_items_of,
    plan_revocation,
    revoke_authorization,
    tell_revocation,
)
from portula_admin.cells import Badge, Cell, Code, Lines, Link, cell_of
from portula_admin.options import Fieldsets, RecordAdmin, action, column
from portula_admin.walks import Walk

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthenticatedUser, RecordType

SHOWN_CHARACTERS = 12
"""Of a digest: 72 bits, which tell a token from all others and are no use to find its value."""


USE = ("also", "servers", "bound_to")
"""Facts of an access token, or of the authorization of what becomes one."""


class TokenAdmin(RecordAdmin):
    """What all kinds of tokens have in common."""

    list_display: Sequence[str] = ("token", "client", "person", "scopes", "issued_at", "expires_at", "status")
    search_fields: Sequence[str] = ("=subject", "=client_id", "^digest")
    list_filter: Sequence[str] = ("status", "client_id", "subject")
    ordering: Sequence[str] = ("-issued_at",)
    actions: Sequence[str] = ("revoke_selected",)
    identifier_length = SHOWN_CHARACTERS
    fieldsets: Fieldsets = (
        (None, {"fields": ("token", "status", "client", "person", "scopes", *USE)}),
        ("Times", {"fields": ("issued_at", "expires_at", "revoked_at")}),
    )
    statuses: ClassVar[Mapping[str, str]] = {"live": "ok", "expired": "", "revoked": "danger"}

    def has_revoke_permission(self, person: AuthenticatedUser, record: Any = None) -> bool:
        """Let every administrator revoke."""
        return True

    def offers(self, name: str, record: Any) -> bool:
        """Leave out revoking what is revoked."""
        return name != "revoke_selected" or self.status_of(record) != "revoked"

    # --- Columns ---

    @column("ID")
    def token(self, record: Any) -> Cell:
        """The beginning of the digest."""
        return Code(self.identify(record))

    def client(self, record: Any) -> Cell:
        """Its client, by name."""
        name = self.names.client(record.client_id)
        if not self.names.knows_client(record.client_id):
            return f"{name} (gone)"
        if not self.names.is_registered(record.client_id):
            return name
        url = self.provider.url_for("admin.view", slug="application", id=record.client_id)
        return Link(name, url, to="application")

    def person(self, record: Any) -> Cell:
        """The person it speaks for, by name."""
        if record.subject is None:
            return None
        url = self.provider.url_for("admin.records", slug=self.slug, subject=record.subject)
        return Link(self.names.person(record.subject), url)

    def scopes(self, record: Any) -> Cell:
        """Its scopes, one a line."""
        return Lines(record.scope.split()) if record.scope else None

    @column("Also allows")
    def also(self, record: Any) -> Cell:
        """What it allows besides scopes, as its person was asked about it."""
        source = self.source_of_use(record)
        items = consent_items_of(self.provider, source) if source else ()
        return cell_of("also", tuple(item.line for item in items))

    @column("For")
    def servers(self, record: Any) -> Cell:
        """The servers at which it may be used."""
        source = self.source_of_use(record)
        if isinstance(source, AccessToken):
            return cell_of("audience", source.audience)
        return cell_of("resources", source.resources) if source else None

    def bound_to(self, record: Any) -> Cell:
        """The key or certificate that has to be proven with it."""
        source = self.source_of_use(record)
        bound = self.provider.token_presentations.bindings(source.confirmation) if source else ()
        return cell_of("bound_to", tuple(bound))

    def source_of_use(self, record: Any) -> AccessToken | Authorization | None:
        """Return what says how a record may be used: an access token itself, of others the authorization."""
        return record if isinstance(record, AccessToken) else self.names.authorization(record.authorization)

    def status(self, record: Any) -> Cell:
        """What it is worth now."""
        word = self.status_of(record)
        return Badge(word.capitalize(), self.statuses[word])

    def status_of(self, record: Any) -> str:
        """Judge as the provider does."""
        if getattr(record, "revoked_at", None) is not None:
            return "revoked"
        authorization = getattr(record, "authorization", None)
        if (
            authorization is not None
            and not hasattr(record, "taken_at")
            and self.names.is_revoked(authorization)
        ):
            return "revoked"
        if getattr(record, "taken_at", None) is not None:
            return "used"
        expired = record.expires_at is not None and record.expires_at <= self.provider.now()
        return "expired" if expired else "live"

    # --- Lists ---

    @property
    def search_hint(self) -> str:
        """User names too, where the login finds people by name."""
        named = isinstance(self.provider.hooks.ruling(Plugin.portula_login).answer, NamesPeople)
        return f"A whole {'user name, ' if named else ''}subject or client ID, or the beginning of an ID."

    def prepare(self, records: Sequence[Any]) -> None:
        """Read the clients of a page at once."""
        if "client_id" not in self.record_type.cls.__dataclass_fields__:
            return
        self.names.read_clients(record.client_id for record in records)
        if "authorization" in self.record_type.cls.__dataclass_fields__:
            self.names.read_authorizations(record.authorization for record in records)

    def search_values(self, field: str, text: str) -> Sequence[str]:
        """Let people be searched for by user name where the login knows how."""
        login = self.provider.hooks.ask(Plugin.portula_login)
        if field != "subject" or not isinstance(login, NamesPeople):
            return (text,)
        named = login.find_by_name(text)
        return (text,) if named is None else (named.subject, text)

    def status_walk(self, status: str) -> Walk | None:
        """Expired and revoked ones have an index of their own; so have live ones, where each has an end."""
        orders, now = self.record_type.orders, self.provider.now()
        if status == "revoked" and ("revoked_at",) in orders:
            return Walk("revoked_at")
        if status == "expired" and ("expires_at",) in orders:
            return Walk("expires_at", below=now + 1)
        return None

    # --- Revocation ---

    @action("Revoke", "revoke", danger=True, hint="They stop working at once. This cannot be undone.")
    def revoke_selected(self, records: Sequence[Any], person: AuthenticatedUser) -> str:
        """Revoke each that is not revoked yet; listeners hear of each."""
        done = sum(self.revoke(record) for record in records)
        if not done:
            return "Nothing was left to revoke."
        return f"{done} {(self.title if done == 1 else self.title_plural).lower()} revoked."

    def revoke(self, record: Any) -> bool:
        """Revoke one; say whether it was not revoked before."""
        plan, where = Plan(), {self.key: getattr(record, self.key), "revoked_at": None}
        part = plan.change_all(type(record), where, revoked_at=self.provider.now())
        revoked = bool(self.provider.storage.apply(plan)[part])
        if revoked:
            self.tell(record)
        return revoked

    def tell(self, record: Any) -> None:
        """Tell handlers of a revocation."""
        tell_revocation(self.provider, record)


class AccessTokenAdmin(TokenAdmin):
    """Access tokens; each is revoked alone."""

    title = "Access token"
    title_plural = "Access tokens"
    description = "What clients show at resources."

    def status_walk(self, status: str) -> Walk | None:
        """Each has an end, so live ones lie together."""
        if status == "live" and ("expires_at",) in self.record_type.orders:
            return Walk("expires_at", above=self.provider.now())
        return super().status_walk(status)


class RefreshTokenAdmin(TokenAdmin):
    """Refresh tokens; with one goes all that grew from the same authorization (RFC 7009 §2.1)."""

    title = "Refresh token"
    title_plural = "Refresh tokens"
    description = "What clients get new access tokens with."
    labels: ClassVar[Mapping[str, str]] = {"rotated_at": "Rotated", "generation": "Rotations"}
    search_fields: Sequence[str] = ("=subject", "=client_id", "^authorization")
    fieldsets: Fieldsets = (
        (None, {"fields": ("token", "status", "client", "person", "scopes", *USE)}),
        ("Times", {"fields": ("issued_at", "expires_at", "rotated_at", "generation")}),
    )

    @action(
        "Revoke",
        "revoke",
        danger=True,
        hint="They stop working at once, and so do all access tokens of the same sign-in. This cannot be undone.",
    )
    def revoke_selected(self, records: Sequence[Any], person: AuthenticatedUser) -> str:
        """Revoke each with its authorization."""
        done = sum(self.revoke(record) for record in records)
        if not done:
            return "Nothing was left to revoke."
        word = "refresh token" if done == 1 else "refresh tokens"
        return f"{done} {word} revoked, with all tokens of the same sign-in."

    def revoke(self, record: RefreshToken) -> bool:
        """Revoke its authorization; say whether it was not revoked before."""
        revoked = revoke_authorization(self.provider, record.authorization)
        if revoked:
            self.tell(record)
        return revoked


class GrantAdmin(TokenAdmin):
    """Authorization codes. A revoked one counts as used, and what it became goes with it (RFC 6749 §4.1.2)."""

    title = "Code"
    title_plural = "Codes"
    description = "What clients redeem for tokens, within a minute or so."
    labels: ClassVar[Mapping[str, str]] = {
        "taken_at": "Used",
        "redirect_uri": "Redirect URI",
        "expires_at": "Kept until",  # a used one outlives its own end, so that a replay is found out
    }
    statuses: ClassVar[Mapping[str, str]] = {"live": "ok", "used": "", "expired": ""}
    fieldsets: Fieldsets = (
        (None, {"fields": ("token", "status", "client", "person", "scopes", *USE, "redirect_uri")}),
        ("Times", {"fields": ("issued_at", "expires_at", "taken_at")}),
    )

    def revoke(self, record: Grant) -> bool:
        """Use the code up, and revoke its authorization; say whether there was anything to do."""
        plan, now = Plan(), self.provider.now()
        used = plan.change_all(Grant, {"digest": record.digest, "taken_at": None}, taken_at=now)
        ended = plan_revocation(plan, now, id=record.authorization)
        counts = self.provider.storage.apply(plan)
        if counts[used] or counts[ended]:
            self.tell(record)
        return bool(counts[used] or counts[ended])


class IDTokenAdmin(TokenAdmin):
    """ID tokens, where a plugin contributes the record type `id_token`; portula itself signs them and keeps none.

    They cannot be taken back. Of columns and filters there are those that such a record has fields and orders for.
    """

    title = "ID token"
    title_plural = "ID tokens"
    description = "What clients were told about who signed in."
    list_display = ("token", "client", "person", "issued_at", "expires_at")
    search_fields = ("=subject", "=client_id")
    list_filter = ("client_id", "subject")
    actions = ()
    fieldsets: Fieldsets = ((None, {"fields": ("token", "client", "person", "issued_at", "expires_at")}),)

    def __init__(self, provider: Provider, record_type: RecordType) -> None:
        """Leave out of our own defaults what these records do not have; what a subclass says stays as it is."""
        super().__init__(provider, record_type)
        fields, orders = record_type.cls.__dataclass_fields__, record_type.orders
        needs = {"token": self.key, "client": "client_id", "person": "subject"}
        had = tuple(name for name in self.list_display if needs.get(name, name) in fields)
        by = self.by if (self.by,) in orders else self.key
        ordered = tuple(name for name in self.list_filter if (name, by) in orders)
        ours = {
            "list_display": had,
            "fieldsets": ((None, {"fields": had}),),
            "ordering": self.ordering if by == self.by else (),
            "list_filter": ordered,
            "search_fields": tuple(f"={name}" for name in ordered),
        }
        for attribute, narrowed in ours.items():
            if getattr(type(self), attribute) is getattr(IDTokenAdmin, attribute):
                setattr(self, attribute, narrowed)

    def has_revoke_permission(self, person: AuthenticatedUser, record: Any = None) -> bool:
        """Nobody revokes what was signed."""
        return False
