"""Types of assertions that plugins judge."""

import pytest
from security.driving import error_of
from support.examples import example_of
from support.foreign_issuers import FOREIGN

from portula import Plugin, hookimpl
from portula.errors import BrokenPlugin, ConfigError, InvalidTargetError, StorageDown
from portula_jwt_bearer.hooks import JwtBearerHooks

TYP = "tea+jwt"


class Teas:
    """The example of the hook, which a test makes fail."""

    def __init__(self):
        room = example_of(JwtBearerHooks.portula_assertion_types, Plugin=Plugin)
        (self.kind,) = room.portula_assertion_types(None).values()

    @hookimpl(optionalhook=True)
    def portula_assertion_types(self, provider):
        return {TYP: self.kind}


@pytest.fixture
def teas():
    return Teas()


@pytest.fixture
def house(make_house, teas):
    return make_house(teas, trust={"types": ["JWT", TYP]})


def test_the_example_of_the_manual_judges(redeem, issuer, house):
    assert redeem(issuer.sign(typ=TYP, tea="green")).status_code == 200
    assert redeem(issuer.sign(typ="Application/Tea+JWT", tea="green")).status_code == 200
    assert error_of(redeem(issuer.sign(typ=TYP, tea="black"))) == "invalid_grant"
    for typ in ("JWT", None):
        assert redeem(issuer.sign(typ=typ)).status_code == 200
    assert error_of(redeem(issuer.sign(typ="coffee+jwt", tea="green"))) == "invalid_grant"
    document = house.door().open("/o/.well-known/openid-configuration").json
    assert document["authorization_grant_profiles_supported"] == ["urn:example:tea"]


def test_one_that_is_refused_is_not_used_up(redeem, issuer, teas):
    problem, teas.kind.problem = teas.kind.problem, lambda exchange, claims: "not now"
    assertion = issuer.sign(typ=TYP, tea="green")
    assert error_of(redeem(assertion)) == "invalid_grant"
    teas.kind.problem = problem
    assert redeem(assertion).status_code == 200
    assert error_of(redeem(assertion)) == "invalid_grant"


def test_the_scope_of_a_plain_assertion_says_nothing(redeem, issuer):
    assert redeem(issuer.sign(scope="read"), scope="read write").json["scope"] == "read write"
    answer = redeem(issuer.sign(typ=TYP, tea="green", scope="read"), scope="read write")
    assert error_of(answer) == "invalid_scope"


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (RuntimeError("the database of the type"), 500, "server_error"),
        (StorageDown("the database of the type"), 503, "temporarily_unavailable"),
        (InvalidTargetError(description="Not there."), 400, "invalid_target"),
    ],
    ids=str,
)
def test_a_type_that_fails_gives_nothing(redeem, issuer, teas, failure, status, error):
    def problem(exchange, claims):
        raise failure

    teas.kind.problem = problem
    answer = redeem(issuer.sign(typ=TYP, tea="green"))
    assert error_of(answer, status) == error
    assert "database of the type" not in answer.text


def test_what_is_no_type_stops_the_start(make_house, teas):
    teas.kind = "a tea"
    with pytest.raises(BrokenPlugin, match="portula_assertion_types"):
        make_house(teas)


def test_an_issuer_that_is_trusted_with_what_nobody_judges_stops_the_start(make_house):
    with pytest.raises(ConfigError, match=f"{FOREIGN}.*nobody judges"):
        make_house(trust={"types": [TYP]})


def test_an_issuer_is_trusted_with_what_the_settings_say(make_house, make_job, issuer, teas):
    house = make_house(teas)
    document = house.door().open("/o/.well-known/openid-configuration").json
    assert "authorization_grant_profiles_supported" not in document
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    answer = house.door().token(make_job(house), assertion=issuer.sign(typ=TYP, tea="green"), **form)
    assert error_of(answer) == "invalid_grant"
