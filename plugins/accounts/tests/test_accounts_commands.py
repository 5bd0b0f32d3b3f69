import json
import subprocess
import sys

import pytest

from portula import Plugin, hookimpl

PASSWORD = "correct horse battery"


def test_createuser_reads_the_password_from_standard_input(accounts, run):
    done = run(
        "createuser", "Bob", "--password-stdin", "--email", "bob@example.com", "--json", typed=f"{PASSWORD}\n"
    )
    assert done.exit_code == 0, done.output
    bob = accounts.login.users.find_by_name("bob")
    told = {"sub": bob.sub, "username": "Bob", "email": "bob@example.com", "is_admin": False}
    assert json.loads(done.stdout).items() >= told.items()
    assert accounts.login.users.passwords.verify(PASSWORD, bob.password_hash)


def test_createuser_asks_twice_and_shows_nothing(accounts, run):
    done = run("createuser", "bob", "--admin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    assert accounts.login.users.find_by_name("bob").is_admin


def test_createuser_reads_the_password_from_a_file(accounts, run, tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nand what stands below\n")
    done = run("createuser", "bob", "--password-file", str(file))
    assert done.exit_code == 0, done.output
    assert accounts.login.users.passwords.verify(
        PASSWORD, accounts.login.users.find_by_name("bob").password_hash
    )


def test_createuser_takes_the_password_from_one_place(accounts, run, tmp_path):
    (tmp_path / "password").write_text(PASSWORD)
    words = ["--password-stdin", "--password-file", str(tmp_path / "password")]
    done = run("createuser", "bob", *words, typed=PASSWORD)
    assert done.exit_code == 2
    assert "--password-stdin and --password-file exclude each other" in done.output
    assert accounts.login.users.find_by_name("bob") is None


@pytest.mark.parametrize("subject", ["7", "x" * 255, "auth0|5f7c8ec7", "~~"])
def test_createuser_keeps_a_subject_that_apps_know(accounts, run, subject):
    done = run("createuser", "bob", "--subject", subject, "--password-stdin", "--json", typed=PASSWORD)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["sub"] == subject
    assert accounts.login.find(subject).username == "bob"
    listed = [
        json.loads(run("users", "list", "--limit", "1", "--json", *after).stdout)
        for after in ([], ["--after", "bob"])
    ]
    assert [[row["username"] for row in rows] for rows in listed] == [["Ada"], []]


@pytest.mark.parametrize("subject", ["", "x" * 256, "zoë", "a b", "a\n"])
def test_createuser_refuses_what_is_no_subject(accounts, run, subject):
    done = run("createuser", "bob", "--subject", subject, "--password-stdin", typed=PASSWORD)
    assert done.exit_code == 1
    assert "1 to 255 printable ASCII characters" in done.output
    assert accounts.login.users.find_by_name("bob") is None


def test_createuser_gives_no_subject_twice(accounts, run):
    words = ["--subject", accounts.ada.sub, "--password-stdin"]
    done = run("createuser", "bob", *words, typed=PASSWORD)
    assert done.exit_code == 1
    assert f"the subject {accounts.ada.sub!r} already" in done.output
    assert accounts.login.find(accounts.ada.sub).username == "Ada"


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [("ada", PASSWORD, "already"), ("bob", "short", "at least 8"), ("", PASSWORD, "user name")],
)
def test_createuser_says_what_is_wrong(run, name, typed, told):
    done = run("createuser", name, "--password-stdin", typed=typed)
    assert done.exit_code == 1
    assert told in done.output
    assert "short" not in done.output


def test_createuser_keeps_further_claims_about_the_person(accounts, run, tmp_path):
    file = tmp_path / "bob.json"
    file.write_text('{"name": "Bob Wren", "address": {"country": "NZ"}}')
    options = ("--claims-file", str(file), "--claims", '{"name": "Robert Wren"}')
    done = run("createuser", "bob", "--password-stdin", *options, typed=PASSWORD)
    assert done.exit_code == 0, done.output
    seen = accounts.login.users.find_by_name("bob").as_seen().claims
    assert (seen["name"], seen["address"]) == ("Robert Wren", {"country": "NZ"})


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ("{", "no JSON"),
        ("[]", "a JSON object"),
        ('{"sub": "1"}', "'sub'"),
        ('{"email": "a@b.example"}', "'email'"),
        ('{"size": NaN}', "size is a number without a finite value"),
        (r'{"name": "\ud800"}', "name is a text with NUL or a lone surrogate"),
        (r'{"name": "\u0000"}', "name is a text with NUL or a lone surrogate"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_createuser_refuses_claims_that_cannot_be_kept(accounts, run, claims, told):
    done = run("createuser", "bob", "--password-stdin", "--claims", claims, typed=PASSWORD)
    assert done.exit_code != 0
    assert told in done.output
    assert accounts.login.users.find_by_name("bob") is None


def test_changepassword_ends_the_sessions(accounts, browser, run):
    browser.sign_in()
    assert run("changepassword", "ADA", "--password-stdin", typed="another password").exit_code == 0
    assert browser.get("/accounts/").status_code == 302
    assert browser.sign_in().status_code == 400
    assert browser.sign_in(password="another password").status_code == 302


def test_changepassword_keeps_the_old_one_when_the_new_one_is_refused(browser, run):
    assert run("changepassword", "ada", "--password-stdin", typed="short").exit_code == 1
    assert browser.sign_in().status_code == 302


def test_disableuser_ends_the_sessions(browser, run):
    browser.sign_in()
    assert run("disableuser", "ada").exit_code == 0
    assert browser.get("/accounts/").status_code == 302
    assert browser.sign_in().status_code == 400


@pytest.mark.parametrize("command", ["changepassword", "disableuser"])
def test_an_unknown_name_is_an_error(run, command):
    done = run(command, "nobody")
    assert (done.exit_code, "no user named 'nobody'" in done.output) == (1, True)


def test_the_demo_user_gets_a_new_password_each_time(accounts, browser):
    first = dict(accounts.provider.hooks.collect(Plugin.portula_demo))
    second = dict(accounts.provider.hooks.collect(Plugin.portula_demo))
    assert first["Demo password"] != second["Demo password"]
    assert browser.sign_in("demo", first["Demo password"]).status_code == 400
    assert browser.sign_in("demo", second["Demo password"]).status_code == 302


def test_the_demo_user_administers_one_that_was_made_before_too(accounts):
    users = accounts.login.users
    users.create("demo", "correct horse battery")
    assert not accounts.login.find_by_name("Demo").is_admin
    accounts.provider.hooks.collect(Plugin.portula_demo)
    assert accounts.login.find_by_name("Demo").is_admin
    assert accounts.login.find_by_name("nobody") is None


def test_losing_the_slot_leaves_no_page_no_table_and_no_command():
    from flask import Flask
    from support.fitting import fitting

    import portula_accounts
    import portula_sessions
    from portula import Provider
    from portula_testing.memory import MemoryStore

    class Own:
        @hookimpl
        def portula_login(self, provider):
            return fitting("portula_login")

        @hookimpl
        def portula_stores(self, provider):
            return {"memory": MemoryStore}

    app = Flask("own")
    app.config["OAUTH2_PROVIDER"] = {"SECRET_KEYS": ["0123456789abcdef"], "PLUGINS_CHOICE": {"login": "Own"}}
    provider = Provider(app, plugins=[Own(), portula_accounts, portula_sessions], discover=False)
    assert app.test_client().get("/accounts/login/").status_code == 404
    assert "user" not in {record.name for record in provider.records}
    assert [command.name for command in provider.hooks.collect(Plugin.portula_commands)] == ["sessions"]
    assert provider.hooks.collect(Plugin.portula_demo) == {}


@pytest.mark.thorough
@pytest.mark.parametrize("words", [["createuser", "bob"], ["changepassword", "bob"]], ids=" ".join)
def test_without_a_terminal_no_password_is_typed_where_others_see_it(tmp_path, words):
    command = [
        sys.executable,
        "-c",
        "from portula.cli.main import main; main()",
        "--data-dir",
        tmp_path / "data",
    ]
    subprocess.run([*command, "init"], check=True, capture_output=True, timeout=60)
    add = [*command, "createuser", "bob", "--password-stdin"]
    if words[0] == "changepassword":
        subprocess.run(add, check=True, capture_output=True, input=PASSWORD, text=True, timeout=60)
    done = subprocess.run(
        [*command, *words],
        capture_output=True,
        check=False,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == 1
    expected = (
        b"Error: there is no terminal on which a password could be typed unseen; use --password-stdin\n"
    )
    assert done.stderr.replace(b"\r", b"") == expected
