"""Clients: made, edited, switched off, and their secrets exchanged."""

from dataclasses import replace
from unittest.mock import Mock

import pytest
from support.rules import Closed

from portula.errors import Conflict, UnknownClient
from portula.plugin import Application, ClientSaved, secret_id
from portula_admin.uses import USE_SECONDS

NOW = 1_700_000_000
BY_ADA = {"actor": "ada", "address": "127.0.0.1"}
ADD, EDIT, SECRET = "/application/add/", "/application/edit/?id=app", "/application/secret/?id=app"


def form_of(admin, path):
    (form,) = admin.forms(admin.get(path))
    return form


def authenticated(admin, client_id, secret):
    data = {"grant_type": "client_credentials", "scope": "read"}
    return admin.http.post("/o/token/", data=data, auth=(client_id, secret)).status_code == 200


MACHINE = {
    "name": "Nightly",
    "grant_types-client_credentials": "on",
    "grant_types-authorization_code": None,
}


def without_none(fields):
    return {name: value for name, value in fields.items() if value is not None}


def make_machine(admin, **fields):
    filled = without_none({**form_of(admin, ADD), **MACHINE, **fields})
    page = admin.post(ADD, filled, 200)
    return filled["client_id"], page


def shown_secret(page):
    return page.text.partition('id="client-secret">')[2].partition("<")[0]


def test_a_client_is_made_and_its_secret_seen_once(admin):
    client_id, page = make_machine(admin)
    secret = shown_secret(page)
    assert authenticated(admin, client_id, secret)
    assert page.headers["Cache-Control"] == "no-store"
    for path in ("/application/", f"/application/view/?id={client_id}", f"/application/edit/?id={client_id}"):
        assert secret not in admin.get(path).text
    assert (
        ClientSaved(provider=admin.provider, **BY_ADA, client_id=client_id, created=True, at=NOW)
        in admin.heard.events
    )


def test_the_same_form_twice_makes_one_client(admin):
    filled = without_none({**form_of(admin, ADD), **MACHINE})
    admin.post(ADD, filled, 200)
    assert "There is a client with this ID already" in admin.post(ADD, filled, 400).text
    assert len(admin.storage.select(Application)) == 1


def test_a_public_client_has_no_secret(admin):
    filled = {
        **form_of(admin, ADD),
        "client_type": "public",
        "redirect_uris": "com.example.app:/cb\n\n http://127.0.0.1/cb ",
        "application_type": "native",
        "name": "Phone",
    }
    answer = admin.post(ADD, filled)
    assert "The application was created" in admin.http.get(answer.location).text
    (made,) = admin.storage.select(Application)
    assert made.secret_hashes == ()
    assert made.redirect_uris == ("com.example.app:/cb", "http://127.0.0.1/cb")


def test_a_secret_that_signs_is_kept_encrypted(admin):
    client_id, _ = make_machine(admin, hash_client_secret=None)
    (stored,) = admin.found(client_id).secret_hashes
    assert stored.startswith("sealed:")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"redirect_uris": "ftp://x"}, "Redirect URI &#39;ftp://x&#39; has a scheme"),
        ({"redirect_uris": ""}, "needs a redirect URI"),
        ({"client_id": "with space"}, "a client_id has 1 to 255 printable"),
        ({"allowed_origins": "https://a.example/path"}, "is not scheme://host"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri is not an http or https URL"),
        ({"scope": "read raed"}, "Nobody knows the scope &#39;raed&#39;"),
        ({"name": "x" * 256}, "At most 255 characters"),
        ({"client_type": "secret"}, "This is none of the choices"),
        ({"require_pkce": "maybe"}, "This is none of the choices"),
        ({"algorithm": "<b>"}, "Letters, digits and hyphens"),
    ],
)
def test_what_is_not_allowed_is_said_at_the_form(admin, fields, said):
    filled = {**form_of(admin, ADD), "name": "Mine", "redirect_uris": "https://a.example/cb", **fields}
    page = admin.post(ADD, filled, 400)
    assert said in page.text
    assert admin.storage.select(Application) == []
    (again,) = admin.forms(page)
    assert again["redirect_uris"] == filled["redirect_uris"]


def test_what_is_wrong_with_a_redirect_uri_stands_beside_its_field_and_is_linked_to(admin):
    page = admin.post(ADD, {**form_of(admin, ADD), "name": "Mine", "redirect_uris": "ftp://x"}, 400).text
    assert 'id="redirect_uris-error"' in page
    assert 'href="#redirect_uris"' in page


