"""EXTRA_SERVER_KWARGS, and the three classes that a deployment may replace."""

import oauthlib.oauth2
import pytest

from portula import ConfigError, OAuth2Validator, hookimpl
from portula.errors import AccessDeniedError
from portula.plugin import Application, Backend, Server, User
from portula_testing.writing import change_in


class StockServer(oauthlib.oauth2.Server):
    """oauthlib's own server, as a migrated deployment names it."""


@pytest.fixture
def stock(make):
    return make(OAUTH2_SERVER_CLASS=StockServer, ACCESS_TOKEN_EXPIRE_SECONDS=77)


# --- EXTRA_SERVER_KWARGS ---


def test_extra_token_expires_in_wins_over_the_setting(make):
    world = make(ACCESS_TOKEN_EXPIRE_SECONDS=600, EXTRA_SERVER_KWARGS={"token_expires_in": 60})
    assert world.token(world.client(), "client_credentials").json["expires_in"] == 60


def test_extra_token_expires_in_may_be_a_callable(make):
    world = make(EXTRA_SERVER_KWARGS={"token_expires_in": lambda request: 11 * len(request.scopes)})
    response = world.token(world.client(), "client_credentials", scope="read write")
    assert response.json["expires_in"] == 22


def test_extra_generators_make_the_tokens(make):
    made = iter(range(9))
    world = make(
        EXTRA_SERVER_KWARGS={
            "token_generator": lambda _request: f"access-{next(made)}",
            "refresh_token_generator": lambda _request: f"refresh-{next(made)}",
        }
    )
    tokens = world.tokens(world.client())
    assert (tokens["access_token"], tokens["refresh_token"]) == ("access-0", "refresh-1")
    assert world.alive(tokens)


def test_an_unknown_extra_keyword_is_reported_at_start(make):
    with pytest.raises(ConfigError, match=r"EXTRA_SERVER_KWARGS: .*token_lifetime"):
        make(EXTRA_SERVER_KWARGS={"token_lifetime": 60})


# --- OAUTH2_SERVER_CLASS ---


def test_a_server_class_of_oauthlibs_own_runs_the_whole_code_flow(stock, sent):
    assert isinstance(stock.provider.backend.server, StockServer)
    client = stock.client()
    tokens = stock.tokens(client, scope="read write")
    assert tokens["scope"] == "read write"
    assert stock.alive(tokens)
    refreshed = stock.refresh(client, tokens["refresh_token"]).json
    assert (stock.alive(tokens), stock.alive(refreshed)) == (False, True)
    answer = sent(stock.authorize(client, state="a state-._~"))
    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("a state-._~", "https://id.example/o")


def test_with_a_stock_server_a_code_is_redeemed_once_and_a_replay_ends_its_tokens(stock, refused):
    client = stock.client()
    code, verifier = stock.code(client)
    tokens = stock.redeem(client, code, verifier).json
    assert refused(stock.redeem(client, code, verifier)) == "invalid_grant"
    assert not stock.alive(tokens)


def test_with_a_stock_server_a_code_keeps_to_its_verifier_and_client(stock, refused):
    client, other = stock.client(), stock.client()
    code, verifier = stock.code(client)
    assert refused(stock.redeem(client, code, verifier[::-1])) == "invalid_grant"
    assert refused(stock.redeem(client, code, None)) == "invalid_grant"
    assert refused(stock.redeem(other, code, verifier)) == "invalid_grant"
    assert stock.redeem(client, code, verifier).status_code == 200


def test_with_a_stock_server_the_lifetime_of_the_settings_holds(stock):
    assert stock.token(stock.client(), "client_credentials").json["expires_in"] == 77


def test_with_a_stock_server_the_token_generators_of_the_settings_hold(make):
    world = make(
        OAUTH2_SERVER_CLASS=StockServer,
        ACCESS_TOKEN_GENERATOR=lambda request: f"at-of-{request.user}",
        REFRESH_TOKEN_GENERATOR=lambda _request, refresh_token: f"rt-{refresh_token}",
    )
    tokens = world.tokens(world.client())
    assert (tokens["access_token"], tokens["refresh_token"]) == ("at-of-1", "rt-True")


def test_with_a_stock_server_offline_access_still_decides_on_refresh_tokens(make):
    world = make(OAUTH2_SERVER_CLASS=StockServer, REFRESH_TOKEN_REQUIRES_OFFLINE_ACCESS=True)
    client = world.client()
    assert "refresh_token" not in world.tokens(client, scope="read")
    assert "refresh_token" in world.tokens(client, scope="read offline_access")


def test_with_a_stock_server_plain_challenges_stay_refused(stock):
    response = stock.authorize(stock.client(), code_challenge="x" * 43, code_challenge_method="plain")
    assert "code=" not in (response.location or "")
    assert response.status_code in (302, 400)


