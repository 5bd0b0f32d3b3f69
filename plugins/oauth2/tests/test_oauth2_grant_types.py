"""The password grant where it is allowed, refusals of the token endpoint, and grants that other plugins bring."""

import pytest

from portula import hookimpl
from portula.errors import InvalidClientMetadata, InvalidGrantError
from portula.plugin import AccessToken, ExtensionGrant, TokenIssued, TokenRefused

TEA = "urn:example:grant-type:tea"
ANN = {"username": "ann", "password": "her password"}


# --- Password ---


def test_the_password_grant_needs_setting_and_client(make, refused):
    world = make(PASSWORD_GRANT_ENABLED=True)
    client, other = world.client(grant_types=("password",)), world.client()
    tokens = world.token(client, "password", **ANN).json
    assert world.alive(tokens)
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert refused(world.token(other, "password", **ANN)) == "unauthorized_client"


def test_without_the_setting_there_is_no_password_grant(world, refused):
    with pytest.raises(InvalidClientMetadata, match="grant type 'password' is off; PASSWORD_GRANT_ENABLED"):
        world.client(grant_types=("password",))
    assert refused(world.token(world.client(), "password", **ANN)) == "unsupported_grant_type"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({**ANN, "password": "another"}, "invalid_grant"),
        ({**ANN, "username": "nobody"}, "invalid_grant"),
        ({"username": "ann"}, "invalid_request"),
        ({"password": "her password"}, "invalid_request"),
        ({**ANN, "scope": "unheard-of"}, "invalid_scope"),
    ],
)
def test_a_wrong_password_request_is_refused(make, refused, given, error):
    world = make(PASSWORD_GRANT_ENABLED=True)
    client = world.client(grant_types=("password",))
    assert refused(world.token(client, "password", **given)) == error


# --- Refusals ---


@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        (None, "invalid_request"),
        ("tea", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("Authorization_Code", "unsupported_grant_type"),
        ("authorization_code", "invalid_request"),
        ("refresh_token", "invalid_request"),
    ],
)
def test_an_incomplete_token_request_is_refused_and_told(world, refused, grant_type, error):
    assert refused(world.token(world.client(), grant_type)) == error
    (heard,) = world.host.heard
    assert isinstance(heard, TokenRefused)
    assert (heard.error, heard.grant_type) == (error, grant_type)


def test_a_client_uses_only_the_grants_it_is_registered_for(world, refused):
    client = world.client(grant_types=("authorization_code",))
    assert refused(world.token(client, "client_credentials")) == "unauthorized_client"
    machine = world.client(grant_types=("client_credentials",))
    assert refused(world.redeem(machine, "code", "verifier")) == "unauthorized_client"
    assert refused(world.refresh(machine, "token")) == "unauthorized_client"


def test_a_client_of_other_grants_gets_no_code(world, sent):
    machine = world.client(grant_types=("client_credentials",))
    assert sent(world.ask(machine))["error"] == "unauthorized_client"


def test_issued_tokens_are_told_after_they_are_kept(world):
    client = world.client()
    world.tokens(client, scope="read")
    event = world.host.heard[-1]
    assert isinstance(event, TokenIssued)
    assert (event.client_id, event.subject, event.scopes) == (client.client_id, "1", ("read",))
    assert event.grant_type == "authorization_code"


# --- A grant that somebody else brings ---


class TeaGrant(ExtensionGrant):
    """Gives tea to every client that is registered for it."""

    def check(self, exchange):
        assert exchange.client is not None


class TeaRoom:
    def __init__(self):
        self.kept = []
        self.denied = False

    @hookimpl
    def portula_grant_types(self, provider):
        return {TEA: TeaGrant}

    @hookimpl
    def portula_validate_token_request(self, exchange):
        if self.denied and exchange.request.grant_type == TEA:
            raise InvalidGrantError(description="Not today.")

    @hookimpl
    def portula_record_token(self, event):
        self.kept.append(event)


class Thirst:
    """A second rule, that is heard although the first denied."""

    heard = 0

    @hookimpl
    def portula_validate_token_request(self, exchange):
        Thirst.heard += 1


@pytest.fixture
def room():
    return TeaRoom()


@pytest.fixture
def tea(make, room):
    return make(room, Thirst())


def stored(world):
    return len(world.store._rows[AccessToken])


def test_a_contributed_grant_issues_tokens(tea, room):
    client = tea.client(grant_types=(TEA,))
    response = tea.token(client, TEA, scope="read")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert tea.alive(response.json)
    assert [event.grant_type for event in room.kept] == [TEA]
    assert [type(event) for event in tea.host.heard] == [TokenIssued]


def test_a_contributed_grant_cannot_skip_the_vetoes(tea, room, refused):
    client = tea.client(grant_types=(TEA,))
    room.denied, before = True, Thirst.heard
    response = tea.token(client, TEA, scope="read")
    assert refused(response) == "invalid_grant"
    assert response.json["error_description"] == "Not today."
    assert Thirst.heard == before + 1
    assert (stored(tea), room.kept) == (0, [])


def test_a_contributed_grant_is_for_registered_clients_only(tea, refused):
    assert refused(tea.token(tea.client(), TEA)) == "unauthorized_client"


def test_a_contributed_grant_is_announced(tea):
    document = tea.get("/o/.well-known/oauth-authorization-server").json
    assert TEA in document["grant_types_supported"]


def test_an_outbox_that_fails_refuses_and_rolls_back(make, refused):
    class Broken:
        @hookimpl
        def portula_record_token(self, event):
            raise RuntimeError("the outbox is full")

    world = make(Broken())
    response = world.token(world.client(), "client_credentials")
    assert refused(response, 500) == "server_error"
    assert stored(world) == 0
