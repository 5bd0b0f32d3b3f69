"""Start page, account and admin lead to each other, and nobody is shown a way that is closed to them."""

import pytest
from support.browser import forms_of

from portula import Plugin
from portula.cli.serve import ServeOptions, make_app

PASSWORD = "a long password of hers"


@pytest.fixture
def server(tmp_path):
    """A server that stands alone, with an administrator and somebody else."""
    app, provider = make_app(
        ServeOptions(data_dir=str(tmp_path / "data"), creating=True, issuer="http://localhost/o")
    )
    users = provider.hooks.ask(Plugin.portula_login).users
    with app.app_context():
        users.create("root", PASSWORD, is_admin=True)
        users.create("ann", PASSWORD)
    return app


def browser(server, username=None):
    client = server.test_client()
    if username:
        (form,) = forms_of(client.get("/accounts/login/").text)
        answer = client.post(
            "/accounts/login/", data={**form.fields, "username": username, "password": PASSWORD}
        )
        assert answer.status_code == 302, answer.text
    return client


def test_the_start_page_leads_strangers_to_their_account_and_apps_to_the_metadata(server):
    page = browser(server).get("/")
    assert page.status_code == 200
    assert 'href="/accounts/"' in page.text
    assert "Sign in to your account" in page.text
    assert 'href="/.well-known/oauth-authorization-server/o"' in page.text
    assert "Administration" not in page.text


@pytest.mark.parametrize("path", ["/", "/accounts/"])
def test_administrators_alone_are_shown_the_way_to_the_admin(server, path):
    assert 'href="/o/admin/"' in browser(server, "root").get(path).text
    page = browser(server, "ann").get(path)
    assert page.status_code == 200
    assert "/o/admin/" not in page.text


def test_the_admin_leads_to_the_account_and_out(server):
    page = browser(server, "root").get("/o/admin/")
    assert page.status_code == 200
    assert 'href="/accounts/"' in page.text
    assert 'href="/accounts/logout/"' in page.text
