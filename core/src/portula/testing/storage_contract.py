"""The contract every storage passes. Subclass StorageContract and override its fixture `make_store`."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from portula.errors import DuplicateRecord, Replayed
from portula.records import CORE_RECORDS, AccessToken, Application, Artifact, Grant, RecordType, RefreshToken
from portula.storage import Condition, Store

MakeStore = Callable[[Sequence[RecordType]], Store]

THREADS = 8
RACES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A record with a field of every type."""

    digest: str
    number: int = 0
    flag: bool = False
    names: tuple[str, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    label: str | None = None
    alias: str | None = None
    family: str | None = None
    rank: int | None = None
    choice: bool | None = None
    more: tuple[str, ...] | None = None
    extra: dict[str, Any] | None = None
    expires_at: int | None = None
    taken_at: int | None = None


SAMPLE = RecordType(
    "sample",
    Sample,
    keys=("digest", "alias"),
    indexes=("family", "rank"),
    expires="expires_at",
    text=("note",),
)
RECORDS = (*CORE_RECORDS, SAMPLE)


def grant(digest: str, **values: Any) -> Grant:
    """Make a grant of which only the digest matters."""
    given = {"client_id": "client", "subject": "user", "family": "family", "scope": "read"}
    return Grant(**{**given, "issued_at": 1, "expires_at": 61, "digest": digest, **values})


def access_token(digest: str) -> AccessToken:
    """Make an access token of which only the digest matters."""
    return AccessToken(
        digest=digest, client_id="client", scope="read", issued_at=1, expires_at=61, family="family"
    )


def in_thread(work: Callable[[], Any]) -> Any:
    """Do something in another thread and return what it returns."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(timeout=30)


class StorageContract:
    """What is true of every storage."""

    shares = False
    """Whether a second call of `make_store` in one test gives another handle on the same data."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        """Return a function that makes a store for record types on a fresh database. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, make_store: MakeStore) -> Store:
        """Return a store for the core's records and one with a field of every type."""
        return make_store(RECORDS)

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
        store.add(sample)
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
            grant("g", redirect_uri="https://a.example/" + "p" * 2000, payload={"oidc": {"nonce": "n"}}),
            access_token("a"),
            RefreshToken(digest="r", client_id="c", scope="s", issued_at=1, family="f", generation=3),
            Artifact(digest="x", kind="par", payload={"a": "b"}, issued_at=1, family="f"),
        ],
        ids=lambda record: type(record).__name__,
    )
    def test_a_record_of_the_core_comes_back_as_it_went_in(self, store: Store, record: object) -> None:
        store.add(record)
        key = next(kind.keys[0] for kind in CORE_RECORDS if kind.cls is type(record))
        assert store.find(type(record), **{key: getattr(record, key)}) == record

    def test_a_record_found_shares_nothing_with_the_store(self, store: Store) -> None:
        store.add(Sample(digest="d", payload={"list": [1]}))
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
        with pytest.raises(ValueError, match=name):
            store.add(dataclasses.replace(Sample(digest="d"), **{name: value}))
        store.add(Sample(digest="d"))
        with pytest.raises(ValueError, match=name):
            store.change(Sample, {"digest": "d"}, **{name: value})

    # --- Keys ---

    def test_a_primary_key_is_taken_once(self, store: Store) -> None:
        store.add(Sample(digest="d", number=1))
        with pytest.raises(DuplicateRecord):
            store.add(Sample(digest="d", number=2))
        assert store.find(Sample, digest="d") == Sample(digest="d", number=1)

    def test_another_key_is_taken_once_but_none_is_no_key(self, store: Store) -> None:
        store.add(Sample(digest="1", alias="a"))
        with pytest.raises(DuplicateRecord):
            store.add(Sample(digest="2", alias="a"))
        store.add(Sample(digest="3"))
        store.add(Sample(digest="4"))
        assert store.find(Sample, digest="2") is None

    def test_a_duplicate_leaves_its_transaction_usable(self, store: Store) -> None:
        store.add(Sample(digest="d"))
        with store.transaction():
            with pytest.raises(DuplicateRecord):
                store.add(Sample(digest="d"))
            store.add(Sample(digest="e"))
        assert store.find(Sample, digest="e") is not None

    def test_keys_are_found_byte_by_byte(self, store: Store) -> None:
        store.add(Sample(digest="Straße", alias="Alias"))
        assert store.find(Sample, digest="Straße") is not None
        assert store.find(Sample, alias="Alias") is not None
        for other in ("straße", "Strasse", "Straße ", " Straße", "Strasße", "Stra\u0073\u0308e", ""):
            assert store.find(Sample, digest=other) is None
        for other in ("alias", "ALIAS", "Alias ", "Álias"):
            assert store.find(Sample, alias=other) is None
        store.add(Sample(digest="STRASSE", alias="ALIAS"))

    def test_find_takes_a_tuple_as_any_of_these(self, store: Store) -> None:
        store.add(Sample(digest="old"))
        assert store.find(Sample, digest=("new", "old")) == Sample(digest="old")
        assert store.find(Sample, digest=("new", "newer")) is None
        assert store.find(Sample, digest=()) is None

    def test_find_needs_all_its_conditions(self, store: Store) -> None:
        store.add(Sample(digest="d", family="f"))
        assert store.find(Sample, digest="d", family="f") is not None
        assert store.find(Sample, digest="d", family="g") is None
        assert store.find(Sample, digest="d", family=None) is None

    # --- select ---

    def test_select_pages_in_order_of_primary_key(self, store: Store) -> None:
        names = ["b", "A", "a", "B", "é", "10", "9", "Z", "_"]
        for name in names:
            store.add(Sample(digest=name, family="f"))
        store.add(Sample(digest="other", family="g"))
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
            store.add(Sample(digest=name))
        assert [sample.digest for sample in store.select(Sample, limit=2)] == ["a", "b"]
        assert [sample.digest for sample in store.select(Sample, after="b")] == ["c"]

    def test_select_finds_none_as_a_value(self, store: Store) -> None:
        store.add(Sample(digest="1", family="f"))
        store.add(Sample(digest="2"))
        assert [sample.digest for sample in store.select(Sample, family=None)] == ["2"]

    # --- change and remove ---

    def test_change_sets_fields_where_it_matches_and_counts(self, store: Store) -> None:
        for number in range(3):
            store.add(Sample(digest=f"{number}", family="f", number=number))
        store.add(Sample(digest="other", family="g"))
        changed = store.change(
            Sample, {"family": "f"}, label="new", payload={"a": [1]}, names=("n",), flag=True
        )
        assert changed == 3
        assert store.find(Sample, digest="2") == Sample(
            digest="2", family="f", number=2, label="new", payload={"a": [1]}, names=("n",), flag=True
        )
        assert store.find(Sample, digest="other") == Sample(digest="other", family="g")
        assert store.change(Sample, {"family": "f"}, label="new") == 3
        assert store.change(Sample, {"family": "none"}, label="new") == 0
        assert store.change(Sample, {"digest": ("0", "1", "gone")}, label=None) == 2
        assert store.change(Sample, {"digest": ()}, label="all") == 0

    def test_change_may_set_a_field_it_compares(self, store: Store) -> None:
        store.add(Sample(digest="d", family="f", number=1))
        assert store.change(Sample, {"digest": "d", "number": 1}, number=2, family="g") == 1
        assert store.change(Sample, {"digest": "d", "number": 1}, number=3) == 0
        assert store.find(Sample, digest="d") == Sample(digest="d", family="g", number=2)

    def test_change_may_set_a_key_that_is_free_but_never_the_primary(self, store: Store) -> None:
        store.add(Sample(digest="1", alias="a"))
        store.add(Sample(digest="2", family="f"))
        with pytest.raises(DuplicateRecord):
            store.change(Sample, {"digest": "2"}, alias="a")
        assert store.change(Sample, {"digest": "1"}, alias="a") == 1
        assert store.change(Sample, {"digest": "1"}, alias="b") == 1
        assert store.change(Sample, {"digest": "2"}, alias="a") == 1
        assert store.find(Sample, alias="a") == Sample(digest="2", family="f", alias="a")
        with pytest.raises(ValueError, match="digest"):
            store.change(Sample, {"alias": "a"}, digest="3")

    def test_change_and_remove_find_none_as_a_value(self, store: Store) -> None:
        store.add(Sample(digest="1", family="f"))
        store.add(Sample(digest="2", family="f", label="x"))
        assert store.change(Sample, {"family": "f", "label": None}, label="y") == 1
        assert store.find(Sample, digest="1") == Sample(digest="1", family="f", label="y")
        store.add(Sample(digest="3", family="f"))
        assert store.remove(Sample, family="f", label=None) == 1
        assert [sample.digest for sample in store.select(Sample, family="f")] == ["1", "2"]

    def test_remove_counts(self, store: Store) -> None:
        for name in "abc":
            store.add(Sample(digest=name, family="f"))
        assert store.remove(Sample, digest="gone") == 0
        assert store.remove(Sample, digest=()) == 0
        assert store.remove(Sample, digest=("a", "gone")) == 1
        assert store.remove(Sample, family="f") == 2
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
        store.add(Sample(digest="d", label="x"))
        refused: list[dict[str, Condition]] = [
            {},
            {"label": "x"},
            {"digest": "d", "nonsense": "x"},
            {"digest": "d", "names": ("x",)},
        ]
        for where in refused:
            name = next(iter(where.keys() - {"digest"}), "sample")
            with pytest.raises(ValueError, match=name):
                store.change(Sample, where, number=1)
            with pytest.raises(ValueError, match=name):
                store.remove(Sample, **where)
        with pytest.raises(ValueError, match="nonsense"):
            store.change(Sample, {"digest": "d"}, nonsense=1)
        assert store.find(Sample, digest="d") == Sample(digest="d", label="x")

    # --- purge ---

    def test_purge_deletes_what_expired_up_to_its_limit(self, store: Store) -> None:
        for number in range(5):
            store.add(Sample(digest=f"{number}", expires_at=number))
        store.add(Sample(digest="never"))
        assert store.purge(Sample, now=3, limit=2) == 2
        assert store.purge(Sample, now=3, limit=2) == 1
        assert store.purge(Sample, now=3, limit=2) == 0
        assert [sample.digest for sample in store.select(Sample)] == ["3", "4", "never"]
        assert store.purge(Sample, now=2**40, limit=100) == 2
        assert store.find(Sample, digest="never") is not None
        assert store.purge(Application, now=2**40, limit=100) == 0

    def test_purge_deletes_many(self, store: Store) -> None:
        with store.transaction():
            for number in range(1100):
                store.add(Sample(digest=f"{number}", expires_at=1))
        assert store.purge(Sample, now=2, limit=1050) == 1050
        assert len(store.select(Sample)) == 50

    # --- Transactions ---

    def test_a_transaction_commits_all(self, store: Store) -> None:
        with store.transaction():
            store.add(Sample(digest="1"))
            store.add(Sample(digest="2"))
            assert store.find(Sample, digest="1") is not None
        assert len(store.select(Sample)) == 2

    def test_an_exception_rolls_all_back(self, store: Store) -> None:
        store.add(Sample(digest="kept", label="old"))
        store.add(Sample(digest="removed", expires_at=1))

        def fail() -> None:
            with store.transaction():
                store.add(Sample(digest="new"))
                store.change(Sample, {"digest": "kept"}, label="new")
                store.take(Sample(digest="kept"), 5)
                assert store.purge(Sample, now=2, limit=1) == 1
                assert store.find(Sample, digest="removed") is None
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert store.find(Sample, digest="new") is None
        assert store.find(Sample, digest="kept") == Sample(digest="kept", label="old")
        assert store.find(Sample, digest="removed") is not None
        store.add(Sample(digest="new"))
        assert in_thread(lambda: store.find(Sample, digest="new")) is not None

    def test_a_nested_transaction_joins_the_outermost(self, store: Store) -> None:
        def fail() -> None:
            with store.transaction():
                with store.transaction():
                    store.add(Sample(digest="inner"))
                assert in_thread(lambda: store.find(Sample, digest="inner")) is None
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert store.find(Sample, digest="inner") is None
        with store.transaction(), store.transaction():
            store.add(Sample(digest="both"))
        assert in_thread(lambda: store.find(Sample, digest="both")) is not None

    def test_a_failed_nested_transaction_cannot_be_half_kept(self, store: Store) -> None:
        def fail_within() -> None:
            with store.transaction():
                store.add(Sample(digest="inner"))
                raise KeyError

        def swallow() -> None:
            with store.transaction():
                store.add(Sample(digest="outer"))
                with pytest.raises(KeyError):
                    fail_within()
                assert store.find(Sample, digest="outer") is None
                with pytest.raises(RuntimeError):
                    store.add(Sample(digest="later"))

        with pytest.raises(RuntimeError):
            swallow()
        assert store.select(Sample) == []
        store.add(Sample(digest="outer"))

    def test_a_transaction_begins_with_its_first_write(self, store: Store) -> None:
        with store.transaction():
            assert store.find(Sample, digest="d") is None
            in_thread(lambda: store.add(Sample(digest="d")))
            assert store.find(Sample, digest="d") is not None
            store.add(Sample(digest="e"))
        assert store.find(Sample, digest="e") is not None

    def test_other_threads_do_not_see_what_is_not_committed(self, store: Store) -> None:
        store.add(Sample(digest="old", family="f"))
        with store.transaction():
            store.add(Sample(digest="new", family="f"))
            store.change(Sample, {"digest": "old"}, number=1)
            assert in_thread(lambda: store.select(Sample, family="f")) == [Sample(digest="old", family="f")]
            assert len(store.select(Sample, family="f")) == 2
        assert len(in_thread(lambda: store.select(Sample, family="f"))) == 2

    def test_a_transaction_belongs_to_its_thread(self, store: Store) -> None:
        entered, leave = threading.Event(), threading.Event()

        def hold() -> None:
            with store.transaction():
                entered.set()
                leave.wait(30)

        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(hold)
            entered.wait(30)
            store.add(Sample(digest="mine"))
            assert in_thread(lambda: store.find(Sample, digest="mine")) is not None
            leave.set()
            held.result()

    # --- Single use ---

    def test_a_record_is_taken_once(self, store: Store) -> None:
        code = grant("code", payload={"a": 1})
        store.add(code)
        store.take(code, 100)
        with pytest.raises(Replayed) as replayed:
            store.take(code, 200)
        assert replayed.value.record == dataclasses.replace(code, taken_at=100)
        assert store.find(Grant, digest="code") == dataclasses.replace(code, taken_at=100)

    def test_replayed_carries_the_record_as_it_stands(self, store: Store) -> None:
        code = grant("code")
        store.add(code)
        store.take(code, 100)
        store.change(Grant, {"digest": "code"}, scope="changed")
        with pytest.raises(Replayed) as replayed:
            store.take(code, 200)
        assert replayed.value.record == dataclasses.replace(code, taken_at=100, scope="changed")

    def test_a_record_that_is_gone_counts_as_replayed(self, store: Store) -> None:
        code = grant("code")
        with pytest.raises(Replayed) as replayed:
            store.take(code, 100)
        assert replayed.value.record == code

    def test_taken_at_zero_is_taken(self, store: Store) -> None:
        store.add(grant("code"))
        store.take(grant("code"), 0)
        with pytest.raises(Replayed):
            store.take(grant("code"), 1)

    def test_what_has_no_taken_at_cannot_be_taken(self, store: Store) -> None:
        with pytest.raises(ValueError, match="taken_at"):
            store.take(access_token("a"), 1)

    def test_a_take_that_was_rolled_back_is_free_again(self, store: Store) -> None:
        code = grant("code")
        store.add(code)

        def fail() -> None:
            with store.transaction():
                store.take(code, 100)
                store.add(access_token("token"))
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert store.find(AccessToken, digest="token") is None
        store.take(code, 200)
        assert store.find(Grant, digest="code") == dataclasses.replace(code, taken_at=200)

    def test_replayed_rolls_its_transaction_back(self, store: Store) -> None:
        code = grant("code", taken_at=1)
        store.add(code)

        def redeem() -> None:
            with store.transaction():
                store.add(access_token("token"))
                store.take(code, 100)

        with pytest.raises(Replayed):
            redeem()
        assert store.find(AccessToken, digest="token") is None
        with store.transaction():
            assert store.change(AccessToken, {"family": "family"}, revoked_at=100) == 0

    # --- Races ---

    def race(self, make_store: MakeStore, use: Callable[[Store, Grant, int], None]) -> list[int]:
        """Let all threads use the same codes in the same order; return how often each use succeeded."""
        stores = [make_store(RECORDS)]
        stores += [make_store(RECORDS) if self.shares else stores[0] for _ in range(THREADS - 1)]
        codes = [grant(f"code-{number}") for number in range(RACES)]
        for code in codes:
            stores[0].add(code)
        barrier = threading.Barrier(THREADS)

        def run(runner: int) -> list[bool]:
            won: list[bool] = []
            for code in codes:
                barrier.wait(30)
                with _replays(won):
                    use(stores[runner], code, runner)
            return won

        with ThreadPoolExecutor(THREADS) as pool:
            results = list(pool.map(run, range(THREADS)))
        return [sum(column) for column in zip(*results, strict=True)]

    def test_of_racing_takes_exactly_one_succeeds(self, make_store: MakeStore) -> None:
        assert self.race(make_store, lambda store, code, runner: store.take(code, 1 + runner)) == [1] * RACES

    def test_of_racing_redemptions_exactly_one_issues(self, make_store: MakeStore) -> None:
        def redeem(store: Store, code: Grant, runner: int) -> None:
            with store.transaction():
                store.take(code, 1 + runner)
                store.add(access_token(f"{code.digest}-{runner}"))

        assert self.race(make_store, redeem) == [1] * RACES
        if self.shares:
            assert len(make_store(RECORDS).select(AccessToken, family="family")) == RACES

    def test_racing_adds_of_one_key_keep_one(self, make_store: MakeStore) -> None:
        def save(store: Store, code: Grant, runner: int) -> None:
            with store.transaction():
                store.add(Sample(digest=f"{code.digest}-{runner}", alias=code.digest))

        assert self.race(make_store, save) == [1] * RACES


@contextmanager
def _replays(won: list[bool]) -> Iterator[None]:
    """Note whether what runs within was the first."""
    try:
        yield
    except (Replayed, DuplicateRecord):
        won.append(False)
    else:
        won.append(True)
