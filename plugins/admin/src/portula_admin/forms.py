"""The forms of the admin. They have the fields that an admin class lists; nothing else can be posted (attack S57)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wtforms import BooleanField, Field, StringField, TextAreaField
from wtforms.validators import Length, Regexp, ValidationError

from portula import Plugin
from portula.plugin import Application, ClientMember, PageForm
from portula_admin.clients import LINKS, YES_OR_NO, grant_words

if TYPE_CHECKING:
    from portula import Provider
    from portula.errors import InvalidClientMetadata
    from portula_admin.clients import ApplicationAdmin

ON_CREATION = ("client_id", "client_type", "hash_client_secret")
"""Fields that only a new client has."""
SHORT = Length(max=255, message="At most %(max)d characters.")
THREE_WAYS = {"": None, "yes": True, "no": False}
WORDS = {value: word for word, value in THREE_WAYS.items()}


class ChecksField(Field):
    """Several check boxes, each under a name of its own: a form of ours has no name twice."""

    def __init__(self, label: str, *, options: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """Take values and texts."""
        super().__init__(label, **kwargs)
        self.options = options

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Read the boxes that were ticked; without a form, those that are given."""
        self.process_errors: list[str] = []
        chosen = tuple(data or ())
        if formdata is not None:
            chosen = tuple(value for value, _ in self.options if f"{self.name}-{value}" in formdata)
        self.data = chosen


class OneOfField(Field):
    """One of several values, to be chosen from a list or, with `radio`, from buttons."""

    def __init__(
        self, label: str, *, options: Sequence[tuple[str, str]], radio: bool = False, **kwargs: Any
    ) -> None:
        """Take values and texts."""
        super().__init__(label, **kwargs)
        self.options = options
        self.radio = radio

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Take the choice; nothing is sent of an empty one."""
        self.data = valuelist[0] if valuelist else ""

    def pre_validate(self, form: Any) -> None:
        """Refuse what is not offered."""
        if self.data not in dict(self.options):
            raise ValidationError("This is none of the choices.")


class LinesField(TextAreaField):
    """Several texts, one a line."""

    data: Any

    def _value(self) -> str:
        return "\n".join(self.data or ())

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Split lines; blanks at their ends do not count."""
        lines = (line.strip() for line in valuelist[0].splitlines()) if valuelist else ()
        self.data = tuple(line for line in lines if line)


Builder = Callable[["Provider"], "Field"]


def _strip(value: str | None) -> str:
    return (value or "").strip()


def _text(label: str, hint: str = "", *validators: Any, name: str | None = None) -> Field:
    """Make a line of text; `name` is for a field whose own is never read from the wire (`portula.flow.messages`)."""
    return StringField(label, [SHORT, *validators], description=hint, filters=[_strip], name=name)


def _grant_types(provider: Provider) -> Field:
    known = [
        (name, words if words.isupper() else words.capitalize())
        for name in provider.hooks.collect(Plugin.portula_grant_types)
        for words in (grant_words(name),)
    ]
    return ChecksField("Grant types", options=known, description="What it may ask the token endpoint for.")


def _auth_methods(provider: Provider) -> Field:
    named = [(name, name) for name in provider.client_auth_methods]
    return OneOfField(
        "Authentication at the token endpoint", options=[("", "Any it has credentials for"), *named]
    )


def _algorithm(provider: Provider) -> Field:
    """Offer what signs here; where nothing does, any name is taken down for later."""
    label, jose = "Algorithm of its ID tokens", provider.hooks.ruling(Plugin.portula_jose).answer
    if jose is None:
        letters = Regexp(r"^[A-Za-z0-9-]*$", message="Letters, digits and hyphens.")
        return _text(label, "For example RS256; empty for the default.", letters)
    named = [(name, name) for name in jose.algorithms_for_clients()]
    return OneOfField(label, options=[("", "The default"), *named])


def _scope(provider: Provider) -> Field:
    known = sorted(
        {*provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes(), *provider.scope_texts}
    )
    hint = f"Apart by spaces; empty for all. Known here: {', '.join(known)}."
    return StringField("Scopes it may ask for", [Length(max=4000)], description=hint, filters=[_strip])


