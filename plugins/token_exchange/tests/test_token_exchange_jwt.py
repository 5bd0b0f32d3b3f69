"""Access tokens that are JWTs are exchanged as others are, and say who acts (RFC 8693 §4.1, RFC 9068)."""

import pytest
from security.driving import error_of
from support.exchanges import GRANT

from portula_testing.jws import taken_apart


@pytest.fixture
def house(make_house):
    return make_house(ACCESS_TOKEN_FORMAT="jwt")


@pytest.mark.parametrize("kind", ["access_token", "jwt"])
def test_a_jwt_is_exchanged_and_the_new_one_says_who_acts(house, app, gateway, exchange, kind):
    token = house.tokens(app)["access_token"]
    made = exchange(gateway, token, kind)
    assert made.status_code == 200, made.text
    header, claims = taken_apart(made.json["access_token"])
    assert (header["typ"], claims["sub"], claims["client_id"]) == ("at+jwt", house.ann.sub, gateway.client_id)
    assert claims["act"] == {"sub": gateway.client_id, "client_id": gateway.client_id}
    assert claims["exp"] <= taken_apart(token)[1]["exp"]
    assert claims["auth_time"] == taken_apart(token)[1]["auth_time"], "the login is the subject's"
    again = taken_apart(exchange(gateway, made.json["access_token"], kind).json["access_token"])[1]
    assert again["act"]["act"] == claims["act"]


def test_one_that_was_changed_or_is_said_to_be_an_id_token_does_not_count(house, app, gateway, exchange):
    token = house.tokens(app)["access_token"]
    assert error_of(exchange(gateway, token[:-4] + "AAAA", "jwt")) == "invalid_request"
    assert error_of(exchange(gateway, token, "id_token")) == "invalid_request"


def test_an_opaque_one_is_no_jwt(make_house):
    house = make_house()
    gateway = house.client(grant_types=(GRANT,), redirect_uris=())
    form = {"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}
    form["subject_token"] = house.tokens(house.client())["access_token"]
    assert error_of(house.door().token(gateway, grant_type=GRANT, **form)) == "invalid_request"
