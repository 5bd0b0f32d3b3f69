"""The store in memory keeps the contract of every storage."""

from __future__ import annotations

import pytest

from portula.testing.memory import MemoryStore
from portula.testing.storage_contract import MakeStore, StorageContract


class TestMemoryStore(StorageContract):
    """The contract, on dictionaries."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        return MemoryStore
