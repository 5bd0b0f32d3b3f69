"""Every page that a person can see: which view answers it, of which template it is made, and how one comes there."""

import json

import support.pages_of_admin
import support.pages_of_the_demo  # noqa: F401 - importing these puts their pages into the list
from support.details import PAYMENT
from support.pages_site import PASSWORD
from support.shown_pages import SHOWN, Shown, shown, sign_in

__all__ = ["NO_PAGES", "NO_TEMPLATES", "SHOWN", "Shown", "sign_in"]

NO_PAGES = {
    "portula.static": "a file",
    "portula_logout.static": "a file",
    "portula_oauth2.static": "a file",
    "portula_logout.check_session": "a frame of an app's, in which nothing stands",
}
"""Views that answer GET with no page, each with the reason."""
NO_TEMPLATES = {
    "portula/base.html": "every page is made of it",
    "portula_logout/check_session.html": NO_PAGES["portula_logout.check_session"],
}


# --- Anybody's ---


@shown("home", "portula/home")
def start(site, page):
    page.goto(f"{site.url}/")


@shown("home", "portula/home", "root")
def start_for_an_administrator(site, page):
    page.goto(f"{site.url}/?code=the-code&state=s&iss=https%3A%2F%2Fid.example")


@shown("portula_accounts.login", "portula_accounts/login")
def login(site, page):
    page.goto(f"{site.url}/accounts/login/")


@shown("portula_accounts.login", "portula_accounts/login")
def login_for_an_app(site, page):
    page.goto(site.authorize())


@shown("portula_accounts.login", "portula_accounts/login", status=400)
def login_refused(site, page):
    page.goto(site.authorize())
    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", "wrong")
    page.click("#login-submit")


@shown("portula_accounts.logout", "portula_accounts/logged_out")
def logged_out(site, page):
    page.goto(f"{site.url}/accounts/logout/")


@shown("portula_accounts.set_password", "portula_accounts/password")
def set_password(site, page):
    page.goto(site.link())


@shown("portula_accounts.set_password", "portula_accounts/password", status=400)
def set_password_refused(site, page):
    page.goto(site.link())
    page.fill("input[name=new]", "password")
    page.fill("input[name=again]", "passwort")
    page.click("button")


@shown("portula_accounts.set_password", "portula_accounts/password_changed")
def password_set(site, page):
    page.goto(site.link())
    page.fill("input[name=new]", PASSWORD)
    page.fill("input[name=again]", PASSWORD)
    page.click("button")


@shown("portula_accounts.set_password", "portula/error", status=404)
def set_password_by_a_dead_link(site, page):
    page.goto(f"{site.url}/accounts/set-password/?token=x")


@shown("portula_oauth2.authorize", "portula/error", status=400)
def authorization_refused(site, page):
    page.goto(site.authorize("nobody"))


@shown(None, "portula/error", status=404)
def not_found(site, page):
    page.goto(f"{site.url}/nothing/here/")


@shown(None, "portula/error", status=405)
def not_allowed(site, page):
    page.goto(f"{site.url}/o/admin/application/secret/")


@shown("fails", "portula/error", status=500)
def failed(site, page):
    page.goto(f"{site.url}/fails")


@shown("portula_accounts.account", "portula/error", "ann", 503)
def storage_down(site, page):
    with site.down():
        page.goto(f"{site.url}/accounts/")


# --- A person's own ---


@shown("portula_accounts.account", "portula_accounts/account", "root")
def account(site, page):
    page.goto(f"{site.url}/accounts/")


@shown("portula_accounts.password", "portula_accounts/password", "ann")
def password(site, page):
    page.goto(f"{site.url}/accounts/password/")


@shown("portula_accounts.password", "portula_accounts/password", "ann", 400)
def password_refused(site, page):
    page.goto(f"{site.url}/accounts/password/")
    page.fill("input[name=present]", "wrong")
    page.fill("input[name=new]", "password")
    page.fill("input[name=again]", "passwort")
    page.click("button")


@shown("portula_accounts.logout", "portula_accounts/logout", "ann")
def log_out(site, page):
    page.goto(f"{site.url}/accounts/logout/")


@shown("portula_sessions.sessions", "portula_sessions/sessions", "ann")
def sessions(site, page):
    other = page.context.browser.new_page()
    other.goto(f"{site.url}/accounts/")
    sign_in(other, "ann")
    other.context.close()
    page.goto(f"{site.url}/o/sessions/")


@shown("portula_consent.authorized_tokens", "portula_consent/authorized_tokens", "guest")
def no_connected_apps(site, page):
    page.goto(f"{site.url}/o/authorized_tokens/")


