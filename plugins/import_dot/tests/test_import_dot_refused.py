"""`portula import-dot-data`: what is refused, left out or asked for, and what is said of it."""

import json

import pytest

from portula import Plugin, hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import Application, Login, RefreshToken, User

SECRET = "the old secret of application 2, long enough"


def row(model, pk, **fields):
    return {"model": model, "pk": pk, "fields": fields}


def application(**fields):
    given = {
        "client_id": "app",
        "redirect_uris": "https://app.example/cb",
        "client_type": "confidential",
        "authorization_grant_type": "authorization-code",
        "client_secret": SECRET,
        "hash_client_secret": False,
    }
    return row("oauth2_provider.application", 1, **{**given, **fields})


def test_each_refused_row_is_told_with_its_reason_and_the_exit_code_says_so(house):
    done = house.run()
    assert done.exit_code == 1
    assert house.told()["refused"] == [
        {"model": "auth.user", "pk": 5, "reason": "bcrypt_sha256 is not compared with here"},
        {"model": "auth.user", "pk": 8, "reason": "There is a user named 'ada' already."},
        {
            "model": "oauth2_provider.application",
            "pk": 6,
            "reason": "grant type 'password' is off; PASSWORD_GRANT_ENABLED = True allows it",
        },
        {
            "model": "oauth2_provider.application",
            "pk": 9,
            "reason": "redirect URI 'http://app.example/cb' uses http on a host that is not loopback; use https",
        },
        {"model": "oauth2_provider.refreshtoken", "pk": 5, "reason": "nobody here has the subject '5'"},
    ]
    for text in (
        "bcrypt_sha256 is not compared",
        "'ada' already",
        "PASSWORD_GRANT_ENABLED = True is needed by 1",
    ):
        assert text in done.output


def test_nothing_secret_is_printed(house):
    printed = "".join(house.run(*options).output for options in (["--dry-run"], [], ["--json"]))
    for each in json.loads(house.dump.read_text()):
        for name in ("password", "client_secret", "token", "token_checksum", "jti"):
            value = each["fields"].get(name)
            assert not value or value not in printed


def test_settings_that_are_on_are_not_asked_for(make_house):
    on = make_house(PASSWORD_GRANT_ENABLED=True, IMPLICIT_GRANT_ENABLED=True).told()
    assert on["settings"] == {}
    assert on["counts"]["clients"]["taken"] == 9
    assert make_house().told()["settings"] == {"PASSWORD_GRANT_ENABLED": 1, "IMPLICIT_GRANT_ENABLED": 2}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"client_type": "secret"}, "client_type: Input should be 'confidential' or 'public'"),
        ({"client_id": "a b"}, "a client_id has 1 to 255 printable ASCII characters"),
        ({"client_id": None}, "client_id: Input should be a valid string"),
        ({"authorization_grant_type": "tea"}, "grant type 'tea' is not one of"),
        ({"client_secret": ""}, "it is confidential and has no secret"),
        ({"client_secret": "bcrypt$$2b$12$x"}, "bcrypt is not compared with here"),
        ({"client_secret": "pbkdf2_sha256$9000000$a$b", "hash_client_secret": True}, "would cost too much"),
        ({"client_secret": "tea", "algorithm": "HS256"}, "a chosen client secret has at least 32"),
        (
            {"redirect_uris": ""},
            "a client of the authorization endpoint needs a redirect URI (redirect_uris)",
        ),
        ({"user": ["ada"]}, "the file was written with --natural-foreign"),
    ],
    ids=str,
)
def test_a_client_that_a_rule_refuses_is_not_made(house, write, fields, reason):
    (refused,) = house.told(path=write(application(**fields)))["refused"]
    assert reason in refused["reason"]
    assert "tea" not in refused["reason"] or "grant" in refused["reason"]
    assert house.storage.select(Application) == []


def test_a_rule_of_a_plugin_is_heard(make_house, write):
    class NoApps(Plugin):
        def portula_validate_client_registration(self, registration):
            raise InvalidClientMetadata("no apps on Mondays")

    house = make_house(NoApps())
    (refused,) = house.told(path=write(application()))["refused"]
    assert refused["reason"] == "no apps on Mondays"


def test_a_short_secret_in_the_clear_is_kept_as_argon2id(house, write):
    assert house.told(path=write(application(client_secret="tea")))["refused"] == []
    assert house.storage.find(Application, client_id="app").secret_hashes[0].startswith("$argon2id$")


