"""The store in memory keeps the contract of every storage."""

from __future__ import annotations

import pytest

from portula.testing.memory import MemoryStore
from portula.testing.storage_contract import StorageContract
from portula.testing.storage_samples import MakeStore


class TestMemoryStore(StorageContract):
    """The contract, on dictionaries."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        return MemoryStore
