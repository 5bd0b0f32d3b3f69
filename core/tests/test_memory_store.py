"""The store in memory keeps the contract of every storage."""

from __future__ import annotations

import pytest

from portula_testing.contracts import StorageContract, WalkContract
from portula_testing.memory import MemoryStore
from portula_testing.storage_samples import MakeStore


class TestMemoryStore(WalkContract, StorageContract):
    """The contract, on dictionaries."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        return MemoryStore