BUILDERS: dict[str, Builder] = {
    "name": lambda _: _text("Name", "People see it when they sign in and are asked for consent."),
    "client_id": lambda _: _text("Client ID", "It cannot be changed later."),
    "client_type": lambda _: OneOfField(
        "Type",
        radio=True,
        options=[
            ("confidential", "Confidential: it runs on a server and keeps a secret"),
            ("public", "Public: it runs on people's devices, and no secret would be one"),
        ],
        description="It cannot be changed later (RFC 6749 §2.1).",
    ),
    "hash_client_secret": lambda _: BooleanField(
        "Keep its secret as a digest only",
        description="Switch it off for clients whose secret signs (HS256): the secret is then kept encrypted.",
    ),
    "grant_types": _grant_types,
    "scope": _scope,
    "require_pkce": lambda _: OneOfField(
        "PKCE", options=[("", "As PKCE_REQUIRED says"), ("yes", "Always"), ("no", "Not asked for")]
    ),
    "token_endpoint_auth_method": _auth_methods,
    "application_type": lambda _: OneOfField(
        "Kind",
        radio=True,
        options=[("web", "Web"), ("native", "Native: on a phone or a desktop (RFC 8252)")],
    ),
    "redirect_uris": lambda _: LinesField("Redirect URIs", description="One a line; compared exactly."),
    "post_logout_redirect_uris": lambda _: LinesField("Post-logout redirect URIs", description="One a line."),
    "allowed_origins": lambda _: LinesField(
        "Allowed origins", description="Of pages whose scripts call the token endpoint, one a line."
    ),
    "skip_authorization": lambda _: BooleanField(
        "Never ask people for consent", description="For applications of your own house only."
    ),
    "client_uri": lambda _: _text("Website"),
    "logo_uri": lambda _: _text("Logo", "An https address."),
    "policy_uri": lambda _: _text("Privacy policy"),
    "tos_uri": lambda _: _text("Terms of service"),
    "user": lambda _: _text("Owner", "Subject of the person it belongs to, if it does.", name="owner"),
    "algorithm": _algorithm,
}
"""How each field that can be edited is made."""


class ApplicationForm(PageForm):
    """A client's form: `make_form` gives it the fields."""


def editable(admin: ApplicationAdmin, *, new: bool) -> list[str]:
    """Return the names of the fields that a form of this admin class has, in order."""
    listed = [name for _, options in admin.fieldsets for name in options["fields"]]
    return [
        name
        for name in dict.fromkeys(listed)
        if (name in BUILDERS or name in admin.members)
        and name not in admin.readonly_fields
        and (new or name not in ON_CREATION)
    ]


def _member_field(member: ClientMember) -> Field:
    if member.type is not bool:
        return LinesField(member.label, description=member.hint)
    options = [("", "As the settings say"), ("yes", YES_OR_NO[True]), ("no", YES_OR_NO[False])]
    return OneOfField(member.label, options=options, description=member.hint)


def _member_value(member: ClientMember, client: Application) -> Any:
    """Return a contributed member as its field shows it."""
    held = client.metadata.get(member.name)
    return WORDS.get(held, "") if member.type is bool else held


def make_form(
    admin: ApplicationAdmin, context: str, formdata: Any, client: Application, *, new: bool = False
) -> ApplicationForm:
    """Return the form for a client, filled in with what it is; once it is posted, with what was posted alone.

    Nothing is sent of a field that was emptied.
    """
    names, members = editable(admin, new=new), admin.members
    fields = {
        name: _member_field(members[name]) if name in members else BUILDERS[name](admin.provider)
        for name in names
    }
    form_class = type("ApplicationForm", (ApplicationForm,), fields)
    given = form_values(admin, client, new=new) if formdata is None else {}
    form: ApplicationForm = form_class(admin.provider.pages, context, formdata, **given)
    return form


def form_values(admin: ApplicationAdmin, client: Application, *, new: bool = False) -> dict[str, Any]:
    """Return what the form for a client is filled in with."""
    values = {
        **{name: getattr(client, name) for name in BUILDERS if hasattr(client, name)},
        **{name: client.metadata.get(name, "") for name in LINKS},
        **{name: _member_value(member, client) for name, member in admin.members.items()},
        "require_pkce": WORDS[client.require_pkce],
        "token_endpoint_auth_method": client.token_endpoint_auth_method or "",
        "hash_client_secret": True,
    }
    return {name: values[name] for name in editable(admin, new=new)}


def refuse(form: ApplicationForm, error: InvalidClientMetadata) -> None:
    """Write into a form why a client cannot be saved; what is about redirect URIs stands beside them."""
    said, named = str(error), ("redirect_uris", "post_logout_redirect_uris")
    if error.error == "invalid_redirect_uri":
        fields = [form[name] for name in named if name in form]
        about = [field for field in fields if any(repr(uri) in said for uri in field.data)] or fields[:1]
        for field in about[:1]:
            field.errors = [*field.errors, f"{said[:1].upper()}{said[1:]}."]
            return
    form.form_errors.append(said)


def apply_form(form: ApplicationForm, client: Application) -> Application:
    """Return a client with what a form says, and all else as it was."""
    given = {name: field.data for name, field in form._fields.items() if name in BUILDERS}
    chosen = {
        name: THREE_WAYS[field.data] if isinstance(field, OneOfField) else list(field.data or ()) or None
        for name, field in form._fields.items()
        if name not in BUILDERS and isinstance(field, OneOfField | LinesField)
    }
    given.pop("hash_client_secret", None)
    links = {name: given.pop(name) or None for name in LINKS if name in given}
    metadata = {**client.metadata, **links, **chosen}
    metadata = {name: value for name, value in metadata.items() if value is not None}
    for name in ("scope", "token_endpoint_auth_method", "user"):
        if name in given:
            given[name] = given[name] or None
    if given.get("scope"):
        given["scope"] = " ".join(dict.fromkeys(given["scope"].split()))
    if "require_pkce" in given:
        given["require_pkce"] = THREE_WAYS[given["require_pkce"]]
    return replace(client, **given, metadata=metadata)
