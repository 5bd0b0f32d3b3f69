"""A person signs in to an app here, and the app gets a token of another server, over HTTP at both."""

import json

import pytest
from security.driving import ISSUER, error_of
from support.examples import example_of
from support.exchanges import TYPE
from support.foreign_issuers import GRANT as JWT_BEARER
from support.id_jag import CHAT, FILES, PROFILE, TOKEN_TYPE, TYP, Chain
from support.proofs import Prover

from portula import Plugin, hookimpl
from portula.plugin import AccessToken, Authorization, revoke_person
from portula_id_jag.hooks import IdJagHooks
from portula_testing.jws import taken_apart

DETAILS = [{"type": "message", "actions": ["read"]}]


def test_the_whole_way():
    chain = Chain(chat={"PROTECTED_RESOURCES": {FILES: {"client_id": "files"}}})
    answer = chain.ask(scope="read write", resource=FILES)
    assert answer.status_code == 200, answer.text
    made = answer.json
    assertion = made.pop("access_token")
    assert made == {
        "issued_token_type": TOKEN_TYPE,
        "token_type": "N_A",
        "expires_in": 300,
        "scope": "read write",
    }
    header, claims = taken_apart(assertion)
    assert header["typ"] == TYP
    now = chain.idp.clock.time
    assert {name: claims[name] for name in ("iss", "sub", "aud", "client_id", "iat", "exp", "scope")} == {
        "iss": ISSUER,
        "sub": chain.idp.ann.sub,
        "aud": CHAT,
        "client_id": "wiki-there",
        "iat": now,
        "exp": now + 300,
        "scope": "read write",
    }
    assert (claims["resource"], claims["auth_time"], claims["amr"]) == (FILES, now, ["pwd"])
    assert len(claims["jti"]) > 20
    assert "cnf" not in claims

    redeemed = chain.redeem(assertion)
    assert redeemed.status_code == 200, redeemed.text
    tokens = redeemed.json
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "read write")
    assert "refresh_token" not in tokens
    told = chain.chat_door.introspect(chain.chat.client(client_id="files"), tokens["access_token"]).json
    assert (told["sub"], told["client_id"]) == (chain.chat.ann.sub, "wiki-there")
    assert told["aud"] in (FILES, [FILES])
    watcher = chain.chat.client()
    assert not chain.chat_door.is_active(watcher, tokens["access_token"]), "it is for the files alone"


def test_the_assertion_opens_nothing_here_and_is_kept_nowhere(chain):
    token = chain.id_token()
    before = len(chain.idp.provider.storage.select(AccessToken))
    assertion = chain.assertion(token=token)
    assert len(chain.idp.provider.storage.select(AccessToken)) == before
    assert chain.door.resource(assertion).status_code == 401
    assert (
        chain.door.open("/o/userinfo/", headers={"Authorization": f"Bearer {assertion}"}).status_code == 401
    )
    assert not chain.door.is_active(chain.here, assertion)
    for kind in ("access_token", "id_token", "jwt"):
        form = {"token": assertion, "subject_token_type": f"{TYPE}{kind}"}
        assert error_of(chain.ask(**form)) == "invalid_request"


def test_it_names_the_client_as_the_other_server_knows_it(chain):
    grants = chain.idp.find(chain.here).grant_types
    same = chain.idp.client(grant_types=grants)
    claims = taken_apart(chain.assertion(token=chain.id_token(same), party=same))[1]
    assert claims["client_id"] == same.client_id
    taken = chain.idp.client(client_id="wiki-there", grant_types=grants)
    answer = chain.ask(token=chain.id_token(taken), party=taken)
    assert error_of(answer) == "invalid_target", "the name is another client's there"