def test_a_client_is_edited(admin):
    admin.client(metadata={"client_uri": "https://old.example/", "contacts": ["a@example.org"]})
    admin.clock.advance(60)
    filled = {
        **form_of(admin, EDIT),
        "name": "Better",
        "scope": "write read  read",
        "require_pkce": "yes",
        "skip_authorization": "y",
        "redirect_uris": "https://client.example/cb\nhttps://client.example/other",
        "client_uri": "https://new.example/",
        "owner": "bob",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    answer = admin.post(EDIT, filled)
    page = admin.http.get(answer.location)
    assert "The changes were saved" in page.text
    found = admin.found()
    assert found.name == "Better"
    assert found.scope == "write read"
    assert found.require_pkce is True
    assert found.skip_authorization is True
    assert found.redirect_uris == ("https://client.example/cb", "https://client.example/other")
    assert found.metadata == {"client_uri": "https://new.example/", "contacts": ["a@example.org"]}
    assert (found.user, found.token_endpoint_auth_method) == ("bob", "client_secret_basic")
    assert found.updated_at == NOW + 60
    assert admin.heard.of(ClientSaved) == [
        ClientSaved(provider=admin.provider, **BY_ADA, client_id="app", created=False, at=NOW + 60)
    ]
    assert form_of(admin, EDIT)["client_uri"] == "https://new.example/"


def test_an_edit_that_is_refused_changes_nothing(admin):
    before = admin.client().record
    page = admin.post(EDIT, {**form_of(admin, EDIT), "name": "New", "redirect_uris": "ftp://x"}, 400)
    assert "ftp://x" in page.text
    assert admin.found() == before
    assert admin.heard.of(ClientSaved) == []


def test_an_edit_saved_as_it_is_changes_nothing(admin):
    before = admin.client(
        scope="read", require_pkce=False, allowed_origins=("https://a.example",), algorithm="RS256"
    ).record
    admin.post(EDIT, form_of(admin, EDIT))
    assert admin.found() == replace(before, version=before.version + 1)


def test_only_fields_of_the_form_can_be_posted(admin):
    """Attack S57: mass assignment."""
    before = admin.client().record
    smuggled = {
        "client_id": "other",
        "client_type": "public",
        "secret_hashes": "digest:x",
        "secret_hashes-0": "digest:x",
        "disabled": "y",
        "created_at": "1",
        "updated_at": "1",
        "version": "7",
        "metadata": '{"a": 1}',
        "metadata-jwks_uri": "https://evil.example/",
        "hash_client_secret": "",
        "grant_types": "client_credentials",
        "grant_types-nonsense": "on",
    }
    admin.post(EDIT, {**form_of(admin, EDIT), **smuggled})
    assert admin.found() == replace(before, version=before.version + 1)
    assert admin.found("other") is None


def test_a_second_secret_takes_the_place_of_the_first(admin):
    first = admin.client(grant_types=("client_credentials",))
    token = admin.token_field("/application/view/?id=app")
    second = shown_secret(admin.post(SECRET, token, 200))
    assert authenticated(admin, "app", first.secret)
    assert authenticated(admin, "app", second)
    old, new = map(secret_id, admin.found().secret_hashes)

    full = admin.http.get(admin.post(SECRET, token).location)
    assert "at most 2 secrets" in full.text
    asked = admin.post(SECRET, {**token, "remove": old}, 200)
    assert authenticated(admin, "app", first.secret)
    done = admin.http.get(admin.post(SECRET, admin.forms(asked)[0]).location)
    assert "The secret was removed" in done.text
    assert not authenticated(admin, "app", first.secret)
    assert authenticated(admin, "app", second)

    kept = admin.http.get(admin.post(SECRET, {**token, "remove": new, "confirmed": "yes"}).location)
    assert "only secret" in kept.text
    assert authenticated(admin, "app", second)


def test_a_secret_is_added_encrypted_when_that_is_asked(admin):
    admin.client(grant_types=("client_credentials",))
    token = admin.token_field("/application/view/?id=app")
    secret = shown_secret(admin.post(SECRET, {**token, "readable": "on"}, 200))
    assert admin.found().secret_hashes[1].startswith("sealed:")
    assert authenticated(admin, "app", secret)


def test_a_public_client_is_given_no_secret(admin):
    admin.client(client_type="public")
    page = admin.get("/application/view/?id=app")
    assert "Secrets" not in page.text
    asked = admin.post(SECRET, {"csrf_token": ""}, 400)
    done = admin.http.get(admin.post(SECRET, admin.forms(asked)[0]).location)
    assert "a public client has no secret" in done.text
    assert admin.found().secret_hashes == ()


def test_the_last_use_of_each_secret_is_shown(admin):
    client = admin.client(grant_types=("client_credentials",))
    view = "/application/view/?id=app"
    assert "no use was seen" in admin.get(view).text
    authenticated(admin, "app", client.secret)
    assert "last used" in admin.get(view).text
    assert "2023-11-14" in admin.get(view).text
    assert not authenticated(admin, "app", "wrong")
    second = shown_secret(admin.post(SECRET, admin.token_field(view), 200))
    assert second
    page = admin.get(view).text
    assert ("last used" in page, "no use was seen" in page) == (True, True)


def test_a_use_is_written_once_in_a_while(admin):
    client = admin.client(grant_types=("client_credentials",))
    changed = []
    site = admin.provider.app.extensions["portula_admin"]["portula"]
    write = site.uses._write
    site.uses._write = lambda *given: (changed.append(given[2]), write(*given))
    for _ in range(5):
        authenticated(admin, "app", client.secret)
    admin.clock.advance(USE_SECONDS - 1)
    authenticated(admin, "app", client.secret)
    admin.clock.advance(1)
    authenticated(admin, "app", client.secret)
    assert changed == [NOW, NOW + USE_SECONDS]
    uses = site.uses.last(admin.found())
    assert list(uses.values()) == [NOW + USE_SECONDS]


def test_a_client_is_switched_off_and_on(admin):
    client = admin.client(grant_types=("client_credentials",))
    page = admin.act("application", "disable_selected", "app")
    assert "1 application disabled" in page.text
    assert not authenticated(admin, "app", client.secret)
    assert "Enable</button>" in admin.get("/application/view/?id=app").text
    admin.act("application", "enable_selected", "app")
    assert authenticated(admin, "app", client.secret)
    assert (
        admin.heard.of(ClientSaved)
        == [ClientSaved(provider=admin.provider, **BY_ADA, client_id="app", created=False, at=NOW)] * 2
    )


def test_what_cannot_be_switched_on_is_named_beside_what_was_done(make):
    admin = make(rule := Closed())
    admin.client("one")
    admin.client("two")
    rule.in_force = True
    assert "2 applications disabled." in admin.act("application", "disable_selected", "one", "two").text
    page = admin.act("application", "enable_selected", "one")
    assert "0 applications enabled. one was not enabled: no client is allowed." in page.text
    assert admin.found("one").disabled


def test_an_edit_that_others_are_quicker_than_each_time_is_to_be_tried_again(admin, monkeypatch):
    admin.client()
    form = form_of(admin, EDIT)
    for error, status, words in (
        (Conflict(Application, None), 400, "Please try again"),
        (UnknownClient("gone"), 404, "There is no such application"),
    ):
        monkeypatch.setattr(admin.provider.clients, "edit", Mock(side_effect=error))
        assert words in admin.post(EDIT, {**form, "name": "New"}, status).text


def test_nobody_who_edits_loses_what_another_changed(admin):
    """A secret that was removed meanwhile does not come back with a form that was opened before."""
    admin.client()
    admin.provider.clients.add_secret("app")
    form = form_of(admin, EDIT)
    removed = admin.found().secret_hashes[0]
    admin.provider.clients.remove_secret("app", secret_id(removed))
    admin.post(EDIT, {**form, "name": "New"})
    assert removed not in admin.found().secret_hashes
    assert admin.found().name == "New"


def test_a_form_that_was_opened_before_brings_nothing_back(admin):
    """A redirect URI that somebody took away would be one again, by whoever only meant to change the name."""
    admin.client(redirect_uris=("https://client.example/cb", "https://lost.example/cb"))
    opened = form_of(admin, EDIT)
    admin.provider.clients.edit("app", lambda found: replace(found, redirect_uris=found.redirect_uris[:1]))
    page = admin.post(EDIT, {**opened, "name": "New"}, 400)
    assert "Somebody else changed this" in page.text
    assert (admin.found().name, len(admin.found().redirect_uris)) == ("An app", 1)
    (again,) = admin.forms(page)
    assert again["name"] == "New"
    admin.post(EDIT, again)
    assert (admin.found().name, len(admin.found().redirect_uris)) == ("New", 2), "by somebody who was told"


def test_so_it_is_when_somebody_is_quicker_while_it_is_saved(admin, monkeypatch):
    admin.client()
    opened, check = form_of(admin, EDIT), admin.provider.clients.edit

    def edit(client_id, change):
        check("app", lambda found: replace(found, scope="read"))
        return check(client_id, change)

    monkeypatch.setattr(admin.provider.clients, "edit", edit)
    assert "Somebody else changed this" in admin.post(EDIT, {**opened, "name": "New"}, 400).text
    assert admin.found().scope == "read"


def test_a_form_that_does_not_say_what_it_showed_is_saved(admin):
    """Such as that of a template of the deployment's own, or of a script."""
    admin.client()
    form = form_of(admin, EDIT)
    del form["form_state"]
    admin.provider.clients.edit("app", lambda found: replace(found, scope="read"))
    admin.post(EDIT, {**form, "name": "New"})
    assert admin.found().name == "New"


def test_of_two_who_edit_at_once_neither_undoes_the_other_s_work(admin):
    admin.client()
    seen = []

    def rename(client):
        if not seen:  # somebody else is quicker
            admin.provider.clients.edit("app", lambda found: replace(found, scope="read"))
        seen.append(client.scope)
        return replace(client, name="New")

    admin.provider.clients.edit("app", rename)
    assert seen == [None, "read"]
    assert (admin.found().name, admin.found().scope) == ("New", "read")
