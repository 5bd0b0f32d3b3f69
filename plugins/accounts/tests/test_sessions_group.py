"""`portula sessions`, beside a login that knows names."""

import json

import pytest


@pytest.fixture
def browsers(accounts):
    """Sign Ada in with two browsers."""
    browsers = [accounts.browser(), accounts.browser()]
    for browser in browsers:
        browser.sign_in()
        accounts.host.advance(60)
    return browsers


def signed_in(browsers):
    return [browser.get("/accounts/").status_code == 200 for browser in browsers]


def read(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_sessions_are_listed_and_shown_without_their_cookies(accounts, browsers, run):
    rows = read(run("sessions", "list", "ada", "--json"))
    assert [row["username"] for row in rows] == ["Ada", "Ada"]
    assert rows == read(run("sessions", "list", accounts.ada.sub, "--json"))
    assert rows[0] == read(run("sessions", "show", "ada", rows[0]["sid"], "--json"))
    table = run("sessions", "list", "ada").stdout
    assert rows[0]["sid"] in table
    cookie = browsers[0].client.get_cookie("portula_session") or next(
        iter(browsers[0].client._cookies.values())
    )
    assert cookie.value not in table


def test_one_session_ends_once_it_was_confirmed(browsers, run):
    newest, oldest = (row["sid"] for row in read(run("sessions", "list", "ada", "--json")))
    assert run("sessions", "end", "ada", oldest, typed="n\n").exit_code == 1
    assert signed_in(browsers) == [True, True]
    assert read(run("sessions", "end", "ada", oldest, "--yes", "--json")) == {"ended": 1}
    assert signed_in(browsers) == [False, True]
    assert newest in run("sessions", "list", "ada").stdout


def test_all_sessions_end(browsers, run):
    assert run("sessions", "end", "ada", "--all", typed="y\n").exit_code == 0
    assert signed_in(browsers) == [False, False]
    assert "signed in nowhere" in run("sessions", "list", "ada").stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("list", "Adda"), 1, "no user named 'Adda'; did you mean 'Ada'?\n"),
        (("show", "ada", "nosuch"), 1, "no session 'nosuch'"),
        (("end", "ada"), 2, "--all"),
        (("end", "ada", "nosuch", "--yes"), 1, "no session 'nosuch'"),
        (("end", "ada", "nosuch", "--all", "--yes"), 2, "--all"),
    ],
)
def test_what_is_not_there_is_an_error(browsers, run, words, code, told):
    done = run("sessions", *words)
    assert (done.exit_code, told in done.stderr) == (code, True)
    assert signed_in(browsers) == [True, True]
