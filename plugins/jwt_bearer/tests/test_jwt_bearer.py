"""Assertions of trusted issuers are redeemed as RFC 7523 says, over HTTP."""

import json

import pytest
from security.driving import error_of
from support.foreign_issuers import FOREIGN, GRANT, OURS, ForeignIssuer
from support.high_security import register
from support.proofs import Prover

from portula import Plugin
from portula.errors import ConfigError, InvalidClientMetadata
from portula.plugin import Application
from portula_testing.jws import TokenKey, signed_with_secret, unsigned_token
from portula_testing.writing import change_in

# --- What one gets ---


@pytest.mark.parametrize("typ", [None, "JWT", "jwt"])
def test_an_assertion_buys_a_token_in_the_name_of_a_person(house, job, issuer, redeem, people, typ):
    answer = redeem(issuer.sign(typ=typ), scope="openid read")
    assert answer.status_code == 200, answer.text
    made = answer.json
    assert (made["token_type"], made["scope"]) == ("Bearer", "openid read")
    assert {"refresh_token", "id_token"}.isdisjoint(made)
    shown = house.door().introspect(job, made["access_token"]).json
    assert (shown["sub"], shown["client_id"]) == (house.ann.sub, job.client_id)
    assert people.claims["sub"] == "repo:octo/tea:ref:refs/heads/main"
    assert house.door().resource(made["access_token"]).status_code == 200
    house.users.disable(house.ann)
    assert house.door().resource(made["access_token"]).status_code == 401


@pytest.mark.parametrize(
    "huge", [10**400, -(10**400), 2**53, 1e300, float("1e400")], ids=lambda value: str(value)[:6]
)
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_numbers_that_are_no_times_are_refused_whatever_stands_beside_them(issuer, redeem, name, huge):
    other = {"iat": issuer.now() + 0.5, "exp": issuer.now() + 100.5}
    assert error_of(redeem(issuer.sign(**{**other, name: huge}))) == "invalid_grant"


def test_a_token_is_bound_to_the_key_that_is_proven_and_for_the_resource_that_is_named(
    make_house, make_job, issuer
):
    house = make_house(PROTECTED_RESOURCES={"https://api.example/": {}})
    job, prover = make_job(house), Prover(lambda: house.clock.time)
    form = {"assertion": issuer.sign(), "resource": "https://api.example/"}
    answer = house.door().token(job, {**job.auth, **prover.proof()}, grant_type=GRANT, **form)
    assert answer.json["token_type"] == "DPoP"
    form["resource"], form["assertion"] = "https://x.example/", issuer.sign()
    assert error_of(house.door().token(job, grant_type=GRANT, **form)) == "invalid_target"


# --- What does not count ---


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": f"{FOREIGN}/"},
        {"iss": f"{FOREIGN}.evil.example"},
        {"iss": "https://CI.example"},
        {"iss": [FOREIGN]},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "x" * 1025},
        {"aud": None},
        {"aud": FOREIGN},
        {"aud": f"{OURS}/"},
        {"aud": f"{OURS}/token/"},
        {"aud": [OURS, FOREIGN]},
        {"aud": []},
        {"aud": {"a": 1}},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": None},
        {"iat": "now"},
        {"nbf": "x"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 1025},
    ],
)
def test_an_assertion_with_a_fault_is_no_grant(issuer, redeem, changes):
    assert error_of(redeem(issuer.sign(**changes))) == "invalid_grant"


@pytest.mark.parametrize(
    ("name", "seconds", "counts"),
    [
        ("exp", -31, False),
        ("exp", -29, True),
        ("exp", 301, False),
        ("exp", 300, True),
        ("iat", 31, False),
        ("iat", 29, True),
        ("iat", -181, False),
        ("iat", -180, True),
        ("nbf", 31, False),
        ("nbf", 29, True),
    ],
)
def test_times_are_judged_to_the_second(issuer, redeem, house, name, seconds, counts):
    answer = redeem(issuer.sign(**{name: house.clock.time + seconds}))
    assert (answer.status_code == 200) == counts, answer.text


def test_a_list_of_our_name_alone_is_an_audience_and_so_are_those_of_the_setting(
    make_house, make_job, issuer
):
    house = make_house(JWT_BEARER_AUDIENCES=["https://id.example/o/token/"])
    job = make_job(house)
    for aud in (OURS, [OURS], "https://id.example/o/token/"):
        form = {"grant_type": GRANT, "assertion": issuer.sign(aud=aud)}
        assert house.door().token(job, **form).status_code == 200


