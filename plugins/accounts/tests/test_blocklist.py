"""Passwords that nobody may choose, wherever one is set (NIST SP 800-63B-3 §5.1.1.2)."""

import pytest

from portula.errors import ConfigError
from portula_accounts.blocklist import Blocklist
from portula_accounts.users import UserError


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PASSWORD123",
        "P@ssw0rd!",
        "pass word",
        "qwertz2024",
        "Summer2026!",
        "12345678",
        "87654321",
        "abcdefgh",
        "1q2w3e4r",
        "zaq12wsx",
        "aaaaaaaaaaaa",
        "abcabcabcab",
        "Ada12345",
        "ada@example.com",
        "adaexample1",
        "provider99!",
        "localhost1",
    ],
)
def test_a_common_password_is_refused_for_everybody(password):
    names = ["Ada", "ada@example.com", "Provider", "localhost"]
    assert Blocklist(None).problem(password, names)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "tr0ub4dor&3",
        "another password",
        "Ada has many cats",
        "x9$Lq!vb",
        "пароль-на-лето",
    ],
)
def test_another_password_is_taken(password):
    assert Blocklist(None).problem(password, ["Ada", "example.com", "Provider", ""]) is None


@pytest.mark.parametrize("word", ["Password1", "Hollywood99", "adaada12"])
def test_it_is_refused_wherever_a_password_is_set(make, run, tmp_path, word):
    file = tmp_path / "leaked.txt"
    file.write_text("\nhollywood99\n")
    made = make(PASSWORD_BLOCKLIST_FILE=str(file))
    users = made.login.users
    with pytest.raises(UserError):
        users.create("Bob adaada", word)
    with pytest.raises(UserError):
        users.set_password(made.ada, word)
    assert users.find(made.ada.sub) == made.ada


@pytest.mark.parametrize(
    "command", [("createuser", "bob"), ("users", "create", "bob"), ("changepassword", "ada")]
)
def test_the_command_says_why(run, command):
    done = run(*command, "--password-stdin", typed="password1")
    assert (done.exit_code, "too common" in done.stderr) == (1, True)
    assert "password1" not in done.output


def test_a_file_that_is_not_there_stops_start_up(make):
    with pytest.raises(ConfigError, match="PASSWORD_BLOCKLIST_FILE"):
        make(PASSWORD_BLOCKLIST_FILE="/nosuch/file")


def test_a_password_of_old_still_signs_in(make):
    """Who has one already is not shut out: it is judged when it is set."""
    from portula_accounts.passwords import Passwords
    from portula_accounts.records import User
    from portula_testing.writing import change_in

    made = make()
    change_in(
        made.provider.storage,
        User,
        {"sub": made.ada.sub},
        password_hash=Passwords("testing").hash("password"),
    )
    assert made.browser().sign_in(password="password").status_code == 302
