"""What each of the clients needs, written once: keys, assertions, proofs, the browser, and a look at what is sent."""

import base64
import hashlib
import json
import secrets
import ssl
import sys
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jwt import JWT
from rich.console import Console
from rich.markup import escape

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CODE = "RFC 6749 §4.1.3, RFC 7636 §4.5: the code becomes a token"
SHOWN = ("Authorization", "DPoP", "WWW-Authenticate")
console = Console(highlight=False, soft_wrap=True)


class Client:
    """A client that registers itself when it is made, with keys of its own and what its room needs."""

    def __init__(self, server, *, browser=True, certificate=None, authority=None, **metadata):
        context = ssl.create_default_context(cafile=authority)
        if certificate:
            context.load_cert_chain(certificate)
        self.http = httpx.Client(verify=context, timeout=30)
        self.browser, self.certificate = browser, certificate
        self.server = self.http.get(f"{server}/.well-known/oauth-authorization-server/o").json()
        self.issuer = self.server["issuer"]
        self.key = JWK.generate(kty="EC", crv="P-256", kid="mine", alg="ES256", use="sig")
        self.token_key = JWK.generate(kty="EC", crv="P-256")
        self.listener = HTTPServer(("127.0.0.1", 0), Redirected)
        self.redirect_uri = f"http://127.0.0.1:{self.listener.server_port}/callback"
        document = {
            "client_name": "A demonstration",
            "application_type": "native",
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [self.key.export_public(as_dict=True)]},
            **metadata,
        }
        title = "RFC 7591 §3.1: the client registers itself"
        registered = self.send(title, "POST", self.server["registration_endpoint"], 201, json=document)
        self.client_id = registered.json()["client_id"]

    def send(self, title, method, url, status=200, **content):
        """Send a request, show it and its answer, and stop unless the answer has this status."""
        response = self.http.request(method, url, **content)
        console.print(f"\n[bold]{escape(title)}[/bold]")
        show(f"→ {method} {url}", response.request)
        show(f"← {response.status_code} {response.reason_phrase}", response)
        if response.status_code != status:
            sys.exit(f"expected {status}")
        return response

    def endpoint(self, name):
        """Return the URL of an endpoint, where there are two that for certificates (RFC 8705 §5)."""
        aliases = self.server.get("mtls_endpoint_aliases", {}) if self.certificate else {}
        return aliases.get(name, self.server[name])

    def post(self, title, endpoint, form, status=200, headers=()):
        """Send a form to an endpoint, as this client."""
        form = {"client_id": self.client_id, **form}
        if not self.certificate:
            form |= {"client_assertion_type": ASSERTION, "client_assertion": self.assertion()}
        return self.send(title, "POST", self.endpoint(endpoint), status, data=form, headers=dict(headers))

    def signed(self, claims, key=None, **header):
        token = JWT(header={"alg": "ES256", **header}, claims=claims)
        token.make_signed_token(key or self.key)
        return token.serialize()

    def assertion(self):
        """Say who this is (RFC 7523 §2.2 and §3)."""
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer}
        claims |= {"jti": secrets.token_urlsafe(), "iat": now, "exp": now + 60}
        return self.signed(claims, kid="mine")

    def request_object(self, parameters):
        """Return a request as a JWT (RFC 9101 §4)."""
        now = int(time.time())
        claims = {"iss": self.client_id, "aud": self.issuer, "nbf": now, "exp": now + 60}
        claims |= {"client_id": self.client_id, **parameters}
        return self.signed(claims, kid="mine", typ="oauth-authz-req+jwt")

    def proof(self, method, url, access_token=None):
        """Return the header that proves the key of tokens, for one request (RFC 9449 §4.2)."""
        claims = {"htm": method, "htu": url, "iat": int(time.time()), "jti": secrets.token_urlsafe()}
        if access_token:
            claims["ath"] = s256(access_token)
        public = self.token_key.export_public(as_dict=True)
        return {"DPoP": self.signed(claims, self.token_key, typ="dpop+jwt", jwk=public)}

    def request(self, **parameters):
        """Return the parameters of an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3)."""
        self.verifier, self.state = secrets.token_urlsafe(48), secrets.token_urlsafe()
        return {
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": "read",
            "state": self.state,
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
            **parameters,
        }

    def authorize(self, title, parameters):
        """Send the browser to the authorization endpoint, and return what it brings back to the redirect URI."""
        query = urlencode({"client_id": self.client_id, **parameters}, doseq=True)
        url = f"{self.server['authorization_endpoint']}?{query}"
        console.print(f"\n[bold]{escape(title)}[/bold]\nOpen this address and allow what is asked:")
        print(url, flush=True)
        if self.browser:
            webbrowser.open(url)
        self.listener.answer = None
        while self.listener.answer is None:
            self.listener.handle_request()
        show("← the browser is back", self.listener.answer)
        return self.listener.answer

    def redeem(self, answer, title=CODE, headers=(), **more):
        """Check that an answer is one to the request of this client (RFC 9207 §2.4), and redeem its code."""
        if answer.get("state") != self.state or answer.get("iss") != self.issuer or "code" not in answer:
            sys.exit("the answer has no code, or is none to our request")
        form = {"grant_type": "authorization_code", "code": answer["code"], "code_verifier": self.verifier}
        form |= {"redirect_uri": self.redirect_uri, **more}
        return self.post(title, "token_endpoint", form, headers=headers).json()

    def call_api(
        self, access_token, title="RFC 6750 §2.1: the token at the API", status=200, *, proven=False
    ):
        """Use a token at the API, with a proof of its key or without."""
        headers = {"Authorization": f"{'DPoP' if proven else 'Bearer'} {access_token}"}
        url = urljoin(self.endpoint("token_endpoint"), "/payments")
        headers |= self.proof("POST", url, access_token) if proven else {}
        self.send(title, "POST", url, status, headers=headers)

    def verified(self, title, text, audience, typ=None):
        """Check signature, issuer, audience and type of a JWT of the server, and return its claims."""
        keys = JWKSet.from_json(self.send(title, "GET", self.server["jwks_uri"]).text)
        claims = {"iss": self.issuer, "aud": audience}
        token = JWT(jwt=text, key=keys, algs=["RS256"], check_claims=claims)
        if typ is not None and json.loads(token.header).get("typ") != typ:
            sys.exit(f"this is no {typ}")
        return json.loads(token.claims)


