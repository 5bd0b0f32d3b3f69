"""Whatever stands in the place of a certificate or of a client's name: no failure of the server, and no client."""

import base64
import warnings
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.certificates import HEADER, self_signed

from portula.errors import InvalidClientMetadata
from portula.plugin import Application
from portula_mtls.subjects import MEMBERS

DN = "CN=the client,O=Acme"
fuzzed = settings(max_examples=4 * settings.default.max_examples, database=None, deadline=None)


@pytest.fixture(scope="module")
def strict(make_house):
    """A house that answers 500 where others would let an exception through to the test."""
    return make_house(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False})


@pytest.fixture(scope="module")
def parties(strict, authority):
    """A client of each method, and its certificate with all kinds of names."""
    names = {"dns": "client.example", "uri": "urn:client", "ip": "192.0.2.1", "email": "ops@client.example"}
    der, jwks = self_signed()
    return [
        (
            strict.client(token_endpoint_auth_method="self_signed_tls_client_auth", metadata={"jwks": jwks}),
            der,
        ),
        *(
            (
                strict.client(token_endpoint_auth_method="tls_client_auth", metadata={member: value}),
                authority.client(DN, **names),
            )
            for member, value in zip(MEMBERS, (DN, *names.values()), strict=True)
        ),
    ]


@fuzzed
@given(
    number=st.integers(0, 5),
    changes=st.dictionaries(st.integers(4, 1000), st.integers(0, 255), min_size=1, max_size=4),
)
def test_no_certificate_is_too_odd_to_be_refused(strict, parties, number, changes):
    party, der = parties[number]
    odd = bytearray(der)
    for place, byte in changes.items():
        odd[4 + place % (len(der) - 4)] = byte
    form = {"grant_type": "client_credentials", "scope": "read", "client_id": party.client_id}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        headers = {HEADER: f":{base64.b64encode(odd).decode()}:"}
        answer = strict.door().token(None, headers, **form)
    assert answer.status_code == (200 if bytes(odd) == der else 401), answer.text


@fuzzed
@given(
    member=st.sampled_from(MEMBERS),
    value=st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9.]{1,9}=[#\\+, ]{0,9}x?"),
)
def test_no_name_is(strict, member, value):
    client = Application(
        client_id="x", token_endpoint_auth_method="tls_client_auth", metadata={member: value}
    )
    with suppress(InvalidClientMetadata):
        strict.provider.clients.check(client)
