"""Client metadata by which a client has its tokens bound, whoever binds them: kept by the step `bind`."""

import pytest
from security.driving import answered, error_of
from security.house import House

from portula import Plugin
from portula.errors import InvalidClientMetadata
from portula.plugin import Application, ClientMember, Step, report
from portula_testing.writing import change_in

FORM = {"grant_type": "client_credentials", "scope": "read"}


class Teas(Plugin):
    """Two members, and one header that binds a token to a leaf."""

    def portula_client_metadata(self, provider):
        return [
            ClientMember("leaf_bound", bool, confirmation="leaf"),
            ClientMember("cup_bound", bool, confirmation="cup"),
            ClientMember("tea", bool),
        ]

    def portula_shape_token(self, exchange):
        leaf = exchange.message.headers.get("leaf")
        if leaf:
            exchange.issue.confirmation = {"leaf": leaf}


@pytest.fixture(scope="module")
def house():
    return House(Teas(), IMPLICIT_GRANT_ENABLED=True)


def test_a_client_that_is_registered_so_proves_it_or_gets_nothing(house):
    door = house.door()
    for metadata, headers, status in (
        ({"leaf_bound": True}, {}, 400),
        ({"leaf_bound": True}, {"leaf": "green"}, 200),
        ({"cup_bound": True}, {"leaf": "green"}, 400),
        ({"leaf_bound": False, "tea": True}, {}, 200),
    ):
        client = house.client(metadata=metadata)
        answer = door.token(client, {**client.auth, **headers}, **FORM)
        assert answer.status_code == status
        assert answer.json.get("error") == (None if status == 200 else "invalid_request")


def test_nor_in_the_redirect(house):
    client = house.client(grant_types=("authorization_code", "implicit"), metadata={"leaf_bound": True})
    plain = {"code_challenge": None, "code_challenge_method": None}
    answer = answered(house.browser().authorize(client, response_type="token", **plain))
    assert answer["error"] == "invalid_request"
    assert "access_token" not in answer


BINDING = (
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
    "tea_bound_access_tokens",
)


@pytest.fixture(scope="module")
def bare():
    """A house in which nobody binds tokens."""
    return House(discover=True, PLUGINS_BLOCKED=["dpop", "mtls"], IMPLICIT_GRANT_ENABLED=True)


def registered_before(house, **metadata):
    """Return a client that was registered while a plugin understood the member."""
    client = house.client(
        grant_types=("authorization_code", "refresh_token", "implicit", "client_credentials")
    )
    change_in(house.provider.storage, Application, {"client_id": client.client_id}, metadata=metadata)
    return client


@pytest.mark.parametrize("member", BINDING)
def test_where_nobody_binds_tokens_a_client_that_is_registered_so_gets_none(bare, member):
    client, door = registered_before(bare, **{member: True}), bare.door()
    code, verifier = bare.browser().code(client)
    plain = {"code_challenge": None, "code_challenge_method": None}
    for answer in (
        door.token(client, **FORM),
        door.token(client, {**client.auth, "DPoP": "x"}, **FORM),
        door.redeem(client, code, verifier),
    ):
        assert error_of(answer) == "invalid_request"
        assert member in answer.json["error_description"]
    implicit = answered(bare.browser().authorize(client, response_type="token", **plain))
    assert implicit["error"] == "invalid_request"


def test_nor_does_it_refresh_what_it_had_before(bare):
    client = registered_before(bare)
    tokens = bare.tokens(client)
    bare.change(client, metadata={"dpop_bound_access_tokens": True})
    assert error_of(bare.door().refresh(client, tokens["refresh_token"])) == "invalid_request"
    bare.change(client, metadata={})
    assert bare.door().refresh(client, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("value", [False, None])
def test_one_that_is_not_is_served(bare, value):
    client = registered_before(bare, **dict.fromkeys(BINDING, value))
    assert bare.door().token(client, **FORM).json["token_type"] == "Bearer"


def test_a_room_that_is_there_and_off_binds_nothing_either():
    house = House(DPOP_ENABLED=False, MTLS_ENABLED=False, IMPLICIT_GRANT_ENABLED=True)
    for member in BINDING:
        client = registered_before(house, **{member: True})
        assert error_of(house.door().token(client, **FORM)) == "invalid_request"


def test_a_client_is_bound_in_one_way(house):
    with pytest.raises(InvalidClientMetadata, match="leaf_bound and cup_bound exclude each other"):
        house.client(metadata={"leaf_bound": True, "cup_bound": True})
    client = house.client(metadata={"leaf_bound": True, "cup_bound": False})
    with pytest.raises(InvalidClientMetadata, match="exclude each other"):
        house.change(client, metadata={"leaf_bound": True, "cup_bound": True})


def test_a_client_that_registers_itself_is_told():
    house = House(Teas(), DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    asked = {"redirect_uris": ["https://client.example/cb"], "leaf_bound": True, "cup_bound": True}
    assert error_of(house.door().post("/o/register/", json=asked)) == "invalid_client_metadata"


class Waiting(Plugin):
    """A step for an endpoint that may not be there."""

    def __init__(self, optional):
        self.optional = optional

    def portula_steps(self, provider):
        return [Step(endpoint="kettle", name="tea", run=print, after="client", optional=self.optional)]


@pytest.mark.parametrize("optional", [True, False])
def test_a_step_may_wait_for_an_endpoint_that_nobody_brings(optional):
    findings = [each.id for each in report.findings(House(Waiting(optional)).provider)]
    assert ("core.idle-step" in findings) is not optional
