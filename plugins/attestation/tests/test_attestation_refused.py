"""What does not count: an attestation, its proof, the two together, or the client (attacks S40, S41, S44, S45)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.driving import basic, error_of
from support.attesting import ATTESTATION, METHOD, POP, POP_TYP, TYP, WITH_DPOP, Attester, Instance

from portula.plugin import Artifact, ClientAuthenticationFailed
from portula_testing.forgeries import MALFORMED, alterations, key_confusions, psychic, self_made
from portula_testing.jws import TokenKey, signed_with_secret, unsigned_token

FRESH = "use_fresh_attestation"
OF_OTHERS = (
    None,
    "",
    "JWT",
    "dpop+jwt",
    "at+jwt",
    "client-authentication+jwt",
    "oauth-id-jag+jwt",
    "wit+jwt",
)

ATTESTATIONS = {
    "no client": ({"sub": None}, "sub"),
    "a client that is a number": ({"sub": 1}, "sub"),
    "a client with a NUL": ({"sub": "a\0b"}, "NUL"),
    "a very long client": ({"sub": "x" * 2000}, "sub"),
    "no end": ({"exp": None}, "exp"),
    "an end in words": ({"exp": "tomorrow"}, "exp"),
    "an end without end": ({"exp": 1e300}, "exp"),
    "an end that is a truth": ({"exp": True}, "exp"),
    "no key": ({"cnf": None}, "cnf"),
    "a key by its name": ({"cnf": {"jkt": "x" * 43}}, "cnf"),
    "a key in a list": ({"cnf": [{"jwk": {}}]}, "cnf"),
    "an empty key": ({"cnf": {"jwk": {}}}, "cnf"),
    "a secret for a key": ({"cnf": {"jwk": {"kty": "oct", "k": "c2VjcmV0"}}}, "cnf"),
    "another issuer": ({"iss": "https://nobody.example"}, "nobody"),
    "an issuer that is like it": ({"iss": "https://attester.example/"}, "nobody"),
    "us for an issuer": ({"iss": "https://id.example/o"}, "iss"),
    "an issuer in a list": ({"iss": ["https://attester.example"]}, "iss"),
}


@pytest.mark.parametrize("name", ATTESTATIONS)
def test_an_attestation_has_to_say_the_right_things(instance, refuse, name):
    claims, reason = ATTESTATIONS[name]
    assert reason in refuse(instance.headers(instance.attestation(**claims)))


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"exp": -31}, FRESH),
        ({"exp": -29}, None),
        ({"iat": 29}, None),
        ({"iat": 31}, "invalid_client_attestation"),
        ({"nbf": 29}, None),
        ({"nbf": 31}, "invalid_client_attestation"),
        ({"iat": -10_000_000}, None),
    ],
)
def test_an_attestation_is_of_now(house, instance, ask, claims, error):
    times = {name: house.clock.time + seconds for name, seconds in claims.items()}
    answer = ask(instance.headers(instance.attestation(**times)))
    assert (answer.status_code == 200) if error is None else (error_of(answer) == error)


def test_an_attestation_expires_while_it_is_used(house, instance, ask):
    attestation = instance.attestation()
    assert ask(instance.headers(attestation)).status_code == 200
    house.clock.forward(3631)
    assert error_of(ask(instance.headers(attestation))) == FRESH
    assert ask(instance.headers()).status_code == 200


@pytest.mark.parametrize(
    ("age", "error"), [(3629, None), (3631, FRESH), (None, "invalid_client_attestation")]
)
def test_an_attestation_may_have_to_be_fresh(make_house, make_client, attester, age, error):
    house = make_house(ATTESTATION_MAX_AGE_SECONDS=3600)
    instance, now = Instance(attester, make_client(house).client_id), house.clock.time
    attestation = instance.attestation(iat=None if age is None else now - age, exp=now + 99_999)
    answer = house.door().token(
        headers=instance.headers(attestation), grant_type="client_credentials", scope="read"
    )
    assert (answer.status_code == 200) if error is None else (error_of(answer) == error)


@pytest.mark.parametrize("typ", [*OF_OTHERS, POP_TYP, "oauth-client-attestation"])
def test_an_attestation_has_its_own_type(instance, refuse, typ):
    refuse(instance.headers(instance.attestation(typ=typ)))


@pytest.mark.parametrize("typ", [*OF_OTHERS, TYP, "oauth-client-attestation-pop"])
def test_a_proof_has_its_own_type(instance, refuse, typ):
    refuse(instance.headers(instance.attestation(), instance.pop(typ=typ)))


PROOFS = {
    "nobody": ({"aud": None}, "aud"),
    "another server": ({"aud": "https://other.example/o"}, "aud"),
    "the token endpoint": ({"aud": "https://id.example/o/token/"}, "aud"),
    "us and another": ({"aud": ["https://id.example/o", "https://other.example"]}, "aud"),
    "us with a slash": ({"aud": "https://id.example/o/"}, "aud"),
    "no name": ({"jti": None}, "jti"),
    "an empty name": ({"jti": ""}, "jti"),
    "a name that is a number": ({"jti": 1}, "jti"),
    "a very long name": ({"jti": "x" * 513}, "jti"),
    "no time": ({"iat": None}, "iat"),
    "a time in words": ({"iat": "now"}, "iat"),
    "a time that is a truth": ({"iat": True}, "iat"),
    "an endless time": ({"iat": 1e300}, "iat"),
}


@pytest.mark.parametrize("name", PROOFS)
def test_a_proof_has_to_say_the_right_things(instance, refuse, name):
    claims, reason = PROOFS[name]
    assert reason in refuse(instance.headers(**claims))


@pytest.mark.parametrize(
    ("seconds", "status"), [(-61, 400), (-60, 200), (10, 200), (30, 200), (31, 400), (61, 400)]
)
def test_a_proof_is_of_now(house, instance, ask, seconds, status):
    assert ask(instance.headers(iat=house.clock.time + seconds)).status_code == status


def test_a_proof_counts_once_even_if_the_request_fails(ask, refuse, instance):
    headers = instance.headers()
    assert ask(headers, scope="unheard").status_code == 400
    assert "used before" in refuse(headers)
    headers = instance.headers()
    assert ask(headers).status_code == 200
    assert "used before" in refuse(headers)
    assert "used before" in refuse({**headers, ATTESTATION: instance.attestation()})


def test_a_name_is_used_by_each_instance_for_itself(ask, instance, other):
    assert [ask(each.headers(jti="1")).status_code for each in (instance, other)] == [200, 200]
    assert [ask(each.headers(jti="1")).status_code for each in (instance, other)] == [400, 400]


def test_a_proof_is_remembered_as_long_as_it_could_count(house, ask, instance):
    headers = instance.headers(iat=house.clock.time + 30)
    assert ask(headers).status_code == 200
    house.clock.forward(90)
    house.provider.storage.purge(Artifact, now=house.provider.now(), limit=1000)
    assert error_of(ask(headers)) == "invalid_client_attestation"


# --- Whose signature it is ---


def test_only_the_key_of_the_attestation_proves_it(attester, instance, other, refuse):
    for key in (other.key, attester.key, TokenKey("ES256"), TokenKey("RS256")):
        refuse(instance.headers(instance.attestation(), instance.pop(key=key)))
    refuse(instance.headers(instance.attestation(), other.pop()))
    refuse(instance.headers(other.attestation()))
    own = {"jwk": other.key.jwk}
    refuse(instance.headers(instance.attestation(), other.pop(header=own)))


def test_only_an_attester_attests(attester, instance, refuse):
    for key in (instance.key, TokenKey("ES256"), TokenKey("RS256")):
        refuse(instance.headers(instance.attestation(key=key)))
        refuse(instance.headers(instance.attestation(key=key, header={"jwk": key.jwk, "kid": None})))
    stranger = Instance(Attester(attester.now), instance.client_id)
    refuse(stranger.headers())


def test_headers_do_not_change_places(instance, refuse):
    attestation, pop = instance.attestation(), instance.pop()
    for headers in ({ATTESTATION: pop, POP: attestation}, {ATTESTATION: attestation, POP: attestation}):
        refuse(headers)
    refuse({ATTESTATION: pop, POP: pop})


@pytest.mark.parametrize("missing", [ATTESTATION, POP])
def test_both_headers_are_needed(instance, refuse, missing):
    headers = instance.headers()
    refuse({**headers, missing: ""})
    del headers[missing]
    refuse(headers)


@pytest.mark.parametrize("doubled", [ATTESTATION, POP])
def test_a_header_comes_once(instance, refuse, doubled):
    headers = instance.headers()
    pairs = [*headers.items(), (doubled, headers[doubled])]
    refuse(pairs)
    refuse([*headers.items(), (doubled, "")])
    refuse({**headers, doubled: f"{headers[doubled]}, {instance.pop()}"})


def _fits_a_header(text):
    return text.isascii() and all(character >= " " for character in text)


@pytest.mark.parametrize(
    "text", [*filter(_fits_a_header, MALFORMED), "x" * 100_000, "\xe4.\xf6.\xfc", "a.b.c;d=e"]
)
def test_what_is_no_jwt_is_refused(instance, refuse, text):
    refuse(instance.headers(text))
    refuse(instance.headers(instance.attestation(), text))


@pytest.mark.parametrize("place", [ATTESTATION, POP])
def test_no_forgery_counts(attester, instance, refuse, place):
    key = attester.key if place == ATTESTATION else instance.key
    typ, header = (TYP, {"kid": key.kid}) if place == ATTESTATION else (POP_TYP, {})
    good = instance.headers()[place]
    now = attester.now()
    of_attestation = {
        "iss": attester.name,
        "sub": instance.client_id,
        "exp": now + 60,
        "cnf": {"jwk": instance.jwk},
    }
    of_proof = {"aud": "https://id.example/o", "iat": now, "jti": "forged"}
    claims = of_attestation if place == ATTESTATION else of_proof
    forged = [unsigned_token(claims, typ=typ), signed_with_secret(b"x" * 32, claims, typ=typ, **header)]
    forged += [
        text for _, text in (*alterations(good), *self_made("1", claims, typ), *psychic("1", claims, typ))
    ]
    forged += [text for _, text in key_confusions(key.jwk, claims, typ)]
    assert len(forged) > 10
    for text in forged:
        refuse({**instance.headers(), place: text})


@pytest.mark.parametrize("member", ["d", "k", "p", "oth"])
def test_an_attestation_with_a_private_key_is_refused(instance, refuse, member):
    assert "cnf" in refuse(instance.headers(instance.attestation(cnf={"jwk": {**instance.jwk, member: "x"}})))


def test_a_broken_key_is_refused(instance, refuse):
    for wrong in (
        {"x": "x"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"kty": "RSA"},
        {"kty": ["EC"]},
        {"y": 1},
    ):
        refuse(instance.headers(instance.attestation(cnf={"jwk": {**instance.jwk, **wrong}})))


# --- Whose instance it is ---


def test_an_attestation_of_another_client_is_refused(house, make_client, instance, ask, refuse):
    another = make_client(house)
    assert "another client" in refuse(instance.headers(), client_id=another.client_id)
    assert "another client" in refuse(instance.headers(), client_id="nobody")
    for named in (another.client_id, "nobody"):
        assert "another client" in refuse({**instance.headers(), **basic(named, "")})
    assert ask({**instance.headers(), **basic(instance.client_id, "")}).status_code == 200


def test_an_attester_speaks_for_no_client_that_is_not_registered_for_it(house, make_client, attester, refuse):
    """A client may be registered for no method in particular, and its secret is its own all the same."""
    keyed = {"metadata": {"jwks": TokenKey("ES256").jwks}, "token_endpoint_auth_method": "private_key_jwt"}
    parties = [
        house.client(),
        house.client(token_endpoint_auth_method="client_secret_basic"),
        house.client(**keyed),
        house.public_client(),
        make_client(house, WITH_DPOP),
    ]
    for party in parties:
        assert "registered" in refuse(Instance(attester, party.client_id).headers(), "invalid_client", 401)
    assert "registered" in refuse(Instance(attester, "nobody").headers(), "invalid_client", 401)


def test_a_client_that_is_disabled_is_refused(house, client, instance, ask, recorder):
    house.change(client, disabled=True)
    assert error_of(ask(instance.headers()), 401) == "invalid_client"
    assert recorder.of(ClientAuthenticationFailed)[-1].reason == "disabled"


def test_a_client_of_this_room_authenticates_in_no_other_way(house, client, instance, ask):
    answer = house.door().token(client, {}, grant_type="client_credentials", client_id=client.client_id)
    assert error_of(answer, 401) == "invalid_client"
    secret = basic(client.client_id, client.secret)
    assert error_of(ask(secret), 401) == "invalid_client"
    assert error_of(ask({**secret, **instance.headers()}), 401) == "invalid_client"


def test_a_refusal_tells_the_client_nothing_and_operators_why(ask, instance, recorder):
    answers = [ask(instance.headers(**wrong)) for wrong in ({"aud": "x"}, {"iat": 1}, {"jti": None})]
    assert len({answer.text for answer in answers}) == 1
    told = [event for event in recorder.of(ClientAuthenticationFailed) if event.method == METHOD]
    assert len({event.reason for event in told}) == 3


# --- Beside another way to authenticate (draft §7.6) ---


def test_an_attestation_may_come_along_with_a_secret(house, attester, ask):
    party = house.client()
    instance = Instance(attester, party.client_id)
    assert ask({**party.auth, **instance.headers()}).status_code == 200
    public = house.public_client()
    code, verifier = house.browser().code(public)
    mobile = Instance(attester, public.client_id)
    tokens = house.door().redeem(public, code, verifier, headers=mobile.headers())
    assert tokens.status_code == 200, tokens.text
    assert house.door().refresh(public, tokens.json["refresh_token"], headers={}).status_code == 200


def test_one_that_comes_along_is_judged(house, attester, make_client, ask):
    party = house.client()
    instance, stranger = Instance(attester, party.client_id), Instance(attester, make_client(house).client_id)
    used = instance.headers()
    assert ask({**party.auth, **used}).status_code == 200
    token = ask({**party.auth, **instance.headers()}).json["access_token"]
    wrong = [
        used,
        stranger.headers(),
        instance.headers(aud="x"),
        instance.headers(instance.attestation(), stranger.pop()),
        {POP: instance.pop()},
        {ATTESTATION: instance.attestation()},
    ]
    for headers in wrong:
        both = {**party.auth, **headers}
        assert error_of(ask(both)) == "invalid_client_attestation"
        for path in ("/o/introspect/", "/o/revoke_token/", "/o/par/"):
            assert error_of(house.door().post(path, {"token": token}, both)) == "invalid_client_attestation"
    assert house.door().is_active(party, token)


# --- Whatever is sent ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "cnf", "challenge")
CLAIMS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON))


@pytest.mark.parametrize("challenges", [False, True])
def test_nothing_is_too_odd_to_be_refused(make_house, make_client, attester, challenges):
    house = make_house(
        config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False}, ATTESTATION_CHALLENGE_REQUIRED=challenges
    )
    instance = Instance(attester, make_client(house).client_id)
    known = {"invalid_client_attestation", FRESH, "use_attestation_challenge", "invalid_client"}

    @settings(
        max_examples=2 * settings.default.max_examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(attested=CLAIMS, proven=CLAIMS, jwk=JSON | st.just(instance.jwk))
    def run(attested, proven, jwk):
        attestation = instance.attestation(**{"cnf": {"jwk": jwk}, **attested})
        answer = house.door().token(
            headers=instance.headers(attestation, **proven), grant_type="client_credentials", scope="read"
        )
        assert answer.status_code in (200, 400, 401), answer.text
        assert answer.status_code == 200 or answer.json["error"] in known

    run()
