"""Authorization responses as signed JWTs: JARM §2, §3, §4."""

import pytest
from security.driving import answered, s256
from support.browser import forms_of
from support.pushing import refused_on_page

from portula import hookimpl
from portula.errors import ConfigError, InvalidClientMetadata
from portula.plugin import Application
from portula_testing import jws
from portula_testing.writing import change_in

ISSUER = "https://id.example/o"
VERIFIER = "v" * 43
PKCE = {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"}


def opened(world, party, response):
    """Return the claims of a response whose one parameter is a JWT of ours for this client."""
    sent = answered(response)
    assert sent.keys() == {"response"}
    return claims_of(world, party, sent["response"])


def claims_of(world, party, token):
    claims = world.read(token, party)
    assert (claims["iss"], claims["aud"]) == (ISSUER, party.client_id)
    assert claims["exp"] == world.clock.time + 120
    assert claims.keys().isdisjoint({"sub", "nonce"})
    return claims


def signing_by_secret(world):
    """Return a client whose secret can be read, and signs."""
    party = world.client(hash_secret=False)
    world.change(party, metadata={"authorization_signed_response_alg": "HS256"})
    return party


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "fragment.jwt"])
def test_a_code_travels_in_a_jwt(world, browser, party, mode):
    response = browser.authorize(party, response_mode=mode, **PKCE)
    assert ("#response=" in response.location) == (mode == "fragment.jwt")
    claims = opened(world, party, response)
    assert claims.keys() == {"iss", "aud", "exp", "code", "state"}
    assert claims["state"] == "the state"
    assert world.door().redeem(party, claims["code"], VERIFIER).status_code == 200


def test_a_form_posts_it(world, browser, party):
    page = browser.authorize(party, response_mode="form_post.jwt", **PKCE)
    (form,) = forms_of(page.text)
    assert form.action == party.redirect_uri
    assert form.fields.keys() == {"response"}
    assert "code" in claims_of(world, party, form.fields["response"])


@pytest.mark.parametrize("mode", ["jwt", "fragment.jwt"])
def test_tokens_travel_in_a_fragment(world, browser, party, mode):
    asked = {"response_type": "code id_token token", "nonce": "the nonce", "scope": "openid read"}
    response = browser.authorize(party, response_mode=mode, **asked, **PKCE)
    assert "#response=" in response.location
    claims = opened(world, party, response)
    assert {"code", "id_token", "access_token"} <= claims.keys()
    assert (claims["token_type"], claims["scope"]) == ("Bearer", "openid read")
    assert isinstance(claims["expires_in"], int)


def test_tokens_do_not_travel_in_a_query(world, browser, party):
    asked = {"response_type": "code token", "response_mode": "query.jwt"}
    refusal = opened(world, party, browser.ask(party, **asked, **PKCE))
    assert (refusal["error"], refusal["state"]) == ("invalid_request", "the state")


def test_the_state_of_the_session_travels_with_it(make_world):
    world = make_world(OIDC_SESSION_MANAGEMENT_ENABLED=True)
    party = world.client()
    asked = {"scope": "openid", "response_mode": "jwt"}
    assert "session_state" in opened(world, party, world.browser().authorize(party, **asked))


# --- Errors ---


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "nothing-of-ours"}, "invalid_scope"),
        ({"scope": "openid", "prompt": "none"}, "login_required"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"response_type": "codex"}, "unsupported_response_type"),
        ({"request_uri": "https://client.example/request"}, "request_uri_not_supported"),
    ],
    ids=str,
)
def test_an_error_travels_in_a_jwt_too(world, browser, party, changes, error):
    refusal = opened(world, party, browser.ask(party, response_mode="jwt", **{**PKCE, **changes}))
    assert (refusal["error"], refusal["state"]) == (error, "the state")


def test_a_denial_travels_in_a_jwt_too(world, browser, party):
    refusal = opened(world, party, browser.authorize(party, "consent-deny", response_mode="jwt"))
    assert refusal["error"] == "access_denied"


@pytest.mark.parametrize(
    "changes", [{"redirect_uri": "https://evil.example/"}, {"client_id": "unknown"}], ids=str
)
def test_before_the_client_is_known_an_error_is_a_page(browser, party, changes):
    assert refused_on_page(browser.ask(party, response_mode="jwt", **changes), "invalid_request")


def test_a_mode_that_nobody_writes_is_refused(browser, party):
    assert answered(browser.ask(party, response_mode="carrier.jwt"))["error"] == "invalid_request"