@shown("portula_consent.authorized_tokens", "portula_consent/authorized_tokens", "ann")
def connected_apps(site, page):
    page.goto(site.authorize(scope="openid profile email read write", prompt="consent"))
    page.click("#consent-allow")
    page.wait_for_url(f"{site.url}/?*")
    page.goto(f"{site.url}/o/authorized_tokens/")


@shown("portula_oauth2.authorize", "portula_consent/consent", "ann")
def consent(site, page):
    page.goto(site.authorize(scope="openid profile email read write", prompt="consent"))


@shown("portula_oauth2.authorize", "portula_consent/consent", "ann")
def consent_for_an_app_that_registered_itself(site, page):
    page.goto(site.authorize(site.stranger_id, prompt="consent", scope="openid offline_access read"))


@shown("portula_oauth2.authorize", "portula_consent/consent", "ann")
def consent_to_more_than_scopes(site, page):
    page.goto(site.authorize(state="payment", prompt="consent"))
    page.wait_for_selector("text=Make a payment")


@shown("portula_oauth2.authorize", "portula_consent/consent", "ann")
def consent_to_a_payment(site, page):
    long = {**PAYMENT, "creditorName": "A creditor whose name is as long as a name may be, and no longer."}
    details = json.dumps([PAYMENT, long])
    page.goto(site.authorize(site.shop_id, authorization_details=details, prompt="consent"))
    page.wait_for_selector("text=123.50 EUR >> nth=0")


@shown("portula_device.code", "portula_device/code")
def code_of_a_device(site, page):
    page.goto(f"{site.url}/o/device/")


@shown("portula_device.code", "portula_device/code", "ann")
def code_of_a_device_filled_in(site, page):
    page.goto(site.device("verification_uri_complete"))


@shown("portula_device.confirm", "portula_device/code", "ann", 400)
def code_of_no_device(site, page):
    page.goto(f"{site.url}/o/device/?user_code=BBBB-BBBB")
    page.click("#device-continue")


@shown("portula_device.confirm", "portula_consent/consent", "ann")
def a_device_asks(site, page):
    page.goto(site.device("verification_uri_complete"))
    page.click("#device-continue")


@shown("portula_device.allowed", "portula_device/allowed", "ann")
def a_device_is_allowed(site, page):
    a_device_asks(site, page)
    page.click("#consent-allow")


@shown("portula_device.denied", "portula_device/denied", "ann")
def a_device_is_denied(site, page):
    a_device_asks(site, page)
    page.click("#consent-deny")


@shown("portula_ciba.requests", "portula_ciba/requests", "guest")
def no_app_asks(site, page):
    page.goto(f"{site.url}/o/ciba/")


@shown("portula_ciba.requests", "portula_ciba/requests", "helper")
def apps_that_ask(site, page):
    site.ask(site.helper)
    site.ask(site.helper, binding_message="Table 12, and a message that is as long as it may be, or nearly.")
    page.goto(f"{site.url}/o/ciba/")


@shown("portula_ciba.decide", "portula_consent/consent", "ann")
def an_app_asks(site, page):
    page.goto(site.ask(site.ann, binding_message="W4SCT"))


@shown("portula_ciba.decide", "portula_ciba/nothing", "guest", 400)
def an_app_asks_somebody_else(site, page):
    page.goto(site.ask(site.ann))


@shown("portula_ciba.allowed", "portula_ciba/allowed", "ann")
def an_app_is_allowed(site, page):
    an_app_asks(site, page)
    page.click("#consent-allow")


@shown("portula_ciba.denied", "portula_ciba/denied", "ann")
def an_app_is_denied(site, page):
    an_app_asks(site, page)
    page.click("#consent-deny")


@shown("portula_oauth2.authorize", "portula_oauth2/form_post", "ann")
def form_post(site, page):
    page.goto(site.authorize(response_mode="form_post", prompt="consent"))
    page.click("#consent-allow")


@shown("portula_logout.end_session", "portula_logout/confirm", "ann")
def sign_out_for_an_app(site, page):
    page.goto(_end_of_session(site))


@shown("portula_logout.end_session", "portula_logout/stayed", "ann")
def stayed(site, page):
    page.goto(_end_of_session(site))
    page.click("#logout-cancel")


@shown("portula_logout.end_session", "portula_logout/signed_out")
def signed_out(site, page):
    page.goto(_end_of_session(site))


@shown("portula_logout.end_session", "portula_logout/signed_out")
def signed_out_while_apps_are_told(site, page):
    page.goto(site.authorize(site.logout_id, prompt="consent"))
    sign_in(page, "guest")
    page.click("#consent-allow")
    page.wait_for_url(f"{site.url}/?*")
    page.goto(_end_of_session(site))
    page.click("#logout-confirm")


def _end_of_session(site):
    return f"{site.url}/o/logout/?client_id={site.logout_id}&post_logout_redirect_uri={site.url}/"