class Redirected(BaseHTTPRequestHandler):
    """The redirect URI on this machine (RFC 8252 §7.3)."""

    timeout = 2  # browsers open connections in advance, on which nothing comes

    def do_GET(self):
        parts = urlsplit(self.path)
        self.send_response(200 if parts.path == "/callback" else 404)
        self.end_headers()
        if parts.path == "/callback":
            self.server.answer = dict(parse_qsl(parts.query))
            self.wfile.write(b"Done. Go back to the terminal.")

    def log_message(self, *_arguments):
        """Say nothing: what counts is shown by the client."""


def s256(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def show(line, message):
    """Print a request, a response or parameters: a member a line, JWTs as what is in them."""
    console.print(f"[cyan]{escape(line)}[/cyan]")
    for name, value in (message if isinstance(message, dict) else members_of(message)).items():
        console.print(f"    [dim]{escape(name)}[/dim] {escape(readable(value))}")


def members_of(message):
    headers = {name: message.headers[name] for name in SHOWN if name in message.headers}
    text, kind = message.content.decode(), message.headers.get("Content-Type", "")
    if kind == "application/json":
        return headers | json.loads(text)
    return headers | (dict(parse_qsl(text)) if "form" in kind else {kind: text} if text else {})


def readable(value):
    text = value if isinstance(value, str) else json.dumps(value)
    if text.startswith("eyJ") and text.count(".") == 2:
        parts = (base64.urlsafe_b64decode(part + "==").decode() for part in text.split(".")[:2])
        return " ".join((*parts, "signature"))
    return text if len(text) <= 100 else f"{text[:99]}…"
