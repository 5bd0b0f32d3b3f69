"""S15: a login with a second factor learns what is demanded, and step-up goes the whole way (RFC 9470)."""

import re
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, redirect, request, session, url_for
from support.devices import GRANTS

from portula import Plugin
from portula.plugin import Application, AuthenticatedUser, Login, User
from portula_resource_server import require_oauth
from portula_testing.provider import CALLBACK, make_provider
from security.driving import HOST, Browser, Clock, Door, Party, answered, bearer, pkce

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rooms" / "oidc.md"
CLASSES = {"one-factor": ("pwd",), "two-factor": ("pwd", "otp"), "hardware": ("pwd", "hwk")}
ROOMS = ("scopes_settings", "generators", "oauth2", "consent", "jose", "oidc", "resource_server", "device")


def manual():
    """Return the function of the page that reads the hint."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    namespace = {"__name__": "manual"}
    exec(next(block for block in blocks if "def methods_wanted" in block), namespace)
    return namespace["methods_wanted"]


class TwoFactors(Plugin, Login):
    """A login of a deployment: a password, and a second factor where it is wanted."""

    def __init__(self):
        self.acts = count()

    def portula_login(self, provider):
        return self

    def current(self):
        return AuthenticatedUser("ann", "ann", **session["person"]) if "person" in session else None

    def login_url(self, next_url, client=None):
        return url_for("login", next=next_url)

    def sign_out(self):
        session.clear()

    def find(self, subject):
        return User(subject, subject)

    def signed_in(self, provider, methods):
        act = f"act {next(self.acts)}"
        session["person"] = {"auth_time": provider.now(), "amr": tuple(methods), "authentication": act}


class Site:
    """An app with such a login, and a view that needs both factors."""

    def __init__(self, obedient=True, **settings):
        self.clock, self.login, app = Clock(), TwoFactors(), Flask("site")
        given = {
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": f"{HOST}/o",
            "SCOPES": {"openid": "You", "read": "Read", "transfer": "Move money"},
            "ACR_VALUES": CLASSES,
            "ACR_VALUES_ESSENTIAL": True,
            **settings,
        }
        self.provider = make_provider(*ROOMS, self.login, self.clock, settings=given, app=app)
        wanted = manual()
        app.add_url_rule("/login", "login", lambda: self.page(wanted, obedient), methods=["GET", "POST"])
        guard = require_oauth("read", acr_values=["two-factor"], max_age=300)
        app.add_url_rule("/transfer", "transfer", guard(lambda: "moved"))
        self.app, self.door, self.browser = app, Door(app), Browser(app)
        client = Application(
            client_id="", grant_types=("authorization_code", "refresh_token"), redirect_uris=(CALLBACK,)
        )
        made, secret = self.provider.clients.create(client)
        self.party = Party(made.client_id, secret, CALLBACK)

    def page(self, wanted, obedient):
        methods = wanted(self.provider)
        if request.method == "GET":
            return " ".join(methods)
        self.login.signed_in(self.provider, methods if obedient else ("pwd",))
        return redirect(request.args["next"])

    def edit(self, **fields):
        self.provider.clients.edit(self.party.client_id, lambda known: replace(known, **fields))

    def ask(self, **parameters):
        self.verifier, challenge = pkce()
        given = {"scope": "openid read", "code_challenge": challenge, "code_challenge_method": "S256"}
        return self.browser.ask(self.party, **{**given, **parameters})

    def signed_in(self, answer):
        """Do what the login page asks for, and return what comes of it."""
        assert urlsplit(answer.location).path == "/login", answer.location
        return self.browser.get(self.browser.post(answer.location).location)

    def redeemed(self, page):
        code = answered(self.browser.submit(page, "consent-allow"))["code"]
        return self.door.redeem(self.party, code, self.verifier).json

    def transfer(self, tokens):
        return self.door.open("/transfer", headers=bearer(tokens["access_token"]))


def hints(answer):
    found = {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}
    found.pop("next")
    return found


def challenge_of(answer):
    assert answer.status_code == 401
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["WWW-Authenticate"]))


@pytest.fixture
def site():
    return Site()


@pytest.mark.parametrize("scope", ["openid read", "read"])
@pytest.mark.parametrize("later", [0, 301])
def test_step_up_goes_the_whole_way(site, scope, later):
    """RFC 9470 §2: refused, challenged, signed in with both factors, served; within one second too."""
    weak = site.redeemed(site.signed_in(site.ask(scope=scope)))
    said = challenge_of(site.transfer(weak))
    assert (said["acr_values"], said["max_age"]) == ("two-factor", "300")
    site.clock.forward(later)
    needed = {name: said[name] for name in ("acr_values", "max_age")}
    sent = site.ask(scope=scope, **needed)
    assert hints(sent) == {**needed, "signed_in_at": str(site.clock.time - later)}
    assert site.browser.get(sent.location).text == "pwd otp"
    strong = site.redeemed(site.signed_in(sent))
    assert site.transfer(strong).status_code == 200
    assert "consent-allow" in site.ask(scope=scope, **needed).text  # and no sign-in
    assert site.transfer(weak).status_code == 401


@pytest.mark.parametrize("scope", ["openid read", "read"])
def test_whom_nobody_knows_yet_signs_in_with_both_factors_at_once(site, scope):
    sent = site.ask(scope=scope, acr_values="two-factor")
    assert hints(sent) == {"acr_values": "two-factor"}
    assert site.transfer(site.redeemed(site.signed_in(sent))).status_code == 200


ESSENTIAL = '{"id_token": {"acr": {"essential": true, %s}}}'


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, None),
        ({"acr_values": "hardware two-factor"}, "hardware two-factor"),
        ({"acr_values": "two-factor two-factor"}, "two-factor"),
        ({"acr_values": "gold two-factor"}, "two-factor"),
        ({"acr_values": "gold"}, None),
        ({"acr_values": "x" * 3000}, None),
        ({"claims": ESSENTIAL % '"value": "two-factor"'}, "two-factor"),
        ({"claims": ESSENTIAL % '"values": ["gold", "hardware"]'}, "hardware"),
        ({"claims": ESSENTIAL % '"values": ["two-factor"]', "acr_values": "one-factor"}, "two-factor"),
        ({"claims": ESSENTIAL % '"values": ["hardware"]', "acr_values": "two-factor"}, None),
        ({"claims": ESSENTIAL % '"values": []', "acr_values": "two-factor"}, "two-factor"),
        ({"max_age": "60"}, None),
    ],
)
def test_the_page_is_told_classes_by_which_all_demands_are_met(site, parameters, told):
    found = hints(site.ask(**parameters))
    assert found.get("acr_values") == told
    assert found.get("max_age") == parameters.get("max_age")


@pytest.mark.parametrize("values", ["5", '"two-factor"', "null", "{}", "true"])
def test_values_of_a_claim_are_a_list(site, values):
    sent = site.ask(claims=ESSENTIAL % f'"values": {values}')
    assert answered(sent)["error"] == "invalid_request"


def test_a_wish_is_told_and_cannot_fail():
    site = Site(obedient=False, ACR_VALUES_ESSENTIAL=False)
    sent = site.ask(acr_values="two-factor")
    assert hints(sent) == {"acr_values": "two-factor"}
    assert challenge_of(site.transfer(site.redeemed(site.signed_in(sent))))["acr_values"] == "two-factor"


def test_the_wishes_of_a_client_are_told(site):
    site.edit(metadata={"default_acr_values": ["hardware"], "default_max_age": 30})
    assert hints(site.ask()) == {"acr_values": "hardware", "max_age": "30"}


@pytest.mark.parametrize("scope", ["openid read", "read"])
def test_a_page_that_passes_the_hint_over_gives_nothing(scope):
    site = Site(obedient=False)
    back = site.signed_in(site.ask(scope=scope, acr_values="two-factor"))
    if back.location.startswith("/login"):  # nobody had signed in for this request yet
        back = site.signed_in(back)
    assert answered(back)["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize("forged", ["", "acr_values=one-factor", "acr_values=gold", "acr_values="])
def test_who_changes_the_address_gets_nothing_by_it(site, forged):
    sent = site.ask(acr_values="two-factor")
    changed = re.sub(r"&acr_values=[^&]*", f"&{forged}", sent.location)
    back = site.browser.get(site.browser.post(changed).location)
    assert urlsplit(back.location).path == "/login"
    changed = re.sub(r"&acr_values=[^&]*", f"&{forged}", back.location)
    back = site.browser.get(site.browser.post(changed).location)
    assert answered(back)["error"] == "unmet_authentication_requirements"


def test_no_page_is_shown_where_none_may_be(site):
    site.redeemed(site.signed_in(site.ask()))
    assert answered(site.ask(acr_values="two-factor", prompt="none"))["error"] == "login_required"


def test_a_device_demands_it_of_who_allows_it(site):
    site.edit(grant_types=GRANTS)
    asked = {"scope": "openid read", "acr_values": "two-factor", **site.party.body}
    codes = site.door.post("/o/device_authorization/", asked, site.party.auth).json
    page = site.browser.get("/o/device/")
    typed = site.browser.submit(page, "device-continue", user_code=codes["user_code"])
    sent = site.browser.get(typed.location)
    assert hints(sent) == {}  # codes are looked up for people who are signed in alone
    sent = site.signed_in(sent)
    assert hints(sent) == {"acr_values": "two-factor", "signed_in_at": str(site.clock.time)}
    site.browser.submit(site.signed_in(sent), "consent-allow")
    form = {"grant_type": GRANTS[0], "device_code": codes["device_code"]}
    assert site.transfer(site.door.token(site.party, **form).json).status_code == 200