def test_what_cannot_be_signed_is_a_page_and_never_sent_plain(make_world):
    """The secret that signed was replaced by one that is kept as a digest."""
    world = make_world(config={"PROPAGATE_EXCEPTIONS": False})
    browser = world.browser()
    party = signing_by_secret(world)
    assert "code" in opened(world, party, browser.authorize(party, response_mode="jwt"))
    digests = world.find(world.client()).secret_hashes
    change_in(world.provider.storage, Application, {"client_id": party.client_id}, secret_hashes=digests)
    response = browser.authorize(party, response_mode="jwt", prompt="consent")
    assert response.status_code == 500
    assert "Location" not in response.headers
    assert "server_error" in response.text


def test_a_plugin_cannot_make_it_look_like_an_id_token(make_world):
    class Adds:
        @hookimpl
        def portula_authorization_response(self, answer):
            return {"sub": "ann", "nonce": "n", "aud": "another", "exp": "1", "region": "north"}

    world = make_world(Adds())
    party = world.client()
    claims = opened(world, party, world.browser().authorize(party, response_mode="jwt"))
    assert claims["region"] == "north"


# --- What clients are registered with ---


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_the_algorithm_is_the_client_s(world, browser, algorithm):
    party = world.client(metadata={"authorization_signed_response_alg": algorithm})
    response = browser.authorize(party, response_mode="jwt")
    header, _ = jws.taken_apart(answered(response)["response"])
    assert header["alg"] == algorithm
    assert "code" in opened(world, party, response)


def test_a_secret_signs_where_it_can_be_read(world, browser):
    party = signing_by_secret(world)
    assert "code" in opened(world, party, browser.authorize(party, response_mode="jwt"))


def test_a_secret_that_is_kept_as_a_digest_signs_nothing(world):
    with pytest.raises(InvalidClientMetadata, match="kept encrypted"):
        world.client(metadata={"authorization_signed_response_alg": "HS256"})


@pytest.fixture
def registering(make_world):
    world = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open", SIGNING_KEYS_GENERATED=True)
    document = {"redirect_uris": ["https://client.example/cb"]}
    return lambda **members: world.door().post("/o/register/", json={**document, **members})


@pytest.mark.parametrize(
    "members",
    [
        {"authorization_signed_response_alg": "none"},
        {"authorization_signed_response_alg": "XS256"},
        {"response_modes": ["jwt", "carrier.jwt"]},
        {"response_modes": "jwt"},
    ],
    ids=str,
)
def test_what_cannot_be_is_not_registered(registering, members):
    refused = registering(**members)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_client_metadata")


def test_a_client_registers_itself_with_it(registering):
    members = {"authorization_signed_response_alg": "ES256", "response_modes": ["jwt", "query.jwt"]}
    made = registering(**members).json
    assert {name: made[name] for name in members} == members


def test_a_client_is_held_to_its_response_modes(world, browser):
    party = world.client(metadata={"response_modes": ["jwt"]})
    assert answered(browser.ask(party, **PKCE))["error"] == "invalid_request"
    assert answered(browser.ask(party, response_mode="fragment", **PKCE))["error"] == "invalid_request"
    refusal = opened(world, party, browser.ask(party, response_mode="fragment.jwt", **PKCE))
    assert refusal["error"] == "invalid_request"
    for mode in ("jwt", "query.jwt"):
        assert "code" in opened(world, party, browser.authorize(party, response_mode=mode))
    plain = world.client(metadata={"response_modes": ["query"]})
    assert "code" in answered(browser.authorize(plain))
    assert opened(world, plain, browser.ask(plain, response_mode="jwt"))["error"] == "invalid_request"


# --- What the room tells of itself ---


def test_modes_and_algorithms_are_published(make_world):
    world = make_world(SIGNING_KEYS_GENERATED=True)
    document = world.door().open("/o/.well-known/openid-configuration").json
    modes = {"jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}
    assert modes <= set(document["response_modes_supported"])
    algorithms = document["authorization_signing_alg_values_supported"]
    assert {"RS256", "ES256"} <= set(algorithms)
    assert "none" not in algorithms


def test_its_time_is_a_setting(make_world):
    world = make_world(JARM_LIFETIME_SECONDS=30)
    party = world.client()
    token = answered(world.browser().authorize(party, response_mode="jwt"))["response"]
    assert world.read(token)["exp"] == world.clock.time + 30
    with pytest.raises(ConfigError, match="JARM_LIFETIME_SECONDS"):
        make_world(JARM_LIFETIME_SECONDS=601)
