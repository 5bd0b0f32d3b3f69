"""A provider made of Authlib, Flask and SQLAlchemy, as Authlib's manual lays it out; no more than the workloads need.

    authlib_app.py FOLDER PORT URL

makes the tables and what is kept, and prints the site as JSON. Authlib leaves storage to the application: the tables
are those of its SQLAlchemy mixins, which keep secrets and tokens in the clear.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.integrations.sqla_oauth2 import (
    OAuth2AuthorizationCodeMixin,
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_bearer_token_validator,
    create_query_client_func,
    create_query_token_func,
    create_revocation_endpoint,
    create_save_token_func,
)
from authlib.oauth2.rfc6749 import OAuth2Error, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.core import UserInfo, UserInfoEndpoint
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, render_template_string, request, session
from flask_sqlalchemy import SQLAlchemy
from joserfc.jwk import RSAKey
from servers.load import REDIRECT_URI

SCOPES = "openid read"
PATHS = {
    "authorize": "/oauth/authorize",
    "token": "/oauth/token",
    "introspect": "/oauth/introspect",
    "revoke": "/oauth/revoke",
    "userinfo": "/oauth/userinfo",
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/jwks.json",
}
PAGE = """<!doctype html><title>Allow?</title><h1>Allow {{ grant.client.client_name }}?</h1>
<p>It asks for {{ grant.request.payload.scope }}.</p>
<form method="post"><button name="confirm" value="yes">Allow</button></form>"""

db = SQLAlchemy()


class User(db.Model):  # type: ignore[name-defined,misc]
    """A person."""

    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(40), unique=True)

    def get_user_id(self) -> int:
        """Return what tokens keep of her."""
        return self.id


class Client(db.Model, OAuth2ClientMixin):  # type: ignore[name-defined,misc]
    """A client."""

    id = db.Column(db.Integer, primary_key=True)


class Code(db.Model, OAuth2AuthorizationCodeMixin):  # type: ignore[name-defined,misc]
    """An authorization code."""

    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id", ondelete="CASCADE"))


class Token(db.Model, OAuth2TokenMixin):  # type: ignore[name-defined,misc]
    """An access token, and the refresh token beside it."""

    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id", ondelete="CASCADE"))

    def get_client(self) -> Any:
        """Return whose it is."""
        return query_client(self.client_id)

    def get_user(self) -> Any:
        """Return for whom it is."""
        return db.session.get(User, self.user_id)


class CodeGrant(grants.AuthorizationCodeGrant):
    """The authorization code grant."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep a code."""
        payload = request.payload
        db.session.add(
            Code(
                code=code,
                client_id=request.client.client_id,
                redirect_uri=payload.redirect_uri,
                scope=payload.scope,
                user_id=request.user.id,
                nonce=payload.data.get("nonce"),
                code_challenge=payload.data.get("code_challenge"),
                code_challenge_method=payload.data.get("code_challenge_method"),
            )
        )
        db.session.commit()

    def query_authorization_code(self, code: str, client: Any) -> Any:
        """Find a code."""
        found = Code.query.filter_by(code=code, client_id=client.client_id).first()
        return found if found and not found.is_expired() else None

    def delete_authorization_code(self, authorization_code: Any) -> None:
        """Forget a code that was redeemed."""
        db.session.delete(authorization_code)
        db.session.commit()

    def authenticate_user(self, authorization_code: Any) -> Any:
        """Return for whom a code is."""
        return db.session.get(User, authorization_code.user_id)


class RefreshGrant(grants.RefreshTokenGrant):
    """The refresh token grant, rotating."""

    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Any:
        """Find a live refresh token."""
        found = Token.query.filter_by(refresh_token=refresh_token).first()
        return found if found and not found.refresh_token_revoked_at else None

    def authenticate_user(self, refresh_token: Any) -> Any:
        """Return for whom it is."""
        return refresh_token.get_user()

    def revoke_old_credential(self, refresh_token: Any) -> None:
        """End what was used."""
        refresh_token.access_token_revoked_at = refresh_token.refresh_token_revoked_at = int(time.time())
        db.session.add(refresh_token)
        db.session.commit()


class Introspection(IntrospectionEndpoint):
    """Tells any client of any token."""

    CLIENT_AUTH_METHODS = ("client_secret_basic",)

    def query_token(self, token_string: str, token_type_hint: str) -> Any:
        """Find a token."""
        return query_token(token_string, token_type_hint)

    def check_permission(self, token: Any, client: Any, request: Any) -> bool:
        """Let everybody ask."""
        return True

    def introspect_token(self, token: Any) -> dict[str, Any]:
        """Return what is told."""
        return {
            "active": True,
            "client_id": token.client_id,
            "token_type": token.token_type,
            "username": token.get_user().username,
            "scope": token.get_scope(),
            "sub": str(token.user_id),
            "exp": token.issued_at + token.expires_in,
            "iat": token.issued_at,
        }


query_client = create_query_client_func(db.session, Client)
query_token = create_query_token_func(db.session, Token)


