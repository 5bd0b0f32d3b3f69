"""Admin classes: replaced in three ways, changed by attributes, and refused at start when they cannot work."""

import json
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest
from click.testing import CliRunner

from portula import ConfigError, hookimpl
from portula.cli import reports
from portula.plugin import AccessToken, Application, RecordType
from portula.web import report
from portula_admin.cells import Badge
from portula_admin.clients import ApplicationAdmin
from portula_admin.options import RecordAdmin, action, column
from portula_admin.tokens import AccessTokenAdmin, GrantAdmin, IDTokenAdmin, RefreshTokenAdmin
from portula_testing.memory import MemoryStore
from portula_testing.provider import Memory
from portula_testing.writing import add_to

NOW = 1_700_000_000
DEFAULTS = {
    "application": ApplicationAdmin,
    "access_token": AccessTokenAdmin,
    "refresh_token": RefreshTokenAdmin,
    "grant": GrantAdmin,
    "id_token": IDTokenAdmin,
}
each_kind = pytest.mark.parametrize("kind", DEFAULTS)


@dataclass(frozen=True)
class IDToken:
    jti: str
    client_id: str
    subject: str
    issued_at: int
    expires_at: int


ID_TOKEN = RecordType(
    "id_token",
    IDToken,
    keys=("jti",),
    expires="expires_at",
    orders=(("issued_at",), ("subject", "issued_at")),
)


class Keeps:
    """Contributes the record that ID tokens are kept as."""

    def __init__(self, record=ID_TOKEN):
        self.record = record

    @hookimpl
    def portula_records(self, provider):
        return [self.record]


class Gives:
    """Answers the slot of one kind."""

    def __init__(self, kind, chosen):
        setattr(self, f"portula_{kind}_admin_class", hookimpl(lambda provider: chosen))


def mine(kind):
    return type("Mine", (DEFAULTS[kind],), {"title_plural": f"My own {kind}s"})


def shown(admin, kind):
    return admin.get(f"/{kind.replace('_', '-')}/").text


def explained(admin, name):
    return report.explain(admin.provider, name)["slot"]


@each_kind
def test_the_default_answers_through_its_slot(make, kind):
    slot = explained(make(Keeps()), f"{kind.upper()}_ADMIN_CLASS")
    assert slot["winner"]["plugin"] == "admin"
    assert slot["default"] is True
    assert slot["answer"].endswith(f".{DEFAULTS[kind].__name__}")


@each_kind
@pytest.mark.parametrize("written", ["class", "dots", "colon"])
def test_a_setting_replaces_it(make, kind, written, monkeypatch):
    module = ModuleType("of_mine")
    module.Mine = mine(kind)
    monkeypatch.setitem(sys.modules, "of_mine", module)
    value = {"class": module.Mine, "dots": "of_mine.Mine", "colon": "of_mine:Mine"}[written]
    setting = f"{kind.upper()}_ADMIN_CLASS"
    admin = make(Keeps(), **{setting: value})
    assert f"My own {kind}s" in shown(admin, kind)
    slot = explained(admin, setting)
    assert slot["winner"]["plugin"] == f"setting:{setting}"
    assert [entry["plugin"] for entry in slot["outranked"]] == ["admin"]


@each_kind
def test_an_object_given_to_the_provider_replaces_it(make, kind):
    admin = make(Keeps(), Gives(kind, mine(kind)))
    assert f"My own {kind}s" in shown(admin, kind)
    slot = explained(admin, f"{kind}_admin_class")
    assert slot["winner"]["plugin"] == "Gives"
    assert slot["default"] is False


@each_kind
def test_a_setting_outranks_a_plugin(make, kind):
    setting = f"{kind.upper()}_ADMIN_CLASS"
    admin = make(Keeps(), Gives(kind, DEFAULTS[kind]), **{setting: mine(kind)})
    assert f"My own {kind}s" in shown(admin, kind)


def test_portula_explain_tells_who_won(make):
    admin = make(APPLICATION_ADMIN_CLASS=mine("application"))
    explain = next(command for command in reports.commands(admin.provider) if command.name == "explain")
    result = CliRunner().invoke(explain, ["APPLICATION_ADMIN_CLASS", "--json"])
    facts = json.loads(result.output)
    assert facts["slot"]["winner"]["plugin"] == "setting:APPLICATION_ADMIN_CLASS"
    assert facts["setting"]["room"] == "admin"


