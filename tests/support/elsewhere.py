"""A provider that issues JWTs, and a resource server in an app of its own, between which only documents go."""

import json

from flask import Flask
from security.driving import HOST, ISSUER, Memory, bearer
from security.house import House
from werkzeug.test import Client

import portula_dpop
import portula_fetch
import portula_jose
import portula_mtls
import portula_resource_server
from portula import Provider, hookimpl
from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse
from portula_resource_server import current_token, require_oauth
from portula_testing import jws
from support.certificates import BEHIND_PROXY
from support.fitting import stubbed

API = "https://api.example"
METADATA = f"{HOST}/.well-known/oauth-authorization-server/o"
KEYS = f"{ISSUER}/.well-known/jwks.json"


class Web(stubbed(Fetcher)):
    """The documents of a house, or others in their place, as a fetcher finds them."""

    def __init__(self, door):
        self.door, self.asked, self.documents, self.is_down = door, [], {}, False

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        self.asked.append(url)
        if self.is_down:
            raise FetchFailed("nobody answers")
        if url in self.documents:
            return FetchResponse(200, "application/json", self.documents[url])
        answer = self.door.open(url.removeprefix(HOST))
        if answer.status_code != 200:
            raise FetchFailed("no such document", status=answer.status_code)
        return FetchResponse(200, answer.mimetype, answer.data)


class Elsewhere:
    """A house whose tokens are JWTs, and a resource server that believes its keys."""

    def __init__(self, *plugins, stores=True, house=None, **settings):
        self.house = house or House(
            OIDC_ENABLED=True,
            ACCESS_TOKEN_FORMAT="jwt",
            MTLS_ENABLED=True,
            PROTECTED_RESOURCES={API: {"client_id": "api"}, "https://files.example": {}},
            RESOURCE_INDICATORS_DEFAULT=API,
            **BEHIND_PROXY,
        )
        self.clock, self.web = self.house.clock, Web(self.house.door())
        given = {
            "RESOURCE_SERVER_ISSUER": ISSUER,
            "RESOURCE_SERVER_AUDIENCES": [API],
            "OIDC_ISS_ENDPOINT": f"{API}/o",
            "SECRET_KEYS": ["a key of another server, long enough"],
            "PLUGINS_CHOICE": {"fetcher": "Web"},
            "MTLS_ENABLED": True,
            **({"STORAGE": "memory"} if stores else {}),
            **BEHIND_PROXY,
            **settings,
        }
        self.app = Flask("elsewhere")
        self.app.config.update(SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER=given)
        rooms = (portula_resource_server, portula_jose, portula_fetch, portula_dpop, portula_mtls)
        memory = (Memory(),) if stores else ()
        self.provider = Provider(
            self.app, plugins=[*rooms, self.clock, self.web, *memory, *plugins], discover=False
        )
        self.app.add_url_rule("/read", "read", require_oauth("read")(self.view))
        self.app.add_url_rule("/write", "write", require_oauth("write")(self.view))
        self.http = Client(self.app)

    @staticmethod
    def view():
        """Tell what is known of the token."""
        told = ("subject", "client_id", "expires_at")
        return {name: getattr(current_token, name) for name in told} | {"claims": dict(current_token.claims)}

    def get(self, token, path="/read", headers=None):
        """Visit a guarded view."""
        return self.http.get(path, base_url=API, headers={**bearer(token), **(headers or {})})

    def status(self, token, **keywords):
        return self.get(token, **keywords).status_code

    def token(self, party=None, headers=None, **asked):
        """Return a token of a client for itself."""
        party = party or self.house.client()
        form = {"grant_type": "client_credentials", "scope": "read", **asked}
        answer = self.house.door().token(party, {**party.auth, **(headers or {})}, **form)
        assert answer.status_code == 200, answer.text
        return answer.json["access_token"]

    def forgery(self, key=None, typ="at+jwt", header=None, **changes):
        """Return a token with changed claims, signed by a key that the issuer publishes, or by another."""
        now = self.clock.time
        claims = {
            "iss": ISSUER,
            "sub": "1",
            "aud": API,
            "client_id": "app",
            "scope": "read",
            "iat": now,
            "exp": now + 60,
            "jti": "a name",
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return (key or self.key).sign(claims, typ=typ, **(header or {}))

    @property
    def key(self):
        """A key of the tests, published in place of those of the house."""
        if not hasattr(self, "_key"):
            self._key = jws.TokenKey("ES256", kid="of the tests")
            self.publish(self._key)
        return self._key

    def publish(self, *keys):
        self.web.documents[KEYS] = document(keys=[key.jwk for key in keys])


def document(**members):
    """Return a JSON document."""
    return json.dumps(members).encode()
