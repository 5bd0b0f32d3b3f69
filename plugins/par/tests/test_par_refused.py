"""What is refused where requests are pushed, and how: RFC 9126 §2.1, §2.3, §2.4."""

import json

import pytest
from security.driving import CALLBACK, answered, error_of
from support.client_documents import Documents
from support.openid import World
from support.pushing import bring, pushed, reference, refused_on_page, to_page

from portula import hookimpl
from portula.errors import StorageDown
from portula.flow import strangers
from portula.plugin import SELF_REGISTERED, ScopesBackend
from portula_testing import jws

ELSEWHERE = "https://client.example/elsewhere"


class Listener:
    def __init__(self):
        self.events = []

    @hookimpl
    def portula_authorization_request_refused(self, event):
        self.events.append(event)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request_uri": "https://client.example/request.jwt"}, "invalid_request"),
        ({"client_id": None}, "invalid_request"),
        ({"client_id": ""}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "codex"}, "unsupported_response_type"),
        ({"scope": "nothing-of-ours"}, "invalid_scope"),
        ({"response_mode": "carrier_pigeon"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request_object"),
        ({"state": "\0"}, "invalid_request"),
    ],
    ids=str,
)
def test_a_request_is_judged_when_it_is_pushed(world, party, changes, error):
    assert error_of(pushed(world, party, **changes)) == error


def test_pkce_is_required_where_it_is_at_the_authorization_endpoint(make_world):
    world = make_world(PKCE_REQUIRED=True)
    missing = {"code_challenge": None, "code_challenge_method": None}
    assert error_of(pushed(world, world.client(), **missing)) == "invalid_request"


def test_a_client_that_may_not_ask_so_is_told(world):
    party = world.client(grant_types=("client_credentials",))
    assert error_of(pushed(world, party)) == "unauthorized_client"


def test_a_client_proves_who_it_is_as_at_the_token_endpoint(world, party):
    assert error_of(pushed(world, party, auth={}), 401) == "invalid_client"
    wrong = pushed(world, party, auth={}, client_secret="wrong")
    assert error_of(wrong, 401) == "invalid_client"
    other = pushed(world, party, auth=world.client().auth)
    assert error_of(other, 401) == "invalid_client"
    twice = pushed(world, party, client_secret=party.secret)
    assert error_of(twice) == "invalid_request"
    assert pushed(world, party, auth={}, client_secret=party.secret).status_code == 201


