"""What people do at pages."""

from types import MappingProxyType

from support.browser import forms_of

from failures.houses import BYE, LOGOUT, PASSWORD, House, expect, sent_back
from portula import Plugin, hookimpl
from portula.plugin import (
    AccessToken,
    Application,
    Artifact,
    Authorization,
    Fetcher,
    FetchResponse,
    Grant,
    secret_id,
)


class Login(House):
    name = "login"
    may_stay = House.may_stay | frozenset({"Artifact login-failure"})

    def prepare(self):
        self.person()

    def run(self):
        self.visitor = self.browser()
        signed_in = self.sign_in(self.visitor)
        expect(self.visitor.get(signed_in.location), 200)

    def check(self):
        sessions = [kept for kept in self.storage.select(Artifact) if kept.kind == "session"]
        self.one(sessions)
        return expect(self.visitor.get("/accounts/"), 200).text


class WrongPassword(House):
    name = "wrong password"
    may_stay = House.may_stay | frozenset({"Artifact login-failure"})

    def prepare(self):
        self.person()

    def run(self):
        self.visitor = self.browser()
        page = expect(self.visitor.get("/accounts/login/"), 200)
        expect(self.press(self.visitor, page, "login-submit", username="ann", password=PASSWORD[1:]), 400)

    def check(self):
        return expect(self.visitor.get("/accounts/"), 302).location


class SignOut(House):
    name = "sign out"

    def prepare(self):
        self.person()
        self.visitor = self.browser()
        self.sign_in(self.visitor)

    def run(self):
        page = expect(self.visitor.get("/accounts/logout/"), 200)
        expect(self.press(self.visitor, page, "logout-confirm"), 200)

    def check(self):
        assert not [kept for kept in self.storage.select(Artifact) if kept.kind == "session"]
        return expect(self.visitor.get("/accounts/"), 302).location


class Receiver(Fetcher):
    """The server of an app that wants to hear of sign-outs."""

    def __init__(self, heard):
        self.heard = heard

    @hookimpl(specname="portula_fetcher")
    def answer(self, provider):
        return self

    def post(self, url, body, *, headers=None, max_bytes=65536):
        self.heard.append(url)
        return FetchResponse(200, "", b"")

    def get(self, url, *, accept, max_bytes=65536):
        raise NotImplementedError


class AppSignsOut(House):
    """An app signs a person out, and another app is told."""

    name = "logout"
    may_change = frozenset({"Artifact logout-token"})
    """It is leased to who delivers it, and told again after that."""

    def __init__(self):
        super().__init__()
        self.heard = []

    settings = MappingProxyType({"PLUGINS_CHOICE": {"fetcher": "Receiver"}})

    def plugins(self):
        return (Receiver(self.heard),)

    def prepare(self):
        self.person()
        metadata = {"backchannel_logout_uri": LOGOUT}
        self.client(
            "authorization_code", "refresh_token", post_logout_redirect_uris=(BYE,), metadata=metadata
        )
        self.code_flow()

    def run(self):
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": BYE}
        page = expect(self.visitor.get("/o/logout/", query_string=asked), 200)
        done = self.press(self.visitor, page, "logout-confirm")
        if self.answer_lost:  # nobody is signed in any more, and nothing proves who sends the browser on
            assert BYE in expect(done, 200).text
        else:
            assert expect(done, 303).location == BYE
        self.clock.advance(1)
        delivered = self.command("logout", "deliver", "--all", "--json")
        assert delivered.exit_code == 0, delivered.output
        if not self.heard:  # what failed in a delivery is tried again, once nobody is thought to be at it
            self.clock.advance(3600)
            self.command("logout", "deliver", "--all", "--json")

    def check(self):
        assert self.heard == [LOGOUT] * len(self.heard) != [], f"the app heard {self.heard}"
        waiting = [kept.kind for kept in self.storage.select(Artifact) if "logout" in kept.kind]
        live = [known for known in self.storage.select(Authorization) if known.revoked_at is None]
        return waiting, len(live), expect(self.visitor.get("/accounts/"), 302).location


class Ended(AppSignsOut):
    """Base of other ends of a session in which an app got an ID token."""

    def ended(self):
        """Return whether the app is to be told, which goes with the session and never without."""
        kinds = [kept.kind for kept in self.storage.select(Artifact)]
        assert kinds.count("logout-token") == 1
        return sorted(kinds)


class Displacement(Ended):
    """Somebody else signs in at the browser."""

    name = "displacement"
    may_change = frozenset()
    may_stay = House.may_stay | frozenset({"Artifact login-failure"})

    def prepare(self):
        super().prepare()
        self.provider.hooks.ask(Plugin.portula_login).users.create("bob", PASSWORD)

    def run(self):
        page = expect(self.visitor.get("/accounts/login/"), 200)
        expect(self.press(self.visitor, page, "login-submit", username="bob", password=PASSWORD), 302)

    def check(self):
        assert "bob" in expect(self.visitor.get("/accounts/"), 200).text
        return self.ended()


class Disabling(Ended):
    """An account is disabled, from the command line."""

    name = "disableuser"
    may_change = frozenset()

    def run(self):
        done = self.command("disableuser", "ann")
        assert done.exit_code == 0, done.output

    def check(self):
        assert self.provider.hooks.ask(Plugin.portula_login).users.find_by_name("ann").disabled
        return self.ended()


