"""Who may ask (RFC 7662 §2.1), and what the others are told."""

import pytest

from portula.plugin import AccessToken, Application
from portula_testing.writing import change_in

BASIC, BEARER = 'Basic realm="portula"', 'Bearer realm="portula"'


def bearer(world, client_id="api", scope="introspection", **form):
    return "Bearer " + world.tokens(client_id, scope=scope, **form)["access_token"]


def test_a_client_may_put_its_secret_into_the_body(world):
    form = {
        "token": world.tokens()["access_token"],
        "client_id": "api",
        "client_secret": world.secrets["api"],
    }
    assert world.http.post("/o/introspect/", data=form).json["active"] is True


def test_the_path_also_stands_without_its_slash_and_ahead_of_flask(world):
    token, authorization = world.tokens()["access_token"], bearer(world)
    form, headers = {"token": token}, {"Authorization": authorization}
    assert world.http.post("/o/introspect", data=form, headers=headers).json["active"] is True
    through_flask = world.http.post("/o/introspect/", data=form, headers=headers)
    world.provider.app.wsgi_app = world.provider.wsgi()
    ahead = world.provider.app.test_client().post("/o/introspect/", data=form, headers=headers)
    assert ahead.data == through_flask.data
    assert set(ahead.headers) == set(through_flask.headers)


@pytest.mark.parametrize("authorization", [None, "Basic YXBpOndyb25n", "Basic !", "Basic", "Digest x"])
def test_who_proves_nothing_gets_401_and_a_basic_challenge(world, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    answer = world.http.post("/o/introspect/", data={"token": "x"}, headers=headers)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith(BASIC)


@pytest.mark.parametrize("form", [{"client_id": "phone"}, {"client_id": "phone", "client_secret": ""}])
def test_a_public_client_is_refused(world, form):
    answer = world.http.post("/o/introspect/", data={"token": "x", **form})
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_a_disabled_client_is_refused(world):
    change_in(world.provider.storage, Application, {"client_id": "api"}, disabled=True)
    assert world.ask("x").status_code == 401


def test_the_bearer_of_a_token_with_the_scope_may_ask(world):
    answer = world.ask(world.tokens()["access_token"], authorization=bearer(world))
    assert answer.json["active"] is True


def test_a_bearer_sees_what_its_client_sees(make):
    world = make(INTROSPECTION_SAME_CLIENT_ONLY=True)
    token = world.tokens()["access_token"]
    assert world.ask(token, authorization=bearer(world, "api")).json == {"active": False}
    assert world.ask(token, authorization=bearer(world, "app")).json["active"] is True


def test_a_bearer_without_the_scope_gets_403_with_the_scope_named(world):
    answer = world.ask("x", authorization=bearer(world, scope="read write"))
    assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")
    assert answer.headers["WWW-Authenticate"].startswith(BEARER)
    assert 'scope="introspection"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer wrong", "bearer a b", "Bearer a, Bearer b"]
)
def test_a_bad_bearer_token_gets_401_and_a_bearer_challenge(world, authorization):
    answer = world.ask("x", authorization=authorization)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith(BEARER)


def test_a_revoked_bearer_token_no_longer_asks(world):
    authorization = bearer(world)
    world.change(AccessToken, authorization.partition(" ")[2], revoked_at=1)
    assert world.ask("x", authorization=authorization).status_code == 401


def test_a_token_of_a_public_client_does_not_ask_whatever_its_scope(world):
    token = world.tokens("phone", grant_type="password", scope="introspection")["access_token"]
    assert world.ask("x", authorization=f"Bearer {token}").status_code == 403


def test_a_refresh_token_does_not_ask(world):
    issued = world.tokens("api", grant_type="password", scope="introspection")
    assert world.ask("x", authorization=f"Bearer {issued['refresh_token']}").status_code == 401


def test_client_credentials_beside_a_bearer_token_are_refused(world):
    answer = world.ask("x", authorization=bearer(world), client_id="api", client_secret=world.secrets["api"])
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_two_kinds_of_client_credentials_are_refused(world):
    answer = world.ask("x", client_id="api", client_secret=world.secrets["api"])
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    ["", "token=", "token=a&token=b", "token=%FF", "token=%00", "token_type_hint=access_token", "&" * 99],
)
def test_what_is_no_introspection_request_is_refused(world, body):
    answer = world.http.post(
        "/o/introspect/",
        data=body,
        headers={"Authorization": bearer(world)},
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_a_token_in_the_query_is_not_listened_to(world):
    token, headers = world.tokens()["access_token"], {"Authorization": bearer(world)}
    assert world.http.post(f"/o/introspect/?token={token}", headers=headers).status_code == 400
    both = world.http.post(f"/o/introspect/?token={token}", data={"token": token}, headers=headers)
    assert both.status_code == 400


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_only_forms_are_read(world, kind):
    headers = {"Authorization": bearer(world)}
    answer = world.http.post("/o/introspect/", data=b'{"token":"x"}', headers=headers, content_type=kind)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_only_post_is_answered(world, method):
    answer = world.http.open(f"/o/introspect/?token={world.tokens()['access_token']}", method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