def test_the_person_has_the_name_that_the_other_server_signs_in_by():
    pairwise = {"subject_type": "pairwise"}
    chain = Chain(
        idp={
            "OIDC_SUBJECT_TYPES_SUPPORTED": ["public", "pairwise"],
            "ID_JAG_AUDIENCES": {CHAT: {"client_ids": {"wiki": "wiki-there"}, "login_client": "chat"}},
        }
    )
    chat = chain.idp.client(client_id="chat", metadata=pairwise, redirect_uris=("https://chat.example/cb",))
    seen_there = taken_apart(chain.id_token(chat))[1]["sub"]
    token = chain.id_token()
    assert taken_apart(token)[1]["sub"] != seen_there
    assert taken_apart(chain.assertion(token=token))[1]["sub"] == seen_there


def test_a_client_of_the_settings_that_is_not_there_makes_no_names_up():
    chain = Chain(idp={"ID_JAG_AUDIENCES": {CHAT: {"login_client": "chat"}}})
    assert error_of(chain.ask(), 500) == "server_error"


def test_what_is_asked_for_is_carried_in_the_other_servers_words(chain):
    text = json.dumps(DETAILS)
    form = {
        "scope": "chat:read chat:history",
        "authorization_details": text,
        "resource": [FILES, f"{FILES}/2"],
    }
    answer = chain.ask(**form)
    assert answer.status_code == 200, answer.text
    assert answer.json["authorization_details"] == DETAILS
    claims = taken_apart(answer.json["access_token"])[1]
    assert claims["scope"] == "chat:read chat:history"
    assert (claims["authorization_details"], claims["resource"]) == (DETAILS, [FILES, f"{FILES}/2"])
    request = chain.policy.requests[-1]
    assert (request.requested_token_type, request.audience) == (TOKEN_TYPE, (CHAT,))
    assert (request.resources, list(request.authorization_details)) == ((FILES, f"{FILES}/2"), DETAILS)
    assert request.scope == ("chat:read", "chat:history")
    answer = chain.ask(scope=None)
    assert "scope" not in answer.json
    bare = taken_apart(answer.json["access_token"])[1]
    assert {"scope", "resource", "authorization_details"}.isdisjoint(bare)


def test_it_ends_with_the_id_token_and_the_authorization(chain):
    token = chain.id_token()
    claims = taken_apart(token)[1]
    chain.idp.clock.forward(claims["exp"] - chain.idp.clock.time - 40)
    assert chain.ask(token=token).json["expires_in"] == 40
    chain.idp.clock.forward(40)
    assert error_of(chain.ask(token=token)) == "invalid_request"
    token = chain.id_token()
    revoke_person(chain.idp.provider, chain.idp.ann.sub)
    assert error_of(chain.ask(token=token)) == "invalid_request"


def test_a_key_that_is_proven_has_to_be_proven_there_too(chain):
    prover = Prover(lambda: chain.idp.clock.time)
    token = chain.id_token()

    def bound():
        return chain.assertion(token=token, headers=prover.proof())

    assertion = bound()
    assert taken_apart(assertion)[1]["cnf"] == {"jkt": prover.thumbprint}
    assert error_of(chain.redeem(assertion)) == "invalid_grant"
    there = {"htu": f"{CHAT}/token/"}
    other = Prover(lambda: chain.idp.clock.time)
    assert error_of(chain.redeem(bound(), headers=other.proof(**there))) == "invalid_grant"
    redeemed = chain.redeem(bound(), headers=prover.proof(**there))
    assert redeemed.status_code == 200, redeemed.text
    assert redeemed.json["token_type"] == "DPoP"
    told = chain.chat_door.introspect(chain.there, redeemed.json["access_token"]).json
    assert told["cnf"] == {"jkt": prover.thumbprint}


def test_the_token_there_is_under_an_authorization_of_its_own(chain):
    token = chain.redeem(chain.assertion()).json["access_token"]
    (given,) = chain.chat.provider.storage.select(Authorization, subject=chain.chat.ann.sub)
    assert (given.client_id, given.scope) == ("wiki-there", "read")
    revoke_person(chain.chat.provider, chain.chat.ann.sub)
    assert not chain.chat_door.is_active(chain.there, token)