def test_a_client_that_registered_itself_is_known_as_such(house, write):
    house.told(path=write(application(registration_source="dcr")))
    assert house.storage.find(Application, client_id="app").is_self_registered


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"username": ""}, "A user name has 1 to 255 characters"),
        ({"username": "a\0b"}, "A user name has 1 to 255 characters"),
        ({"username": "ada", "email": "nowhere"}, "This is no e-mail address."),
        ({"username": "ada", "first_name": "\0"}, "cannot be written as JSON"),
        ({"username": "ada", "password": "md5$salt$0123"}, "md5 is not compared with here"),
        (
            {"username": "ada", "password": "a password in the clear"},
            "not of a form that is compared with here",
        ),
        ({}, "username: Field required"),
    ],
    ids=str,
)
def test_a_person_who_cannot_be_here_is_refused(house, write, fields, reason):
    (refused,) = house.told(path=write(row("auth.user", 1, **fields)))["refused"]
    assert reason in refused["reason"]
    assert "clear" not in refused["reason"]
    assert house.provider.people.find("1") is None


def test_somebody_else_of_the_same_key_gets_no_tokens_of_the_dump(house, write):
    """Another site, or a database that was made anew, has other people by the same keys."""
    rows = json.loads(house.dump.read_text())
    house.told(path=write(*[each for each in rows if each["model"] == "auth.user"]))
    for each in rows:
        if each["model"] == "auth.user" and each["pk"] == 1:
            each["fields"] |= {"username": "eve", "email": "eve@evil.example"}
    told = house.told(path=write(*rows))
    assert {name: told["refused"][0][name] for name in ("model", "pk")} == {"model": "auth.user", "pk": 1}
    assert "somebody of another name" in told["refused"][0]["reason"]
    assert all(token.subject != "1" for token in house.storage.select(RefreshToken))


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("oauth2_provider.accesstoken", {"scope": "read\0"}),
        ("oauth2_provider.accesstoken", {"scope": None}),
        ("oauth2_provider.application", {"user": "x" * 5000}),
        ("oauth2_provider.application", {"client_id": ""}),
    ],
    ids=str,
)
def test_a_row_that_no_store_takes_is_refused_and_the_others_are_taken(house, write, model, fields):
    rows, changed, good = json.loads(house.dump.read_text()), None, house.told("--dry-run")
    used = {each["fields"]["access_token"] for each in rows if each["model"].endswith("refreshtoken")}
    for each in rows:
        fits = each["pk"] in used if model.endswith("accesstoken") else True
        if changed is None and each["model"] == model and fits:
            each["fields"] |= fields
            changed = each
    told = house.told(path=write(*rows))
    taken, before = (sum(each["taken"] for each in of["counts"].values()) for of in (told, good))
    assert before - 3 <= taken < before
    assert len(told["refused"]) > len(good["refused"])


@pytest.mark.parametrize("pk", ["x" * 256, "zoë", "a b", ""])
def test_a_key_that_is_no_subject_is_refused(house, write, pk):
    (refused,) = house.told(path=write(row("auth.user", pk, username="ada")))["refused"]
    assert "255" in refused["reason"]


def test_another_model_of_users_may_sign_in_by_address(house, write):
    pk = "3e6d0a3c-5b0a-4f0e-9d5a-0a5a0f1d2c3b"
    path = write(row("accounts.user", pk, email="ada@example.com"), row("auth.user", 1, username="bob"))
    told = house.told("--user-model", "accounts.User", path=path)
    assert told["counts"]["people"]["taken"] == 1
    assert told["passed_over"] == {"auth.user": 1}
    assert house.provider.people.find(pk).username == "ada@example.com"


def test_a_login_of_the_applications_own_keeps_its_people(make_house):
    class Own(Login):
        def current(self):
            return None

        def login_url(self, next_url, client=None):
            return "/"

        def sign_out(self):
            """Nobody is signed in."""

        def find(self, subject):
            return User(subject, "ada") if subject == "1" else None

        @hookimpl
        def portula_login(self, provider):
            return self

    house = make_house(Own(), rooms=make_house.rooms)
    told = house.told()
    assert told["counts"]["people"] == {"taken": 0, "already there": 1, "left out": 0, "refused": 7}
    assert told["counts"]["refresh tokens"]["taken"] == 1
    assert house.refresh("web", house.tokens["web"]).status_code == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no list of rows in JSON"),
        ("{}", "Input should be a valid"),
        ('[{"model": "auth.user", "fields": {}}]', "0.pk"),
        ("<django-objects/>", "Invalid JSON"),
        ("[]", "has no row of auth.user, oauth2_provider.application, oauth2_provider.refreshtoken"),
        ('[{"model": "shop.tea", "pk": 1, "fields": {"password": "earl grey"}}]', "there are options"),
    ],
)
def test_a_wrong_file_is_told(house, tmp_path, text, told):
    (tmp_path / "rows.json").write_text(text)
    done = house.run(path=tmp_path / "rows.json")
    assert done.exit_code == 1
    assert told in done.output
    assert "Traceback" not in done.output
    assert "earl grey" not in done.output