def test_only_a_signature_of_the_issuer_counts(house, issuer, redeem):
    claims, public = issuer.claims(), json.dumps(issuer.key.jwk).encode()
    others = TokenKey("ES256")
    wrong = [
        others.sign(claims),
        issuer.key.sign(claims, jwk=others.jwk, kid=None)[:-6] + "AAAAAA",
        others.sign(claims, jwk=others.jwk),
        unsigned_token(claims),
        signed_with_secret(public, claims),
        issuer.key.sign(claims, crit=["x"]),
        "x",
        "a.b.c",
        "x" * 20_000,
    ]
    for assertion in wrong:
        assert error_of(redeem(assertion)) == "invalid_grant"
    for typ in ("at+jwt", "client-authentication+jwt", "dpop+jwt", "logout+jwt", "oauth-id-jag+jwt"):
        assert error_of(redeem(issuer.sign(typ=typ))) == "invalid_grant"


def test_the_profile_of_a_client_may_allow_fewer_algorithms(make_house, make_job, issuer):
    """FAPI 2.0 Security Profile §5.4.1."""
    old, modern = (TokenKey(name, kid=name) for name in ("RS256", "PS256"))
    house = make_house(trust={"jwks": {"keys": [old.jwk, modern.jwk]}})
    strict = register(house, metadata={"profile": "fapi2"}, grant_types=(GRANT,), redirect_uris=())
    plain, by_old = make_job(house), {"grant_type": GRANT, "assertion": issuer.sign(key=old)}
    assert error_of(strict.token(**by_old)) == "invalid_grant"
    assert house.door().token(plain, **by_old).status_code == 200, "its jti is still good"
    assert strict.token(grant_type=GRANT, assertion=issuer.sign(key=modern)).status_code == 200


def test_our_own_tokens_are_no_assertions_even_where_we_trust_ourselves(make_house, make_job, issuer):
    ours = ForeignIssuer(issuer.now, name=OURS)
    trusted = {FOREIGN: {"jwks": issuer.key.jwks}, OURS: {"jwks": ours.key.jwks}}
    house = make_house(JWT_BEARER_TRUSTED_ISSUERS=trusted)
    app, job = house.client(), make_job(house)
    for token in (ours.sign(), house.tokens(app, scope="openid read")["id_token"]):
        assert error_of(house.door().token(job, grant_type=GRANT, assertion=token)) == "invalid_grant"


def test_an_assertion_of_a_client_is_none_of_an_issuer(house, issuer, redeem):
    key = TokenKey("ES256")
    client = house.client(
        grant_types=(GRANT,),
        redirect_uris=(),
        metadata={"jwks": key.jwks},
        token_endpoint_auth_method="private_key_jwt",
    )
    assertion = key.sign(issuer.claims(iss=client.client_id, sub=client.client_id))
    assert error_of(redeem(assertion)) == "invalid_grant"


def test_a_jti_counts_once_for_each_issuer(make_house, make_job, issuer):
    other = ForeignIssuer(issuer.now, name="https://other.example")
    trusted = {FOREIGN: {"jwks": issuer.key.jwks}, other.name: {"jwks": other.key.jwks}}
    house = make_house(JWT_BEARER_TRUSTED_ISSUERS=trusted)
    job = make_job(house)

    def redeem(assertion):
        return house.door().token(job, grant_type=GRANT, assertion=assertion)

    assertion = issuer.sign(jti="one")
    assert redeem(assertion).status_code == 200
    assert error_of(redeem(assertion)) == "invalid_grant"
    assert error_of(redeem(issuer.sign(jti="one"))) == "invalid_grant"
    assert redeem(other.sign(jti="one")).status_code == 200


def test_without_a_jti_it_counts_where_the_setting_says_so(make_house, make_job, issuer):
    house = make_house(JWT_BEARER_REQUIRE_JTI=False)
    job = make_job(house)
    form = {"grant_type": GRANT, "assertion": issuer.sign(jti=None)}
    assert house.door().token(job, **form).status_code == 200


# --- Who, for whom, for what ---


def test_whom_nobody_knows_and_who_is_disabled_gets_no_token(house, issuer, redeem, people):
    people.subject = lambda: None
    assert error_of(redeem(issuer.sign())) == "invalid_grant"
    people.subject = "no such subject"
    assert error_of(redeem(issuer.sign())) == "invalid_grant"
    people.subject = house.ann.sub
    house.users.disable(house.ann)
    assert error_of(redeem(issuer.sign())) == "invalid_grant"


def test_who_administers_is_spoken_for_by_no_assertion(house, issuer, redeem):
    house.users.promote(house.ann)
    assert error_of(redeem(issuer.sign())) == "invalid_grant"


def test_unless_the_setting_says_so(make_house, make_job, issuer):
    house = make_house(JWT_BEARER_ALLOW_PRIVILEGED_SUBJECTS=True)
    house.users.promote(house.ann)
    answer = house.door().token(make_job(house), grant_type=GRANT, assertion=issuer.sign())
    assert answer.status_code == 200


@pytest.mark.parametrize("answer", [5, True, ["ann"]])
def test_a_resolver_that_fails_gives_nothing(issuer, redeem, people, answer):
    people.subject = lambda: answer
    assert error_of(redeem(issuer.sign()), 500) == "server_error"


