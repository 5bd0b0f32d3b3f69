"""What `portula check` says of the accounts."""

from functools import partial

import pytest
from support.checks import findings_of


@pytest.fixture
def found(tmp_path):
    return partial(findings_of, "accounts", tmp_path)


def test_hashing_passwords_for_tests_is_an_error(found):
    rows, status = found(PASSWORD_HASH_PROFILE="testing")
    assert (rows["accounts.hash-profile"]["level"], status) == ("error", 1)
    assert rows["accounts.hash-profile"]["reference"] == "RFC 9106 §4"


def test_hashing_passwords_as_owasp_says_is_no_finding(found):
    assert found(PASSWORD_HASH_PROFILE="owasp") == ({}, 0)
