"""Parsing what comes over the wire: once, strictly, and with one kind of error."""

import base64
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from portula.flow.messages import FORM, MAX_PARAMETERS, OAUTHLIB_STATE
from portula.plugin import (
    Message,
    OAuthRequest,
    basic_credentials,
    basic_credentials_of,
    parse_form,
    parse_pairs,
    printable,
    sorted_response_type,
)

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
hostile = st.lists(
    st.sampled_from(
        [b"a=1", b"&", b"=", b"%", b"%zz", b"%00", b"%ff", b"%c3%a9", b"+", b";", b"resource=x", b"\xc3"]
    )
    | st.binary(max_size=5),
    max_size=90,
).map(b"".join)


def message(body=b"", content_type=FORM, query=""):
    return Message("POST", "/o/token/", query=query, headers={"content-type": content_type}, body=body)


@given(raw=hostile)
def test_nothing_but_an_invalid_request_ever_comes_of_bad_bytes(raw):
    description, pairs = "", []
    try:
        pairs = parse_pairs(raw)
    except InvalidRequestError as error:
        description = error.description
    assert description == printable(description)
    names = [name for name, _ in pairs if name not in ("resource", "audience")]
    assert len(names) == len(set(names))
    assert all(value and "\0" not in name + value for name, value in pairs)
    assert OAUTHLIB_STATE.isdisjoint(names)


@given(pairs=st.dictionaries(texts, texts, max_size=12))
def test_what_was_encoded_comes_back(pairs):
    kept = {name: value for name, value in pairs.items() if value and name not in OAUTHLIB_STATE}
    assert dict(parse_pairs(urlencode(pairs).encode())) == kept
    quoted = urlencode(pairs, quote_via=quote, safe="").encode()
    assert parse_pairs(quoted) == list(kept.items())


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        (b"", []),
        (b"a=1&b=2", [("a", "1"), ("b", "2")]),
        (b"a=", []),
        (b"a", []),
        (b"a=1;b=2", [("a", "1;b=2")]),
        (b"a=%C3%A9+x", [("a", "é x")]),
        (
            b"resource=a&resource=b&audience=c&audience=d",
            [("resource", "a"), ("resource", "b"), ("audience", "c"), ("audience", "d")],
        ),
        (b"client=x&user=x&scopes=x&extra_credentials=x&request_token=x&scope=y", [("scope", "y")]),
    ],
)
def test_pairs_are_read_as_they_are(raw, pairs):
    assert parse_pairs(raw) == pairs


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a=1&a=2", "parameter a is repeated"),
        (b"a=1&a=", "parameter a is repeated"),
        (b"a=&%61=2", "parameter a is repeated"),
        (b"%C3%A9=1&%C3%A9=2", "parameter ? is repeated"),
        (b"a=%00", "contains NUL"),
        (b"%00=a", "contains NUL"),
        (b"a=%ff", "percent-encoded UTF-8"),
        (b"a=%ed%a0%80", "percent-encoded UTF-8"),
        (b"%ff=a", "percent-encoded UTF-8"),
        (b"a=\xc3\xa9", "percent-encoded UTF-8"),
        (b"&".join(b"a%d=1" % number for number in range(MAX_PARAMETERS + 1)), f"At most {MAX_PARAMETERS}"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(raw, text):
    with pytest.raises(InvalidRequestError) as caught:
        parse_pairs(raw)
    assert text in caught.value.description


def test_as_many_parameters_as_are_allowed_are_read():
    assert (
        len(parse_pairs(b"&".join(b"a%d=1" % number for number in range(MAX_PARAMETERS)))) == MAX_PARAMETERS
    )


@pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=utf-8", f" {FORM} ;x"])
def test_a_form_is_told_by_its_media_type(content_type):
    assert parse_form(message(b"a=1", content_type)) == [("a", "1")]


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""]
)
def test_a_body_of_another_media_type_is_refused(content_type):
    with pytest.raises(InvalidRequestError, match="invalid_request"):
        parse_form(message(b"a=1", content_type))


def test_no_body_and_no_media_type_is_an_empty_form():
    assert parse_form(message(b"", "")) == []


def test_the_query_is_not_listened_to_and_may_not_repeat_the_body():
    assert parse_form(message(b"a=1", query="b=2")) == [("a", "1")]
    for query in ("a=1", "b=2&%61=3", "c=%ff", "c=\xe9"):
        with pytest.raises(InvalidRequestError):
            parse_form(message(b"a=1", query=query))


@pytest.mark.parametrize(
    ("words", "sorted_words"),
    [
        ("code", "code"),
        ("token code", "code token"),
        ("  b\ta ", "a b"),
        ("code code", "code code"),
        ("", ""),
    ],
)
def test_a_response_type_has_its_words_in_order(words, sorted_words):
    assert sorted_response_type(words) == sorted_words


def header(text):
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", None),
        ("Bearer abc", None),
        ("Basic", []),
        ("Basic !", []),
        (header("nocolon"), []),
        (header(b"\xff:x"), []),
        (header("a\0:b"), []),
        (header("a%00:b"), []),
        (header("a:b"), [("a", "b")]),
        (header("a:b:c"), [("a", "b:c")]),
        (header("a:"), [("a", "")]),
        (header("a%3Ab:c+d"), [("a:b", "c d"), ("a%3Ab", "c+d")]),
        (header("a:100%ff"), [("a", "100%ff")]),
        (header("é:☕"), [("é", "☕")]),
        (header("a:b").replace("Basic", "bAsIc"), [("a", "b")]),
    ],
)
def test_basic_credentials_are_read_decoded_and_raw(value, expected):
    assert basic_credentials(value) == expected
    request = OAuthRequest("/o/token/", "POST", [("_basic", "x")], {"Authorization": value})
    assert [basic_credentials_of(request) for _ in range(2)] == [expected, expected]
    assert basic_credentials_of(OAuthRequest("/o/token/")) is None


@given(value=st.text(max_size=40) | st.binary(max_size=40).map(header))
def test_no_header_is_too_bad_to_be_read(value):
    for candidates in (basic_credentials(value), basic_credentials(f"Basic {value}")):
        assert candidates is None or all("\0" not in "".join(pair) for pair in candidates)


def test_a_parameter_can_never_pose_as_state_of_the_request():
    pairs = parse_pairs(b"exchange=x&uri=x&headers=x&body=x&decoded_body=x&client_id=c&_params=x")
    request = OAuthRequest("/o/token/", "POST", pairs, {"Authorization": "y"})
    assert request.client_id == "c"
    assert request.uri == "/o/token/"
    assert request.headers["authorization"] == "y"
    assert "exchange" not in vars(request)
    assert request.scopes is None


def test_a_section_is_named_in_letters_where_only_ascii_may_stand():
    assert printable("(RFC 7592 §2.2): wait…") == "(RFC 7592 section 2.2): wait..."
