"""What `portula check` says of the generators."""

from functools import partial

import pytest
from support.checks import findings_of


@pytest.fixture
def found(tmp_path):
    return partial(findings_of, "generators", tmp_path)


def test_hashing_secrets_for_tests_is_an_error(found):
    rows, status = found(CLIENT_SECRET_HASH_PROFILE="testing")
    assert (rows["generators.hash-profile"]["level"], status) == ("error", 1)
    assert rows["generators.hash-profile"]["reference"] == "RFC 9106 §4"


def test_hashing_secrets_as_rfc_9106_says_is_no_finding(found):
    assert found(CLIENT_SECRET_HASH_PROFILE="rfc9106_high_memory") == ({}, 0)
