"""Who passes a guarded view, and what the others are told (RFC 6750)."""

import asyncio

import pytest
from flask import Flask
from flask.views import MethodView

import portula_resource_server
from portula import Provider, hookimpl
from portula.errors import EmptySlot
from portula.plugin import AccessToken, Application, User
from portula_resource_server import VerifiedToken, current_token, require_oauth
from portula_resource_server.tokens import VerifierUnavailable
from portula_testing.writing import add_to, change_in

CHALLENGE = 'Bearer realm="portula"'


def refused(answer, status, error):
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.headers["WWW-Authenticate"].startswith(f'{CHALLENGE}, error="{error}"')
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_view_answers_a_token_with_its_scope_and_knows_whose_it_is(world):
    answer = world.get("/read", world.token("read"))
    assert answer.json == {"client": "app", "subject": "1"}
    assert world.get("/read", world.token("write read", subject=None)).json["subject"] is None


def test_a_view_without_scopes_answers_every_live_token(world):
    assert world.get("/any", world.token("")).status_code == 200
    refused(world.get("/any", "nothing"), 401, "invalid_token")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_compared_without_case(world, scheme):
    headers = {"Authorization": f"{scheme} {world.token()}"}
    assert world.http.get("/read", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "authorization", [None, "", "Basic YTpi", 'Digest username="a", realm="b"', "Beare x"]
)
def test_without_a_bearer_token_a_token_is_asked_for_and_no_error_named(world, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = world.http.get("/read", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"], answer.data) == (401, CHALLENGE, b"")


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a, Bearer b",
        "Basic YTpi, Bearer a",
        "Bearer \xe9",
        "Bearer a=b",
        "Bearer =",
    ],
)
def test_a_malformed_header_is_an_invalid_request(world, authorization):
    answer = world.http.get("/read", environ_overrides={"HTTP_AUTHORIZATION": authorization})
    refused(answer, 400, "invalid_request")


def test_two_authorization_headers_are_an_invalid_request(world):
    pairs = [("Authorization", f"Bearer {world.token()}"), ("Authorization", f"Bearer {world.token()}")]
    refused(world.http.get("/read", headers=pairs), 400, "invalid_request")


def test_a_missing_scope_can_be_named(make):
    world = make(ERROR_RESPONSE_WITH_SCOPES=True)
    answer = world.get("/both", world.token("read"))
    refused(answer, 403, "insufficient_scope")
    assert answer.headers["WWW-Authenticate"].endswith('scope="read write"')
    assert world.get("/both", world.token("read write")).status_code == 200


def test_a_missing_scope_is_not_named_unless_told_so(world):
    assert ", scope=" not in world.get("/both", world.token("read")).headers["WWW-Authenticate"]


@pytest.mark.parametrize("place", ["query_string", "data", "json"])
def test_tokens_in_url_and_body_are_not_listened_to(world, place):
    token = world.token()
    answer = world.http.post("/read", **{place: {"access_token": token, "bearer_token": token}})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, CHALLENGE)


def test_a_token_ends_with_its_time_its_revocation_its_client_and_its_person(world):
    token = world.token()
    world.host.people["1"] = User("1", "ann", active=False)
    refused(world.get("/read", token), 401, "invalid_token")
    world.host.people["1"] = User("1", "ann")
    assert world.get("/read", token).status_code == 200
    change_in(world.provider.storage, Application, {"client_id": "app"}, disabled=True)
    refused(world.get("/read", token), 401, "invalid_token")
    change_in(world.provider.storage, Application, {"client_id": "app"}, disabled=False)
    change_in(world.provider.storage, AccessToken, {"subject": "1"}, revoked_at=1)
    refused(world.get("/read", token), 401, "invalid_token")
    late = world.token()
    world.host.time += 60
    refused(world.get("/read", late), 401, "invalid_token")


def test_every_alteration_of_a_token_fails(world):
    token = world.token()
    altered = [token[:-1], token + "0", token.upper(), token[1:], f"{token}=", f"{token}/"]
    assert {world.get("/any", wrong).status_code for wrong in altered} == {401}


