"""Keys of issuers that are published elsewhere; whatever is sent, and by many at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.driving import error_of
from support.foreign_issuers import GRANT, ForeignIssuer

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse
from portula_testing.jws import TokenKey
from portula_testing.tls import Authority, HttpsServer, Reply


class Keys(Fetcher):
    """Answers for the issuer."""

    def __init__(self):
        self.document, self.fetched = None, 0

    def get(self, url, *, accept, max_bytes=65536):
        self.fetched += 1
        if self.document is None:
            raise FetchFailed("no answer")
        return FetchResponse(200, "application/json", json.dumps(self.document).encode())

    def post(self, url, body, *, headers=None, max_bytes=65536):
        raise FetchFailed("nothing is posted")

    @hookimpl
    def portula_fetcher(self, provider):
        return self


def test_keys_are_fetched_held_and_renewed(make_house, make_job, issuer):
    keys = Keys()
    trust = {"jwks": None, "jwks_uri": "https://ci.example/keys"}
    house = make_house(keys, trust=trust, PLUGINS_CHOICE={"fetcher": "Keys"})
    job = make_job(house)

    def redeem(**changes):
        return house.door().token(job, grant_type=GRANT, assertion=issuer.sign(**changes))

    answer = redeem()
    assert error_of(answer, 503) == "temporarily_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    for _ in range(3):
        redeem()
    assert keys.fetched == 1, "a server that is down is not asked again at once"
    keys.document = issuer.key.jwks
    house.clock.forward(11)
    assert [redeem().status_code for _ in range(3)] == [200] * 3
    assert keys.fetched == 2
    issuer.key = TokenKey("ES256", kid="2")
    keys.document = issuer.key.jwks
    house.clock.forward(11)
    assert redeem().status_code == 200
    assert keys.fetched == 3
    assert redeem(iss="https://nobody.example").status_code == 400
    assert keys.fetched == 3, "nobody else's keys are asked for"


@pytest.mark.thorough
def test_a_job_of_a_ci_service_needs_no_secret_of_ours(make_house, make_job, issuer, people, tmp_path):
    """As GitHub Actions does it: an issuer that publishes its keys over https, and tokens of its jobs."""
    authority = Authority()
    with HttpsServer(authority, tmp_path, "localhost") as server:
        actions = ForeignIssuer(issuer.now, name=server.url, algorithm="RS256")
        uri = server.answer("/.well-known/jwks", Reply.json(actions.key.jwks))
        reached = {
            "FETCH_CA_BUNDLE": str(authority.write(tmp_path)),
            "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost"],
            "FETCH_ALLOWED_PORTS": [server.port],
        }
        trusted = {actions.name: {"jwks_uri": uri, "subjects": ["repo:octo/tea:*"], "scopes": ["read"]}}
        house = make_house(JWT_BEARER_TRUSTED_ISSUERS=trusted, **reached)
        job = make_job(house)
        bot = house.users.create("deploy", "a long password of hers")
        people.subject = bot.sub
        workload = {
            "repository": "octo/tea",
            "ref": "refs/heads/main",
            "run_id": "1",
            "nbf": house.clock.time - 300,
        }
        form = {"grant_type": GRANT, "assertion": actions.sign(**workload)}
        made = house.door().token(job, **form).json
        assert house.door().introspect(job, made["access_token"]).json["sub"] == bot.sub
        assert people.claims["repository"] == "octo/tea"


# --- Fuzz and races ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("iss", "sub", "aud", "exp", "iat", "nbf", "jti"), JSON)
)


def test_no_assertion_is_too_odd_to_be_refused(make_house, make_job, issuer):
    house = make_house(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False})
    job = make_job(house)

    @settings(
        max_examples=2 * settings.default.max_examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(claims=CLAIMS, typ=st.none() | st.text(max_size=8), scope=st.text(max_size=9))
    def run(claims, typ, scope):
        form = {"assertion": issuer.key.sign({**issuer.claims(), **claims}, typ=typ), "scope": scope}
        answer = house.door().token(job, grant_type=GRANT, **form)
        assert answer.status_code in (200, 400), answer.text
        assert answer.status_code == 200 or answer.json["error"] in (
            "invalid_grant",
            "invalid_scope",
            "invalid_request",
        )

    run()


@pytest.mark.thorough
def test_of_many_who_bring_one_assertion_at_once_one_gets_a_token(make_house, make_job, issuer, tmp_path):
    with closing(make_house(folder=tmp_path)) as one, closing(make_house(folder=tmp_path)) as two:
        job, assertion, barrier = make_job(one), issuer.sign(), Barrier(8)

        def bring(number):
            door = (one, two)[number % 2].door()
            barrier.wait(timeout=60)
            return door.token(job, grant_type=GRANT, assertion=assertion).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(bring, range(8))) == [200] + [400] * 7
