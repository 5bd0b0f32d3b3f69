"""Clients: what a list shows of them, which of their fields can be edited, switching them off and on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from portula.errors import Conflict, InvalidClientMetadata, UnknownClient
from portula.plugin import Application, display_name
from portula_admin.cells import Badge, Cell, Code, Lines, Link
from portula_admin.options import Fieldsets, RecordAdmin, action, column

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthenticatedUser, RecordType


CONTRIBUTED = "contributed"
"""In `fieldsets`: the members of client metadata that rooms contribute with a label."""
YES_OR_NO = {True: "Yes", False: "No"}


class ApplicationAdmin(RecordAdmin):
    """Clients. What is in `fieldsets` and not in `readonly_fields` can be edited, and nothing else."""

    title = "Application"
    title_plural = "Applications"
    description = "The clients that may ask for tokens, and their secrets."
    list_display: Sequence[str] = (
        "display_name",
        "identifier",
        "client_type",
        "grants",
        "status",
        "created_at",
    )
    search_fields: Sequence[str] = ("^client_id", "^name")
    list_filter: Sequence[str] = ("client_type", "disabled")
    choices: ClassVar[Mapping[str, Sequence[str]]] = {"client_type": ("confidential", "public")}
    ordering: Sequence[str] = ("-created_at",)
    actions: Sequence[str] = ("disable_selected", "enable_selected")
    labels: ClassVar[Mapping[str, str]] = {
        "client_id": "Client ID",
        "client_type": "Type",
        "post_logout_redirect_uris": "Post-logout redirect URIs",
        "redirect_uris": "Redirect URIs",
        "require_pkce": "PKCE",
        "scope": "Scopes",
        "user": "Owner",
        "client_uri": "Website",
        "logo_uri": "Logo",
        "policy_uri": "Privacy policy",
        "tos_uri": "Terms of service",
        "updated_at": "Changed",
    }
    statuses: ClassVar[Mapping[str, str]] = {"enabled": "ok", "disabled": "danger"}
    fieldsets: Fieldsets = (
        (None, {"fields": ("name", "client_id", "client_type", "hash_client_secret")}),
        (
            "What it may do",
            {"fields": ("grant_types", "scope", "require_pkce", "token_endpoint_auth_method")},
        ),
        (
            "Where it lives",
            {
                "fields": (
                    "application_type",
                    "redirect_uris",
                    "post_logout_redirect_uris",
                    "allowed_origins",
                )
            },
        ),
        (
            "What people see",
            {"fields": ("skip_authorization", "client_uri", "logo_uri", "policy_uri", "tos_uri")},
        ),
        ("More", {"fields": ("user", "algorithm", CONTRIBUTED, "created_at", "updated_at")}),
    )
    readonly_fields: Sequence[str] = ("created_at", "updated_at")

    def __init__(self, provider: Provider, record_type: RecordType) -> None:
        """Take the provider and what is shown, and put members that rooms contribute where CONTRIBUTED stands."""
        super().__init__(provider, record_type)
        self.members = {name: member for name, member in provider.client_members.items() if member.label}
        self.fieldsets = [
            (title, {**options, "fields": self._expand(options.get("fields", ()))})
            for title, options in self.fieldsets
        ]

    def _expand(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(each for name in names for each in (self.members if name == CONTRIBUTED else (name,)))

    def label(self, name: str) -> str:
        """Return the title of a column or a fact."""
        member = self.members.get(name)
        return member.label if member else super().label(name)

    def has_add_permission(self, person: AuthenticatedUser) -> bool:
        """Let every administrator make clients."""
        return True

    def has_change_permission(self, person: AuthenticatedUser, record: Any = None) -> bool:
        """Let every administrator edit clients."""
        return True

    def offers(self, name: str, record: Application) -> bool:
        """Leave out disabling what is disabled, and enabling what is enabled."""
        return {"disable_selected": not record.disabled, "enable_selected": record.disabled}.get(name, True)

    @property
    def search_hint(self) -> str:
        """Say that a search begins at the first letter."""
        return "The beginning of a client ID or of a name, in the same case."

    @column("Name")
    def display_name(self, record: Application) -> Cell:
        """Its name, or its identifier where it has none."""
        return self.heading(record)

    @column("Client ID")
    def identifier(self, record: Application) -> Cell:
        """The identifier it presents."""
        return Code(record.client_id)

    @column("Grant types")
    def grants(self, record: Application) -> Cell:
        """What it may do, in words."""
        return ", ".join(map(grant_words, record.grant_types)) or None

    def status(self, record: Application) -> Cell:
        """Whether it may be used."""
        word = self.status_of(record)
        return Badge(word.capitalize(), self.statuses[word])

    def status_of(self, record: Application) -> str:
        """Say whether it may be used."""
        return "disabled" if record.disabled else "enabled"

    def heading(self, record: Application) -> str:
        """Return the name without what deceives the eye (attack S11)."""
        return display_name(record.name).strip() or record.client_id

    def value(self, record: Any, name: str) -> Cell:
        """Return a fact; those that the form has and no field, too."""
        if name in self.members or name in LINKS:
            return _member(record.metadata.get(name))
        if name == "user" and record.user:
            return self.names.person(record.user)
        if name == "scope":
            return Lines(record.scope.split()) if record.scope else "All"
        if name == "require_pkce":
            return {None: "As PKCE_REQUIRED says", True: "Always", False: "Not asked for"}[
                record.require_pkce
            ]
        if name == "hash_client_secret":
            return None
        return super().value(record, name)

    def tokens(self, record: Application) -> list[Link]:
        """Return the ways to what was issued to a client."""
        kinds = {"access-token": "Access tokens", "refresh-token": "Refresh tokens", "grant": "Codes"}
        url_for = self.provider.url_for
        return [
            Link(title, url_for("admin.records", slug=slug, client_id=record.client_id), to=slug)
            for slug, title in kinds.items()
        ]

    @action(
        "Disable",
        "change",
        danger=True,
        hint="None of their tokens counts from now on, and they get no others, until they are enabled again.",
    )
    def disable_selected(self, records: Sequence[Application], person: AuthenticatedUser) -> str:
        """Shut clients out at once: none of their tokens counts, and they get no others (attack S27)."""
        return self._switch(records, "disabled", disabled=True)

    @action("Enable", "change", hint="Those of their tokens that have not expired count again.")
    def enable_selected(self, records: Sequence[Application], person: AuthenticatedUser) -> str:
        """Let clients in again, with all their tokens that have not expired."""
        return self._switch(records, "enabled", disabled=False)

    def _switch(self, records: Sequence[Application], word: str, *, disabled: bool) -> str:
        problems: list[str] = []
        for record in records:
            try:
                self.provider.clients.edit(record.client_id, lambda found: replace(found, disabled=disabled))
            except (Conflict, InvalidClientMetadata, UnknownClient) as error:
                problems.append(f" {record.client_id} was not {word}: {error}.")
        count = len(records) - len(problems)
        title = self.title if count == 1 else self.title_plural
        return f"{count} {title.lower()} {word}.{''.join(problems)}"


def grant_words(name: str) -> str:
    """Return how a grant type is called; those of the OpenID Foundation are abbreviations (CIBA Core §4)."""
    word = name.rpartition(":")[2]
    return word.upper() if name.startswith("urn:openid:") else word.replace("_", " ")


def _member(held: Any) -> Cell:
    """Return how a member of client metadata is shown."""
    if isinstance(held, list):
        return Lines(held) if held else None
    return YES_OR_NO.get(held) if isinstance(held, bool) else str(held or "") or None


LINKS = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
"""Members of client metadata that the form has (RFC 7591 §2)."""
