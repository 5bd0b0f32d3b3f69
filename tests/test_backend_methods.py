"""OAUTH2_BACKEND_CLASS: the seven methods that django-oauth-toolkit's OAuthLibCore has, each at its own door."""

import pytest
from security.driving import bearer
from security.house import House

from portula.plugin import Backend

METHODS = (
    "validate_authorization_request",
    "create_authorization_response",
    "create_token_response",
    "create_revocation_response",
    "create_userinfo_response",
    "verify_request",
    "authenticate_client",
)


class Listening(Backend):
    """Notes which of its methods was called, and leaves the answer to portula."""

    called: list[str]

    def __getattribute__(self, name):
        if name in METHODS:
            vars(self).setdefault("called", []).append(name)
        return super().__getattribute__(name)


@pytest.fixture(scope="module")
def house():
    return House(OAUTH2_BACKEND_CLASS=Listening, OIDC_ENABLED=True)


@pytest.fixture
def called(house):
    names = vars(house.provider.backend).setdefault("called", [])
    names.clear()
    return names


def test_the_methods_are_there():
    assert all(callable(getattr(Backend, name)) for name in METHODS)


def test_the_authorization_endpoint_asks_the_first_two(house, called):
    code, _ = house.browser().code(house.client())
    assert code
    assert set(called) == {"validate_authorization_request", "create_authorization_response"}


def test_introspection_asks_for_the_client_or_for_the_bearer(house, called):
    client = house.client()
    token = house.door().token(client, grant_type="client_credentials", scope="introspection").json
    called.clear()
    assert house.door().is_active(client, token["access_token"])
    assert called == ["authenticate_client"]
    called.clear()
    answer = house.door().post(
        "/o/introspect/", {"token": token["access_token"]}, bearer(token["access_token"])
    )
    assert answer.json["active"] is True
    assert called == ["verify_request"]


OVERRIDDEN = {
    "create_token_response": ("/o/token/", "POST"),
    "create_revocation_response": ("/o/revoke_token/", "POST"),
    "create_userinfo_response": ("/o/userinfo/", "GET"),
}


@pytest.mark.parametrize("kind", ["flask", "wsgi"])
@pytest.mark.parametrize("method", OVERRIDDEN)
def test_a_class_may_change_what_an_endpoint_answers_and_call_super(method, kind):
    def announce(self, message):
        answer = getattr(super(Own, self), method)(message)
        return answer.with_headers({"X-Answered-By": f"{method} {message.method}"})

    Own = type("Own", (Backend,), {method: announce})  # noqa: N806 - a class
    house = House(OAUTH2_BACKEND_CLASS=Own, OIDC_ENABLED=True)
    path, verb = OVERRIDDEN[method]
    answer = house.door(kind).open(path, method=verb)
    assert answer.headers["X-Answered-By"] == f"{method} {verb}"
    assert answer.status_code in (400, 401)
