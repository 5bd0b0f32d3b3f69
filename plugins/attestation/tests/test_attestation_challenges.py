"""Challenges: offered means needed, each is used once, and nothing is kept of one that is not used (draft §6)."""

from contextlib import closing

import pytest
from security.driving import error_of
from support.attesting import CHALLENGE, Instance

from portula.plugin import Artifact

NEEDED = "use_attestation_challenge"


@pytest.fixture
def house(make_house):
    return make_house(ATTESTATION_CHALLENGE_REQUIRED=True)


def given(house, kind="flask", **keywords):
    answer = house.door(kind).post("/o/challenge/", **keywords)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json.keys() == {"attestation_challenge"}
    return answer.json["attestation_challenge"]


def test_the_endpoint_is_published_and_gives_challenges(house, door, instance, ask):
    published = door.open("/o/.well-known/openid-configuration").json
    assert published["challenge_endpoint"] == "https://id.example/o/challenge/"
    answer = door.post("/o/challenge/")
    assert ask(instance.headers(challenge=answer.json["attestation_challenge"])).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_it_is_asked_by_post(house, method):
    answer = house.door().open("/o/challenge/", method=method)
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)


def test_whatever_is_sent_to_it_is_not_looked_at(house):
    for body in (b"", b"x" * 10_000, b"\xff\0", b"a=1&a=2"):
        assert given(house, data=body)


def test_each_is_another_and_nothing_is_kept_of_it(house):
    before = len(house.provider.storage.select(Artifact))
    assert len({given(house) for _ in range(50)}) == 50
    assert len(house.provider.storage.select(Artifact)) == before


def test_pages_of_any_origin_may_ask(house):
    answer = house.door().post("/o/challenge/", headers={"Origin": "https://wallet.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_proof_without_one_is_told_to_take_that_of_the_answer(ask, instance):
    answer = ask(instance.headers())
    assert error_of(answer) == NEEDED
    answer = ask(instance.headers(challenge=answer.headers[CHALLENGE]))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    answer = ask(instance.headers(challenge=answer.headers[CHALLENGE]), scope="unheard")
    assert error_of(answer) == "invalid_scope"
    assert ask(instance.headers(challenge=answer.headers[CHALLENGE])).status_code == 200


@pytest.mark.parametrize(
    "path", ["/o/introspect/", "/o/revoke_token/", "/o/par/", "/o/device_authorization/"]
)
def test_it_is_so_wherever_clients_authenticate(house, instance, path):
    answer = house.door().post(path, {"token": "x"}, instance.headers())
    assert error_of(answer) == NEEDED
    again = house.door().post(path, {"token": "x"}, instance.headers(challenge=answer.headers[CHALLENGE]))
    assert not any(error in again.text for error in (NEEDED, "invalid_client"))
    assert again.headers[CHALLENGE]


def test_one_is_used_once_by_whoever_it_is(house, ask, refuse, instance, other):
    challenge = given(house)
    assert ask(instance.headers(challenge=challenge)).status_code == 200
    for one in (instance, other):
        refuse(one.headers(challenge=challenge), NEEDED)


def test_nobody_uses_one_up_without_the_key(house, ask, refuse, instance, other):
    challenge = given(house)
    refuse(instance.headers(instance.attestation(), other.pop(challenge=challenge)))
    refuse(instance.headers(challenge=challenge, aud="x"))
    assert ask(instance.headers(challenge=challenge)).status_code == 200


@pytest.mark.parametrize("seconds", [299, 300, 301, 100_000])
def test_one_expires(house, ask, instance, seconds):
    challenge = given(house)
    house.clock.forward(seconds)
    assert ask(instance.headers(challenge=challenge)).status_code == (200 if seconds < 300 else 400)


def test_one_that_was_used_is_remembered_as_long_as_it_could_count(house, ask, instance):
    challenge = given(house)
    assert ask(instance.headers(challenge=challenge)).status_code == 200
    house.clock.forward(299)
    house.provider.storage.purge(Artifact, now=house.provider.now(), limit=1000)
    assert error_of(ask(instance.headers(challenge=challenge))) == NEEDED
    house.clock.forward(100)
    house.provider.storage.purge(Artifact, now=house.provider.now(), limit=1000)
    assert [
        kept for kept in house.provider.storage.select(Artifact) if kept.kind == "attestation-challenge"
    ] == []


def test_the_clock_of_an_instance_may_be_wrong_then(house, ask, instance):
    for seconds in (-100_000, 100_000):
        headers = instance.headers(challenge=given(house), iat=house.clock.time + seconds)
        assert ask(headers).status_code == 200


def test_a_used_proof_is_refused(house, ask, refuse, instance):
    headers = instance.headers(challenge=given(house))
    assert ask(headers).status_code == 200
    refuse(headers, NEEDED)


def altered(challenge):
    """Yield challenges that nobody gave."""
    made_at, name, mac = challenge.split(".")
    yield f"{int(made_at, 16) + 1:x}.{name}.{mac}"
    yield f"{made_at}.{name[::-1]}.{mac}"
    yield f"{made_at}.{name}.{mac[::-1]}"
    yield f"0{challenge}"
    yield f"{challenge}."
    yield f"{challenge}\n"
    yield challenge.upper()
    yield "."
    yield ".." * 1000
    yield ""


def test_nobody_makes_one(house, instance, refuse):
    challenge = given(house)
    for made in altered(challenge):
        refuse(instance.headers(challenge=made), NEEDED)
    for odd in (None, 1, True, [challenge], {"challenge": challenge}, "x", "ä" * 80):
        refuse(instance.headers(challenge=odd), NEEDED)


@pytest.mark.parametrize(
    "settings",
    [
        {"SECRET_KEYS": ["a key of nobody, of enough bytes"]},
        {"OIDC_ISS_ENDPOINT": "https://id.example/other"},
        {"REALM": "another"},
    ],
)
def test_that_of_another_server_is_none(make_house, house, refuse, instance, attester, settings):
    stranger = make_house(ATTESTATION_CHALLENGE_REQUIRED=True, **settings)
    challenge = given(stranger)
    attester.now.house = house
    refuse(instance.headers(challenge=challenge), NEEDED)


def test_where_none_is_given_one_that_is_sent_is_not_looked_at(make_house, make_client, attester):
    house = make_house()
    instance = Instance(attester, make_client(house).client_id)
    for challenge in ("x", 1, None):
        form = {"grant_type": "client_credentials", "scope": "read"}
        answer = house.door().token(headers=instance.headers(challenge=challenge), **form)
        assert answer.status_code == 200
        assert CHALLENGE not in answer.headers


def test_one_of_one_process_counts_in_all_once(make_house, make_client, attester, tmp_path):
    rotated = {"SECRET_KEYS": ["the next key, of enough bytes", "the first key, of enough bytes"]}
    common = {"folder": tmp_path, "ATTESTATION_CHALLENGE_REQUIRED": True}
    form = {"grant_type": "client_credentials", "scope": "read"}
    with closing(make_house(**common)) as one, closing(make_house(**common, **rotated)) as two:
        instance = Instance(attester, make_client(one).client_id)
        headers = instance.headers(challenge=given(one))
        assert two.door().token(headers=headers, **form).status_code == 200
        for house in (one, two):
            assert error_of(house.door().token(headers=headers, **form)) == NEEDED
