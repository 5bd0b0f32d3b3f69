"""What is refused on either side, with the error of RFC 8693 §2.2.2 and RFC 7523 §3.1; what fails allows nothing."""

import pytest
from security.driving import ISSUER, Door, error_of
from security.house import House
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE
from support.foreign_issuers import GRANT as JWT_BEARER
from support.foreign_issuers import ForeignIssuer
from support.id_jag import CHAT, CHAT_HOST, FILES, TOKEN_TYPE, TYP, Chain, giving, taking

from portula import hookimpl
from portula.errors import ConfigError, OAuth2Error, StorageDown
from portula.plugin import Application, Step
from portula_testing.jws import unsigned_token
from portula_testing.writing import change_in

# --- The identity provider ---


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"audience": None}, "invalid_request"),
        ({"audience": ""}, "invalid_request"),
        ({"audience": ISSUER}, "invalid_target"),
        ({"audience": "https://unknown.example/"}, "invalid_target"),
        ({"audience": f"{CHAT}/"}, "invalid_target"),
        ({"audience": CHAT.upper()}, "invalid_target"),
        ({"audience": [CHAT, "https://unknown.example/"]}, "invalid_target"),
        ({"audience": "wiki"}, "invalid_target"),
        ({"resource": "no uri"}, "invalid_target"),
        ({"resource": "/files"}, "invalid_target"),
        ({"resource": f"{FILES}#part"}, "invalid_target"),
        ({"resource": f"{FILES}/ü"}, "invalid_target"),
        ({"resource": [f"{FILES}/{n}" for n in range(21)]}, "invalid_target"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"scope": "tëa"}, "invalid_scope"),
        ({"scope": "x" * 5000}, "invalid_request"),
        ({"authorization_details": "{}"}, "invalid_authorization_details"),
        ({"authorization_details": "[1]"}, "invalid_authorization_details"),
        ({"authorization_details": '[{"type": 1}]'}, "invalid_authorization_details"),
        ({"authorization_details": "[" * 3000}, "invalid_authorization_details"),
        ({"requested_token_type": f"{TYPE}ID-JAG"}, "invalid_request"),
        ({"requested_token_type": f"{TYPE}access_token"}, "invalid_request"),
        ({"requested_token_type": None}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}jwt"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}access_token"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}refresh_token"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token": "x"}, "invalid_request"),
    ],
)
def test_what_is_wrong_with_a_request(chain, change, error):
    token = change.pop("subject_token", None) or chain.id_token()
    assert error_of(chain.ask(token=token, **change)) == error


def test_another_token_than_an_id_token_of_the_client_is_no_subject(chain):
    tokens = chain.idp.tokens(chain.here, scope="openid read")
    for kind in ("access_token", "refresh_token"):
        for called in ("id_token", "access_token"):
            answer = chain.ask(token=tokens[kind], subject_token_type=f"{TYPE}{called}")
            assert error_of(answer) == "invalid_request"
    other = chain.idp.client(grant_types=("authorization_code", EXCHANGE))
    assert error_of(chain.ask(token=chain.id_token(other))) == "invalid_request"
    actor = {"actor_token": tokens["access_token"], "actor_token_type": f"{TYPE}access_token"}
    assert error_of(chain.ask(token=tokens["id_token"], **actor)) == "invalid_request"


def test_nothing_but_true_of_may_assert_allows(chain):
    token = chain.id_token()
    chain.policy.delegates = chain.policy.impersonates = True
    for answer in (False, None, 1, "yes", [True]):
        chain.policy.asserts = answer
        assert error_of(chain.ask(token=token)) == "invalid_request"


def test_a_policy_that_fails_or_asks_for_another_sign_in(chain):
    token = chain.id_token()

    def raises(error):
        def ask(request):
            raise error

        return ask

    chain.policy.asserts = raises(RuntimeError("the database of the policy"))
    answer = chain.ask(token=token)
    assert error_of(answer, 500) == "server_error"
    assert "database of the policy" not in answer.text
    chain.policy.asserts = raises(StorageDown("the database of the policy"))
    assert error_of(chain.ask(token=token), 503) == "temporarily_unavailable"

    class SignInAgain(OAuth2Error):
        error = "insufficient_user_authentication"

    chain.policy.asserts = raises(SignInAgain(description="Sign in by two factors."))
    assert error_of(chain.ask(token=token)) == "insufficient_user_authentication"


def test_what_is_not_asked_for_in_the_settings_is_not_offered(chain):
    bare = House(**giving(chain.policy, TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=[f"{TYPE}access_token"]))
    document = bare.door().open("/o/.well-known/openid-configuration").json
    assert "identity_chaining_requested_token_types_supported" not in document
    party = bare.client(grant_types=("authorization_code", EXCHANGE))
    form = {
        "subject_token": bare.tokens(party, scope="openid")["id_token"],
        "subject_token_type": f"{TYPE}id_token",
        "requested_token_type": TOKEN_TYPE,
        "audience": CHAT,
    }
    assert error_of(bare.door().token(party, grant_type=EXCHANGE, **form)) == "invalid_request"