@pytest.mark.parametrize(
    ("asserted", "trusted", "asked", "given"),
    [
        ("read write", None, None, "read write"),
        ("read write", None, "write", "write"),
        ("read", None, "read write", None),
        ("read write", ["read"], None, "read"),
        ("read write", ["read"], "write", None),
        ("write", ["read"], None, None),
        ("read unknown", None, None, "read"),
        ("unknown", None, None, None),
        (None, None, None, "read"),
        (None, None, "read", "read"),
        (None, None, "write", None),
        (None, ["write"], None, None),
    ],
)
def test_the_scope_is_the_assertions_at_the_most(asserted, trusted, asked, given):
    chain = Chain(trust={"scopes": trusted}, chat={"DEFAULT_SCOPES": ["read"]})
    answer = chain.redeem(chain.assertion(scope=asserted), scope=asked)
    if given is None:
        assert error_of(answer) == "invalid_scope"
    else:
        assert answer.json["scope"] == given, answer.text


@pytest.mark.parametrize("known", [True, False])
def test_the_token_is_for_the_resources_of_the_assertion(known):
    settings = {"PROTECTED_RESOURCES": {FILES: {}, "https://other.example/": {}}} if known else {}
    chain = Chain(chat=settings)
    two = [FILES, "https://other.example/"]

    def audience(assertion, **form):
        answer = chain.redeem(assertion, **form)
        assert answer.status_code == 200, answer.text
        live = chain.chat.provider.validator.find_live_access_token(answer.json["access_token"])
        return live.token.audience

    assert audience(chain.assertion(resource=two)) == tuple(two)
    assert audience(chain.assertion(resource=two), resource=FILES) == (FILES,)
    beyond = chain.redeem(chain.assertion(resource=FILES), resource="https://other.example/")
    assert error_of(beyond) == "invalid_target"
    unknown = chain.redeem(chain.assertion(resource="https://unknown.example/"))
    assert (unknown.status_code == 400) is known


def test_both_tell_what_they_do(chain):
    here = chain.door.open("/o/.well-known/openid-configuration").json
    there = chain.chat_door.open("/.well-known/oauth-authorization-server/o").json
    assert here["identity_chaining_requested_token_types_supported"] == [TOKEN_TYPE]
    assert there["authorization_grant_profiles_supported"] == [PROFILE]
    assert JWT_BEARER in there["grant_types_supported"]
    assert "authorization_grant_profiles_supported" not in here
    assert "identity_chaining_requested_token_types_supported" not in there


class Tenants:
    """Adds claims, those of the protocol too if a test says so."""

    def __init__(self):
        self.added = {"email": "ann@example.com", "tenant": "tea"}

    @hookimpl(optionalhook=True)
    def portula_id_jag_claims(self, assertion):
        assert assertion.claims["aud"] == CHAT
        return self.added


def test_plugins_add_what_the_other_server_needs():
    tenants = Tenants()
    chain = Chain(tenants)
    claims = taken_apart(chain.assertion())[1]
    assert (claims["email"], claims["tenant"]) == ("ann@example.com", "tea")
    for name in ("sub", "aud", "client_id", "cnf", "scope"):
        tenants.added = {name: "another"}
        assert error_of(chain.ask(), 500) == "server_error"


def test_the_example_of_the_manual_tells_the_tenant():
    tea = "https://tea.example/"
    tenants = example_of(IdJagHooks.portula_id_jag_claims, Plugin=Plugin)
    chain = Chain(tenants, idp={"ID_JAG_AUDIENCES": {tea: {}, CHAT: {}}})
    assert taken_apart(chain.assertion(audience=tea))[1]["tenant"] == "tea"
    assert "tenant" not in taken_apart(chain.assertion())[1]
