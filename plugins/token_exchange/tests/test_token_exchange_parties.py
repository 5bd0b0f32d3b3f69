"""Whose tokens a client may present, as subject and as actor: its own, and those that are for it (RFC 8693 §2.1)."""

import pytest
from security.driving import PASSWORD, error_of
from support.exchanges import API, GRANT, MAIL, TYPE

ACCESS, ID = ("access_token", "access_token"), ("id_token", "id_token")
ACCESS_AS_JWT, ID_AS_JWT = ("access_token", "jwt"), ("id_token", "jwt")
"""A member of the answer, and the type that it is presented as."""


@pytest.fixture(params=["opaque", "jwt"])
def house(make_house, request):
    """A house for each form of access tokens."""
    return make_house(ACCESS_TOKEN_FORMAT=request.param)


@pytest.fixture
def api(house):
    """The client that API belongs to, of which people have tokens too."""
    return house.client(client_id="api", grant_types=("authorization_code", GRANT))


@pytest.fixture
def bob(house):
    return house.users.create("bob", PASSWORD)


@pytest.fixture
def present(house, api, bob, exchange):
    """Return a function that lets the API present a token of Bob in one position, with its own in the other."""

    def run(position, party, presented, **asked):
        member, kind = presented
        value = house.tokens(party, username="bob", scope="openid read", **asked)[member]
        if position == "subject_token":
            return exchange(api, value, kind)
        subject = house.tokens(api, scope="openid read")["access_token"]
        return exchange(api, subject, actor_token=value, actor_token_type=TYPE + kind)

    return run


each_position = pytest.mark.parametrize("position", ["subject_token", "actor_token"])


@each_position
@pytest.mark.parametrize("presented", [ID, ID_AS_JWT], ids="-".join)
@pytest.mark.parametrize("resource", [[API], [MAIL], []], ids=["for API", "for MAIL", "for anybody"])
def test_an_id_token_is_for_its_client_alone_whatever_access_tokens_are_for(
    present, app, position, presented, resource
):
    asked = {"resource": resource} if resource else {}
    assert error_of(present(position, app, presented, **asked)) == "invalid_request"


@each_position
@pytest.mark.parametrize("presented", [ID, ID_AS_JWT, ACCESS], ids="-".join)
def test_a_client_presents_its_own(house, api, bob, present, position, presented):
    answer = present(position, api, presented)
    assert answer.status_code == 200, answer.text
    shown = house.door().introspect(api, answer.json["access_token"]).json
    assert bob.sub == (shown["sub"] if position == "subject_token" else shown["act"]["sub"])


@each_position
def test_an_access_token_is_presented_by_whom_it_is_for(present, app, position):
    answer = present(position, app, ACCESS, resource=API)
    assert answer.status_code == 200, answer.text
    assert error_of(present(position, app, ACCESS, resource=MAIL)) == "invalid_request"


@each_position
def test_so_is_one_in_the_form_of_a_jwt_by_that_name(house, present, app, position):
    status = 400 if house.provider.all_settings.value("ACCESS_TOKEN_FORMAT") == "opaque" else 200
    assert present(position, app, ACCESS_AS_JWT, resource=API).status_code == status


def test_an_access_token_for_anybody_makes_nobody_else_an_actor(present, app):
    """As a subject the policy decides about it."""
    assert present("subject_token", app, ACCESS).status_code == 200
    assert error_of(present("actor_token", app, ACCESS)) == "invalid_request"
