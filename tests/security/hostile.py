"""What the fuzz tests send, and what they look for in answers."""

import base64
import string
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

FORM = "application/x-www-form-urlencoded"

#: In place of these a test puts values that are right, so that hostile ones beside them get past the first check.
RIGHT = b"@client_id @secret @code @verifier @redirect_uri @access_token @refresh_token @public_id @interaction".split()
RIGHT += b"@device_code @user_code".split()
WORDS = b"authorization_code client_credentials refresh_token password code token read S256 query fragment".split()
WORDS += [
    b"urn:ietf:params:oauth:grant-type:device_code",
    *b"form_post none yes /accounts/ //evil.example".split(),
    b"",
    b"A" * 43,
]
HOSTILE = (
    b"\0 %00 \xff \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 % %u0041 \xe2\x80\xae \xef\xbb\xbf {} [] \x7f".split(
        b" "
    )
)
HOSTILE += [b"'\"><svg onload=alert(1)>", b"\r\nSet-Cookie: a=b", b" ", b"a" * 10_240]
NAMES = (
    b"grant_type client_id client_secret code code_verifier redirect_uri refresh_token scope username".split()
)
NAMES += b"password token token_type_hint response_type response_mode state code_challenge prompt csrf_token".split()
NAMES += b"code_challenge_method approval_prompt interaction allow next user client scopes extra_credentials".split()
NAMES += b"request request_uri resource device_code user_code device x".split()

values = st.one_of(
    st.sampled_from(RIGHT), st.sampled_from(WORDS), st.sampled_from(HOSTILE), st.binary(max_size=40)
)
pairs = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.sampled_from(HOSTILE)), values), max_size=10)
#: Whether a value is percent-encoded as it should be, or sent as it is.
bodies = st.one_of(st.binary(max_size=300), st.tuples(pairs, st.booleans()))
header_text = st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60
)
content_types = st.one_of(
    st.sampled_from(
        [
            FORM,
            f"{FORM};charset=utf-16",
            f"{FORM}; charset=\xff",
            "multipart/form-data",
            "multipart/form-data; boundary=",
        ]
    ),
    st.sampled_from(["multipart/form-data; boundary=b", "application/json", "text/xml", ""]),
    header_text,
)
authorizations = st.one_of(
    st.none(),
    st.just("@basic"),
    st.binary(max_size=60).map(lambda pair: "Basic " + base64.b64encode(pair).decode()),
    st.tuples(values, values).map(lambda pair: "Basic " + base64.b64encode(b":".join(pair)).decode()),
    header_text.map("Basic {}".format),
    header_text.map("Bearer {}".format),
    header_text,
)
cookies = st.one_of(
    st.just("@cookies"),
    header_text,
    header_text.map("__Host-portula_session={}".format),
    header_text.map("__Host-portula_browser={}; __Host-portula_browser=x".format),
)
origins = st.one_of(
    st.none(),
    st.sampled_from(["null", "https://client.example", "https://[", "https://evil:99999"]),
    header_text,
)
hosts = st.one_of(
    st.sampled_from(["id.example", "evil.example", "[", "[::1", "a@b", "localhost:99999", ""]), header_text
)


def put_in(right, value):
    """Return a value with the right one in place of its name."""
    if isinstance(value, bytes):
        return right.get(value[1:].decode("latin-1"), "").encode() if value in RIGHT else value
    return right[value[1:]] if value in ("@basic", "@cookies") else value


def encoded(right, body):
    """Return the bytes of a body or a query."""
    if isinstance(body, bytes):
        return body
    fields, properly = body
    told = [(name, put_in(right, value)) for name, value in fields]
    if properly:
        told = [(quote_from_bytes(name).encode(), quote_from_bytes(value).encode()) for name, value in told]
    return b"&".join(name + b"=" + value for name, value in told)


def asked_of(right, query):
    """Return a query string: of raw bytes only those that a request line can hold, in the form that WSGI has them."""
    return bytes(byte for byte in encoded(right, query) if byte > 32 and byte != 127).decode("latin-1")


def headers_of(right, **named):
    found = {
        name.replace("_", "-"): put_in(right, value) for name, value in named.items() if value is not None
    }
    return {name: value for name, value in found.items() if isinstance(value, str)}


def is_no_failure(response):
    """Say whether the server stood it: no 5xx, and nothing of its inside in the answer."""
    inside = ("Traceback", 'File "', "werkzeug", "site-packages", "sqlite3", "oauthlib")
    return response.status_code < 500 and not any(word in response.text for word in inside)


def is_an_error_in_form(response):
    """Say whether an error of a machine endpoint is one of RFC 6749 §5.2."""
    error = response.json.get("error", "")
    description = response.json.get("error_description", "")
    return (
        response.status_code in (400, 401, 403, 405, 413)
        and response.mimetype == "application/json"
        and response.headers["Cache-Control"] == "no-store"
        and response.headers["Pragma"] == "no-cache"
        and set(error) <= set(string.ascii_lowercase + "_")
        and bool(error)
        and all(" " <= character <= "~" and character not in '"\\' for character in description)
        and (response.status_code != 401 or bool(response.headers["WWW-Authenticate"]))
    )