def test_settings_that_mean_nothing_stop_the_start(chain):
    with pytest.raises(ConfigError, match="nobody brings"):
        House(**giving(chain.policy, ID_JAG_AUDIENCES={}))
    with pytest.raises(ConfigError, match="an issuer is a URL"):
        House(**giving(chain.policy, ID_JAG_AUDIENCES={"chat": {}}))
    two = {CHAT: {"client_ids": {"a": "x", "b": "x"}}}
    with pytest.raises(ConfigError, match="two clients have one name"):
        House(**giving(chain.policy, ID_JAG_AUDIENCES=two))
    key = ForeignIssuer(int).key
    unknown = {ISSUER: {"jwks": key.jwks, "types": ["unknown+jwt"]}}
    with pytest.raises(ConfigError, match="nobody judges"):
        House(**taking(chain.who, unknown))


def test_public_clients_and_those_without_the_grant_get_nothing(chain):
    plain = chain.idp.client()
    assert error_of(chain.ask(token=chain.id_token(plain), party=plain)) == "unauthorized_client"
    public = chain.idp.public_client()
    forced = {"grant_types": ("authorization_code", EXCHANGE)}
    change_in(chain.idp.provider.storage, Application, {"client_id": public.client_id}, **forced)
    answer = chain.ask(token=chain.id_token(public), party=public, client_id=public.client_id)
    assert error_of(answer) == "unauthorized_client"
    there = chain.chat.public_client()
    change_in(
        chain.chat.provider.storage,
        Application,
        {"client_id": there.client_id},
        grant_types=(JWT_BEARER,),
    )
    answer = chain.redeem(chain.assertion(), party=there, client_id=there.client_id)
    assert error_of(answer) == "unauthorized_client"


class AccessTokensOnly:
    """A plugin that decides the form of every token, whatever it is."""

    @hookimpl
    def portula_steps(self, provider):
        def run(exchange):
            exchange.issue.format = "jwt"

        return [Step(endpoint="token", name="only_jwts", run=run, after="shaping")]


def test_a_plugin_that_would_make_an_access_token_of_it_is_stopped():
    answer = Chain(AccessTokensOnly()).ask()
    assert answer.json["error"] == "access_denied", answer.text


# --- The server that takes assertions ---


class Provider(ForeignIssuer):
    """An identity provider of the tests."""

    def sign(self, *, typ=TYP, **changes):
        given = {"aud": CHAT, "client_id": "wiki-there", "scope": "read", "sub": "ann", **changes}
        return super().sign(typ=typ, **given)


@pytest.fixture
def taker():
    """A server that trusts two identity providers, and an issuer of plain assertions."""

    class Taker:
        def __init__(self):
            self.one = Provider(self.now, "https://one.example")
            self.two = Provider(self.now, "https://two.example")
            self.plain = Provider(self.now, "https://ci.example")
            self.people = {}
            trusted = {each.name: {"jwks": each.key.jwks} for each in (self.one, self.two)}
            trusted[self.plain.name] = {"jwks": self.plain.key.jwks, "types": ["JWT"]}
            self.house = House(**taking(self.who, trusted, JWT_BEARER_AUDIENCES=["https://alias.example"]))
            self.party = self.house.client(
                client_id="wiki-there", grant_types=(JWT_BEARER, "client_credentials"), redirect_uris=()
            )
            self.people[self.one.name, "ann"] = self.house.ann.sub
            self.people[self.plain.name, "ann"] = self.house.ann.sub

        def now(self):
            return self.house.clock.time

        def who(self, claims, client, request):
            return self.people.get((claims["iss"], claims["sub"]))

        def redeem(self, assertion, party=None, **form):
            door = Door(self.house.app, CHAT_HOST)
            return door.token(party or self.party, grant_type=JWT_BEARER, assertion=assertion, **form)

    return Taker()


def test_a_good_one_is_taken(taker):
    for aud in (CHAT, [CHAT]):
        assert taker.redeem(taker.one.sign(aud=aud)).status_code == 200
    for typ in ("OAuth-ID-JAG+jwt", f"application/{TYP}"):
        assert taker.redeem(taker.one.sign(typ=typ)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://alias.example"},
        {"aud": f"{CHAT}/"},
        {"aud": f"{CHAT}/token/"},
        {"aud": [CHAT, "https://other.example"]},
        {"aud": [CHAT, CHAT]},
        {"aud": None},
        {"client_id": "wiki"},
        {"client_id": None},
        {"client_id": ["wiki-there"]},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"sub": None},
        {"sub": "nobody"},
        {"iss": CHAT},
        {"iss": "https://unknown.example"},
        {"iss": "https://two.example"},
        {"exp": 1},
        {"iat": None},
        {"scope": ["read"]},
        {"cnf": {}},
        {"cnf": "x"},
        {"cnf": {"jkt": "x"}},
        {"cnf": {"x5t#S256": "x"}},
        {"cnf": {"kid": "x"}},
        {"resource": 1},
        {"resource": [1]},
        {"resource": [""]},
        {"resource": ["https://a.example/"] * 21},
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "at+jwt"},
        {"typ": "client-authentication+jwt"},
    ],
    ids=str,
)
def test_what_is_wrong_with_an_assertion(taker, change):
    answer = taker.redeem(taker.one.sign(**change))
    assert error_of(answer) == "invalid_grant"
    assert answer.json.get("error_description", "").startswith("The assertion"), "the client is not told more"