def test_the_defaults_of_django_oauth_toolkit_mean_ours(make):
    names = {
        "APPLICATION_ADMIN_CLASS": "oauth2_provider.admin.ApplicationAdmin",
        "ACCESS_TOKEN_ADMIN_CLASS": "oauth2_provider.admin.AccessTokenAdmin",
        "GRANT_ADMIN_CLASS": "oauth2_provider.admin.GrantAdmin",
        "REFRESH_TOKEN_ADMIN_CLASS": "oauth2_provider.admin.RefreshTokenAdmin",
        "ID_TOKEN_ADMIN_CLASS": "oauth2_provider.admin.IDTokenAdmin",
    }
    admin = make(**names)
    assert all(explained(admin, name)["default"] for name in names)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no.such.Module", "No module named"),
        ("portula_admin.clients.Nothing", "Nothing"),
        ("json.JSONEncoder", "a subclass of portula_admin.options.RecordAdmin is needed"),
        (3, "a subclass of portula_admin.options.RecordAdmin is needed"),
    ],
)
def test_what_is_no_admin_class_is_refused_at_start(make, value, said):
    with pytest.raises(ConfigError, match=f"APPLICATION_ADMIN_CLASS.*{said}"):
        make(APPLICATION_ADMIN_CLASS=value)


@pytest.mark.parametrize("chosen", [AccessTokenAdmin, "a string"])
def test_a_plugin_that_gives_something_else_is_refused_at_start(make, chosen):
    with pytest.raises(
        ConfigError,
        match=r"plugin .Gives.: portula_application_admin_class answers .*of ApplicationAdmin is needed",
    ):
        make(Gives("application", chosen))


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        (
            {"list_display": ("clent_id",)},
            "list_display: 'clent_id' is not allowed: one of .*did you mean 'client_id'",
        ),
        (
            {"list_display": "client_id"},
            "list_display: 'client_id' is not allowed: a tuple of names is needed",
        ),
        ({"list_display": ("has_view_permission",)}, "list_display: 'has_view_permission'"),
        ({"search_fields": ("name",)}, r"search_fields: 'name' is not allowed: one of .*\^name"),
        ({"search_fields": ("=name",)}, "search_fields: '=name'"),
        ({"list_filter": ("scope",)}, "list_filter: 'scope' is not allowed"),
        ({"ordering": ("updated_at",)}, "ordering: 'updated_at' is not allowed"),
        ({"ordering": ("name", "client_id")}, "ordering: .* one field orders a list"),
        ({"list_per_page": 51}, "list_per_page: 51 is not allowed: 1 to 50"),
        ({"list_per_page": 0}, "list_per_page: 0 is not allowed"),
        ({"actions": ("disable_select",)}, "actions: 'disable_select' .*did you mean 'disable_selected'"),
        ({"actions": ("heading",)}, "actions: 'heading'"),
        ({"readonly_fields": ("nam",)}, "readonly_fields: 'nam' .*did you mean 'name'"),
        ({"fieldsets": ((None, {"fields": ("secret",)}),)}, "fieldsets: 'secret' is not allowed"),
    ],
)
def test_attributes_that_cannot_work_stop_the_start(make, attributes, said):
    wrong = type("Wrong", (ApplicationAdmin,), attributes)
    with pytest.raises(ConfigError, match=f"^APPLICATION_ADMIN_CLASS: Wrong.{said}"):
        make(APPLICATION_ADMIN_CLASS=wrong)


def test_all_that_is_wrong_is_said_together(make):
    wrong = {"list_display": ("x",), "ordering": ("y",)}
    with pytest.raises(ConfigError) as caught:
        make(
            APPLICATION_ADMIN_CLASS=type("A", (ApplicationAdmin,), wrong),
            GRANT_ADMIN_CLASS=type("G", (GrantAdmin,), wrong),
        )
    assert len(caught.value.findings) == 4


class Changed(AccessTokenAdmin):
    """Changes a little of everything."""

    list_display = ("token", "age", "client_id")
    list_per_page = 3
    list_filter = ()
    search_fields = ("=client_id",)
    ordering = ("issued_at",)
    actions = ("greet",)
    fieldsets = ((None, {"fields": ("authorization", "age")}),)

    @column("Age in seconds")
    def age(self, record):
        return Badge(str(self.provider.now() - record.issued_at), "ok")

    @action("Greet", "view")
    def greet(self, records, person):
        return f"{person.username} greets {len(records)}."


