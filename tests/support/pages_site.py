"""A stand-alone server in this process, with people, apps and whatever else pages show, for a real browser."""

import os
import socket
from contextlib import contextmanager
from unittest.mock import patch
from urllib.parse import urlencode

from flask import request, template_rendered

from portula import Plugin
from portula.cli.serve import ServeOptions, make_app
from portula.errors import StorageDown
from portula.plugin import AccessToken, Application, Authorization, Grant, Plan, RefreshToken
from portula_accounts.password_links import PasswordLinks
from portula_ciba import waiting_requests
from portula_dcr.initial_access import InitialAccessTokens
from support.details import BANK, PAYMENT
from support.wsgi_server import serving

PASSWORD = "correct horse battery staple"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CIBA_GRANT = "urn:openid:params:grant-type:ciba"
CHALLENGE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
TYPES = "authorization_details_types"
CONFIGURATION = """
OAUTH2_PROVIDER = {{
    "PROVIDER_NAME": "The tea house",
    "PASSWORD_HASH_PROFILE": "testing",
    "CLIENT_SECRET_HASH_PROFILE": "testing",
    "DCR_ENABLED": True,
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "OIDC_FRONTCHANNEL_LOGOUT_ENABLED": True,
    "OIDC_SESSION_MANAGEMENT_ENABLED": True,
    "AUTHORIZATION_DETAILS_TYPES": {{"payment_initiation": "support.details.PaymentInitiation"}},
    "PROTECTED_RESOURCES": {{"https://bank.example/payments": {{}}}},
    "CIBA_MAX_REQUESTS_PER_USER": 64,
    "PLUGINS_DIR": {plugins!r},
}}
"""
PLUGIN = """
from portula import hookimpl
from portula.errors import AccessDeniedError
from portula.plugin import ConsentItem, Demands


@hookimpl
def portula_interaction_demands(interaction):
    if interaction.request.state == "payment":
        return Demands(items=(ConsentItem(title="Make a payment", details=(("Sum", "12 EUR"), ("To", "Bob"))),))


@hookimpl
def portula_validate_admin_request(request):
    if request.person.username == "helper" and request.kind != "users":
        raise AccessDeniedError("Helpers look after users.")
"""


