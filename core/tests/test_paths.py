"""Ways of writing a path: each is answered, none is a failure, and none is redirected to the Host header."""

import pytest
from hosting import discovering, make_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

from portula import Provider

EVIL = "evil.example"
MACHINES = ["/o/token/", "/o/introspect/", "/o/revoke_token/", "/o/.well-known/jwks.json"]
METADATA = "/.well-known/oauth-authorization-server/o"
PAGES = ["/accounts/login/", "/accounts/logout/", "/o/authorize/", "/o/authorized_tokens/", "/o/admin/"]


@pytest.fixture(scope="module")
def provider():
    return discovering(OIDC_ISS_ENDPOINT="https://id.example/o")


@pytest.fixture(params=["fast", "Flask"])
def door(provider, request):
    return provider.wsgi() if request.param == "fast" else provider.app


def answer(application, path, method="GET"):
    builder = EnvironBuilder("/", method=method, headers={"Host": EVIL, "Cookie": "portula_redirected=1"})
    _, status, headers = run_wsgi_app(
        application, {**builder.get_environ(), "PATH_INFO": path}, buffered=True
    )
    return int(status[:3]), headers


@pytest.mark.parametrize("path", [*MACHINES, METADATA])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT"])
def test_slashes_before_a_path_change_no_answer(door, path, method):
    expected, _ = answer(door, path, method)
    assert expected < 500
    for more in ("/", "//"):
        assert answer(door, more + path, method)[0] == expected, more + path
        assert answer(door, more + path.rstrip("/"), method)[0] == expected


@pytest.mark.parametrize("path", [*MACHINES, METADATA, *PAGES, "/o/static/portula.css"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_way_of_writing_a_path_leads_to_the_host_header(door, path, method):
    head, _, last = path.rstrip("/").rpartition("/")
    doubled = f"{head}//{last}"
    ways = [
        path,
        path.rstrip("/"),
        f"{path}/",
        f"/{path}",
        f"//{path}",
        doubled,
        f"{doubled}/",
        f"{doubled}/x",
    ]
    for way in ways:
        status, headers = answer(door, way, method)
        assert status < 500, way
        assert status not in {301, 307, 308}, way
        assert EVIL not in headers.get("Location", ""), way


def test_the_views_of_the_app_redirect_as_flask_does():
    app = make_app()
    app.add_url_rule("/mine/", "portula_mine", lambda: "mine")
    Provider(app, plugins=[], discover=False)
    assert app.test_client().get("/mine").status_code == 308
    assert app.test_client().get("//mine/").status_code != 500