def test_attributes_change_columns_order_pages_filters_and_actions(make):
    admin = make(ACCESS_TOKEN_ADMIN_CLASS=Changed)
    names = [admin.access(f"t{number}", issued_at=NOW - number) for number in range(5)]
    page = admin.get("/access-token/").text
    assert page.count("row-link") == 3
    assert "Age in seconds" in page
    assert '<span class="badge badge-ok">4</span>' in page
    assert page.index(names[4]) < page.index(names[3])
    assert "Status</label>" not in page
    assert "Greet</button>" in page
    assert "Revoke</button>" not in page
    assert "Ada greets 2." in admin.act("access-token", "greet", *names[:2]).text
    facts = admin.get("/access-token/view/", id=names[0]).text
    assert "Authorization" in facts
    assert "Expires" not in facts
    field = admin.token_field("/access-token/")
    admin.post("/access-token/action/", {**field, "action": "revoke_selected", f"pick-{names[0]}": "on"}, 404)


class Careful(AccessTokenAdmin):
    """Lets nobody revoke tokens of one person, and nobody look at those of another."""

    def has_revoke_permission(self, person, record=None):
        return record is None or record.subject != "king"

    def has_view_permission(self, person, record=None):
        return record is None or record.subject != "spy"


def test_permissions_are_asked_for_each_record(make):
    admin = make(ACCESS_TOKEN_ADMIN_CLASS=Careful)
    king, spy = admin.access("king", subject="king"), admin.access("spy", subject="spy")
    field = {**admin.token_field("/access-token/"), "action": "revoke_selected", "confirmed": "yes"}
    admin.post("/access-token/action/", {**field, f"pick-{king}": "on", f"pick-{spy}": "on"}, 403)
    assert [token.revoked_at for token in admin.storage.select(AccessToken)] == [None, None]
    assert "Revoke</button>" not in admin.get("/access-token/view/", id=king).text
    admin.get("/access-token/view/", 404, id=spy)


class Closed(RecordAdmin):
    """Shows nothing."""

    def has_view_permission(self, person, record=None):
        return False


def test_what_may_not_be_looked_at_is_not_there(make):
    admin = make(GRANT_ADMIN_CLASS=Closed)
    assert "/o/admin/grant/" not in admin.get("/").text
    admin.get("/grant/", 404)


class Frozen(ApplicationAdmin):
    """Lets names be edited and nothing else."""

    fieldsets = ((None, {"fields": ("name", "client_type", "redirect_uris")}),)
    readonly_fields = ("redirect_uris",)

    def has_add_permission(self, person):
        return False


def test_readonly_fields_and_those_left_out_cannot_be_edited(make):
    admin = make(APPLICATION_ADMIN_CLASS=Frozen)
    admin.client()
    (form,) = admin.forms(admin.get("/application/edit/?id=app"))
    assert set(form) == {"csrf_token", "form_state", "name"}
    smuggled = {"redirect_uris": "https://evil.example/", "skip_authorization": "y", "name": "New"}
    admin.post("/application/edit/?id=app", {**form, **smuggled})
    found = admin.storage.find(Application, client_id="app")
    assert (found.name, found.redirect_uris, found.skip_authorization) == (
        "New",
        ("https://client.example/cb",),
        False,
    )
    admin.get("/application/add/", 404)
    assert "New application" not in admin.get("/application/").text


def test_id_tokens_have_a_page_only_where_they_are_kept(make):
    without = make()
    assert "ID tokens" not in without.get("/").text
    without.get("/id-token/", 404)
    kept = make(Keeps())
    add_to(kept.storage, IDToken("jti-of-one-token", "app", "bob", NOW, NOW + 60))
    page = kept.get("/id-token/").text
    assert ">jti-of-one-t<" in page
    assert "jti-of-one-token" not in page
    assert "Revoke" not in page
    assert "Bob" in kept.get("/id-token/view/", id="jti-of-one-t").text
    assert "jti-of-one-t" in kept.get("/id-token/", q="bob").text


def test_id_tokens_of_any_shape_can_be_listed(make):
    @dataclass(frozen=True)
    class Bare:
        jti: str
        issued_at: int

    admin = make(Keeps(RecordType("id_token", Bare, keys=("jti",))))
    add_to(admin.storage, Bare("jti-of-one-token", NOW))
    page = admin.get("/id-token/").text
    assert "jti-of-one-t" in page
    assert "Client</th>" not in page


class Plain:
    """A store that keeps the contract and cannot walk."""

    def __init__(self, records):
        self._store = MemoryStore(records)

    def __getattr__(self, name):
        if name == "walk":
            raise AttributeError(name)
        return getattr(self._store, name)


class Plainly:
    @hookimpl
    def portula_stores(self, provider):
        return {"plain": Plain}


def test_a_store_that_cannot_walk_is_refused_at_start(make):
    with pytest.raises(ConfigError, match="STORAGE: the store of grant cannot walk along orders"):
        make(Memory(), Plainly(), STORAGE={"default": "memory", "grant": "plain"})
    make(Memory(), Plainly(), STORAGE={"default": "memory", "artifact": "plain"})
