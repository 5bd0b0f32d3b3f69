"""Every question of oauthlib's RequestValidator is asked by a step, or `portula check` says why it is not."""

import pytest
from oauthlib.openid import RequestValidator
from security.house import PASSWORD, House
from support.checks import findings_of

from portula import OAuth2Validator
from portula.flow.questions import ASKED, NEVER_ASKED

QUESTIONS = sorted(name for name in dir(RequestValidator) if not name.startswith("_"))


def recorder(heard):
    """Return a validator class that notes each question and asks the rooms for the answer."""

    def noting(name):
        def question(self, *arguments, **keywords):
            heard.add(name)
            return getattr(super(made, self), name)(*arguments, **keywords)

        return question

    made = type("Recorder", (OAuth2Validator,), {name: noting(name) for name in QUESTIONS})
    return made


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_question_has_its_row(name):
    assert (name in ASKED) != (name in NEVER_ASKED)


def test_the_rows_say_what_happens(tmp_path):
    heard = set()
    house = House(
        discover=True,
        folder=tmp_path,
        OAUTH2_VALIDATOR_CLASS=recorder(heard),
        PASSWORD_GRANT_ENABLED=True,
        DEFAULT_SCOPES=["read"],
        OIDC_ENABLED=True,
    )
    client, door = house.client(scope="openid read write"), house.door()
    tokens = house.tokens(client, scope="openid read")
    refreshed = door.token(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    wider = door.token(
        client, grant_type="refresh_token", refresh_token=refreshed.json["refresh_token"], scope="write"
    )
    assert wider.json["error"] == "invalid_scope"
    bearer = {"Authorization": f"Bearer {refreshed.json['access_token']}"}
    assert door.open("/o/userinfo/", headers=bearer).status_code == 200
    house.browser().authorize(client, redirect_uri=None, scope=None)
    direct = house.client(grant_types=("password",))
    door.token(direct, grant_type="password", username="ann", password=PASSWORD)
    door.post("/o/revoke_token/", {"token": tokens["access_token"]}, client.auth)
    unneeded = {"authenticate_client_id"}  # asked where client_authentication_required says no
    assert set(ASKED) - heard == unneeded
    assert heard & set(NEVER_ASKED) == set()


def test_who_requires_no_authentication_is_asked_about_the_client_id():
    heard = set()

    class Public(recorder(heard)):
        def client_authentication_required(self, request):
            return False

    house = House(OAUTH2_VALIDATOR_CLASS=Public)
    assert "access_token" in house.tokens(house.public_client())
    assert "authenticate_client_id" in heard


def test_check_names_questions_that_nobody_asks(tmp_path):
    module = tmp_path / "own_validator.py"
    module.write_text(
        "from portula import OAuth2Validator\n\n\nclass Own(OAuth2Validator):\n"
        "    def validate_silent_login(self, request):\n        return True\n\n"
        "    def rotate_refresh_token(self, request):\n        return True\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        rows, status = findings_of("oauth2", tmp_path, OAUTH2_VALIDATOR_CLASS="own_validator.Own")
    found = {name for name in rows if "unasked" in name}
    assert (found, status) == ({"oauth2.unasked-validate-silent-login"}, 0)
    assert "portula_interaction_demands" in rows["oauth2.unasked-validate-silent-login"]["summary"]
