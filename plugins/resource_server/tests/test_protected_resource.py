"""The decorators that are named as in django-oauth-toolkit, beside the provider and in a process of its own."""

from datetime import UTC, datetime

import pytest
from flask import Flask

import portula_resource_server
from portula import Provider, hookimpl
from portula_resource_server import VerifiedToken, current_token, protected_resource, rw_protected_resource

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
READING = {"GET", "HEAD", "OPTIONS"}


def add_views(app):
    def told():
        return {"subject": current_token.subject}

    options = {"methods": METHODS, "provide_automatic_options": False}
    app.add_url_rule("/p/any", "p_any", protected_resource()(told), **options)
    app.add_url_rule("/p/both", "p_both", protected_resource(scopes=["read", "write"])(told), **options)
    app.add_url_rule("/p/rw", "p_rw", rw_protected_resource()(told), **options)
    app.add_url_rule("/p/music", "p_music", rw_protected_resource(scopes=["music"])(told), **options)


def passes(http, path, token, method="GET"):
    answer = http.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (200, 403)
    return answer.status_code == 200


@pytest.fixture
def guarded(make):
    def build(**settings):
        world = make(**settings)
        add_views(world.app)
        return world

    return build


def test_protected_resource_needs_all_its_scopes(guarded):
    world = guarded()
    assert passes(world.http, "/p/any", world.token("read"))
    assert not passes(world.http, "/p/both", world.token("read"))
    assert passes(world.http, "/p/both", world.token("read write"), "DELETE")
    assert world.http.get("/p/any").status_code == 401


@pytest.mark.parametrize("method", METHODS)
def test_rw_protected_resource_needs_read_scope_to_read_and_write_scope_for_all_else(guarded, method):
    world = guarded()
    assert passes(world.http, "/p/rw", world.token("read"), method) is (method in READING)
    assert passes(world.http, "/p/rw", world.token("write"), method) is (method not in READING)


@pytest.mark.parametrize("method", METHODS)
def test_read_scope_and_write_scope_name_the_scopes(guarded, method):
    scopes = {"look": "Look", "touch": "Touch"}
    world = guarded(SCOPES=scopes, READ_SCOPE="look", WRITE_SCOPE="touch")
    assert passes(world.http, "/p/rw", world.token("look"), method) is (method in READING)
    assert passes(world.http, "/p/rw", world.token("touch"), method) is (method not in READING)
    assert not passes(world.http, "/p/rw", world.token("read write"), method)


def test_rw_protected_resource_needs_its_own_scopes_besides_by_every_method_each_time(guarded):
    world = guarded(ERROR_RESPONSE_WITH_SCOPES=True)
    for _ in range(2):  # a list that grew with each request would ask for more the second time
        assert not passes(world.http, "/p/music", world.token("read"))
        assert passes(world.http, "/p/music", world.token("read music"))
        assert not passes(world.http, "/p/music", world.token("read music"), "POST")
        assert passes(world.http, "/p/music", world.token("write music"), "POST")
    token = world.token("music")
    answer = world.http.post("/p/music", headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["WWW-Authenticate"].endswith('scope="music write"')


def test_the_decorators_work_where_another_process_issues_the_tokens():
    class Elsewhere:
        @hookimpl
        def portula_token_verifier(self, provider):
            return lambda token: VerifiedToken("1", "app", frozenset(token.split(".")), None)

    app = Flask("resource")
    app.config.update(TESTING=True, SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER={})
    Provider(app, plugins=[portula_resource_server, Elsewhere()], discover=False)
    add_views(app)
    http = app.test_client()
    assert passes(http, "/p/rw", "read")
    assert not passes(http, "/p/rw", "read", "POST")
    assert passes(http, "/p/music", "write.music", "POST")


@pytest.mark.parametrize("decorator", [protected_resource, rw_protected_resource])
@pytest.mark.parametrize("wrong", ["read", lambda: None])
def test_a_decorator_without_its_brackets_or_its_list_is_noticed_at_once(decorator, wrong):
    with pytest.raises(TypeError, match="scopes are a list"):
        decorator(wrong)


@pytest.mark.parametrize(
    ("setting", "zone"), [({}, None), ({"USE_TZ": True}, UTC), ({"USE_TZ": False}, None)]
)
def test_current_token_tells_its_end_as_a_datetime_aware_where_use_tz_is_on(make, host, setting, zone):
    world = make(**setting)
    seen = []
    view = protected_resource()(lambda: (seen.append(current_token.expires), "ok")[1])
    world.app.add_url_rule("/when", "when", view)
    world.get("/when", world.token())
    assert seen == [datetime.fromtimestamp(host.time + 60, UTC).replace(tzinfo=zone)]
