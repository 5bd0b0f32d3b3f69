"""`portula users`: what an administrator does with accounts, from the first list to the last removal."""

import json

import pytest

from portula.plugin import Authorization, Plugin, RefreshToken, plan_to_add

PASSWORD = "correct horse battery"


def read(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def authorized(accounts):
    """Give Ada an authorization with a refresh token, and Bob one that nobody touches."""
    bob = accounts.login.users.create("Bob", PASSWORD)
    storage, now = accounts.provider.storage, accounts.provider.now()
    for name, sub in (("ada's", accounts.ada.sub), ("bob's", bob.sub)):
        facts = {"client_id": "tea", "subject": sub, "scope": "read", "issued_at": now}
        storage.apply(
            plan_to_add(
                Authorization(id=name, **facts),
                RefreshToken(authorization=name, digest=name, sealed="s", **facts),
            )
        )
    return accounts


def revoked(accounts, name):
    return accounts.provider.storage.find(Authorization, id=name).revoked_at is not None


def test_a_list_is_in_order_of_name_and_goes_on_behind_a_name(accounts, run):
    for name in ("Dora", "bob", "Carl", "Émile"):
        accounts.login.users.create(name, PASSWORD)
    assert [row["username"] for row in read(run("users", "list", "--json"))] == [
        "Ada",
        "bob",
        "Carl",
        "Dora",
        "Émile",
    ]
    first = run("users", "list", "--limit", "2")
    assert "bob" in first.stdout
    assert "Carl" not in first.stdout
    assert "--after bob" in first.stderr
    page = read(run("users", "list", "--limit", "2", "--after", "BOB", "--json"))
    assert [row["username"] for row in page] == ["Carl", "Dora"]


def test_show_prints_everything_but_the_password(accounts, run):
    facts = read(run("users", "show", "ada", "--json"))
    assert facts["email"] == "ada@example.com"
    table = run("users", "show", accounts.ada.sub)
    assert "ada@example.com" in table.stdout
    for text in (json.dumps(facts), table.stdout):
        assert accounts.ada.password_hash not in text
        assert "password" not in text


@pytest.mark.parametrize("command", ["show", "set", "enable", "disable", "remove", "password"])
def test_an_unknown_name_is_answered_with_the_nearest(accounts, run, command):
    accounts.login.users.create("Bernadette", PASSWORD)
    done = run("users", command, "Bernadete", *(["--email", "x@y.example"] if command == "set" else []))
    assert done.exit_code == 1
    assert done.stderr.endswith("did you mean 'Bernadette'?\n")


def test_set_changes_what_is_given_and_nothing_else(accounts, browser, run):
    browser.sign_in()
    run("users", "set", "ada", "--claims", '{"name": "Ada L.", "locale": "en", "email_verified": true}')
    facts = read(
        run(
            *("users", "set", "ada", "--email", "a@l.example", "--name", "Lovelace", "--admin"),
            *("--claims", '{"locale": null, "zoneinfo": "UTC"}', "--json"),
        )
    )
    assert (facts["username"], facts["email"], facts["is_admin"]) == ("Lovelace", "a@l.example", True)
    assert facts["claims"] == {"name": "Ada L.", "zoneinfo": "UTC"}
    assert facts == read(run("users", "show", "lovelace", "--json"))
    assert facts["sub"] == accounts.ada.sub
    assert browser.get("/accounts/").status_code == 200
    assert "Lovelace" in browser.get("/accounts/").text
    facts = read(run("users", "set", "lovelace", "--email", "", "--no-admin", "--json"))
    assert (facts["email"], facts["is_admin"]) == (None, False)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--name", "bob"), "already"),
        (("--name", " "), "user name"),
        (("--email", "nobody"), "e-mail"),
        (("--claims", '{"sub": "1"}'), "'sub'"),
        ((), "say what to change"),
    ],
)
def test_set_refuses_what_cannot_be(accounts, run, options, told):
    accounts.login.users.create("Bob", PASSWORD)
    done = run("users", "set", "ada", *options)
    assert done.exit_code in (1, 2)
    assert told in done.stderr
    assert accounts.login.users.find(accounts.ada.sub) == accounts.ada


def test_a_change_that_comes_too_late_is_refused(accounts):
    from portula_accounts.users import UserError

    users, ada = accounts.login.users, accounts.ada
    users.update(ada, username="Augusta")
    with pytest.raises(UserError, match="at this moment"):
        users.update(ada, email="late@example.com")


def test_disabling_ends_sessions_and_authorizations_and_enabling_lets_in_again(authorized, browser, run):
    browser.sign_in()
    assert read(run("users", "disable", "ada", "--json"))["disabled"] is True
    assert (revoked(authorized, "ada's"), revoked(authorized, "bob's")) == (True, False)
    assert authorized.provider.storage.find(RefreshToken, authorization="ada's").sealed is None
    assert [event.authorization for event in authorized.host.heard if hasattr(event, "authorization")] == [
        "ada's"
    ]
    assert browser.get("/accounts/").status_code == 302
    assert browser.sign_in().status_code == 400
    assert read(run("users", "enable", "ada", "--json"))["disabled"] is False
    assert browser.get("/accounts/").status_code == 302
    assert browser.sign_in().status_code == 302
    assert revoked(authorized, "ada's")


def test_removing_asks_first_and_leaves_nothing(authorized, browser, run):
    browser.sign_in()
    refused = run("users", "remove", "ada", typed="n\n")
    assert refused.exit_code == 1
    assert authorized.login.users.find_by_name("ada")
    assert run("users", "remove", "ada", typed="").exit_code == 1
    assert run("users", "remove", "ada", "--yes").exit_code == 0
    assert authorized.login.users.find_by_name("ada") is None
    assert (revoked(authorized, "ada's"), revoked(authorized, "bob's")) == (True, False)
    assert browser.get("/accounts/").status_code == 302
    assert authorized.provider.hooks.ask(Plugin.portula_sessions).live_sessions(authorized.ada.sub) == []


def test_old_names_run_the_same_commands(accounts, run):
    assert run("users", "create", "bob", "--password-stdin", typed=PASSWORD).exit_code == 0
    assert run("users", "password", "bob", "--password-stdin", typed="another horse battery").exit_code == 0
    assert run("disableuser", "bob").exit_code == 0
    bob = accounts.login.users.find_by_name("bob")
    assert bob.disabled
    assert accounts.login.users.passwords.verify("another horse battery", bob.password_hash)