class Site:
    """The server, what it answered last, and what pages of it need."""

    def __init__(self, folder):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        plugins = folder / "plugins"
        plugins.mkdir(parents=True)
        (plugins / "house_rules.py").write_text(PLUGIN)
        config = folder / "config.py"
        config.write_text(CONFIGURATION.format(plugins=str(plugins)))
        options = ServeOptions(
            config=str(config),
            data_dir=str(folder / "data"),
            creating=True,
            demo=True,
            issuer=f"{self.url}/o",
        )
        self.app, self.provider = make_app(options)
        self.app.add_url_rule("/fails", "fails", self._fail)
        self.app.after_request(self._note)
        template_rendered.connect(self._note_template, self.app)
        self.answer = self.template = None

    def _fail(self):
        raise RuntimeError("A page that fails")

    def down(self):
        """Return a context in which the storage does not answer."""
        return patch.object(self.provider.storage, "find", side_effect=StorageDown("It is down"))

    def _note(self, response):
        if response.mimetype == "text/html" and not response.location:
            self.answer = (request.endpoint, response.status_code)
        return response

    def _note_template(self, sender, template, **extra):
        self.template = template.name

    # --- What pages show ---

    def furnish(self):
        """Make people and apps."""
        self.users = self.provider.hooks.ask(Plugin.portula_login).users
        self.ann = self.users.create("ann", PASSWORD, email="ann@example.com", claims={"locale": "de"})
        self.root = self.users.create("root", PASSWORD, is_admin=True)
        self.helper = self.users.create("helper", PASSWORD, is_admin=True)
        self.guest = self.users.create("guest", PASSWORD)
        self.newcomer = self.users.create("newcomer", PASSWORD)
        for number in range(27):
            self.users.create(f"person{number}", PASSWORD)
        callback = (f"{self.url}/", "https://app.example/cb")
        told_of_the_end = {"frontchannel_logout_uri": "https://app.example/told"}
        self.app_id = self._client("A name that is longer than a phone is wide, no end in sight", callback)
        self.logout_id = self._client("Tea time", callback, callback, told_of_the_end)
        self.shop_id = self._client("Shop", callback, metadata={TYPES: ["payment_initiation"]})
        self.stranger_id = self._client("Stranger", callback, metadata={"self_registered": True})
        television = Application(
            client_id="",
            name="A television in the kitchen",
            client_type="public",
            grant_types=(DEVICE_GRANT,),
        )
        self.television_id = self.provider.clients.create(television)[0].client_id
        till = Application(
            client_id="", name="The till of the tea house", grant_types=(CIBA_GRANT, "refresh_token")
        )
        made, secret = self.provider.clients.create(till)
        self.till = (made.client_id, secret)
        for number in range(27):
            self._client(f"App number {number}", callback)
        self._issue()

    def _client(self, name, callback, after_logout=(), metadata=None):
        links = {
            "client_uri": "https://app.example/",
            "logo_uri": "https://app.example/logo.png",
            "policy_uri": "https://app.example/privacy",
            "tos_uri": "https://app.example/terms",
        }
        made, _ = self.provider.clients.create(
            Application(
                client_id="",
                name=name,
                grant_types=("authorization_code", "refresh_token", "client_credentials"),
                redirect_uris=callback,
                post_logout_redirect_uris=after_logout,
                metadata={**links, **(metadata or {})},
            )
        )
        return made.client_id

    def _issue(self):
        """Issue of each kind of token to an app, and keep what else has a page."""
        now, plan = self.provider.now(), Plan()
        given = {"client_id": self.app_id, "scope": "openid read write", "issued_at": now}
        for number in range(27):
            name = f"{number:02}" * 16
            hers = {**given, "subject": self.ann.sub}
            plan.add(Authorization(id=name, **hers))
            plan.add(AccessToken(digest=f"a{name}", authorization=name, expires_at=now + 3600, **hers))
            plan.add(RefreshToken(digest=f"r{name}", authorization=name, expires_at=now + 3600, **hers))
            plan.add(Grant(digest=f"g{name}", authorization=name, expires_at=now + 60, **hers))
        plan.add(AccessToken(digest="c" * 32, expires_at=now - 1, **given))
        memory = self.provider.hooks.ask(Plugin.portula_consent).memory
        memory.join(self.ann.sub, Application(client_id=self.app_id), ["read"], plan)
        self._pay(plan)
        memory.join(self.ann.sub, Application(client_id=self.shop_id), ["openid", "read"], plan)
        self.provider.storage.apply(plan)
        self.provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT")
        InitialAccessTokens(self.provider).create("partner", max_uses=3, expires_in=3600)

    def _pay(self, plan):
        """Keep that a person allowed a payment and more, with tokens for one server, bound to a key."""
        key = {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
        given = {"client_id": self.shop_id, "subject": self.ann.sub, "scope": "openid read"}
        given |= {"issued_at": self.provider.now(), "confirmation": key}
        expires_at = given["issued_at"] + 3600
        servers, name = (BANK,), "pa" * 16
        facts = {"rar": {"details": [PAYMENT, {"type": "a_type_that_is_gone", "actions": ["read", "write"]}]}}
        plan.add(Authorization(id=name, resources=servers, facts=facts, expires_at=expires_at, **given))
        payload = {"authorization_details": [PAYMENT]}
        plan.add(
            AccessToken(
                digest=name,
                authorization=name,
                audience=servers,
                payload=payload,
                expires_at=expires_at,
                **given,
            )
        )

    def link(self):
        """Return a link with which the newcomer sets a password."""
        return PasswordLinks(self.provider, self.users).create(self.newcomer, self.url)

    def device(self, field):
        """Return what a device gets that asks for codes: `user_code`, or an address."""
        form = {"client_id": self.television_id, "scope": "openid read"}
        asked = self.app.test_client().post("/o/device_authorization/", data=form)
        return asked.json[field]

    def ask(self, person, **parameters):
        """Ask for a person who is elsewhere, and return the address of the page that asks them."""
        form = {"scope": "openid email read", "login_hint": person.username, **parameters}
        asked = self.app.test_client().post("/o/bc-authorize/", data=form, auth=self.till)
        assert asked.status_code == 200, asked.text
        with self.app.app_context():
            newest = waiting_requests(self.provider, person.sub)[0]
        return f"{self.url}/o/ciba/decide/?{urlencode({'backchannel_request': newest.request_id})}"

    def authorize(self, client_id=None, **parameters):
        """Return the address of an authorization request."""
        asked = {
            "response_type": "code",
            "client_id": client_id or self.app_id,
            "redirect_uri": f"{self.url}/",
            "scope": "openid read write",
            "state": "s",
            **CHALLENGE,
            **parameters,
        }
        return f"{self.url}/o/authorize/?{urlencode(asked)}"


@contextmanager
def running_site(folder):
    """Serve the pages until the end of the block."""
    site = Site(folder)
    with site.listener:
        with site.app.app_context():
            site.furnish()
        with serving(site.provider.wsgi(), fd=os.dup(site.listener.fileno())):
            yield site
