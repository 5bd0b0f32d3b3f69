"""What other plugins keep with a grant: joined as they say, told to the client, and refused where they fail."""

import pytest
from security.driving import error_of
from support.managed_grants import MANAGED, Managed

from portula import Plugin
from portula.errors import InvalidRequestError
from portula.plugin import AuthorizationContent


class Kettle(Plugin):
    """Keeps which tea was asked for; fails where it is told to."""

    failure = None

    def portula_validate_authorization_request(self, exchange):
        tea = exchange.parameter("tea")
        if tea is not None:
            exchange.facts["kettle"] = {"tea": [tea]}

    def portula_authorization_contents(self, provider):
        return {"kettle": AuthorizationContent(join=self.join, members=self.members)}

    def join(self, former, later):
        if self.failure is not None:
            raise self.failure
        return {"tea": sorted({*former["tea"], *later.get("tea", ())})}

    def members(self, given):
        if self.failure is not None:
            raise self.failure
        return {"tea": given.facts["kettle"]["tea"]} if "kettle" in given.facts else {}


@pytest.fixture(scope="module")
def kettle():
    return Kettle()


@pytest.fixture(scope="module")
def world(make_world, kettle):
    return make_world(kettle, SIGNING_KEYS_GENERATED=True, **MANAGED)


@pytest.fixture
def shop(world, kettle):
    kettle.failure = None
    yield Managed(world)
    kettle.failure = None


def test_they_are_joined_and_told(shop):
    grant_id = shop.tokens(tea="oolong")["grant_id"]
    assert shop.query(grant_id)["tea"] == ["oolong"]
    shop.tokens("merge", grant_id, tea="black")
    assert shop.query(grant_id)["tea"] == ["black", "oolong"]
    shop.tokens("merge", grant_id)
    assert shop.query(grant_id)["tea"] == ["black", "oolong"]
    shop.tokens("replace", grant_id)
    assert "tea" not in shop.query(grant_id)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (InvalidRequestError(description="No more."), (400, "invalid_request")),
        (ValueError("secret"), (500, "server_error")),
    ],
)
def test_what_cannot_be_joined_refuses_the_code_which_may_come_again(shop, kettle, failure, told):
    first = shop.tokens(tea="oolong")
    code = shop.code("merge", first["grant_id"], tea="black")
    kettle.failure = failure
    answer = shop.redeem(code)
    assert (answer.status_code, answer.json["error"]) == told
    assert "secret" not in answer.text
    assert shop.active(first["access_token"], first["refresh_token"]) == [True, True]
    kettle.failure = None
    assert shop.redeem(code).status_code == 200


def test_what_cannot_be_told_is_an_error_without_a_word_of_it(shop, kettle):
    first = shop.tokens(tea="oolong")
    kettle.failure = ValueError("secret")
    answer = shop.call(first["grant_id"])
    assert error_of(answer, 500) == "server_error"
    assert "secret" not in answer.text
    assert shop.call(first["grant_id"], "DELETE").status_code == 204
