"""Details that an identity provider grants: those that the server knows, and nothing wrong with them (RFC 9396)."""

import json

import pytest
from security.driving import Door, error_of
from support import details
from support.id_jag import CHAT_HOST, Chain

from portula.plugin import Authorization

UNKNOWN = {"type": "unknown there"}
WRONG = {**details.ACCOUNTS, "identifier": "nobody's"}
FEWER = {**details.ACCOUNTS, "actions": ["list_accounts"]}


@pytest.fixture
def chain():
    made = Chain(chat={"AUTHORIZATION_DETAILS_TYPES": details.TYPES})
    made.chat.change(made.there, metadata={"authorization_details_types": ["account_information"]})
    return made


def given(chain, *objects, **form):
    assertion = chain.assertion(authorization_details=json.dumps(objects))
    return chain.redeem(assertion, **form)


def told(answer):
    assert answer.status_code == 200, answer.text
    return [(each["type"], tuple(each["actions"])) for each in answer.json.get("authorization_details", [])]


ALL = ("account_information", tuple(details.ACCOUNTS["actions"]))


def test_the_token_has_what_was_granted_there_and_the_person_sees_it(chain):
    answer = given(chain, details.ACCOUNTS)
    assert told(answer) == [ALL]
    seen = Door(chain.chat.app, CHAT_HOST).introspect(chain.there, answer.json["access_token"]).json
    assert [each["type"] for each in seen["authorization_details"]] == ["account_information"]
    (under,) = chain.chat.provider.storage.select(Authorization, subject=chain.chat.ann.sub)
    assert details.ACCOUNTS["actions"] == under.facts["rar"]["details"][0]["actions"]


def test_what_is_not_known_or_is_wrong_is_left_out(chain):
    assert told(given(chain, UNKNOWN, details.ACCOUNTS, WRONG, details.OF_CLIENT, details.PAYMENT)) == [ALL]
    assert told(given(chain, UNKNOWN)) == []


def test_the_request_names_fewer_and_no_more(chain):
    fewer = json.dumps([FEWER])
    assert told(given(chain, details.ACCOUNTS, authorization_details=fewer)) == [
        ("account_information", ("list_accounts",))
    ]
    more = json.dumps([details.ACCOUNTS])
    for objects in ((FEWER,), ()):
        answer = chain.redeem(
            chain.assertion(authorization_details=json.dumps(objects)), authorization_details=more
        )
        assert error_of(answer) == "invalid_authorization_details"
    assert (
        error_of(chain.redeem(chain.assertion(), authorization_details=more))
        == "invalid_authorization_details"
    )


def test_where_there_are_no_types_none_is_granted():
    chain = Chain()
    assert told(given(chain, details.ACCOUNTS)) == []
