"""Access tokens that are bound to something: how they are issued, shown, presented, proven and refused, everywhere."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from security.driving import bearer
from security.house import House

from portula import ConfigError, Plugin, hookimpl
from portula.errors import InvalidRequestError, InvalidTokenError
from portula.plugin import AccessToken, Authorization, Message, Step, TokenPresentation, TokenPresentations
from portula_testing.writing import change_in

JSON = "application/json"


class Bindings:
    """Two proofs: a leaf, by a scheme of its own, and a cup, which goes along with any; a header names each."""

    def __init__(self, *names):
        self.names = names or ("leaf", "cup")

    @hookimpl
    def portula_shape_token(self, exchange):
        sent = {name: exchange.message.headers.get(name) for name in self.names}
        exchange.issue.confirmation = {name: value for name, value in sent.items() if value}

    @hookimpl
    def portula_token_presentations(self, provider):
        def proof(name):
            def prove(presented, bound):
                presented.headers[f"Next-{name}"] = "1"
                if presented.message.headers.get(name) != bound:
                    raise InvalidTokenError

            return prove

        schemes = {"leaf": "Leaf", "cup": ""}
        return [
            TokenPresentation(
                scheme=schemes[name],
                confirmation=name,
                prove=proof(name),
                challenge={"teas": "green black"} if schemes[name] else {},
            )
            for name in self.names
        ]


@pytest.fixture(scope="module")
def house():
    return House(Bindings(), OIDC_ENABLED=True, DCR_ENABLED=True)


@pytest.fixture
def door(house):
    return house.door()


@pytest.fixture
def client(house):
    return house.client()


def bound_token(house, client, **headers):
    """Return the answer to a code, redeemed with these headers."""
    code, verifier = house.browser().code(client, scope="openid read introspection")
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    form["redirect_uri"] = client.redirect_uri
    return house.door().token(client, {**client.auth, **headers}, **form).json


ENDPOINTS = {
    "userinfo": lambda door, headers, token: door.open("/o/userinfo/", headers=headers),
    "view": lambda door, headers, token: door.open("/resource", headers=headers),
    "introspection": lambda door, headers, token: door.post("/o/introspect/", {"token": token}, headers),
}
each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS)


@each_endpoint
@pytest.mark.parametrize(
    ("bound", "scheme"),
    [
        ({"leaf": "green"}, "Leaf"),
        ({"cup": "blue"}, "Bearer"),
        ({"leaf": "green", "cup": "blue"}, "Leaf"),
        ({}, "Bearer"),
    ],
    ids=["scheme", "no scheme", "both", "unbound"],
)
def test_a_token_passes_by_its_scheme_with_every_proof_and_not_otherwise(
    house, door, client, endpoint, bound, scheme
):
    answer = bound_token(house, client, **bound)
    token = answer["access_token"]
    assert answer["token_type"] == scheme

    def status(scheme, **headers):
        sent = {"Authorization": f"{scheme} {token}", **headers}
        return ENDPOINTS[endpoint](door, sent, token).status_code

    assert status(scheme, **bound) == status(scheme.upper(), **bound) == 200
    assert status({"Leaf": "Bearer", "Bearer": "Leaf"}[scheme], **bound) == 401
    for name in bound:
        others = {other: value for other, value in bound.items() if other != name}
        assert status(scheme, **others) == 401
        assert status(scheme, **others, **{name: "stolen"}) == 401


def test_introspection_shows_what_a_token_is_bound_to(house, door, client):
    answer = bound_token(house, client, leaf="green")
    told = door.introspect(client, answer["access_token"]).json
    assert (told["token_type"], told["cnf"]) == ("Leaf", {"leaf": "green"})
    plain = door.introspect(client, bound_token(house, client)["access_token"]).json
    assert plain["token_type"] == "Bearer"
    assert "cnf" not in plain


@each_endpoint
def test_a_refusal_names_the_error_with_the_scheme_that_was_used(house, door, client, endpoint):
    token = bound_token(house, client, leaf="green")["access_token"]
    sent = ENDPOINTS[endpoint](door, {"Authorization": f"Leaf {token}"}, token)
    challenge = sent.headers["WWW-Authenticate"]
    first, second = challenge.split("Leaf ")
    assert first.startswith('Bearer realm="portula"')
    assert "error" not in first
    assert 'error="invalid_token"' in second
    assert 'teas="green black"' in second
    downgraded = ENDPOINTS[endpoint](door, bearer(token), token).headers["WWW-Authenticate"]
    first, second = downgraded.split("Leaf ")
    assert 'error="invalid_token"' in first
    assert "error" not in second


@pytest.mark.parametrize("endpoint", ["userinfo", "view"])
def test_without_a_token_every_scheme_is_offered_and_no_error_named(door, endpoint):
    answer = ENDPOINTS[endpoint](door, {}, "")
    assert (answer.status_code, answer.data) == (401, b"")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'Leaf realm="portula"' in challenge
    assert "error" not in challenge


@each_endpoint
def test_tokens_of_two_schemes_are_an_invalid_request(house, door, client, endpoint):
    token = bound_token(house, client, leaf="green")["access_token"]
    sent = {"Authorization": f"Bearer {token}, Leaf {token}", "leaf": "green"}
    answer = ENDPOINTS[endpoint](door, sent, token)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_a_bound_token_is_no_bearers_in_the_body_either(house, door, client):
    token = bound_token(house, client, leaf="green")["access_token"]
    answer = door.post("/o/userinfo/", {"access_token": token}, {"leaf": "green"})
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
    both = door.post("/o/userinfo/", {"access_token": token}, {"Authorization": f"Leaf {token}"})
    assert both.status_code == 400
    nameless = door.post("/o/userinfo/", {"": token}, {"leaf": "green"})
    assert (nameless.status_code, nameless.data) == (401, b"")


@each_endpoint
@pytest.mark.parametrize("leaf", ["green", "stolen"])
def test_header_fields_of_a_proof_go_with_success_and_error(house, door, client, endpoint, leaf):
    token = bound_token(house, client, leaf="green")["access_token"]
    answer = ENDPOINTS[endpoint](door, {"Authorization": f"Leaf {token}", "leaf": leaf}, token)
    assert answer.status_code == (200 if leaf == "green" else 401)
    assert answer.headers["Next-leaf"] == "1"


def test_pages_of_other_origins_may_read_these_header_fields(house, door, client):
    token = bound_token(house, client, leaf="green")["access_token"]
    sent = {"Authorization": f"Leaf {token}", "leaf": "green", "Origin": "https://spa.example"}
    exposed = door.open("/o/userinfo/", headers=sent).headers["Access-Control-Expose-Headers"]
    assert set(exposed.split(", ")) == {"WWW-Authenticate", "Next-leaf"}


def test_registration_takes_no_token_by_a_scheme_of_bound_ones(house, door):
    headers = {"Authorization": "Leaf x", "leaf": "green"}
    answer = door.open("/o/register/", method="POST", data="{}", content_type=JSON, headers=headers)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"].split("Leaf ")[1]


# --- Refreshing ---


def refreshed(house, client, answer, **headers):
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    return house.door().token(client, {**client.auth, **headers}, **form)


def test_a_refresh_token_of_a_public_client_is_bound_too(house):
    client = house.public_client()
    answer = bound_token(house, client, leaf="green")
    for headers in ({}, {"leaf": "black"}, {"cup": "green"}):
        refused = refreshed(house, client, answer, **headers)
        assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    again = refreshed(house, client, answer, leaf="green").json
    assert again["token_type"] == "Leaf"
    assert refreshed(house, client, again).status_code == 400
    assert refreshed(house, client, again, leaf="green", cup="blue").status_code == 200


def test_the_binding_of_a_refresh_token_outlives_the_plugin(house):
    client = house.public_client()
    bound, unbound = bound_token(house, client, leaf="green"), bound_token(house, client)
    other = House(OIDC_ENABLED=True)
    other.provider.storage = house.provider.storage
    refused = refreshed(other, client, bound, leaf="green")
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert refreshed(other, client, unbound, leaf="green").status_code == 200


def test_a_confidential_client_may_change_what_its_tokens_are_bound_to(house, client):
    answer = bound_token(house, client, leaf="green")
    again = refreshed(house, client, answer, leaf="black").json
    told = house.door().introspect(client, again["access_token"]).json
    assert told["cnf"] == {"leaf": "black"}
    assert refreshed(house, client, again).json["token_type"] == "Bearer"


# --- What cannot be proven here ---


@each_endpoint
def test_a_token_that_is_bound_to_what_nobody_proves_passes_nowhere(house, door, client, endpoint):
    token = bound_token(house, client)["access_token"]
    stored = house.provider.validator.find_live_access_token(token).token
    change_in(house.provider.storage, AccessToken, {"digest": stored.digest}, confirmation={"jkt": "x"})
    for scheme in ("Bearer", "Leaf"):
        answer = ENDPOINTS[endpoint](door, {"Authorization": f"{scheme} {token}"}, token)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")


def test_an_authorization_is_bound_only_by_what_was_proven(house):
    answer = bound_token(house, house.public_client())
    found = house.provider.validator.find_live_access_token(answer["access_token"])
    assert isinstance(found.authorization, Authorization)
    assert found.authorization.confirmation == {}


# --- Reading, and what is contributed ---


@given(
    header=st.text(max_size=40) | st.from_regex(r"(Bearer|bearer|Basic|Leaf|,| |a|=){0,8}", fullmatch=True)
)
def test_no_header_is_too_bad_to_be_read(header):
    presentations = TokenPresentations(Bindings().portula_token_presentations(None))
    message = Message("GET", "/", headers={"authorization": header})
    with suppress(InvalidRequestError):
        presented = presentations.read(message)
        assert presented is None or presented.value == presented.value.strip()


def test_a_token_is_not_shown_by_repr():
    message = Message("GET", "/", headers={"authorization": "Bearer secret"})
    assert "secret" not in repr(TokenPresentations(()).read(message))


@pytest.mark.parametrize(
    "presentation",
    [
        TokenPresentation(scheme="bearer"),
        TokenPresentation(scheme="LEAF"),
        TokenPresentation(confirmation="leaf", prove=lambda presented, bound: None),
    ],
)
def test_a_scheme_and_a_confirmation_have_one_presentation(presentation):
    class Other(Plugin):
        def portula_token_presentations(self, provider):
            return [presentation]

    with pytest.raises(ConfigError, match="portula_token_presentations"):
        House(Bindings(), Other())


@pytest.mark.parametrize("half", [{"confirmation": "leaf"}, {"prove": lambda presented, bound: None}])
def test_what_proves_nothing_is_no_presentation(half):
    with pytest.raises(ValueError, match="both or neither"):
        TokenPresentation(**half)


# --- Header fields at endpoints that issue, and failing proofs ---


class Nonces:
    """Asks for a nonce at the token endpoint, and gives the next with each answer (RFC 9449 §8)."""

    @hookimpl
    def portula_steps(self, provider):
        def nonce(exchange):
            exchange.headers["DPoP-Nonce"] = "next"
            if exchange.message.headers.get("nonce") != "next":
                raise InvalidRequestError(description="A nonce is needed.")

        endpoints = {"token": "client", "revoke_token": "client", "introspect": "client"}
        return [
            Step(endpoint=name, name="nonce", run=nonce, after=after) for name, after in endpoints.items()
        ]


@pytest.mark.parametrize("kind", ["flask", "wsgi"])
@pytest.mark.parametrize("path", ["token", "revoke_token", "introspect"])
def test_header_fields_of_an_exchange_go_with_success_and_error(kind, path):
    house = House(Nonces())
    client, door = house.client(), house.door(kind)
    form = {"grant_type": "client_credentials"} if path == "token" else {"token": "x"}
    refused = door.post(f"/o/{path}/", form, client.auth)
    assert (refused.status_code, refused.headers["DPoP-Nonce"]) == (400, "next")
    answer = door.post(f"/o/{path}/", form, {**client.auth, "nonce": "next"})
    assert (answer.status_code, answer.headers["DPoP-Nonce"]) == (200, "next")


class Failing(Bindings):
    @hookimpl
    def portula_token_presentations(self, provider):
        def prove(presented, bound):
            raise OSError("nobody is there")

        return [TokenPresentation(scheme="Leaf", confirmation="leaf", prove=prove)]


@pytest.mark.parametrize(("endpoint", "status"), [("userinfo", 500), ("introspection", 500), ("view", 503)])
def test_a_proof_that_fails_lets_nobody_pass(endpoint, status):
    house = House(Failing("leaf"), OIDC_ENABLED=True)
    token = bound_token(house, house.client(), leaf="green")["access_token"]
    sent = {"Authorization": f"Leaf {token}", "leaf": "green"}
    assert ENDPOINTS[endpoint](house.door(), sent, token).status_code == status


def test_a_binding_is_kept_in_sql_too(tmp_path):
    house = House(Bindings(), folder=tmp_path, OIDC_ENABLED=True)
    client = house.public_client()
    answer = bound_token(house, client, leaf="green")
    assert refreshed(house, client, answer).json["error"] == "invalid_grant"
    assert refreshed(house, client, answer, leaf="green").json["token_type"] == "Leaf"
    house.close()


def test_a_server_class_that_issues_by_itself_goes_on_under_no_bound_authorization(house):
    client = house.public_client()
    bound, unbound = bound_token(house, client, leaf="green"), bound_token(house, client)
    other = House(OAUTH2_SERVER_CLASS="oauthlib.oauth2.WebApplicationServer")
    other.provider.storage = house.provider.storage
    refused = refreshed(other, client, bound)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert refreshed(other, client, unbound).status_code == 200
