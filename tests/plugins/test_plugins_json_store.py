"""The storage of a third party keeps the contract of every storage."""

import importlib.util
import sys
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from portula_testing.contracts import StorageContract, WalkContract

FILE = Path(__file__).parent / "dists" / "json_store" / "portula_json_store.py"


@pytest.fixture(scope="session")
def module():
    """The module of the distribution, as it stands in its folder."""
    spec = importlib.util.spec_from_file_location("portula_json_store_contract", FILE)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestJsonStore(WalkContract, StorageContract):
    """The contract, on a dictionary in a file; each call of `make_store` is another process's handle on it."""

    shares = True

    @pytest.fixture
    def make_store(self, module, tmp_path):
        return partial(module.JsonStore, path=tmp_path / "store.json")


def test_another_process_reads_what_was_kept(module, tmp_path):
    from portula.plugin import CORE_RECORDS, Application, plan_to_add

    first = module.JsonStore(CORE_RECORDS, tmp_path / "store.json")
    second = module.JsonStore(CORE_RECORDS, tmp_path / "store.json")
    for number in count():
        name = f"client{number}"
        first.apply(plan_to_add(Application(client_id=name, grant_types=("a", "b"), metadata={"a": [1]})))
        assert second.find(Application, client_id=name) == first.find(Application, client_id=name)
        assert second.find(Application, client_id=name).grant_types == ("a", "b")
        if number == 3:
            break