class IDTokens(OpenIDCode):
    """Signs ID tokens."""

    def __init__(self, issuer: str, key: RSAKey) -> None:
        """Take the key."""
        super().__init__()
        self.issuer, self.key = issuer, key

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """Say whether a nonce was used before."""
        return bool(Code.query.filter_by(client_id=request.payload.client_id, nonce=nonce).first())

    def resolve_client_private_key(self, client: Any) -> RSAKey:
        """Return the key."""
        return self.key

    def get_client_claims(self, client: Any) -> dict[str, Any]:
        """Return the claims that are the server's."""
        now = int(time.time())
        return {"iss": self.issuer, "aud": [client.get_client_id()], "iat": now, "exp": now + 3600}

    def generate_user_info(self, user: Any, scope: str) -> UserInfo:
        """Return the claims that are the person's."""
        return UserInfo(sub=str(user.id))


class Person(UserInfoEndpoint):
    """The userinfo endpoint."""

    def generate_user_info(self, user: Any, scope: str) -> UserInfo:
        """Return the claims."""
        return UserInfo(sub=str(user.id))


def flask_app(folder: str, url: str) -> Flask:
    """Return the application."""
    kept = json.loads(Path(folder, "kept.json").read_text(encoding="utf-8"))
    app = Flask("peer", static_folder=None)
    app.config.update(
        SECRET_KEY=kept["key"], SQLALCHEMY_DATABASE_URI=url, OAUTH2_REFRESH_TOKEN_GENERATOR=True
    )
    db.init_app(app)
    key = RSAKey.import_key(kept["private"])
    server = AuthorizationServer(app, query_client, create_save_token_func(db.session, Token))
    server.register_grant(grants.ClientCredentialsGrant)
    server.register_grant(CodeGrant, [CodeChallenge(required=True), IDTokens(kept["issuer"], key)])
    server.register_grant(RefreshGrant)
    server.register_endpoint(create_revocation_endpoint(db.session, Token))
    server.register_endpoint(Introspection)
    protector = ResourceProtector()
    protector.register_token_validator(create_bearer_token_validator(db.session, Token)())
    server.register_endpoint(Person(resource_protector=protector))
    add_views(app, server, kept["issuer"], key)
    return app


def add_views(app: Flask, server: AuthorizationServer, issuer: str, key: RSAKey) -> None:
    """Add the views."""

    @app.get(PATHS["authorize"])
    def authorize() -> Any:
        user = db.session.get(User, session["user"])
        try:
            grant = server.get_consent_grant(end_user=user)
        except OAuth2Error as error:
            return str(error), 400
        if request.args["client_id"] == "asking":
            return render_template_string(PAGE, grant=grant)
        return server.create_authorization_response(grant_user=user, grant=grant)

    @app.post(PATHS["token"])
    def token() -> Any:
        return server.create_token_response()

    for endpoint, path in (
        ("revocation", "revoke"),
        ("introspection", "introspect"),
        ("userinfo", "userinfo"),
    ):
        app.add_url_rule(
            PATHS[path],
            path,
            lambda endpoint=endpoint: server.create_endpoint_response(endpoint),
            methods=["GET", "POST"],
        )
    endpoints = {f"{name}_endpoint": f"{issuer}{path}" for name, path in PATHS.items()}
    told = {
        "issuer": issuer,
        **endpoints,
        "scopes_supported": SCOPES.split(),
        "response_types_supported": ["code"],
    }
    app.add_url_rule(PATHS["discovery"], "discovery", lambda: jsonify(told))
    app.add_url_rule(PATHS["jwks"], "jwks", lambda: jsonify(keys=[key.as_dict(private=False)]))


def make(folder: str, url: str) -> Any:
    """Return the WSGI application."""
    return flask_app(folder, url).wsgi_app


def main(folder: str, port: str, url: str) -> None:
    """Prepare."""
    issuer, private = (
        f"http://127.0.0.1:{port}",
        RSAKey.generate_key(2048, {"kid": "1"}).as_dict(private=True),
    )
    kept = {"key": secrets.token_urlsafe(32), "issuer": issuer, "private": private}
    Path(folder, "kept.json").write_text(json.dumps(kept), encoding="utf-8")
    app = flask_app(folder, url)
    parties = {name: (name, secrets.token_urlsafe(32)) for name in ("app", "asking", "api")}
    with app.app_context():
        db.create_all()
        user = User(username="ann")
        db.session.add(user)
        for client_id, secret in parties.values():
            client = Client(client_id=client_id, client_secret=secret)
            client.set_client_metadata(
                {
                    "client_name": client_id,
                    "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
                    "redirect_uris": [REDIRECT_URI],
                    "response_types": ["code"],
                    "scope": SCOPES,
                    "token_endpoint_auth_method": "client_secret_basic",
                    "id_token_signed_response_alg": "RS256",
                }
            )
            db.session.add(client)
        db.session.commit()
        cookie = app.session_interface.get_signing_serializer(app).dumps({"user": user.id})
    site = {**PATHS, **parties, "service": parties["app"], "asking": "asking", "issuer": issuer}
    print(json.dumps({**site, "cookie": f"session={cookie}"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
