"""S75: whatever fails or keeps silent in a hook that decides, the request is refused and nothing is left behind."""

import pytest

from portula import OAuth2Validator, Plugin, hookimpl
from portula.errors import BrokenPlugin, EmptySlot, InvalidScopeError
from portula.plugin import (
    AccessToken,
    Application,
    ClientAuthMethod,
    Hooks,
    RefreshToken,
    ScopesBackend,
    SecretHasher,
)
from portula.plugin import Login as BaseLogin
from portula_testing.memory import MemoryStore
from security.driving import PASSWORD, basic

FAILURES = [
    ValueError("a secret of the plugin"),
    KeyError("x"),
    RuntimeError(),
    AssertionError(),
    TypeError(),
]
ANSWERS = [True, False, 0, "", "allowed", {}]


def plugin(**hooks):
    """Return an object with these hooks, each given as a function of the hook's parameters."""
    return type("Culprit", (), {name: staticmethod(hookimpl(function)) for name, function in hooks.items()})()


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


def kept(house):
    """Return the tokens that were kept."""
    storage = house.provider.storage
    return [*storage.select(AccessToken), *storage.select(RefreshToken)]


def machine(house, door, **form):
    """Ask for a token by client credentials."""
    party = house.client()
    return door.post("/o/token/", {"grant_type": "client_credentials", **form}, party.auth)


def refused(house, answer, *statuses):
    assert answer.status_code in (statuses or (400, 401, 403, 500)), answer.text
    assert "access_token" not in answer.text
    assert "a secret of the plugin" not in answer.text
    assert kept(house) == []
    return True


# --- Vetoes ---


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_an_exception_in_a_rule_on_token_requests_refuses(make_house, kind, error):
    def rule(exchange):
        raise error

    house = make_house(plugin(portula_validate_token_request=rule))
    answer = machine(house, house.door(kind))
    assert refused(house, answer, 400)
    assert answer.json["error"] == "access_denied"


@pytest.mark.parametrize("value", ANSWERS, ids=repr)
def test_an_answer_in_place_of_silence_refuses(make_house, kind, value):
    house = make_house(plugin(portula_validate_token_request=lambda exchange: value))
    assert refused(house, machine(house, house.door(kind)), 400)


def test_one_denial_among_many_rules_is_enough_wherever_it_stands(make_house, kind):
    def deny(exchange):
        raise InvalidScopeError("no")

    quiet = [
        type(
            f"Quiet{letter}", (), {"portula_validate_token_request": hookimpl(lambda self, exchange: None)}
        )()
        for letter in "AZ"
    ]
    house = make_house(quiet[0], plugin(portula_validate_token_request=deny), quiet[1])
    assert machine(house, house.door(kind)).json["error"] == "invalid_scope"
    assert kept(house) == []


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_an_exception_in_a_rule_on_authorization_requests_refuses(make_house, error):
    def rule(exchange):
        raise error

    house = make_house(plugin(portula_validate_authorization_request=rule))
    client = house.client(skip_authorization=True)
    browser = house.browser()
    browser.sign_in()
    page = browser.get(
        "/o/authorize/",
        query_string={
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
            "state": "s",
        },
    )
    assert page.status_code in (302, 303)
    assert "error=access_denied" in page.location
    assert "code=" not in page.location


@pytest.mark.parametrize("outcome", [*FAILURES, *ANSWERS], ids=repr)
def test_a_client_is_not_saved_when_a_rule_on_registration_fails(make_house, outcome):
    def rule(registration):
        if registration.application.name == "doomed":
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        return None

    house = make_house(plugin(portula_validate_client_registration=rule))
    with pytest.raises(Exception, match=r"portula_validate_client_registration .*'Culprit'"):
        house.client(name="doomed")
    assert [client.name for client in house.provider.storage.select(Application)] == []


# --- What is called in the course of a request ---


@pytest.mark.parametrize("hook", ["portula_token_response", "portula_record_token"])
def test_a_failure_before_the_commit_leaves_no_token(make_house, kind, hook):
    house = make_house(plugin(**{hook: lambda _: 1 / 0}))
    assert refused(house, machine(house, house.door(kind)), 500)


def test_a_failure_while_a_token_is_described_never_calls_it_active(make_house, kind):
    house = make_house(plugin(portula_introspection_response=lambda answer: 1 / 0))
    party, door = house.client(), house.door(kind)
    token = door.post("/o/token/", {"grant_type": "client_credentials"}, party.auth).json["access_token"]
    answer = door.post("/o/introspect/", {"token": token}, party.auth)
    assert answer.status_code == 500
    assert "active" not in answer.text


@pytest.mark.parametrize(
    "authenticate", [lambda _request: None, failing(ValueError())], ids=["silent", "failing"]
)
def test_a_way_of_authentication_that_does_not_name_a_client_lets_nobody_in(make_house, kind, authenticate):
    method = ClientAuthMethod("tea", lambda request: "tea" in dict(request.decoded_body), authenticate)
    house = make_house(plugin(portula_client_auth_methods=lambda provider: [method]))
    party = house.client()
    form = {"grant_type": "client_credentials", "client_id": party.client_id, "tea": "green"}
    assert refused(house, house.door(kind).post("/o/token/", form), 401, 500)


