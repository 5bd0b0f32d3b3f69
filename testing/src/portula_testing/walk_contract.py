"""The contract of a storage that can walk along orders. Subclass WalkContract beside StorageContract."""

from __future__ import annotations

from typing import Any

import pytest

from portula.plugin import AccessToken, WalkingStore
from portula_testing.realms_contract import of_realm
from portula_testing.storage_samples import NamedSample, Sample, StoreFixtures, access_token
from portula_testing.writing import add_to, change_in

ORDERED = ((1, "b"), (2, "a"), (2, "c"), (2, "d"), (3, "A"))
"""Rank and digest of samples, in the order of a walk by rank."""
WORDS = ("", "A", "Z", "a", "aa", "ab", "b", "é", "\ud7ff", "\ue000", "\U0010ffff", "\U0010ffffa")


class WalkContract(StoreFixtures):
    """What is true of every walk."""

    @pytest.fixture
    def ranked_store(self, store: WalkingStore) -> WalkingStore:
        """A store of samples with ranks, and one without."""
        add_to(store, Sample(digest="none"))
        for rank, digest in reversed(ORDERED):
            add_to(store, Sample(digest=digest, rank=rank, number=rank, family="f", label=f"{digest}%_"))
        add_to(store, Sample(digest="other", family="g", number=2))
        return store

    @pytest.mark.parametrize("descending", [False, True])
    def test_a_walk_goes_on_where_the_page_before_ended(
        self, ranked_store: WalkingStore, descending: bool
    ) -> None:
        expected = ORDERED[::-1] if descending else ORDERED
        for limit in (1, 2, 10):
            found: list[tuple[int, str]] = []
            while page := ranked_store.walk(
                Sample, "rank", descending=descending, limit=limit, after=found[-1] if found else None
            ):
                assert len(page) <= limit
                found += [(sample.rank or 0, sample.digest) for sample in page]
            assert tuple(found) == expected

    def test_a_walk_may_begin_where_no_record_is(self, ranked_store: WalkingStore) -> None:
        assert digests(ranked_store.walk(Sample, "rank", after=(2, "b"))) == ["c", "d", "A"]
        assert digests(ranked_store.walk(Sample, "rank", after=(3, ""), descending=True)) == [
            "d",
            "c",
            "a",
            "b",
        ]
        assert digests(ranked_store.walk(Sample, "rank", after=(0, ""), descending=True)) == []

    def test_a_walk_keeps_to_its_conditions(self, ranked_store: WalkingStore) -> None:
        assert digests(ranked_store.walk(Sample, "number", family="f", descending=True)) == [
            "A",
            "d",
            "c",
            "a",
            "b",
        ]
        assert digests(ranked_store.walk(Sample, "number", family="g")) == ["other"]
        assert digests(ranked_store.walk(Sample, "number", family=None)) == ["none"]
        assert digests(ranked_store.walk(Sample, "number", family="f", after=(2, "c"))) == ["d", "A"]

    def test_a_walk_stays_in_its_realm(self, store: WalkingStore) -> None:
        realms = [of_realm(store, name) for name in ("north", "south")]
        for realm, names in zip(realms, ("ca", "bd"), strict=True):
            for number, name in enumerate(names):
                add_to(realm, NamedSample(name=name, family="f", number=number))
        for realm, names in zip(realms, ("ca", "bd"), strict=True):
            assert [record.name for record in realm.walk(NamedSample, "number")] == list(names)
            walked = realm.walk(NamedSample, "number", family="f", descending=True)
            assert [record.name for record in walked] == list(reversed(names))
            assert [record.name for record in realm.walk(NamedSample, "number", after=(0, names[0]))] == [
                names[1]
            ]
            assert [record.name for record in realm.walk(NamedSample, "name", prefix="a")] == sorted(
                name for name in names if name == "a"
            )
        with pytest.raises(ValueError, match="order"):
            realms[0].walk(NamedSample, "alias")

    def test_a_walk_may_go_by_primary_key(self, ranked_store: WalkingStore) -> None:
        everything = ["A", "a", "b", "c", "d", "none", "other"]
        assert digests(ranked_store.walk(Sample, "digest")) == everything
        assert digests(ranked_store.walk(Sample, "digest", descending=True, limit=2)) == ["other", "none"]
        assert digests(ranked_store.walk(Sample, "digest", after=("c", "c"), limit=2)) == ["d", "none"]
        assert digests(ranked_store.walk(Sample, "digest", prefix="no")) == ["none"]

    def test_a_prefix_is_compared_byte_by_byte(self, store: WalkingStore) -> None:
        for number, word in enumerate(WORDS):
            add_to(store, Sample(digest=f"{number}", label=word))
        for prefix in (*WORDS, "B", "á", "\ud7ffx", "%", "_"):
            expected = [word for word in WORDS if word.startswith(prefix)]
            assert [found.label for found in store.walk(Sample, "label", prefix=prefix)] == expected
            descending = store.walk(Sample, "label", prefix=prefix, descending=True)
            assert [found.label for found in descending] == expected[::-1]
        assert [found.label for found in store.walk(Sample, "label", prefix="a", after=("aa", "4"))] == ["ab"]

    def test_wildcards_in_a_prefix_are_letters(self, ranked_store: WalkingStore) -> None:
        assert digests(ranked_store.walk(Sample, "label", prefix="a%")) == ["a"]
        assert ranked_store.walk(Sample, "label", prefix="%") == []
        assert ranked_store.walk(Sample, "label", prefix="_") == []

    @pytest.mark.parametrize(
        ("by", "options"),
        [
            ("note", {}),
            ("number", {}),
            ("nonsense", {}),
            ("rank", {"family": "f"}),
            ("number", {"label": "f"}),
            ("rank", {"prefix": "1"}),
        ],
    )
    def test_a_walk_without_an_order_of_the_type_is_refused(
        self, store: WalkingStore, by: str, options: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError, match=by):
            store.walk(Sample, by, **options)

    def test_tokens_are_walked_by_time_of_everybody_of_one_person_and_of_one_client(
        self, store: WalkingStore
    ) -> None:
        add_to(store, access_token("a"))
        change_in(store, AccessToken, {"digest": "a"}, subject="ada")
        add_to(store, access_token("b"))
        walks: list[dict[str, Any]] = [
            {},
            {"client_id": "client"},
            {"subject": "ada"},
            {"subject": None},
        ]
        found = [digests(store.walk(AccessToken, "issued_at", **where)) for where in walks]
        assert found == [["a", "b"], ["a", "b"], ["a"], ["b"]]
        assert store.walk(AccessToken, "revoked_at") == []
        change_in(store, AccessToken, {"digest": "b"}, revoked_at=7)
        assert digests(store.walk(AccessToken, "revoked_at", descending=True)) == ["b"]


def digests(records: list[Any]) -> list[str]:
    """Return the keys of records."""
    return [record.digest for record in records]
