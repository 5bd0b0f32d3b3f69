"""Members of client metadata that rooms contribute with a label are shown and edited."""

import pytest

from portula import Plugin
from portula.plugin import Application, ClientMember
from portula_admin.clients import CONTRIBUTED, ApplicationAdmin
from portula_testing.writing import add_to

EDIT, VIEW = "/application/edit/?id=tea", "/application/view/?id=tea"


class Teapots(Plugin):
    def portula_client_metadata(self, provider):
        return [
            ClientMember("likes_tea", bool, label="Likes tea", hint="Green or black."),
            ClientMember("sugar", bool),
            ClientMember("leaves", list[str], label="Leaves", hint="One a line."),
        ]


class Narrow(ApplicationAdmin):
    fieldsets = ((None, {"fields": ("name",)}),)


@pytest.fixture
def tea(make):
    admin = make(Teapots())
    client = Application(client_id="tea", grant_types=("client_credentials",), metadata={"sugar": True})
    add_to(admin.storage, client)
    return admin


def held(admin):
    return admin.storage.find(Application, client_id="tea").metadata


def test_a_labelled_member_is_edited_in_three_ways(tea):
    page = tea.get(EDIT)
    assert "Likes tea" in page.text
    assert "Green or black." in page.text
    (form,) = tea.forms(page)
    assert form["likes_tea"] == ""
    assert "sugar" not in form
    for word, value in [("yes", True), ("no", False), ("", None)]:
        (form,) = tea.forms(tea.get(EDIT))
        tea.post(EDIT, {**form, "likes_tea": word})
        assert held(tea).get("likes_tea") is value
        assert held(tea)["sugar"] is True
        assert ("Likes tea" in tea.get(VIEW).text) is (value is not None)


def test_a_list_is_edited_a_line_each(tea):
    for text, held_then in [("green\n black \n", ["green", "black"]), ("green", ["green"]), ("", None)]:
        (form,) = tea.forms(tea.get(EDIT))
        tea.post(EDIT, {**form, "leaves": text})
        assert held(tea).get("leaves") == held_then
        assert ("black" in tea.get(VIEW).text) is (held_then == ["green", "black"])


def test_a_field_that_is_emptied_is_empty(tea):
    uris = {
        "post_logout_redirect_uris": ("https://tea.example/out",),
        "allowed_origins": ("https://tea.example",),
    }
    add_to(
        tea.storage,
        Application(client_id="full", name="Full", scope="read", user="ada", algorithm="RS256", **uris),
    )
    address = "/application/edit/?id=full"
    (form,) = tea.forms(tea.get(address))
    emptied = dict.fromkeys(("name", "scope", "owner", "algorithm", *uris), "")
    assert emptied.keys() <= form.keys()
    tea.post(address, {**form, **emptied})
    client = tea.storage.find(Application, client_id="full")
    assert (client.name, client.scope, client.user, client.algorithm) == ("", None, None, "")
    assert (client.post_logout_redirect_uris, client.allowed_origins) == ((), ())


def test_every_choice_can_be_taken_back(tea):
    for field, word in [("require_pkce", "yes"), ("token_endpoint_auth_method", "client_secret_post")]:
        for chosen in (word, ""):
            (form,) = tea.forms(tea.get(EDIT))
            tea.post(EDIT, {**form, field: chosen})
        assert getattr(tea.storage.find(Application, client_id="tea"), field) is None


@pytest.mark.parametrize("word", ["maybe", "True", "1"])
def test_any_other_word_is_refused(tea, word):
    (form,) = tea.forms(tea.get(EDIT))
    tea.post(EDIT, {**form, "likes_tea": word}, 400)
    assert "likes_tea" not in held(tea)


def test_a_member_without_a_label_and_one_that_a_class_leaves_out_can_never_be_posted(tea, make):
    (form,) = tea.forms(tea.get(EDIT))
    tea.post(EDIT, {**form, "sugar": "no"})
    assert held(tea)["sugar"] is True
    narrow = make(Teapots(), APPLICATION_ADMIN_CLASS=Narrow)
    add_to(narrow.storage, Application(client_id="tea", grant_types=("client_credentials",)))
    (form,) = narrow.forms(narrow.get(EDIT))
    narrow.post(EDIT, {**form, "likes_tea": "yes"})
    assert held(narrow) == {}
    assert CONTRIBUTED not in narrow.get(EDIT).text
