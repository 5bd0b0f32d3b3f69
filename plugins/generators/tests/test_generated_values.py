"""Identifiers, secrets and tokens: how long they are, of which characters, and that none comes twice."""

import string

import pytest

from portula_generators.values import (
    CLIENT_ID_CHARACTERS,
    SECRET_CHARACTERS,
    ClientIdGenerator,
    ClientSecretGenerator,
    random_token,
)

URL_SAFE = string.ascii_letters + string.digits + "-_"
MANY = 500


@pytest.mark.parametrize(
    ("make", "length", "alphabet"),
    [
        (ClientIdGenerator().hash, 40, CLIENT_ID_CHARACTERS),
        (ClientSecretGenerator(128).hash, 128, SECRET_CHARACTERS),
        (ClientSecretGenerator(32).hash, 32, SECRET_CHARACTERS),
        (lambda: random_token(None), 43, URL_SAFE),
    ],
)
def test_values_have_their_length_use_their_whole_alphabet_and_never_repeat(make, length, alphabet):
    values = [make() for _ in range(MANY)]
    assert {len(value) for value in values} == {length}
    assert set("".join(values)) == set(alphabet)
    assert len(set(values)) == MANY


def test_no_place_of_a_value_is_fixed():
    for make in (ClientIdGenerator().hash, ClientSecretGenerator(32).hash, lambda: random_token(None)):
        assert all(len(set(place)) > 10 for place in zip(*(make() for _ in range(MANY)), strict=True))


def test_a_client_id_survives_http_basic_and_a_secret_reads_the_same_when_form_encoded():
    from urllib.parse import quote_plus

    assert ":" not in CLIENT_ID_CHARACTERS
    assert quote_plus(CLIENT_ID_CHARACTERS + SECRET_CHARACTERS) == CLIENT_ID_CHARACTERS + SECRET_CHARACTERS
