import pytest
from support.signing_out import House


@pytest.fixture
def make():
    return House


@pytest.fixture
def house(make):
    return make()
