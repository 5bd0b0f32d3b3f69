"""The contract every storage passes. Subclass StorageContract and override its fixture `make_store`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from portula.errors import DuplicateRecord
from portula.plugin import CORE_RECORDS, Application, Artifact, Authorization, Condition, RefreshToken, Store
from portula_testing.plans_contract import PlanContract
from portula_testing.realms_contract import RealmsContract
from portula_testing.storage_samples import Sample, access_token, grant
from portula_testing.writing import add_to, change_in, remove_from


class StorageContract(PlanContract, RealmsContract):
    """What is true of every storage."""

    # --- What goes in comes out ---

    @pytest.mark.parametrize(
        "sample",
        [
            Sample(digest="empty"),
            Sample(
                digest="full",
                number=-(2**62),
                flag=True,
                names=("a", "", "ü", 'comma, quote " and \\'),
                payload={"text": "ü", "list": [1, None, True, 1.5, {"deep": []}], "NUL": "\0"},
                note="x" * 10_240 + " 日本語 \U0001f511 \r\n\t",
                label="L" * 255,
                alias="Ærø \U0001f511 ' % : ? \\ ;",
                family="f",
                rank=0,
                choice=False,
                more=(),
                extra={},
                expires_at=2**40,
                taken_at=0,
            ),
            Sample(digest="some", choice=True, more=("x",), extra={"k": "v"}, label="", note="ü" * 10_240),
        ],
        ids=lambda sample: sample.digest,
    )
    def test_a_record_comes_back_as_it_went_in(self, store: Store, sample: Sample) -> None:
        add_to(store, sample)
        found = store.find(Sample, digest=sample.digest)
        assert found == sample
        assert found is not None
        assert [type(getattr(found, name.name)) for name in dataclasses.fields(found)] == [
            type(getattr(sample, name.name)) for name in dataclasses.fields(sample)
        ]

    @pytest.mark.parametrize(
        "record",
        [
            Application(
                client_id="c",
                name="Ünï",
                redirect_uris=("https://a.example/cb", "app:/x"),
                grant_types=("authorization_code", "refresh_token"),
                secret_hashes=("one", "two"),
                require_pkce=False,
                metadata={"contacts": ["a@example.org"]},
            ),
            grant("g", redirect_uri="https://a.example/" + "p" * 2000),
            Authorization(
                id="i",
                client_id="c",
                subject="u",
                scope="s",
                issued_at=1,
                amr=("pwd",),
                facts={"oidc": {"nonce": "n"}},
            ),
            access_token("a"),
            RefreshToken(
                authorization="a",
                digest="r",
                client_id="c",
                subject="u",
                scope="s",
                issued_at=1,
                generation=3,
            ),
            Artifact(digest="x", kind="par", payload={"a": "b"}, issued_at=1, family="f"),
        ],
        ids=lambda record: type(record).__name__,
    )
    def test_a_record_of_the_core_comes_back_as_it_went_in(self, store: Store, record: object) -> None:
        add_to(store, record)
        key = next(kind.keys[0] for kind in CORE_RECORDS if kind.cls is type(record))
        assert store.find(type(record), **{key: getattr(record, key)}) == record

    def test_a_record_found_shares_nothing_with_the_store(self, store: Store) -> None:
        add_to(store, Sample(digest="d", payload={"list": [1]}))
        found = store.find(Sample, digest="d")
        assert found is not None
        found.payload["list"].append(2)
        assert store.find(Sample, digest="d") == Sample(digest="d", payload={"list": [1]})

    @pytest.mark.parametrize(
        ("name", "value"), [("label", "x" * 256), ("label", "a\0b"), ("note", "a\0b"), ("note", "\ud800")]
    )
    def test_text_no_database_keeps_is_refused_by_field_name(
        self, store: Store, name: str, value: str
    ) -> None:
        values: dict[str, Any] = {name: value}
        with pytest.raises(ValueError, match=name):
            add_to(store, Sample(digest="d", **values))
        add_to(store, Sample(digest="d"))
        with pytest.raises(ValueError, match=name):
            change_in(store, Sample, {"digest": "d"}, **values)

    # --- Keys ---

    def test_a_primary_key_is_taken_once(self, store: Store) -> None:
        add_to(store, Sample(digest="d", number=1))
        with pytest.raises(DuplicateRecord):
            add_to(store, Sample(digest="d", number=2))
        assert store.find(Sample, digest="d") == Sample(digest="d", number=1)

    def test_another_key_is_taken_once_but_none_is_no_key(self, store: Store) -> None:
        add_to(store, Sample(digest="1", alias="a"))
        with pytest.raises(DuplicateRecord):
            add_to(store, Sample(digest="2", alias="a"))
        add_to(store, Sample(digest="3"))
        add_to(store, Sample(digest="4"))
        assert store.find(Sample, digest="2") is None

    def test_keys_are_found_byte_by_byte(self, store: Store) -> None:
        add_to(store, Sample(digest="Straße", alias="Alias"))
        assert store.find(Sample, digest="Straße") is not None
        assert store.find(Sample, alias="Alias") is not None
        for other in ("straße", "Strasse", "Straße ", " Straße", "Strasße", "Stra\u0073\u0308e", ""):
            assert store.find(Sample, digest=other) is None
        for other in ("alias", "ALIAS", "Alias ", "Álias"):
            assert store.find(Sample, alias=other) is None
        add_to(store, Sample(digest="STRASSE", alias="ALIAS"))

    def test_find_takes_a_tuple_as_any_of_these(self, store: Store) -> None:
        add_to(store, Sample(digest="old"))
        assert store.find(Sample, digest=("new", "old")) == Sample(digest="old")
        assert store.find(Sample, digest=("new", "newer")) is None
        assert store.find(Sample, digest=()) is None

    def test_find_needs_all_its_conditions(self, store: Store) -> None:
        add_to(store, Sample(digest="d", family="f"))
        assert store.find(Sample, digest="d", family="f") is not None
        assert store.find(Sample, digest="d", family="g") is None
        assert store.find(Sample, digest="d", family=None) is None

    # --- select ---

    def test_select_pages_in_order_of_primary_key(self, store: Store) -> None:
        names = ["b", "A", "a", "B", "é", "10", "9", "Z", "_"]
        for name in names:
            add_to(store, Sample(digest=name, family="f"))
        add_to(store, Sample(digest="other", family="g"))
        pages: list[str] = []
        while page := store.select(Sample, limit=2, after=pages[-1] if pages else None, family="f"):
            assert len(page) <= 2
            pages += [sample.digest for sample in page]
        assert pages == sorted(names)
        assert [sample.digest for sample in store.select(Sample, family=("f", "g"))] == sorted(
            [*names, "other"]
        )
        assert store.select(Sample, family=()) == []

    def test_select_without_a_condition_pages_through_all(self, store: Store) -> None:
        for name in "cab":
            add_to(store, Sample(digest=name))
        assert [sample.digest for sample in store.select(Sample, limit=2)] == ["a", "b"]
        assert [sample.digest for sample in store.select(Sample, after="b")] == ["c"]

    def test_select_finds_none_as_a_value(self, store: Store) -> None:
        add_to(store, Sample(digest="1", family="f"))
        add_to(store, Sample(digest="2"))
        assert [sample.digest for sample in store.select(Sample, family=None)] == ["2"]

    # --- change and remove ---

    def test_change_sets_fields_where_it_matches_and_counts(self, store: Store) -> None:
        for number in range(3):
            add_to(store, Sample(digest=f"{number}", family="f", number=number))
        add_to(store, Sample(digest="other", family="g"))
        changed = change_in(
            store, Sample, {"family": "f"}, label="new", payload={"a": [1]}, names=("n",), flag=True
        )
        assert changed == 3
        assert store.find(Sample, digest="2") == Sample(
            digest="2", family="f", number=2, label="new", payload={"a": [1]}, names=("n",), flag=True
        )
        assert store.find(Sample, digest="other") == Sample(digest="other", family="g")
        assert change_in(store, Sample, {"family": "f"}, label="new") == 3
        assert change_in(store, Sample, {"family": "none"}, label="new") == 0
        assert change_in(store, Sample, {"digest": ("0", "1", "gone")}, label=None) == 2
        assert change_in(store, Sample, {"digest": ()}, label="all") == 0

    def test_change_may_set_a_field_it_compares(self, store: Store) -> None:
        add_to(store, Sample(digest="d", family="f", number=1))
        assert change_in(store, Sample, {"digest": "d", "number": 1}, number=2, family="g") == 1
        assert change_in(store, Sample, {"digest": "d", "number": 1}, number=3) == 0
        assert store.find(Sample, digest="d") == Sample(digest="d", family="g", number=2)

    def test_change_may_set_a_key_that_is_free_but_never_the_primary(self, store: Store) -> None:
        add_to(store, Sample(digest="1", alias="a"))
        add_to(store, Sample(digest="2", family="f"))
        with pytest.raises(DuplicateRecord):
            change_in(store, Sample, {"digest": "2"}, alias="a")
        assert change_in(store, Sample, {"digest": "1"}, alias="a") == 1
        assert change_in(store, Sample, {"digest": "1"}, alias="b") == 1
        assert change_in(store, Sample, {"digest": "2"}, alias="a") == 1
        assert store.find(Sample, alias="a") == Sample(digest="2", family="f", alias="a")
        with pytest.raises(ValueError, match="digest"):
            change_in(store, Sample, {"alias": "a"}, digest="3")

    def test_change_and_remove_find_none_as_a_value(self, store: Store) -> None:
        add_to(store, Sample(digest="1", family="f"))
        add_to(store, Sample(digest="2", family="f", label="x"))
        assert change_in(store, Sample, {"family": "f", "label": None}, label="y") == 1
        assert store.find(Sample, digest="1") == Sample(digest="1", family="f", label="y")
        add_to(store, Sample(digest="3", family="f"))
        assert remove_from(store, Sample, family="f", label=None) == 1
        assert [sample.digest for sample in store.select(Sample, family="f")] == ["1", "2"]

    def test_remove_counts(self, store: Store) -> None:
        for name in "abc":
            add_to(store, Sample(digest=name, family="f"))
        assert remove_from(store, Sample, digest="gone") == 0
        assert remove_from(store, Sample, digest=()) == 0
        assert remove_from(store, Sample, digest=("a", "gone")) == 1
        assert remove_from(store, Sample, family="f") == 2
        assert store.select(Sample) == []

    # --- Conditions that would scan the table ---

    def test_find_refuses_what_is_no_key(self, store: Store) -> None:
        with pytest.raises(ValueError, match="label"):
            store.find(Sample, digest="d", label="x")
        with pytest.raises(ValueError, match="digest"):
            store.find(Sample, family="f")
        with pytest.raises(ValueError, match="digest"):
            store.find(Sample)
        with pytest.raises(ValueError, match="nonsense"):
            store.find(Sample, nonsense="x")

    def test_select_refuses_what_is_no_index(self, store: Store) -> None:
        with pytest.raises(ValueError, match="label"):
            store.select(Sample, family="f", label="x")
        with pytest.raises(ValueError, match="nonsense"):
            store.select(Sample, nonsense="x")

    def test_change_and_remove_refuse_conditions_without_key_or_index(self, store: Store) -> None:
        add_to(store, Sample(digest="d", label="x"))
        refused: list[dict[str, Condition]] = [
            {},
            {"label": "x"},
            {"digest": "d", "nonsense": "x"},
            {"digest": "d", "names": ("x",)},
        ]
        for where in refused:
            name = next(iter(where.keys() - {"digest"}), "sample")
            with pytest.raises(ValueError, match=name):
                change_in(store, Sample, where, number=1)
            with pytest.raises(ValueError, match=name):
                remove_from(store, Sample, **where)
        with pytest.raises(ValueError, match="nonsense"):
            change_in(store, Sample, {"digest": "d"}, nonsense=1)
        assert store.find(Sample, digest="d") == Sample(digest="d", label="x")

    # --- purge ---

    def test_purge_deletes_what_expired_up_to_its_limit(self, store: Store) -> None:
        for number in range(5):
            add_to(store, Sample(digest=f"{number}", expires_at=number))
        add_to(store, Sample(digest="never"))
        assert store.purge(Sample, now=3, limit=2) == 2
        assert store.purge(Sample, now=3, limit=2) == 1
        assert store.purge(Sample, now=3, limit=2) == 0
        assert [sample.digest for sample in store.select(Sample)] == ["3", "4", "never"]
        assert store.purge(Sample, now=2**40, limit=100) == 2
        assert store.find(Sample, digest="never") is not None
        assert store.purge(Application, now=2**40, limit=100) == 0

    def test_purge_begins_with_what_expired_first(self, store: Store) -> None:
        for number in (3, 1, 4, 2):
            add_to(store, Sample(digest=f"{number}", expires_at=number))
        assert store.purge(Sample, now=10, limit=3) == 3
        assert [sample.digest for sample in store.select(Sample)] == ["4"]

    def test_expired_counts_to_its_limit_and_changes_nothing(self, store: Store) -> None:
        for number in range(5):
            add_to(store, Sample(digest=f"{number}", expires_at=number))
        add_to(store, Sample(digest="never"))
        assert [store.count_expired(Sample, now=3, limit=limit) for limit in (1, 2, 3, 100)] == [1, 2, 3, 3]
        assert store.count_expired(Sample, now=0, limit=100) == 0
        assert len(store.select(Sample)) == 6
        store.purge(Sample, now=3, limit=100)
        assert store.count_expired(Sample, now=3, limit=100) == 0
        assert store.count_expired(Application, now=2**40, limit=100) == 0

    def test_purge_deletes_many(self, store: Store) -> None:
        add_to(store, *(Sample(digest=f"{number}", expires_at=1) for number in range(1100)))
        assert store.purge(Sample, now=2, limit=1050) == 1050
        assert len(store.select(Sample)) == 50
