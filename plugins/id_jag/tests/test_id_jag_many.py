"""Whatever is sent, and by many at once: no failure of the server, and one token an assertion."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from security.driving import Door
from security.house import House
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE
from support.foreign_issuers import GRANT as JWT_BEARER
from support.foreign_issuers import ForeignIssuer
from support.id_jag import CHAT, CHAT_HOST, TOKEN_TYPE, TYP, Chain, taking

TEXT = st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ANY = settings(
    max_examples=2 * settings.default.max_examples,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
STRICT = {"TESTING": False, "PROPAGATE_EXCEPTIONS": False}
REFUSALS = ("invalid_request", "invalid_scope", "invalid_target", "invalid_authorization_details")


def test_no_request_is_too_odd():
    chain = Chain()
    chain.idp.app.config.update(STRICT)
    token = chain.id_token()
    form = st.fixed_dictionaries(
        {},
        optional={
            "audience": TEXT | st.just(CHAT) | st.lists(TEXT, max_size=3),
            "resource": TEXT | st.lists(TEXT, max_size=3),
            "scope": TEXT,
            "authorization_details": TEXT,
            "actor_token": TEXT,
            "actor_token_type": TEXT | st.just(f"{TYPE}access_token"),
        },
    )

    @ANY
    @given(form=form)
    def run(form):
        given = {"subject_token": token, "subject_token_type": f"{TYPE}id_token", "audience": CHAT, **form}
        answer = chain.door.token(chain.here, grant_type=EXCHANGE, requested_token_type=TOKEN_TYPE, **given)
        assert answer.status_code in (200, 400), answer.text
        assert answer.status_code == 200 or answer.json["error"] in REFUSALS

    run()


@pytest.fixture
def issuer():
    return ForeignIssuer(lambda: 1_700_000_000, "https://one.example")


def house_for(issuer, **more):
    house = House(**taking(lambda *_: house.ann.sub, {issuer.name: {"jwks": issuer.key.jwks}}), **more)
    return house, house.client(client_id="wiki-there", grant_types=(JWT_BEARER,), redirect_uris=())


def test_no_claims_are_too_odd(issuer):
    house, party = house_for(issuer, config=STRICT)
    names = ("aud", "client_id", "jti", "sub", "iat", "exp", "nbf", "scope", "resource", "cnf")
    changes = st.dictionaries(st.sampled_from((*names, "authorization_details", "act")), JSON, max_size=4)

    @ANY
    @given(changes=changes)
    def run(changes):
        claims = {"aud": CHAT, "client_id": "wiki-there", "sub": "ann", "scope": "read", **changes}
        assertion = issuer.sign(typ=TYP, **claims)
        answer = Door(house.app, CHAT_HOST).token(party, grant_type=JWT_BEARER, assertion=assertion)
        assert answer.status_code in (200, 400), answer.text
        assert answer.status_code == 200 or answer.json["error"] in ("invalid_grant", "invalid_scope")

    run()


def test_of_many_at_once_one_gets_a_token(issuer, tmp_path):
    house, party = house_for(issuer, folder=tmp_path)
    with closing(house):
        assertion = issuer.sign(typ=TYP, aud=CHAT, client_id="wiki-there", sub="ann")
        barrier = Barrier(8)

        def redeem(_):
            door = Door(house.app, CHAT_HOST)
            barrier.wait(timeout=20)
            return door.token(party, grant_type=JWT_BEARER, assertion=assertion).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(redeem, range(8))) == [200] + [400] * 7