def test_a_disabled_client_pushes_nothing(world, party):
    world.change(party, disabled=True)
    assert error_of(pushed(world, party), 401) == "invalid_client"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(world, method):
    answer = world.door().open("/o/par/", method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


def test_the_query_counts_for_nothing_and_a_repeated_parameter_is_refused(world, party):
    door = world.door()
    assert error_of(door.post("/o/par/?response_type=code", {"client_id": party.client_id}, party.auth))
    twice = f"client_id={party.client_id}&response_type=code&response_type=code"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert error_of(door.post("/o/par/", twice, {**party.auth, **form})) == "invalid_request"
    document = json.dumps({"client_id": party.client_id, "response_type": "code"})
    answer = door.post("/o/par/", document, {**party.auth, "Content-Type": "application/json"})
    assert error_of(answer) == "invalid_request"


def test_what_is_too_long_is_refused(world, party):
    assert error_of(pushed(world, party, state="s" * 1024 * 1024), 413) == "invalid_request"
    assert error_of(pushed(world, party, state="s" * 31 * 1024), 413) == "invalid_request"
    assert pushed(world, party, state="s" * 30 * 1024).status_code == 201


def test_a_long_request_waits_for_its_person_too(world, browser, party):
    state = "s" * 30 * 1024
    sent = answered(browser.submit(to_page(browser, reference(world, party, state=state)), "consent-allow"))
    assert sent["state"] == state


def test_clients_that_prove_nothing_have_a_quota(make_world):
    world = make_world()
    public, party = world.public_client(), world.client()
    answers = [pushed(world, public, state="s" * 30 * 1024) for _ in range(40)]
    assert {answer.status_code for answer in answers} == {201, 429}
    full = answers[-1]
    assert error_of(full, 429) == "temporarily_unavailable"
    assert 0 < int(full.headers["Retry-After"]) <= 600
    assert pushed(world, party, state="s" * 30 * 1024).status_code == 201
    world.clock.forward(int(full.headers["Retry-After"]))
    assert pushed(world, public).status_code == 201


def test_a_client_that_registered_itself_has_a_quota_although_it_authenticates(make_world, monkeypatch):
    """Anybody may have made it; neither others of its kind nor those that prove nothing pay for it."""
    monkeypatch.setattr(strangers, "MAX_BYTES_PER_CLIENT", 100 * 1024)
    world = make_world()
    one, two = (world.client(metadata={SELF_REGISTERED: True}) for _ in range(2))
    answers = [pushed(world, one, state="s" * 30 * 1024) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 2
    full = answers[-1]
    assert error_of(full, 429) == "temporarily_unavailable"
    for party in (two, world.public_client(), world.client()):
        assert pushed(world, party, state="s" * 30 * 1024).status_code == 201
    world.clock.forward(int(full.headers["Retry-After"]))
    assert pushed(world, one).status_code == 201


def test_refusals_are_told_to_listeners_once(make_world):
    listener = Listener()
    world = make_world(listener)
    party = world.client()
    pushed(world, party, scope="nothing-of-ours")
    (event,) = listener.events
    assert (event.client_id, event.error, event.redirected) == (party.client_id, "invalid_scope", True)
    pushed(world, party, auth={})
    assert len(listener.events) == 1


def test_what_cannot_be_judged_is_no_fault_of_the_client(make_world):
    class Broken(ScopesBackend):
        failure = RuntimeError("broken")

        @hookimpl
        def portula_scopes_backend(self, provider):
            return self

        def get_all_scopes(self):
            return {"openid": "", "read": ""}

        def get_available_scopes(self, application=None, request=None):
            raise self.failure

        def get_default_scopes(self, application=None, request=None):
            return []

    backend = Broken()
    world = make_world(backend, PLUGINS_CHOICE={"scopes_backend": "Broken"})
    party = world.client()
    assert error_of(pushed(world, party), 500) == "server_error"
    backend.failure = StorageDown("away")
    away = pushed(world, party)
    assert error_of(away, 503) == "temporarily_unavailable"
    assert int(away.headers["Retry-After"]) > 0


# --- Redirect URIs that nobody registered (§2.4) ---


@pytest.fixture
def lenient(make_world):
    return make_world(PAR_ALLOW_UNREGISTERED_REDIRECT_URIS=True)


def test_an_unregistered_redirect_uri_may_be_pushed_where_that_is_set(lenient):
    party, browser = lenient.client(), lenient.browser()
    page = to_page(browser, reference(lenient, party, redirect_uri=ELSEWHERE))
    response = browser.submit(page, "consent-allow")
    assert response.location.startswith(f"{ELSEWHERE}?")
    code = answered(response)["code"]
    redeemed = lenient.door().redeem(party, code, "v" * 43, redirect_uri=ELSEWHERE)
    assert redeemed.status_code == 200
    assert refused_on_page(browser.ask(party, redirect_uri=ELSEWHERE), "invalid_request")


@pytest.mark.parametrize(
    "uri", ["http://client.example/cb", "javascript:alert(1)", "https://client.example/cb#fragment", "cb"]
)
def test_the_other_rules_on_redirect_uris_hold(lenient, uri):
    assert error_of(pushed(lenient, lenient.client(), redirect_uri=uri)) == "invalid_request"


def test_a_public_client_pushes_registered_ones_alone(lenient):
    party = lenient.public_client()
    assert error_of(pushed(lenient, party, redirect_uri=ELSEWHERE)) == "invalid_request"


def test_none_is_taken_that_a_sector_does_not_name(make_world):
    """By a redirect URI of its own a client would learn what another's sector knows people by (OpenID Core §8.1)."""
    sector, documents = "https://bank.example/sector.json", Documents()
    documents.published[sector] = [CALLBACK]
    lenient = make_world(
        documents, PAR_ALLOW_UNREGISTERED_REDIRECT_URIS=True, PLUGINS_CHOICE={"fetcher": "Documents"}
    )
    metadata = {"subject_type": "pairwise", "sector_identifier_uri": sector}
    assert (
        error_of(pushed(lenient, lenient.client(metadata=metadata), redirect_uri=ELSEWHERE))
        == "invalid_request"
    )


def test_a_client_that_pushes_one_is_of_the_sector_of_that(lenient):
    party = lenient.client(metadata={"subject_type": "pairwise"})

    def subject(redirect_uri):
        browser = lenient.browser()
        page = to_page(browser, reference(lenient, party, scope="openid", redirect_uri=redirect_uri))
        code = answered(browser.submit(page, "consent-allow"))["code"]
        redeemed = lenient.door().redeem(party, code, "v" * 43, redirect_uri=redirect_uri)
        return lenient.read(redeemed.json["id_token"])["sub"]

    assert subject(CALLBACK) == subject(ELSEWHERE) != subject("https://another.example/cb")


# --- Required ---


@pytest.fixture
def required(make_world):
    return make_world(REQUIRE_PUSHED_AUTHORIZATION_REQUESTS=True)


@pytest.fixture
def strict(world):
    key = jws.TokenKey("ES256")
    metadata = {"require_pushed_authorization_requests": True, "jwks": key.jwks}
    return key, world.client(metadata=metadata)


def test_a_server_may_take_pushed_requests_alone(required):
    party, browser = required.client(), required.browser()
    refusal = answered(browser.ask(party))
    assert (refusal["error"], refusal["state"]) == ("invalid_request", "the state")
    page = to_page(browser, reference(required, party))
    assert "code" in answered(browser.submit(page, "consent-allow"))


def test_a_client_may_be_held_to_it(world: World, browser, strict, party):
    key, held = strict
    assert answered(browser.ask(held))["error"] == "invalid_request"
    token = key.sign({"client_id": held.client_id, "iss": held.client_id, "response_type": "code"})
    assert answered(browser.ask(held, request=token))["error"] == "invalid_request"
    form = {"client_id": held.client_id, "response_type": "code", "redirect_uri": held.redirect_uri}
    assert answered(browser.post("/o/authorize/", form))["error"] == "invalid_request"
    assert browser.ask(party).status_code == 302
    assert "code" in answered(browser.submit(to_page(browser, reference(world, held)), "consent-allow"))


def test_where_it_is_off_nothing_of_it_is_left(make_world):
    world = make_world(PAR_ENABLED=False)
    party = world.client(metadata={"require_pushed_authorization_requests": True})
    assert pushed(world, party).status_code == 404
    urn = {"client_id": party.client_id, "request_uri": "urn:ietf:params:oauth:request_uri:x"}
    assert answered(bring(world.browser(), urn))["error"] == "request_uri_not_supported"
    assert "code" in answered(world.browser().authorize(party))