class SessionsPage(House):
    """A person ends the session of another browser."""

    name = "sessions page"

    def prepare(self):
        self.person()
        self.visitor, self.other = self.browser(), self.browser()
        self.sign_in(self.visitor)
        self.sign_in(self.other)

    def run(self):
        page = expect(self.visitor.get("/o/sessions/"), 200)
        expect(self.press(self.visitor, page, "end-others", form=-1), 303)

    def check(self):
        expect(self.other.get("/accounts/"), 302)
        return expect(self.visitor.get("/accounts/"), 200).text


class Withdrawal(House):
    """A person takes an app's access away."""

    name = "connected apps"

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        self.code_flow()

    def run(self):
        page = expect(self.visitor.get("/o/authorized_tokens/"), 200)
        expect(self.press(self.visitor, page, form=0), 303)

    def check(self):
        expect(self.ask(self.visitor), 200)  # asks for consent again
        return self.active(self.tokens["access_token"]), self.active(self.tokens["refresh_token"])


class Denial(House):
    """A person says no to an app that sent its request by POST."""

    name = "denial"
    may_stay = House.may_stay | frozenset({"Artifact interaction"})

    def prepare(self):
        self.person()
        self.client("authorization_code")
        self.visitor = self.browser()
        self.sign_in(self.visitor)

    def run(self):
        asked = {"response_type": "code", "client_id": self.client_id, "scope": "read", "state": "the state"}
        challenge = {"code_challenge": "c" * 43, "code_challenge_method": "S256"}
        posted = expect(self.visitor.post("/o/authorize/", data={**asked, **challenge}), 303)
        page = expect(self.visitor.get(posted.location), 200)
        denied = expect(self.press(self.visitor, page, "consent-deny"), 302)
        assert "error=access_denied" in denied.location
        self.sent = denied.location

    def check(self):
        assert self.storage.select(Grant) == []
        return self.sent


class SecondVisit(House):
    """A person comes back to an app that they allowed already."""

    name = "second visit"

    def prepare(self):
        self.person()
        self.client("authorization_code", "refresh_token")
        self.code_flow()

    settings = MappingProxyType({"REQUEST_APPROVAL_PROMPT": "auto"})

    def run(self):
        self.sent = sent_back(self.ask(self.visitor))

    def check(self):
        return self.sent["state"]


class Admin(House):
    """Base of what an administrator does."""

    def prepare(self):
        self.person(is_admin=True)
        self.client("authorization_code", "refresh_token", "client_credentials", name="Tea")
        self.visitor = self.browser()
        self.sign_in(self.visitor)


class ClientEdit(Admin):
    name = "admin: client"

    def run(self):
        where = f"/o/admin/application/edit/?id={self.client_id}"
        page = expect(self.visitor.get(where), 200)
        found = next(form for form in forms_of(page.text) if "name" in form.fields)
        self.form = found.fields
        expect(self.visitor.post(where, data={**found.fields, "name": "Coffee", **LISTS}), 303)

    def check(self):
        client = self.storage.find(Application, client_id=self.client_id)
        assert client.name == "Coffee"
        return client


LISTS = {
    "client_type": "confidential",
    "redirect_uris": "https://client.example/cb",
    "grant_types": "authorization_code",
}


class SecretRotation(Admin):
    name = "admin: secret"

    def post_form(self, button, **typed):
        """Post the form of the client's page that is about secrets and has this button."""
        page = expect(self.visitor.get(f"/o/admin/application/view/?id={self.client_id}"), 200)
        forms = enumerate(forms_of(page.text))
        number = next(n for n, form in forms if "secret" in form.action and button in form.buttons)
        return self.press(self.visitor, page, form=number, **typed)

    def run(self):
        added = self.post_form("add-secret")
        if self.answer_lost:  # nobody saw the secret: it is removed, and another one is added
            expect(added, 303)
            (_, unseen) = self.storage.find(Application, client_id=self.client_id).secret_hashes
            page = expect(self.post_form("", remove=secret_id(unseen)), 200)
            number = next(n for n, form in enumerate(forms_of(page.text)) if "confirm" in form.buttons)
            expect(self.press(self.visitor, page, form=number), 303)
            added = self.post_form("add-secret")
        self.page = expect(added, 200).text

    def check(self):
        client = self.storage.find(Application, client_id=self.client_id)
        assert len(client.secret_hashes) == 2
        return client


class TokenRevocation(Admin):
    name = "admin: tokens"

    def prepare(self):
        super().prepare()
        self.tokens = self.token(grant_type="client_credentials", scope="read")

    def run(self):
        page = expect(self.visitor.get("/o/admin/access-token/"), 200)
        (token,) = self.storage.select(AccessToken)
        fields = next(form.fields for form in forms_of(page.text) if "csrf_token" in form.fields)
        picked = {f"pick-{token.digest[:12]}": "on"}
        posted = {"csrf_token": fields["csrf_token"], **picked, "action": "revoke_selected"}
        asked = expect(self.visitor.post("/o/admin/access-token/action/", data=posted), 200)
        confirm = next(form.fields for form in forms_of(asked.text) if "confirmed" in form.fields)
        done = {**confirm, **picked, "action": "revoke_selected"}
        expect(self.visitor.post("/o/admin/access-token/action/", data=done), 303)

    def check(self):
        (token,) = self.storage.select(AccessToken)
        return token.revoked_at, expect(self.visitor.get("/o/admin/access-token/"), 200).status_code
