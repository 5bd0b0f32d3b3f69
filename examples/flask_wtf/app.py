"""An app under Flask-WTF's CSRFProtect: the provider's endpoints work, the app's own forms stay protected."""

from flask import Flask, request
from flask_wtf import CSRFProtect

from portula import Provider
from portula_resource_server import current_token, require_oauth


def create_app(protect_first=True):
    app = Flask(__name__)
    app.config.from_prefixed_env()
    csrf = CSRFProtect()
    if protect_first:
        csrf.init_app(app)
    Provider(app)
    if not protect_first:
        csrf.init_app(app)

    @app.post("/name")
    def rename():
        """A form of a person's: its token is checked."""
        return request.form["name"]

    @app.post("/tea")
    @csrf.exempt
    @require_oauth("write")
    def brew():
        """A call of a machine's: no cookie signs it in, so there is nothing to forge."""
        return {"for": current_token.client_id}, 201

    return app
