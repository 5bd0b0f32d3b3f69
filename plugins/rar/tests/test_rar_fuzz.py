"""Whatever stands in the place of details: no failure of the server, and nothing of it in a token."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.driving import answered
from support.details import ACCOUNTS, PAYMENT, TYPES
from support.pushing import pushed

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30, max_value=10**40)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([*TYPES, "\ud800", "\0", "DE02100100109307118603", "read_balances"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    "type",
    "locations",
    "actions",
    "datatypes",
    "identifier",
    "privileges",
    "creditorName",
    "instructedAmount",
)
CHANGES = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), JSON, max_size=3)
OBJECTS = st.builds(
    lambda right, changes: {**right, **changes}, st.sampled_from([PAYMENT, ACCOUNTS, {}]), CHANGES
)
TEXTS = st.builds(json.dumps, st.lists(OBJECTS | JSON, max_size=3) | JSON) | st.text(max_size=40)
fuzzed = settings(
    max_examples=settings.default.max_examples // 2,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def strict(make_world):
    """A house that answers 500 where others would let an exception through to the test."""
    return make_world(
        config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False},
        AUTHORIZATION_DETAILS_TYPES=TYPES,
        ROTATE_REFRESH_TOKEN=False,
    )


@pytest.fixture(scope="module")
def shop(strict):
    return strict.client(metadata={"authorization_details_types": list(TYPES)})


@pytest.fixture(scope="module")
def refresh_token(strict, shop):
    code = strict.browser().code(shop, authorization_details=json.dumps([PAYMENT, ACCOUNTS]), scope="read")
    return strict.door().redeem(shop, *code).json["refresh_token"]


def is_refused(answer):
    """Say whether an answer of a machine endpoint refuses the details, or the form that they stand in."""
    return answer.status_code in (400, 413) and answer.json["error"] in (
        "invalid_authorization_details",
        "invalid_request",
    )


@fuzzed
@given(text=TEXTS)
def test_no_details_are_too_odd_to_be_refused_where_they_are_pushed(strict, shop, text):
    data = text.encode("utf-8", "surrogatepass")
    answer = pushed(strict, shop, authorization_details=data)
    assert answer.status_code == 201 or is_refused(answer), answer.text


@fuzzed
@given(text=TEXTS)
def test_nor_in_an_authorization_request(strict, shop, text):
    answer = strict.browser().ask(shop, authorization_details=text.encode("utf-8", "surrogatepass"))
    assert answer.status_code in (302, 400), answer.text
    if answer.status_code == 302 and not answer.location.startswith("/accounts/login/"):
        assert answered(answer)["error"] in ("invalid_authorization_details", "invalid_request")


@fuzzed
@given(text=TEXTS)
def test_nor_at_the_token_endpoint_and_nothing_odd_is_in_a_token(strict, shop, text):
    form = {"grant_type": "client_credentials", "scope": "read"}
    answer = strict.door().token(shop, **form, authorization_details=text.encode("utf-8", "surrogatepass"))
    assert is_refused(answer) or all(
        each["type"] == "statistics" for each in answer.json.get("authorization_details", ())
    ), answer.text


@fuzzed
@given(objects=st.lists(OBJECTS, max_size=3))
def test_no_refresh_gets_more_than_was_allowed(strict, shop, refresh_token, objects):
    text = json.dumps(objects)
    answer = strict.door().refresh(shop, refresh_token, authorization_details=text)
    if answer.status_code != 200:
        assert is_refused(answer), answer.text
        return
    for each in answer.json["authorization_details"]:
        assert each == PAYMENT or set(each["actions"]) <= set(ACCOUNTS["actions"])
