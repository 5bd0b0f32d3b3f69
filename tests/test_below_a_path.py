"""An app below a path of its host: mounted by a dispatcher, behind a proxy that keeps or strips the path."""

import json
from urllib.parse import urlsplit

import pytest
from hosting import ROOMS, deployment, make_app, make_client
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from portula import ConfigError, Provider
from portula.cli.serve import mounted_at

HOST = "https://id.example"
ISSUER = f"{HOST}/sub/o"


def nothing(environ, start_response):
    start_response("404 Not Found", [])
    return [b"outside"]


def dispatched(provider):
    """A dispatcher sets SCRIPT_NAME."""
    return DispatcherMiddleware(nothing, {"/sub": provider.app.wsgi_app}), {}


def dispatched_ahead(provider):
    """The same with machine endpoints ahead of Flask."""
    return DispatcherMiddleware(nothing, {"/sub": provider.wsgi()}), {}


def stripped_and_told(provider):
    """A proxy strips the path and tells it in a header that ProxyFix believes."""
    return ProxyFix(stripping(provider.app.wsgi_app), x_prefix=1), {"X-Forwarded-Prefix": "/sub"}


def stripped(provider):
    """A proxy strips the path and tells nothing; `portula serve` mounts the app at the issuer's path."""
    return stripping(mounted_at(provider.root_path, provider.wsgi())), {}


def left_on(provider):
    """A proxy leaves the path on; `portula serve` takes it off."""
    return mounted_at(provider.root_path, provider.wsgi()), {}


def stripping(application):
    def proxy(environ, start_response):
        assert environ["PATH_INFO"].startswith("/sub/")
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/sub")
        return application(environ, start_response)

    return proxy


WAYS = [dispatched, dispatched_ahead, stripped_and_told, stripped, left_on]


def make(issuer=ISSUER, **config):
    app = make_app(OIDC_ISS_ENDPOINT=issuer)
    app.config.update(config)
    return Provider(app, plugins=deployment(rooms=ROOMS), discover=False)


@pytest.mark.parametrize("way", WAYS)
def test_what_the_metadata_names_answers_there(way):
    provider = make()
    _, secret = make_client(provider)
    application, headers = way(provider)
    http = Client(application)
    document = http.get("/sub/o/.well-known/oauth-authorization-server", base_url=HOST, headers=headers).json
    assert document["issuer"] == ISSUER
    assert {urlsplit(url).path for name, url in document.items() if name.endswith("_endpoint")} == {
        f"/sub/o/{name}/" for name in ("authorize", "token", "revoke_token")
    }
    given = {"grant_type": "client_credentials", "client_id": "machine", "client_secret": secret}
    answer = http.post(urlsplit(document["token_endpoint"]).path, base_url=HOST, headers=headers, data=given)
    assert (answer.status_code, answer.json["token_type"]) == (200, "Bearer")


@pytest.mark.parametrize("way", WAYS)
def test_pages_link_and_redirect_below_the_path(way):
    provider = make()
    application, headers = way(provider)
    page = Client(application).get("/sub/o/authorize/", base_url=HOST, headers=headers)
    assert page.status_code == 400
    assert '"/sub/o/static/' in page.text
    assert '"/o/static/' not in page.text


@pytest.mark.parametrize("way", WAYS)
def test_a_page_under_another_host_name_redirects_to_the_issuers_with_the_path(way):
    application, headers = way(make())
    page = Client(application).get("/sub/o/authorize/?a=b", base_url="https://127.0.0.1", headers=headers)
    assert page.location == f"{HOST}/sub/o/authorize/?a=b&portula_redirected=1"


@pytest.mark.parametrize("way", [dispatched, dispatched_ahead, stripped_and_told])
@pytest.mark.parametrize("mount", ["/o", ""])
def test_an_issuer_that_follows_the_request_has_the_path(way, mount):
    app = make_app(MOUNT_PATH=mount)
    app.config["TRUSTED_HOSTS"] = ["id.example"]
    application, headers = way(Provider(app, plugins=deployment(rooms=ROOMS), discover=False))
    path = f"/sub{mount}/.well-known/oauth-authorization-server"
    document = json.loads(Client(application).get(path, base_url=HOST, headers=headers).text)
    assert document["issuer"] == f"{HOST}/sub{mount}"
    assert document["token_endpoint"] == f"{HOST}/sub{mount}/token/"


def test_an_issuer_that_does_not_end_in_the_mount_path_may_stand_below_application_root():
    provider = make(issuer=HOST, APPLICATION_ROOT="/sub")
    assert provider.root_of(HOST) == f"{HOST}/sub"


@pytest.mark.parametrize("issuer", [f"{HOST}/o", f"{HOST}/other/o"])
def test_an_issuer_elsewhere_than_the_app_stops_the_start(issuer):
    with pytest.raises(ConfigError, match=r"is not below APPLICATION_ROOT, '/sub', .* end it in '/sub/o'"):
        make(issuer=issuer, APPLICATION_ROOT="/sub")


@pytest.mark.parametrize(
    ("path", "left"),
    [("/subway/o/token/", "/subway/o/token/"), ("/o/token/", "/o/token/"), ("/sub", "/"), ("/sub/", "/")],
)
def test_only_the_path_itself_is_taken_off_and_leaves_the_root(path, left):
    """Nothing redirects to the host that was named."""
    seen = []

    def application(environ, start_response):
        seen.append((environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        return nothing(environ, start_response)

    Client(mounted_at("/sub", application)).get(path)
    assert seen == [("/sub", left)]
