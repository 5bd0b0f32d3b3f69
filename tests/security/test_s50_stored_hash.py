"""S50: what is stored of a secret is not itself a secret that passes."""

import pytest

from security.driving import basic, error_of

CHOSEN = "a secret that a person chose, long enough"


def stored(house, party):
    (kept,) = house.find(party).secret_hashes
    return kept


@pytest.fixture(params=["generated", "chosen", "sealed"])
def party(house, request):
    """A client whose secret is kept in each of the three ways."""
    if request.param == "sealed":
        return house.sealed_client()
    return house.client(secret=CHOSEN if request.param == "chosen" else None)


def test_the_secret_passes_and_what_is_stored_of_it_does_not(house, door, party):
    kept = stored(house, party)
    assert party.secret not in kept
    bare = kept.partition(":")[2] or kept
    last = kept.rpartition("$")[2] or kept
    for wrong in dict.fromkeys(
        (kept, bare, f"digest:{bare}", f"sealed:{bare}", last, "")
    ):  # few: they are counted
        response = door.token(grant_type="client_credentials", headers=basic(party.client_id, wrong))
        assert error_of(response, 401) == "invalid_client"
        asked = {"grant_type": "client_credentials", "client_id": party.client_id, "client_secret": wrong}
        assert error_of(door.token(**asked), 401) == "invalid_client"
    assert door.token(party, grant_type="client_credentials").status_code == 200


def test_a_hash_that_is_not_one_of_ours_never_matches(house, door, party):
    for foreign in (
        "plain:secret",
        "secret",
        "",
        "pbkdf2_sha256$1$salt$hash",
        "$argon2id$broken",
        "sealed:broken",
    ):
        house.change(party, secret_hashes=(foreign,))
        for secret in (foreign, "secret", party.secret):
            headers = basic(party.client_id, secret)
            response = door.token(grant_type="client_credentials", headers=headers)
            assert error_of(response, 401) == "invalid_client"


def test_the_stored_password_is_no_password(house, browser):
    person = house.user()
    kept = house.users.find(person.sub).password_hash
    assert browser.sign_in(person.username, kept).status_code == 400
    assert browser.sign_in(person.username).status_code == 302


def test_the_same_secret_is_not_stored_alike_for_two_people(house):
    first, second = house.client(secret=CHOSEN), house.client(secret=CHOSEN)
    assert stored(house, first) != stored(house, second)
    assert house.user().password_hash != house.user().password_hash
