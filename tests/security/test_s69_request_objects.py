"""S69: a request object counts for what its client signed, for us, now; where it is brought and where it is pushed.

Its forged signatures are those of test_s40_places.py; other kinds of JWTs are in the tables of S44. Here is too that
nothing is fetched unless all of it is allowed (S54).
"""

import pytest
from support.fitting import stubbed

from portula import hookimpl
from portula.plugin import Fetcher, FetchResponse
from portula_testing import jws
from security.driving import ISSUER, answered, pkce
from security.house import House

KEY, OTHER = jws.TokenKey("ES256"), jws.TokenKey("ES256")
TYP = "oauth-authz-req+jwt"
URI = "https://client.example/r.jwt"
REFUSED_URI = ("invalid_request_uri", "request_uri_not_supported")


class Web(stubbed(Fetcher)):
    """Notes what is fetched."""

    def __init__(self):
        self.asked, self.document = [], ""

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        self.asked.append(url)
        return FetchResponse(200, "application/jwt", self.document.encode())


@pytest.fixture(scope="module")
def web():
    return Web()


@pytest.fixture(scope="module")
def house(web):
    """A house that asks of objects what RFC 9101 leaves to it."""
    required = ("aud", "exp", "iss")
    return House(
        web,
        OIDC_ENABLED=True,
        PLUGINS_CHOICE={"fetcher": "Web"},
        REQUEST_OBJECT_REQUIRED_CLAIMS=required,
        REQUEST_OBJECT_MAX_LIFETIME_SECONDS=3600,
    )


@pytest.fixture(scope="module")
def party(house):
    return house.client(metadata={"jwks": KEY.jwks}, skip_authorization=True)


@pytest.fixture(params=["brought", "pushed"])
def way(request):
    return request.param


def claims(house, party, **changes):
    now = house.clock.time
    given = {
        "iss": party.client_id,
        "aud": ISSUER,
        "exp": now + 300,
        "nbf": now,
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "read",
        "state": "of the object",
        "code_challenge": pkce()[1],
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def ask(house, party, way, **brought):
    """Bring or push a request; return its error, None where it goes on."""
    if way == "pushed":
        answer = house.door().post("/o/par/", {"client_id": party.client_id, **brought}, party.auth)
        assert answer.status_code in (201, 400), answer.text
        return answer.json.get("error")
    query = {"client_id": party.client_id, "response_type": "code", "scope": "read", **brought}
    answer = house.browser().get("/o/authorize/", query_string=query)
    if answer.status_code == 302:
        return answered(answer).get("error") if "client.example" in answer.location else None
    assert answer.status_code == 400, answer.text
    errors = ("invalid_request_object", "request_not_supported", "invalid_request")
    return next(each for each in errors if each in answer.text)


def test_a_good_one_counts(house, party, way):
    assert ask(house, party, way, request=KEY.sign(claims(house, party), typ=TYP)) is None


DAY = 24 * 60 * 60
WRONG = {
    "no audience": {"aud": None},
    "another audience": {"aud": "https://other.example"},
    "other audiences": {"aud": ["https://other.example", f"{ISSUER}/token/"]},
    "no end": {"exp": None},
    "over": {"exp": -60},
    "a day long": {"exp": DAY},
    "not yet": {"nbf": 3600},
    "an end that is text": {"exp": "soon"},
    "an end that is endless": {"exp": 1e300},
    "no issuer": {"iss": None},
    "another issuer": {"iss": "another"},
    "another client": {"client_id": "another"},
    "a client that is a list": {"client_id": ["x"]},
    "an object inside": {"request": "a.b.c"},
    "a reference inside": {"request_uri": URI},
    "a reference to what was pushed inside": {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_an_object_says_by_whom_for_whom_and_when(house, party, way, changes):
    now = house.clock.time
    times = {
        name: now + value if isinstance(value, int) and name in ("exp", "nbf") else value
        for name, value in changes.items()
    }
    signed = KEY.sign(claims(house, party, **times), typ=TYP)
    assert ask(house, party, way, request=signed) == "invalid_request_object"


def test_an_object_of_another_client_is_refused(house, party, way):
    other = house.client(metadata={"jwks": OTHER.jwks})
    for signed in (
        OTHER.sign(claims(house, party), typ=TYP),  # signed by another for this one
        OTHER.sign(claims(house, other), typ=TYP),  # its own, brought for this one
        KEY.sign(claims(house, other), typ=TYP),
    ):
        assert ask(house, party, way, request=signed) == "invalid_request_object"


def test_none_is_refused_and_so_is_what_needs_a_secret(house, party, way):
    for signed in (
        jws.unsigned_token(claims(house, party), typ=TYP),
        jws.signed_with_secret(party.secret.encode(), claims(house, party), typ=TYP),
    ):
        assert ask(house, party, way, request=signed) in (
            "invalid_request_object",
            "request_not_supported",
        )


@pytest.mark.parametrize(
    "beside",
    [
        {"scope": "read write"},
        {"state": "beside"},
        {"redirect_uri": "https://evil.example/cb"},
        {"nonce": "beside"},
        {"response_mode": "fragment"},
        {"dpop_jkt": "x" * 43},
        {"resource": "https://evil.example"},
        {"authorization_details": "[]"},
        {"max_age": "0"},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_what_stands_beside_it_counts_for_nothing(house, party, beside):
    """RFC 9101 §6.3: the parameters are those of the object alone."""
    browser = house.browser()
    browser.sign_in()
    query = {"client_id": party.client_id, "response_type": "code", "scope": "read", **beside}
    query["request"] = KEY.sign(claims(house, party), typ=TYP)
    answer = browser.get("/o/authorize/", query_string=query)
    assert answer.location.startswith(f"{party.redirect_uri}?")
    assert answered(answer)["state"] == "of the object"
    code = answered(answer)["code"]
    assert house.door().redeem(party, code, "v" * 43).json["error"] == "invalid_grant"  # its own challenge


def test_nothing_is_fetched_by_default(house, party, web, way):
    web.document = KEY.sign(claims(house, party), typ=TYP)
    for uri in (URI, "http://169.254.169.254/", "file:///etc/passwd"):
        assert ask(house, party, way, request_uri=uri) in ("request_uri_not_supported", "invalid_request")
    assert web.asked == []


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example/other.jwt",
        "https://client.example.evil/r.jwt",
        "https://evil@client.example/r.jwt",
        "http://client.example/r.jwt",
        "https://client.example:444/r.jwt",
        "https://client.example/r.jwt?a=b",
        "https://client.example/./r.jwt",
        "file:///r.jwt",
    ],
)
def test_only_what_is_registered_is_fetched(uri):
    web = Web()
    house = House(web, REQUEST_URI_ENABLED=True, PLUGINS_CHOICE={"fetcher": "Web"})
    party = house.client(metadata={"jwks": KEY.jwks, "request_uris": [URI]}, skip_authorization=True)
    web.document = KEY.sign(claims(house, party), typ=TYP)
    answer = house.browser().get(
        "/o/authorize/", query_string={"client_id": party.client_id, "request_uri": uri}
    )
    assert answer.status_code == 400 or answered(answer)["error"] in REFUSED_URI
    assert web.asked == []
