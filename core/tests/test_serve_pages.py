"""What the stand-alone server answers beside its own views: error pages, and over TLS to come by https only."""

import pytest
from werkzeug.test import Client

from portula.cli.serve import ServeOptions, make_app, wsgi_of

ISSUER = "https://id.example/o"


def made(folder, **options):
    given = {
        "data_dir": str(folder / "data"),
        "issuer": ISSUER,
        "serving": True,
        "creating": True,
        "only": (),
    }
    chosen = ServeOptions(**{**given, **options})
    app, provider = make_app(chosen)

    @app.get("/broken")
    def broken():
        raise RuntimeError("the reason stays in the log")

    return Client(wsgi_of(chosen, provider))


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    return made(tmp_path_factory.mktemp("serve"))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/o/nothing/", 404),
        ("GET", "/o//token/", 404),
        ("GET", "/o/static/nothing.css", 404),
        ("GET", "/accounts/nothing", 404),
        ("POST", "/", 405),
        ("DELETE", "/accounts/login/", 405),
        ("PUT", "/o/authorize/", 405),
        ("GET", "/broken", 500),
    ],
)
def test_errors_are_pages_of_the_house(http, method, path, status):
    response = http.open(path, method=method, base_url="https://id.example")
    assert (response.status_code, response.mimetype) == (status, "text/html")
    assert "portula" in response.text
    assert "/o/static/" in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.headers.getlist("Content-Type")) == 1
    assert ("Allow" in response.headers) == (status == 405)
    assert "the reason" not in response.text


def hsts(client, path, method="GET"):
    return client.open(path, method=method, base_url="https://id.example").headers.get(
        "Strict-Transport-Security"
    )


PLACES = ["/", "/nothing", "/o/.well-known/oauth-authorization-server", "/o/token/", "/accounts/login/"]


def test_with_tls_everything_says_to_come_by_https(tmp_path):
    client = made(tmp_path, tls_cert="a.pem", tls_key="a.key")
    assert {hsts(client, path) for path in PLACES} == {"max-age=31536000"}
    assert hsts(client, "/o/token/", "POST") == "max-age=31536000"


@pytest.mark.parametrize(
    "options",
    [{}, {"tls_cert": "a.pem", "issuer": "https://localhost:8443/o"}, {"tls_cert": "a.pem", "config": "off"}],
    ids=["no TLS", "loopback", "set to 0"],
)
def test_without_tls_and_on_loopback_nothing_does(tmp_path, options):
    if "config" in options:
        (tmp_path / "off.py").write_text("OAUTH2_PROVIDER = {'HSTS_SECONDS': 0}\n")
        options = {**options, "config": str(tmp_path / "off.py")}
    client = made(tmp_path, **options)
    assert {hsts(client, path) for path in PLACES} == {None}


def test_every_cookie_on_https_is_secure_and_hidden_from_scripts(http):
    """The state of session management alone is for a script (OpenID Connect Session Management §3.2)."""
    for path, host in [
        ("/accounts/login/", "https://id.example"),
        ("/accounts/login/", "https://other.example"),
    ]:
        cookies = http.get(path, base_url=host).headers.getlist("Set-Cookie")
        assert cookies
        for cookie in cookies:
            assert cookie.startswith("__Host-")
            assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("path", ["/nothing", "/o/nothing/", "/accounts/nothing", "/o/static/nothing.css"])
def test_what_is_not_there_has_one_name_wherever_it_is_looked_for(http, path):
    """The pages of administrators say the same of a list that they do not have."""
    text = http.get(path, base_url="https://id.example").text
    assert "<h1>There is no such page</h1>" in text
    assert "<title>There is no such page" in text
