"""The floor: Flask and raw SQL, and of each operation what it cannot do without.

    floor_app.py FOLDER PORT URL

makes the tables and what is kept, and prints the site as JSON. Secrets, codes and tokens are kept as keyed SHA-256, as
portula keeps them; SQLite syncs each commit (`synchronous=FULL`); answers are about as long as portula's. No settings,
no plugins, no events, no logs, no other grants, no error but 400 and 401: it is no server to use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from flask import Flask, Response, abort, jsonify, redirect, render_template_string, request, session

from servers.load import REDIRECT_URI

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LIFETIME = 36000
PATHS = {
    "authorize": "/authorize",
    "token": "/token",
    "introspect": "/introspect",
    "revoke": "/revoke",
    "userinfo": "/userinfo",
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/jwks.json",
}
TABLES = (
    "CREATE TABLE client (id TEXT PRIMARY KEY, secret TEXT, redirect_uri TEXT, asks INTEGER)",
    "CREATE TABLE person (sub TEXT PRIMARY KEY, name TEXT)",
    """CREATE TABLE code (digest TEXT PRIMARY KEY, client_id TEXT, sub TEXT, scope TEXT, redirect_uri TEXT,
       challenge TEXT, expires_at BIGINT)""",
    "CREATE TABLE authorization_ (id TEXT PRIMARY KEY, client_id TEXT, sub TEXT, scope TEXT, refresh TEXT UNIQUE)",
    """CREATE TABLE token (digest TEXT PRIMARY KEY, authorization_id TEXT, client_id TEXT, scope TEXT,
       issued_at BIGINT, expires_at BIGINT)""",
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Allow {{ name }}?</title></head><body>
<h1>Allow {{ name }}?</h1>{% for scope in scopes %}<p>{{ scope }}: {{ text }}</p>{% endfor %}
<form method="post">{% for field, value in fields %}<input type="hidden" name="{{ field }}" value="{{ value }}">
{% endfor %}<button name="allow" value="1">Allow</button><button name="deny" value="1">Deny</button></form>
</body></html>"""
TEXT = "What the app may do, in words that a person understands. " * 25