def test_with_a_stock_server_every_veto_on_authorization_requests_is_heard(make, sent):
    class NoTea:
        @hookimpl
        def portula_validate_authorization_request(self, exchange):
            if exchange.request.state == "tea":
                raise AccessDeniedError(description="No tea.")

    world = make(NoTea(), OAUTH2_SERVER_CLASS=StockServer)
    client = world.client()
    assert "code" in sent(world.authorize(client, state="coffee"))
    answer = sent(world.authorize(client, state="tea"))
    assert answer == {
        "error": "access_denied",
        "error_description": "No tea.",
        "state": "tea",
        "iss": "https://id.example/o",
    }


def test_with_a_stock_server_errors_go_back_with_iss_and_state(stock, sent):
    answer = sent(stock.ask(stock.client(), scope="unheard-of"))
    assert answer["error"] == "invalid_scope"
    assert (answer["state"], answer["iss"]) == ("the state", "https://id.example/o")


def test_with_a_stock_server_a_foreign_redirect_uri_gets_the_error_page(stock):
    assert stock.ask(stock.client(), redirect_uri="https://evil.example/").status_code == 400


def test_with_a_stock_server_no_token_is_ever_put_into_a_redirect(stock):
    response = stock.ask(stock.client(), response_type="token")
    assert "access_token" not in response.headers.get("Location", "")
    assert "error=" in response.location


def test_with_a_stock_server_the_password_grant_still_needs_its_setting(make, refused):
    world = make(OAUTH2_SERVER_CLASS=StockServer, PASSWORD_GRANT_ENABLED=False)
    client = world.client()
    change_in(
        world.provider.storage,
        Application,
        {"client_id": client.client_id},
        grant_types=("password",),
    )
    response = world.token(client, "password", username="ann", password="her password")
    assert refused(response) in ("unauthorized_client", "unsupported_grant_type")


def test_a_subclass_of_our_server_serves_too(make):
    class Counting(Server):
        served = 0

        def create_token_response(self, *args, **kwargs):
            type(self).served += 1
            return super().create_token_response(*args, **kwargs)

    world = make(OAUTH2_SERVER_CLASS=Counting)
    assert world.alive(world.tokens(world.client()))
    assert Counting.served == 1


# --- OAUTH2_VALIDATOR_CLASS ---


class Own(OAuth2Validator):
    """Overrides two questions, and asks the rooms for the rest of each answer."""

    def rotate_refresh_token(self, request):
        return super().rotate_refresh_token(request) and request.scope != "write"

    def validate_user(self, username, password, client, request):
        return super().validate_user(username.removeprefix("EXAMPLE\\"), password, client, request)


def test_a_validator_class_decides_on_rotation_per_request_and_may_call_super(make):
    world = make(OAUTH2_VALIDATOR_CLASS=Own)
    client = world.client()
    first = world.tokens(client, scope="read write")
    kept = world.refresh(client, first["refresh_token"], scope="write").json
    assert kept["refresh_token"] == first["refresh_token"]
    rotated = world.refresh(client, first["refresh_token"]).json
    assert rotated["refresh_token"] != first["refresh_token"]


def test_a_validator_class_decides_on_users_and_may_call_super(make, refused):
    world = make(OAUTH2_VALIDATOR_CLASS=Own, PASSWORD_GRANT_ENABLED=True)
    client = world.client(grant_types=("password",))
    asked = {"username": "EXAMPLE\\ann", "password": "her password"}
    tokens = world.token(client, "password", **asked).json
    assert world.provider.validator.find_live_access_token(tokens["access_token"]).token.subject == "1"
    assert refused(world.token(client, "password", **{**asked, "password": "another"})) == "invalid_grant"


# --- OAUTH2_BACKEND_CLASS ---


class Announcing(Backend):
    """Adds a header to what it answers."""

    def create_token_response(self, message):
        return super().create_token_response(message).with_headers({"X-Backend": "announcing"})

    def denied_response(self, authorization, issuer):
        return super().denied_response(authorization, f"{issuer}/denied")


def test_a_backend_class_may_change_one_method(make, sent):
    world = make(OAUTH2_BACKEND_CLASS=Announcing)
    client = world.client()
    assert world.token(client, "client_credentials").headers["X-Backend"] == "announcing"
    assert world.token(client, "tea").headers["X-Backend"] == "announcing"
    answer = sent(world.authorize(client, "consent-deny"))
    assert (answer["error"], answer["iss"]) == ("access_denied", "https://id.example/o/denied")
    assert world.alive(world.tokens(client))


def test_a_host_that_knows_no_such_person_gives_no_code(make):
    class Login:
        @hookimpl
        def portula_consent_given(self, event):
            world.host.find = lambda subject: User(subject, "ann", active=False)

    world = make(Login())
    client = world.client()
    code, verifier = world.code(client)
    assert world.redeem(client, code, verifier).status_code == 400