def test_an_issuer_is_trusted_with_some_scopes_subjects_and_clients(make_house, make_job, issuer):
    trust = {"scopes": ["read"], "subjects": ["repo:octo/tea:*", "exact"], "clients": ["job"]}
    house = make_house(trust=trust)
    job = house.client(client_id="job", grant_types=(GRANT,), redirect_uris=())
    other = make_job(house)

    def redeem(party=job, scope=None, **changes):
        return house.door().token(party, grant_type=GRANT, assertion=issuer.sign(**changes), scope=scope)

    assert redeem().json["scope"] == "read"
    assert redeem(scope="read").json["scope"] == "read"
    assert error_of(redeem(scope="read write")) == "invalid_scope"
    assert error_of(redeem(scope="write")) == "invalid_scope"
    assert error_of(redeem(other)) == "invalid_grant"
    assert redeem(sub="exact").status_code == 200
    for sub in ("repo:octo/teapot", "exactly", "repo:octo/te", "Repo:octo/tea:x"):
        assert error_of(redeem(sub=sub)) == "invalid_grant"


def test_what_the_client_may_not_have_it_does_not_get(house, issuer):
    narrow = house.client(grant_types=(GRANT,), redirect_uris=(), scope="read")
    form = {"grant_type": GRANT, "assertion": issuer.sign(), "scope": "write"}
    assert error_of(house.door().token(narrow, **form)) == "invalid_scope"


def test_clients_authenticate_and_are_registered_for_it(house, job, issuer):
    form = {"grant_type": GRANT, "assertion": issuer.sign()}
    assert error_of(house.door().token(house.client(), **form)) == "unauthorized_client"
    assert error_of(house.door().token(None, **form), 401) == "invalid_client"
    assert error_of(house.door().token(job, grant_type=GRANT)) == "invalid_request"
    with pytest.raises(InvalidClientMetadata):
        house.public_client(grant_types=("authorization_code", GRANT))
    public = house.public_client()
    forced = {"grant_types": ("authorization_code", GRANT)}
    change_in(house.provider.storage, Application, {"client_id": public.client_id}, **forced)
    assert error_of(house.door().token(public, **form)) == "unauthorized_client"


# --- Settings ---


def test_it_is_off_until_it_is_switched_on(make_house, make_job, issuer):
    house = make_house(JWT_BEARER_GRANT_ENABLED=False)
    client = house.client()
    form = {"grant_type": GRANT, "assertion": issuer.sign()}
    assert error_of(house.door().token(client, **form)) == "unsupported_grant_type"
    document = house.door().open("/o/.well-known/openid-configuration").json
    assert GRANT not in document["grant_types_supported"]


def test_then_the_metadata_lists_it(house):
    document = house.door().open("/o/.well-known/openid-configuration").json
    assert GRANT in document["grant_types_supported"]


@pytest.mark.parametrize(
    "changes",
    [
        {"JWT_BEARER_TRUSTED_ISSUERS": {}},
        {"JWT_BEARER_TRUSTED_ISSUERS": {FOREIGN: {}}},
        {"JWT_BEARER_TRUSTED_ISSUERS": {FOREIGN: {"jwks": {}, "jwks_uri": "https://ci.example/k"}}},
        {"JWT_BEARER_TRUSTED_ISSUERS": {FOREIGN: {"jwks_uri": "http://ci.example/k"}}},
        {"JWT_BEARER_TRUSTED_ISSUERS": {FOREIGN: {"jwks": {"keys": []}}}},
        {"JWT_BEARER_TRUSTED_ISSUERS": {FOREIGN: {"jwks": {"keys": [{"kty": "oct", "k": "x"}]}}}},
        {"JWT_BEARER_TRUSTED_ISSUERS": {"ci": {"jwks_uri": "https://ci.example/k"}}},
        {"JWT_BEARER_ALGORITHMS": ["HS256"]},
        {"JWT_BEARER_ALGORITHMS": ["none"]},
        {"JWT_BEARER_ISSUE_REFRESH_TOKENS": True},
        {"JWT_BEARER_SUBJECT_RESOLVER": None},
        {"JWT_BEARER_SUBJECT_RESOLVER": "nobody"},
    ],
)
def test_what_cannot_be_meant_stops_the_start(make_house, changes):
    with pytest.raises(ConfigError, match=r"JWT_BEARER|jwt_bearer_subject"):
        make_house(**changes)


class ResolverOfAPlugin(Plugin):
    def portula_jwt_bearer_subject(self, provider):
        login = provider.hooks.ask(Plugin.portula_login)
        return lambda claims, client, request: login.users.find_by_name(claims["sub"]).sub


def test_a_plugin_may_know_the_subjects(make_house, make_job, issuer):
    house = make_house(ResolverOfAPlugin, JWT_BEARER_SUBJECT_RESOLVER=None)
    answer = house.door().token(make_job(house), grant_type=GRANT, assertion=issuer.sign(sub="ann"))
    assert answer.status_code == 200, answer.text
