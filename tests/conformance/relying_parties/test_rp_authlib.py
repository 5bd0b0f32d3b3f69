"""Authlib as a relying party inside a Flask app: discovery, code with PKCE and nonce, userinfo, refresh, sign-out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from authlib.integrations.flask_client import OAuth
from conformance.suite.flows import Variant
from conformance.suite.lab import Lab
from conformance.suite.pages import Arrival, Browser, Page
from flask import Flask
from flask.testing import FlaskClient

from portula_testing.tls import Authority

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("relying-parties")]

CALLBACK = "/test/a/portula/callback"


@pytest.fixture
def app(lab: Lab, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Somebody else's app, whose people sign in at the provider."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.write(tmp_path)))
    client = lab.client(Variant(dynamic=False))
    app = Flask("relying_party")
    app.secret_key = "the relying party's own"
    app.config["SERVER_NAME"] = urlsplit(lab.suite.origin).netloc
    app.config["PREFERRED_URL_SCHEME"] = "https"
    portula = OAuth(app).register(
        "portula",
        client_id=client.client_id,
        client_secret=client.secret,
        server_metadata_url=f"{lab.op.issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email offline_access",
            "code_challenge_method": "S256",
        },
    )

    @app.get("/login")
    def login() -> Any:
        return portula.authorize_redirect(lab.suite.callback, prompt="consent")

    @app.get(CALLBACK)
    def callback() -> Any:
        token = portula.authorize_access_token()
        return {"token": token, "userinfo": portula.userinfo(token=token)}

    return app


@pytest.fixture
def web(app: Flask) -> Iterator[FlaskClient]:
    """A way into the app, over https."""
    with app.test_client() as client:
        client.environ_base["wsgi.url_scheme"] = "https"
        yield client


def test_authlib_signs_people_in_refreshes_and_signs_them_out(
    lab: Lab, app: Flask, web: FlaskClient, browser: Browser
) -> None:
    begun = web.get("/login")
    landed = lab.person.go_through(browser, browser.open(begun.headers["location"]))
    assert isinstance(landed, Arrival), landed
    answered = web.get(f"{CALLBACK}?{urlencode(landed.query)}")
    assert answered.status_code == 200, answered.text
    known = answered.get_json()
    assert known["token"]["userinfo"]["sub"] == known["userinfo"]["sub"]
    assert known["userinfo"]["name"] == "Certa Fied"
    assert known["userinfo"]["email"] == "certa@example.com"

    with app.app_context():
        portula = app.extensions["authlib.integrations.flask_client"].portula
        metadata = portula.load_server_metadata()
        with portula._get_oauth_client(**metadata) as session:
            refreshed = session.refresh_token(metadata["token_endpoint"], known["token"]["refresh_token"])
    assert refreshed["access_token"] != known["token"]["access_token"]
    assert lab.op.userinfo(refreshed["access_token"]).json()["sub"] == known["userinfo"]["sub"]

    leaving = {
        "id_token_hint": known["token"]["id_token"],
        "post_logout_redirect_uri": lab.suite.post_logout,
        "state": "left",
    }
    at = browser.open(f"{metadata['end_session_endpoint']}?{urlencode(leaving)}")
    if isinstance(at, Page):
        at = browser.press(at, "logout-confirm")
    assert isinstance(at, Arrival)
    assert (at.path, at.query) == (lab.suite.post_logout, {"state": "left"})
