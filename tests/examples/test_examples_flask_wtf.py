"""examples/flask_wtf: CSRFProtect and the provider get along, whichever comes first."""

import re

import pytest
from flask import Blueprint, Flask
from flask_wtf import CSRFProtect

from portula import Provider
from portula.plugin import Application

PKCE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}


@pytest.fixture(params=[True, False], ids=["protected before", "protected after"])
def app(request, load):
    return load("flask_wtf").create_app(protect_first=request.param)


@pytest.fixture
def client(app):
    grants = ("client_credentials", "authorization_code")
    wanted = Application(client_id="tea", grant_types=grants, redirect_uris=("https://tea.example/cb",))
    created, secret = app.extensions["portula"]["portula"].clients.create(wanted)
    return {"client_id": created.client_id, "client_secret": secret}


def test_the_very_first_request_may_be_a_machine_s(app, client):
    answer = app.test_client().post("/o/token/", data={"grant_type": "client_credentials", **client})
    assert answer.status_code == 200


def test_every_machine_endpoint_answers_and_so_does_the_app_s_own(app, client):
    http = app.test_client()
    token = http.post("/o/token/", data={"grant_type": "client_credentials", **client}).json["access_token"]
    told = http.post("/o/introspect/", data={"token": token, **client})
    assert told.json["active"] is True
    headers = {"Authorization": f"Bearer {token}"}
    assert http.post("/tea", headers=headers).json == {"for": "tea"}
    assert http.post("/o/revoke_token/", data={"token": token, **client}).status_code == 200
    assert http.post("/tea", headers=headers).status_code == 401


def test_the_app_s_own_forms_stay_protected(app):
    assert app.test_client().post("/name", data={"name": "Ann"}).status_code == 400


def test_a_client_s_posted_authorization_request_comes_back_by_get(app, client):
    form = {"response_type": "code", "client_id": "tea", **PKCE}
    answer = app.test_client().post("/o/authorize/", data=form)
    assert answer.status_code == 303
    assert re.match(r"/o/authorize/\?interaction=", answer.headers["Location"])


@pytest.mark.parametrize("protect_first", [True, False], ids=["protected before", "protected after"])
@pytest.mark.parametrize("views_first", [True, False], ids=["views before", "views after"])
def test_views_of_the_app_stay_protected_whatever_they_are_named(protect_first, views_first):
    names = ("staff_delete", "staff_token_", "staff_token2", "staff", "staff_oauth2", "portula_x")
    app = Flask(__name__)
    app.config.update(SECRET_KEY="a key of the app, long enough")
    csrf = CSRFProtect()

    def add_views():
        blueprint = Blueprint("staff_pages", __name__)
        for name in names:  # Flask-WTF knows a view by its module and name
            namespace = {"__name__": __name__}
            exec(f"def {name}(): return 'done'", namespace)
            app.add_url_rule(f"/{name}", view_func=namespace[name], methods=["POST"])
        blueprint.add_url_rule("/pages", view_func=lambda: "done", methods=["POST"])
        app.register_blueprint(blueprint)

    if protect_first:
        csrf.init_app(app)
    if views_first:
        add_views()
    Provider(app, name="staff")
    if not views_first:
        add_views()
    if not protect_first:
        csrf.init_app(app)
    http = app.test_client()
    assert http.post("/o/token/", data={"grant_type": "client_credentials"}).json["error"] == "invalid_client"
    answers = [http.post(f"/{name}") for name in (*names, "pages")]
    assert ["CSRF token is missing" in answer.text for answer in answers] == [True] * 7