def test_one_that_is_not_signed_or_by_another_key(taker):
    claims = taker.one.claims(aud=CHAT, client_id="wiki-there", sub="ann")
    assert error_of(taker.redeem(unsigned_token(claims, typ=TYP))) == "invalid_grant"
    assert error_of(taker.redeem(taker.one.sign(key=taker.two.key))) == "invalid_grant"


def test_no_provider_speaks_for_the_people_of_another(taker):
    assert taker.redeem(taker.one.sign()).status_code == 200
    assert error_of(taker.redeem(taker.two.sign())) == "invalid_grant"
    bob = taker.house.user()
    taker.people[taker.two.name, "ann"] = bob.sub
    token = taker.redeem(taker.two.sign()).json["access_token"]
    told = Door(taker.house.app, CHAT_HOST).introspect(taker.party, token).json
    assert told["sub"] == bob.sub


def test_plain_assertions_and_identity_assertions_are_not_taken_for_each_other(taker):
    assert taker.redeem(taker.plain.sign(typ="JWT")).status_code == 200
    assert error_of(taker.redeem(taker.plain.sign())) == "invalid_grant"
    assert error_of(taker.redeem(taker.one.sign(typ="JWT"))) == "invalid_grant"


def test_it_counts_once_and_another_client_uses_none_up(taker):
    assertion = taker.one.sign()
    thief = taker.house.client(grant_types=(JWT_BEARER,), redirect_uris=())
    assert error_of(taker.redeem(assertion, thief)) == "invalid_grant"
    assert taker.redeem(assertion).status_code == 200
    assert error_of(taker.redeem(assertion)) == "invalid_grant"
    jti = {"jti": "one jti"}
    taker.people[taker.two.name, "ann"] = taker.house.ann.sub
    assert taker.redeem(taker.one.sign(**jti)).status_code == 200
    assert taker.redeem(taker.two.sign(**jti)).status_code == 200, "another issuer's"
    assert error_of(taker.redeem(taker.one.sign(**jti))) == "invalid_grant"


def test_the_jti_is_needed_whatever_the_settings_say(chain):
    issuer = Provider(lambda: house.clock.time, "https://one.example")
    trusted = {issuer.name: {"jwks": issuer.key.jwks}}
    house = House(**taking(lambda *_: house.ann.sub, trusted, JWT_BEARER_REQUIRE_JTI=False))
    party = house.client(client_id="wiki-there", grant_types=(JWT_BEARER,), redirect_uris=())
    door = Door(house.app, CHAT_HOST)
    answer = door.token(party, grant_type=JWT_BEARER, assertion=issuer.sign(jti=None))
    assert error_of(answer) == "invalid_grant"


def test_one_issuer_is_never_both_sides():
    """Draft §8.3."""
    chain = Chain(
        idp={
            "ID_JAG_AUDIENCES": {ISSUER: {}, CHAT: {}},
            "JWT_BEARER_GRANT_ENABLED": True,
            "JWT_BEARER_TRUSTED_ISSUERS": {ISSUER: {"jwks": Provider(int).key.jwks, "types": [TYP]}},
            "JWT_BEARER_SUBJECT_RESOLVER": lambda claims, client, request: claims["sub"],
        }
    )
    assert error_of(chain.ask(audience=ISSUER)) == "invalid_target"
    both = chain.idp.find(chain.here)
    chain.idp.change(chain.here, grant_types=(*both.grant_types, JWT_BEARER))
    answer = chain.door.token(chain.here, grant_type=JWT_BEARER, assertion=chain.assertion())
    assert error_of(answer) == "invalid_grant"


@pytest.mark.parametrize("state", ["client disabled", "person disabled", "an administrator"])
def test_nobody_who_is_gone_is_spoken_for(taker, state):
    house = taker.house
    if state == "client disabled":
        house.change(taker.party, disabled=True)
        assert error_of(taker.redeem(taker.one.sign()), 401) == "invalid_client"
        return
    if state == "person disabled":
        house.users.disable(house.ann)
    else:
        change_in(house.provider.storage, type(house.ann), {"sub": house.ann.sub}, is_admin=True)
    assert error_of(taker.redeem(taker.one.sign())) == "invalid_grant"


def test_where_the_room_is_blocked_there_is_no_such_type(chain):
    trusted = {"https://one.example": {"jwks": ForeignIssuer(int).key.jwks}}
    with pytest.raises(ConfigError, match="nobody judges"):
        House(discover=True, **taking(chain.who, trusted, PLUGINS_BLOCKED=["id_jag"]))