def test_class_based_and_async_views_are_guarded_too(world):
    class Cup(MethodView):
        decorators = (require_oauth("read"),)

        def get(self):
            return current_token.client_id

    async def kettle():
        await asyncio.sleep(0)
        return current_token.client_id

    world.app.add_url_rule("/cup", view_func=Cup.as_view("cup"))
    world.app.ensure_sync = lambda view: (
        (lambda **values: asyncio.run(view(**values))) if asyncio.iscoroutinefunction(view) else view
    )
    world.app.add_url_rule("/kettle", view_func=require_oauth("read")(kettle))
    for path in ("/cup", "/kettle"):
        assert world.get(path, world.token()).text == "app"
        assert world.get(path, world.token("write")).status_code == 403


def test_a_decorated_view_keeps_its_name():
    @require_oauth("read")
    def brew():
        """Make tea."""

    assert (brew.__name__, brew.__doc__) == ("brew", "Make tea.")


def test_current_token_is_for_guarded_views_only(world):
    world.app.add_url_rule("/open", view_func=lambda: current_token.client_id, endpoint="open")
    with pytest.raises(RuntimeError, match="not decorated with require_oauth"):
        world.get("/open", world.token())


def test_a_verified_token_cannot_be_changed_and_keeps_its_claims_out_of_repr():
    token = VerifiedToken.of({"sub": "1", "scope": "read write", "exp": 5, "email": "ann@example.com"})
    assert token.scopes == {"read", "write"}
    assert "ann@example.com" not in repr(token)
    with pytest.raises(AttributeError):
        token.subject = "2"
    with pytest.raises(TypeError):
        token.claims["sub"] = "2"


def test_a_view_sees_what_plugins_add_to_the_token(make):
    class Tenant:
        @hookimpl
        def portula_introspection_response(self, answer):
            return {"tenant": "north", "sub": "somebody"}

    world = make(Tenant())
    world.app.add_url_rule(
        "/claims", view_func=require_oauth(lambda: dict(current_token.claims)), endpoint="c"
    )
    claims = world.get("/claims", world.token()).json
    assert (claims["tenant"], claims["sub"], claims["client_id"]) == ("north", "1", "app")


def test_a_deployment_may_verify_tokens_its_own_way(make):
    class Own:
        @hookimpl
        def portula_token_verifier(self, provider):
            return {"gold": VerifiedToken("7", "mint", frozenset({"read"}), None)}.get

    world = make(Own(), PLUGINS_CHOICE={"token_verifier": "Own"})
    assert world.get("/read", "gold").json == {"client": "mint", "subject": "7"}
    refused(world.get("/read", "lead"), 401, "invalid_token")


def test_while_nobody_can_be_asked_the_answer_is_503(make):
    class Away:
        @hookimpl
        def portula_token_verifier(self, provider):
            def verify(token):
                raise VerifierUnavailable("away")

            return verify

    answer = make(Away(), PLUGINS_CHOICE={"token_verifier": "Away"}).get("/any", "x")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["error"] == "temporarily_unavailable"


def test_two_providers_in_one_app_do_not_know_each_others_tokens(world):
    second = Provider(
        world.app,
        plugins=[*world.provider._given_plugins],
        discover=False,
        settings={"MOUNT_PATH": "/second"},
        name="second",
    )
    add_to(second.storage, Application(client_id="app"))
    world.app.add_url_rule(
        "/second", view_func=require_oauth(provider="second")(lambda: "second"), endpoint="s"
    )
    token = world.token()
    assert world.get("/any", token).status_code == 200
    refused(world.get("/second", token), 401, "invalid_token")


def test_without_issuer_and_without_url_the_start_fails_with_the_remedy():
    app = Flask("bare")
    app.config["SECRET_KEY"] = "0123456789abcdef"
    with pytest.raises(EmptySlot, match="set RESOURCE_SERVER_INTROSPECTION_URL"):
        Provider(app, plugins=[portula_resource_server], discover=False)


def test_a_provider_that_is_blocked_here_is_named_in_the_remedy():
    app = Flask("blocked")
    app.config.update(SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER={"PLUGINS_BLOCKED": ["oauth2"]})
    with pytest.raises(EmptySlot, match=r"answer.*: PLUGINS_BLOCKED names 'oauth2'"):
        Provider(app)
