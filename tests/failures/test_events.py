"""A listener that fails reaches neither the request nor those who listen too, and undoes nothing."""

from failures.houses import House
from portula import Plugin
from portula.host.kinds import HookKind, facts_of
from portula.plugin import AccessToken, ClientAuthenticated, LoginSucceeded, TokenIssued, TokenRefused
from portula_testing.provider import Recorder

HOOKS = [(name, facts_of(getattr(Plugin, name))) for name in dir(Plugin)]
EVENTS = [name for name, facts in HOOKS if facts is not None and facts.kind is HookKind.EVENT]


class Broken(Plugin):
    """Fails whatever it hears; it is asked ahead of `Recorder`."""

    def __init__(self):
        self.tokens = []


def fail(self, event):
    self.tokens.append((type(event), len(event.provider.storage.select(AccessToken))))
    raise RuntimeError("out of order")


for _name in EVENTS:
    setattr(Broken, _name, fail)


class Listening(House):
    def __init__(self):
        super().__init__()
        self.broken, self.recorder = Broken(), Recorder()

    def plugins(self):
        return (self.broken, self.recorder)

    @property
    def heard(self):
        return [type(event) for event in self.recorder.events]


def listening():
    flow = Listening()
    flow.restart()
    flow.client("client_credentials")
    flow.recorder.events.clear()
    flow.broken.tokens.clear()
    return flow


def test_a_token_is_issued_whoever_fails_to_listen():
    flow = listening()
    flow.token(grant_type="client_credentials", scope="read")
    assert flow.heard == [ClientAuthenticated, TokenIssued]


def test_a_token_is_kept_before_anybody_hears_of_it():
    flow = listening()
    flow.token(grant_type="client_credentials", scope="read")
    assert [count for kind, count in flow.broken.tokens if kind is TokenIssued] == [1, 1]


def test_who_authenticated_is_told_although_the_request_is_refused():
    flow = listening()
    flow.token(400, grant_type="client_credentials", scope="nonsense")
    assert flow.heard == [ClientAuthenticated, TokenRefused]


def test_a_person_signs_in_whoever_fails_to_listen():
    flow = listening()
    flow.person()
    flow.sign_in(flow.browser())
    assert flow.heard == [LoginSucceeded]
