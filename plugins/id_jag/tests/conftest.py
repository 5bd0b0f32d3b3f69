"""An identity provider, and an authorization server that takes its assertions."""

import pytest
from support.id_jag import Chain


@pytest.fixture
def chain():
    return Chain()
