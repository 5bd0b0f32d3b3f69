"""The provider of the flows: every room but the SQL store, a person, a client, and what they do."""

import json
from base64 import b64encode
from types import MappingProxyType
from urllib.parse import parse_qs, urljoin, urlsplit

from security.driving import s256
from support.browser import forms_of

import portula_accounts
import portula_admin
import portula_attestation
import portula_ciba
import portula_cimd
import portula_cleanup
import portula_client_assertion
import portula_consent
import portula_dcr
import portula_device
import portula_dpop
import portula_fetch
import portula_generators
import portula_grant_management
import portula_id_jag
import portula_introspection
import portula_jar
import portula_jarm
import portula_jose
import portula_jwt_access_tokens
import portula_jwt_bearer
import portula_jwt_introspection
import portula_logout
import portula_mtls
import portula_oauth2
import portula_oidc
import portula_par
import portula_profiles
import portula_protected_resource
import portula_rar
import portula_resource_indicators
import portula_resource_server
import portula_scopes_settings
import portula_sessions
import portula_token_exchange
from portula import Plugin
from portula.plugin import Authorization
from portula_resource_server import require_oauth
from portula_testing import jws
from portula_testing.failures import Flow
from portula_testing.provider import CALLBACK, client_for, make_provider

ROOMS = (
    portula_accounts,
    portula_admin,
    portula_cleanup,
    portula_attestation,
    portula_ciba,
    portula_cimd,
    portula_client_assertion,
    portula_consent,
    portula_dcr,
    portula_device,
    portula_dpop,
    portula_fetch,
    portula_generators,
    portula_grant_management,
    portula_id_jag,
    portula_introspection,
    portula_jar,
    portula_jarm,
    portula_jose,
    portula_jwt_access_tokens,
    portula_jwt_bearer,
    portula_jwt_introspection,
    portula_logout,
    portula_mtls,
    portula_oauth2,
    portula_oidc,
    portula_par,
    portula_profiles,
    portula_protected_resource,
    portula_rar,
    portula_resource_indicators,
    portula_resource_server,
    portula_scopes_settings,
    portula_sessions,
    portula_token_exchange,
)
ISSUER = "https://id.example/o"
PASSWORD = "a long password of hers"
VERIFIER = "v" * 43
LOGOUT = "https://client.example/out"
BYE = "https://client.example/bye"


class House(Flow):
    """A flow at a provider of all rooms."""

    settings = MappingProxyType({})
    may_stay = frozenset({"Artifact secret-use", "Artifact signing-key", "Artifact pairwise-salt"})
    """The client did authenticate; and what is made once for all needs not be made again."""
    keyed = True
    """Whether there is a key that signs ID tokens before the flow begins."""

    def start(self, *plugins):
        given = {
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": ISSUER,
            "DELIVERY_THREADS": 0,
            "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
            **self.settings,
        }
        provider = make_provider(*ROOMS, *self.plugins(), *plugins, settings=given)
        provider.app.add_url_rule("/resource", "resource", require_oauth("read")(lambda: "the resource"))
        return provider

    def plugins(self):
        """Return plugins of the flow's own."""
        return ()

    @property
    def storage(self):
        return self.provider.storage

    def client(self, *grant_types, **fields):
        """Register a client, and remember how it authenticates."""
        made, secret = client_for(self.provider, *grant_types, algorithm="ES256", **fields)
        self.client_id = made.client_id
        if self.keyed:
            self.provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT", algorithm="ES256")
        pair = b64encode(f"{made.client_id}:{secret}".encode()).decode()
        self.basic = {"Authorization": f"Basic {pair}"} if secret else {}

    def person(self, **fields):
        self.ann = self.provider.hooks.ask(Plugin.portula_login).users.create("ann", PASSWORD, **fields)

    def one(self, records):
        """Return the newest of records of which one is made; what an answer was lost of may be there besides."""
        assert len(records) == 1 or (self.answer_lost and len(records) == 2), records
        return records[-1]

    def live(self, cls):
        """Return the records of authorizations that count."""
        counting = {known.id for known in self.storage.select(Authorization) if known.revoked_at is None}
        return [kept for kept in self.storage.select(cls) if kept.authorization in counting]

    # --- Machines ---

    def post(self, path, form, status=200, headers=None):
        answer = self.browser().post(path, data=form, headers=self.basic if headers is None else headers)
        return expect(answer, status)

    def token(self, status=200, **form):
        return self.post("/o/token/", form, status).json

    def redeem(self, code, status=200):
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(status, grant_type="authorization_code", **form)

    def active(self, token):
        return self.post("/o/introspect/", {"token": token}).json["active"]

    # --- People ---

    def press(self, browser, page, button=None, form=0, **typed):
        """Press a button of a page."""
        found = forms_of(page.text)[form]
        name, value = found.buttons[button] if button else ("", "")
        action = urljoin(page.request.url, found.action)
        return browser.post(action, data={**found.fields, **typed, **({name: value} if name else {})})

    def sign_in(self, browser, page=None):
        page = page or expect(browser.get("/accounts/login/"), 200)
        return expect(self.press(browser, page, "login-submit", username="ann", password=PASSWORD), 302)

    def ask(self, browser, **parameters):
        given = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid read",
            "state": "the state",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
            **parameters,
        }
        return browser.get("/o/authorize/", query_string=given)

    def authorize(self, browser, **parameters):
        """Go from the app through login and consent back to the app; return what it is sent."""
        to_login = expect(self.ask(browser, **parameters), 302)
        login = expect(browser.get(to_login.location), 200)
        signed_in = self.sign_in(browser, login)
        consent = expect(browser.get(signed_in.location), 200)
        return sent_back(self.press(browser, consent, "consent-allow"))

    def code_flow(self):
        """Prepare tokens of a person, without faults."""
        self.visitor = self.browser()
        self.tokens = self.redeem(self.authorize(self.visitor)["code"])


def expect(answer, status):
    """Return an answer, which has to have this status."""
    if answer.status_code != status:
        shown = " ".join(answer.text.partition("<main")[2].split())[:200] or answer.text[:200]
        raise AssertionError(f"{answer.request.path} answers {answer.status_code}, not {status}: {shown}")
    return answer


def sent_back(answer):
    """Return the parameters that an app gets."""
    expect(answer, 302)
    parts = urlsplit(answer.location)
    if not answer.location.startswith(CALLBACK):
        raise AssertionError(f"the browser is sent to {answer.location}")
    sent = {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}
    if "error" in sent:
        raise AssertionError(f"the app gets the error {sent['error']}")
    return sent


def claims_of(id_token):
    return jws.taken_apart(id_token)[1]


def as_json(document):
    return {"data": json.dumps(document), "content_type": "application/json"}