class Database(threading.local):
    """A connection a thread, in which each statement commits by itself unless `transaction` holds it."""

    def __init__(self, url: str) -> None:
        """Connect."""
        self._on_sqlite = url.startswith("sqlite")
        if self._on_sqlite:
            self._connection: Any = sqlite3.connect(
                url.removeprefix("sqlite:///"), isolation_level=None, timeout=10
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
        else:
            import psycopg

            self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def run(self, statement: str, *parameters: object) -> Any:
        """Execute a statement; parameters are written `?`."""
        return self._connection.execute(
            statement if self._on_sqlite else statement.replace("?", "%s"), parameters
        )

    def row(self, statement: str, *parameters: object) -> Any:
        """Return the one row of a statement; None for none."""
        return self.run(statement, *parameters).fetchone()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is within together."""
        self._connection.execute("BEGIN IMMEDIATE" if self._on_sqlite else "BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def encoded(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Floor:
    """The handlers."""

    def __init__(self, url: str, key: str, port: int, pem: str) -> None:
        """Connect in each thread; make the documents."""
        self.database = Database(url)
        self.key = key.encode()
        self.issuer = f"http://127.0.0.1:{port}"
        private: Any = serialization.load_pem_private_key(pem.encode(), None)
        self.private = private
        numbers = private.public_key().public_numbers()
        modulus = encoded(numbers.n.to_bytes(256, "big"))
        self.keys = {"keys": [{"kty": "RSA", "e": "AQAB", "n": modulus, "kid": "1", "padding": "x" * 1700}]}
        self.documents = {
            "issuer": self.issuer,
            **{f"{name}_endpoint": f"{self.issuer}{path}" for name, path in PATHS.items()},
            "scopes_supported": ["openid", "read"],
            "padding": "x" * 4400,
        }

    def digest(self, value: str) -> str:
        """Return what is kept of a secret."""
        return encoded(hmac.digest(self.key, value.encode(), "sha256"))

    def client(self) -> str:
        """Return the identifier of the client that authenticates by HTTP Basic."""
        given = request.authorization
        if given is None or given.username is None or given.password is None:
            abort(401)
        row = self.database.row("SELECT secret FROM client WHERE id = ?", given.username)
        if row is None or not hmac.compare_digest(row[0], self.digest(given.password)):
            abort(401)
        return given.username

    def keep_token(self, authorization: str | None, client: str, scope: str) -> dict[str, Any]:
        """Keep a new access token; return the answer."""
        value, now = secrets.token_urlsafe(32), int(time.time())
        self.database.run(
            "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?)",
            self.digest(value),
            authorization,
            client,
            scope,
            now,
            now + LIFETIME,
        )
        return {"access_token": value, "expires_in": LIFETIME, "token_type": "Bearer", "scope": scope}

    def token(self) -> Response:
        """Answer a token request."""
        grants = {
            "client_credentials": self.by_itself,
            "authorization_code": self.by_code,
            "refresh_token": self.by_refresh,
        }
        answer = jsonify(grants[request.form["grant_type"]](self.client()))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def by_itself(self, client: str) -> dict[str, Any]:
        """Give the client a token for itself."""
        return self.keep_token(None, client, request.form["scope"])

    def by_code(self, client: str) -> dict[str, Any]:
        """Redeem a code."""
        refresh, authorization = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        challenge = encoded(hashlib.sha256(request.form["code_verifier"].encode()).digest())
        with self.database.transaction():
            row = self.database.row(
                "DELETE FROM code WHERE digest = ? AND client_id = ? AND redirect_uri = ? AND challenge = ? "
                "AND expires_at > ? RETURNING sub, scope",
                self.digest(request.form["code"]),
                client,
                request.form["redirect_uri"],
                challenge,
                int(time.time()),
            )
            if row is None:
                abort(400)
            self.database.run(
                "INSERT INTO authorization_ VALUES (?, ?, ?, ?, ?)",
                authorization,
                client,
                *row,
                self.digest(refresh),
            )
            answer = self.keep_token(authorization, client, row[1])
        answer["refresh_token"] = refresh
        if "openid" in row[1]:
            answer["id_token"] = self.id_token(row[0], client)
        return answer

    def by_refresh(self, client: str) -> dict[str, Any]:
        """Rotate a refresh token."""
        refresh = secrets.token_urlsafe(32)
        with self.database.transaction():
            row = self.database.row(
                "UPDATE authorization_ SET refresh = ? WHERE refresh = ? AND client_id = ? RETURNING id, scope",
                self.digest(refresh),
                self.digest(request.form["refresh_token"]),
                client,
            )
            if row is None:
                return abort(Response('{"error":"invalid_grant"}', 400, content_type="application/json"))
            answer = self.keep_token(row[0], client, row[1])
        return {**answer, "refresh_token": refresh}

    def id_token(self, sub: str, client: str) -> str:
        """Sign an ID token."""
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": sub, "aud": client, "iat": now, "exp": now + LIFETIME}
        parts = (
            {"alg": "RS256", "kid": "1"},
            {**claims, "sid": "x" * 43, "at_hash": "x" * 22, "amr": ["pwd"]},
        )
        text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return f"{text}.{encoded(self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def authorize(self) -> Any:
        """Send the person back with a code, or ask her."""
        asked, sub = request.args, session.get("sub")
        row = self.database.row("SELECT redirect_uri, asks FROM client WHERE id = ?", asked["client_id"])
        if sub is None or row is None or row[0] != asked["redirect_uri"]:
            abort(400)
        if row[1]:
            fields = [*asked.items(), ("csrf", secrets.token_urlsafe(16))]
            return render_template_string(
                PAGE, name=asked["client_id"], scopes=asked["scope"].split(), fields=fields, text=TEXT
            )
        code = secrets.token_urlsafe(32)
        self.database.run(
            "INSERT INTO code VALUES (?, ?, ?, ?, ?, ?, ?)",
            self.digest(code),
            asked["client_id"],
            sub,
            asked["scope"],
            row[0],
            asked["code_challenge"],
            int(time.time()) + 60,
        )
        return redirect(f"{row[0]}?code={code}&state={asked['state']}")

    def live(self, value: str) -> Any:
        """Return what is known of a token, which lives as long as its authorization."""
        return self.database.row(
            "SELECT t.client_id, t.scope, t.issued_at, t.expires_at, a.sub FROM token t "
            "LEFT JOIN authorization_ a ON a.id = t.authorization_id WHERE t.digest = ? AND t.expires_at > ? "
            "AND (t.authorization_id IS NULL OR a.id IS NOT NULL)",
            self.digest(value),
            int(time.time()),
        )

    def introspect(self) -> Response:
        """Say whether a token is active."""
        self.client()
        row = self.live(request.form["token"])
        if row is None:
            return jsonify(active=False)
        told = dict(zip(("client_id", "scope", "iat", "exp", "sub"), row, strict=True))
        return jsonify(active=True, iss=self.issuer, token_type="Bearer", **told, padding="x" * 60)

    def userinfo(self) -> Response:
        """Say who the person is."""
        row = self.live(request.headers["Authorization"].removeprefix("Bearer "))
        if row is None:
            abort(401)
        person = self.database.row("SELECT sub FROM person WHERE sub = ?", row[4])
        return jsonify(sub=person[0])

    def revoke(self) -> Response:
        """End an authorization by its refresh token."""
        client, digest = self.client(), self.digest(request.form["token"])
        self.database.run("DELETE FROM authorization_ WHERE refresh = ? AND client_id = ?", digest, client)
        return Response()


def make(folder: str, url: str) -> WSGIApplication:
    """Return the application."""
    kept = json.loads(Path(folder, "kept.json").read_text(encoding="utf-8"))
    app = Flask("floor", static_folder=None)
    app.secret_key = kept["key"]
    floor = Floor(url, **kept)
    for name in ("authorize", "introspect", "revoke", "token", "userinfo"):
        methods = ["GET" if name in {"authorize", "userinfo"} else "POST"]
        app.add_url_rule(PATHS[name], name, getattr(floor, name), methods=methods)
    app.add_url_rule(PATHS["discovery"], "discovery", lambda: jsonify(floor.documents))
    app.add_url_rule(PATHS["jwks"], "jwks", lambda: jsonify(floor.keys))
    return app.wsgi_app


def main(folder: str, port: str, url: str) -> None:
    """Prepare."""
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kept = {"key": secrets.token_urlsafe(32), "port": int(port), "pem": pem.decode()}
    Path(folder, "kept.json").write_text(json.dumps(kept), encoding="utf-8")
    floor = Floor(url, **kept)
    for table in TABLES:
        floor.database.run(table)
    floor.database.run("INSERT INTO person VALUES (?, ?)", "ann", "Ann")
    parties = {name: (name, secrets.token_urlsafe(32)) for name in ("app", "asking", "api")}
    for name, (client_id, secret) in parties.items():
        values = (client_id, floor.digest(secret), REDIRECT_URI, int(name == "asking"))
        floor.database.run("INSERT INTO client VALUES (?, ?, ?, ?)", *values)
    app = Flask("floor")
    app.secret_key = kept["key"]
    cookie = app.session_interface.get_signing_serializer(app).dumps({"sub": "ann"})
    site = {**PATHS, **parties, "service": parties["app"], "asking": "asking", "issuer": floor.issuer}
    print(json.dumps({**site, "cookie": f"session={cookie}"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
