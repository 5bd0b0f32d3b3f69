"""JSON of strangers has one meaning, or is refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portula.model.strict_json import MAX_DEPTH
from portula.plugin import read_object

storable = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), storable
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(storable, inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(storable, values, max_size=4))
def test_a_decent_object_is_read_as_it_was_written(value):
    assert read_object(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_nothing_else_is_raised_than_a_value_error(data):
    with contextlib.suppress(ValueError):
        assert isinstance(read_object(data), dict)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is not JSON in UTF-8"),
        (b"\xff", "it is not JSON in UTF-8"),
        (b"[" * 100_000, "it is not JSON in UTF-8"),
        (b'{"a":' + b"9" * 5000 + b"}", "it is not JSON in UTF-8"),
        (b"[]", "it is not a JSON object"),
        (b'{"a":1,"a":1}', "it names a member twice"),
        (b'{"a":{"b":1,"\\u0062":1}}', "it names a member twice"),
        (b'{"a":NaN}', "it holds a number without a finite value"),
        (b'{"a":-Infinity}', "it holds a number without a finite value"),
        (b'{"a":1e999}', "it holds a number without a finite value"),
        (b'{"a":["\\u0000"]}', "it holds a text with NUL or a lone surrogate"),
        (b'{"\\ud800":1}', "it holds a text with NUL or a lone surrogate"),
    ],
)
def test_the_error_says_why_and_quotes_nothing(data, why):
    with pytest.raises(ValueError, match=f"^{why}$"):
        read_object(data)


def test_depth_has_a_limit():
    def nested(depth):
        return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"

    read_object(nested(MAX_DEPTH))
    with pytest.raises(ValueError, match=f"nested more than {MAX_DEPTH} deep"):
        read_object(nested(MAX_DEPTH + 1))