@pytest.mark.parametrize("answer", [None, object()], ids=["None", "no grant"])
def test_what_is_no_grant_type_stops_the_start(make_house, answer):
    def Silent(validator):  # noqa: N802 - stands for a class
        return answer

    with pytest.raises(BrokenPlugin, match="an instance of GrantType is needed"):
        make_house(plugin(portula_grant_types=lambda provider: {"urn:example:tea": Silent}))


# --- Slots ---


class Clock:
    broken = False

    @hookimpl
    def portula_clock(self, provider):
        def tell():
            if self.broken:
                raise OSError("a secret of the plugin")
            return 1_700_000_000

        return tell


def test_without_the_time_nothing_is_issued(make_house, kind):
    clock = Clock()
    house = make_house(clock, PLUGINS_CHOICE={"clock": "Clock-2"})
    party = house.client()
    clock.broken = True
    answer = house.door(kind).post("/o/token/", {"grant_type": "client_credentials"}, party.auth)
    clock.broken = False
    assert refused(house, answer, 500)


class Hasher(SecretHasher):
    """Keeps secrets as they are, and judges as it is told."""

    outcome = None

    def unseal(self, stored):
        return None

    def hash_generated(self, secret):
        return f"x{secret}"

    hash_chosen = seal = hash_generated

    def verify(self, secret, stored):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def verify_nothing(self, secret):
        pass

    @hookimpl
    def portula_secret_hasher(self, provider):
        return self


@pytest.mark.parametrize("outcome", [None, False, 0, "", ValueError("a secret of the plugin")], ids=repr)
def test_a_hasher_that_does_not_say_yes_lets_nobody_in(make_house, kind, outcome):
    hasher = Hasher()
    hasher.outcome = outcome
    house = make_house(hasher, PLUGINS_CHOICE={"secret_hasher": "Hasher"})
    assert refused(house, machine(house, house.door(kind)), 401, 500)


class Scopes(ScopesBackend):
    def __init__(self, outcome):
        self.outcome = outcome

    def get_all_scopes(self):
        return {"read": "Read"}

    def get_available_scopes(self, application=None, request=None):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def get_default_scopes(self, application=None, request=None):
        return ["read"]

    @hookimpl
    def portula_scopes_backend(self, provider):
        return self


@pytest.mark.parametrize("outcome", [None, [], ValueError("a secret of the plugin")], ids=repr)
def test_a_scopes_backend_that_does_not_name_a_scope_gives_it_to_nobody(make_house, kind, outcome):
    house = make_house(Scopes(outcome), PLUGINS_CHOICE={"scopes_backend": "Scopes"})
    assert refused(house, machine(house, house.door(kind), scope="read"), 400, 500)


class Login(BaseLogin):
    """Knows nobody."""

    def current(self):
        return None

    def login_url(self, next_url, client=None):
        return "/login"

    def sign_out(self):
        """Nobody was there."""

    def find(self, subject):
        return None

    def authenticate(self, username, password, client_address):
        return None

    @hookimpl
    def portula_login(self, provider):
        return self


def test_a_login_that_answers_nothing_lets_nobody_in(make_house, kind):
    house = make_house(PASSWORD_GRANT_ENABLED=True)
    house.provider.hooks._answers[Plugin.portula_login] = Login()
    party = house.client(grant_types=("password",))
    form = {"grant_type": "password", "username": "ann", "password": PASSWORD}
    assert refused(house, house.door(kind).post("/o/token/", form, party.auth), 400, 401)


QUESTIONS = ["authenticate_client", "validate_grant_type", "validate_scopes", "get_default_scopes"]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("outcome", [None, ValueError("a secret of the plugin")], ids=["silent", "failing"])
def test_a_question_of_the_validator_that_is_not_answered_with_yes_refuses(
    make_house, kind, question, outcome
):
    def answer(self, *_, **__):
        if isinstance(outcome, Exception):
            raise outcome

    house = make_house(OAUTH2_VALIDATOR_CLASS=type("Silent", (OAuth2Validator,), {question: answer}))
    assert refused(house, machine(house, house.door(kind)))


# --- No chain of first answers ---


def test_the_host_never_calls_a_hook_through_pluggy():
    """pluggy's own loop stops at the first exception, and lets wrappers swallow one."""
    import inspect

    assert ".manager.hook." not in inspect.getsource(Hooks)


class Memory:
    @hookimpl
    def portula_stores(self, provider):
        return {"memory": MemoryStore}


@pytest.mark.parametrize(
    "slot",
    [
        "scopes_backend",
        "secret_hasher",
        "client_id_generator",
        "access_token_generator",
        "server_class",
        "backend_class",
    ],
)
def test_none_is_no_answer_and_an_empty_slot_stops_the_start(slot):
    from hosting import make_provider

    hook = f"portula_{slot}"

    def start():
        make_provider(plugin(**{hook: lambda provider: None}), rooms=()).hooks.ask(getattr(Plugin, hook))

    with pytest.raises(EmptySlot):
        start()


def test_wrong_credentials_of_a_known_client_are_refused_in_the_house_of_these_tests(make_house, kind):
    """The houses above refuse because of their culprits: without one, the same request is answered."""
    house = make_house()
    assert machine(house, house.door(kind)).status_code == 200
    party = house.client()
    wrong = house.door(kind).post(
        "/o/token/", {"grant_type": "client_credentials"}, basic(party.client_id, "wrong")
    )
    assert wrong.status_code == 401
