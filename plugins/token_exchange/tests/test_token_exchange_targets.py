"""Whom `audience` may name: clients, their names, resources, and what the policy knows (RFC 8693 §2.1, §2.2.2)."""

import pytest
from security.driving import error_of
from support.exchanges import API, GRANT, MAIL, TYPE

from portula.errors import StorageDown
from portula.plugin import AccessToken

PAYROLL = "urn:example:payroll"
NEWS = "https://news.example"


@pytest.fixture
def ask():
    """Return a function that exchanges a token of a person at a house, for a target."""

    def run(house, **target):
        gateway = house.client(grant_types=(GRANT,), redirect_uris=())
        token = house.tokens(house.client())["access_token"]
        form = {"subject_token": token, "subject_token_type": f"{TYPE}access_token"}
        return house.door().token(gateway, grant_type=GRANT, **form, **target)

    return run


def audience_of(house, answer):
    assert answer.status_code == 200, answer.text
    live = house.provider.validator.find_live_access_token(answer.json["access_token"])
    assert isinstance(live.token, AccessToken)
    return live.token.audience


@pytest.mark.parametrize(
    ("target", "audience"),
    [
        ({"audience": MAIL}, (MAIL,)),
        ({"audience": MAIL.removesuffix("/")}, (MAIL,)),
        ({"audience": [MAIL, API]}, (MAIL, API)),
        ({"audience": MAIL, "resource": API}, (API, MAIL)),
        ({"audience": MAIL, "resource": MAIL}, (MAIL,)),
        ({"audience": "pay"}, ("pay",)),
        ({"audience": ["pay", PAYROLL]}, ("pay", PAYROLL)),
        ({"audience": [PAYROLL, MAIL, PAYROLL]}, (MAIL, PAYROLL)),
    ],
    ids=str,
)
def test_what_the_deployment_knows_is_named(make_house, policy, ask, target, audience):
    asked = []

    def knows_audience(client, audience):
        asked.append((client.client_type, audience))
        return audience in ("pay", PAYROLL)

    policy.knows_audience = knows_audience
    house = make_house()
    house.client(client_id="api")
    answer = ask(house, **target)
    assert sorted(audience_of(house, answer)) == sorted(audience)
    assert sorted(policy.requests[-1].audience) == sorted(audience)
    assert all(kind == "confidential" and name not in (API, "api") for kind, name in asked)


@pytest.mark.parametrize(
    "name",
    [
        NEWS,
        f"{MAIL}inbox",
        "https://MAIL.example/",
        "pay",
        PAYROLL,
        "mail.example",
        "https://",
        "javascript:alert(1)",
        "%",
        "x" * 3000,
    ],
)
def test_anything_else_is_no_target(make_house, policy, ask, name):
    for answer in (False, None, 1, "yes"):
        policy.knows_audience = lambda client, audience, answer=answer: answer
        assert error_of(ask(make_house(), audience=name)) == "invalid_target"


def test_where_any_resource_is_allowed_so_is_any_audience_that_is_one(make_house, ask):
    house = make_house(RESOURCE_INDICATORS_POLICY="any")
    assert audience_of(house, ask(house, audience=NEWS)) == (NEWS,)
    assert error_of(ask(house, audience="news")) == "invalid_target"


def test_where_nobody_knows_resources_only_names_are_known(make_house, policy, ask):
    house = make_house(PROTECTED_RESOURCES={})
    assert error_of(ask(house, audience=MAIL)) == "invalid_target"
    policy.knows_audience = lambda client, audience: audience == MAIL
    assert audience_of(house, ask(house, audience=MAIL)) == (MAIL,)


def test_a_policy_that_fails_knows_nobody(make_house, policy, ask):
    def fails(client, audience):
        raise RuntimeError("the database of the policy")

    policy.knows_audience = fails
    house = make_house()
    assert error_of(ask(house, audience=PAYROLL), 500) == "server_error"
    house.client(client_id="api")
    assert ask(house, audience=API).status_code == 200, "it is not asked of these"

    def down(client, audience):
        raise StorageDown("the database of the policy")

    policy.knows_audience = down
    assert error_of(ask(house, audience=PAYROLL), 503) == "temporarily_unavailable"


def test_a_token_for_one_server_is_not_exchanged_for_another(house, exchange, policy):
    policy.knows_audience = lambda client, audience: True
    gateway = house.client(client_id="api", grant_types=(GRANT,), redirect_uris=())
    token = house.tokens(house.client(), resource=API)["access_token"]
    assert exchange(gateway, token, audience=API).status_code == 200
    for other in (MAIL, PAYROLL, NEWS):
        assert error_of(exchange(gateway, token, audience=other)) == "invalid_target"


def test_what_the_policy_sees_decides(house, app, gateway, exchange, policy):
    policy.may_delegate = lambda request: request.audience == (MAIL,)
    token = house.tokens(app)["access_token"]
    assert exchange(gateway, token, audience=MAIL).status_code == 200
    assert error_of(exchange(gateway, token, audience=API)) == "invalid_request"
