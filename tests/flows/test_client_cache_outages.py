"""A client that a node remembers, and a storage that is away when it is read again: 503, and nothing is forgotten."""

import pytest
from flows.test_client_cache import REQUESTS, SECONDS, Node, credentials, known_at

from portula.errors import StorageDown
from portula.plugin import Authorization
from portula_testing.provider import Memory, MovableClock, TestLogin


@pytest.fixture
def nodes():
    """The node that remembers clients, and another."""
    memory, login, clock = Memory(), TestLogin(), MovableClock()
    login.sign_in_as("1")
    return [Node({}, seconds, clock, memory, login) for seconds in (SECONDS, 0)]


@pytest.fixture
def party(nodes, monkeypatch):
    """A client that the first node remembers, and cannot read again."""

    def down(_):
        raise StorageDown("the storage went away")

    known = known_at(*nodes)
    monkeypatch.setattr(nodes[0].provider.clients, "find", down)
    return known


REFUSED = {
    "unknown refresh token": lambda node, party: node.post(
        "token", party, grant_type="refresh_token", refresh_token="x"
    ),
    "wrong secret": lambda node, party: node.own(credentials(party.id, "wrong")),
    "unknown scope": lambda node, party: node.ask(party, "nonsense"),
    "introspection of nothing": REQUESTS["introspection of nothing"],
    "revocation of nothing": REQUESTS["revocation of nothing"],
    "pushed request": lambda node, party: node.post("par", party, client_id=party.id, response_type="x"),
    "device code": REQUESTS["device code"],
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_cannot_be_judged_may_come_again(nodes, party, name):
    answer = REFUSED[name](nodes[0], party)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_replay_ends_its_authorization_all_the_same(nodes, party):
    answer = REQUESTS["used code"](nodes[0], party)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
    other = nodes[1]
    known = other.provider.storage.select(Authorization)
    assert [each.revoked_at is not None for each in known].count(True) == 1
    token = party.used["access_token"]
    assert other.post("introspect", party, token=token).json == {"active": False}
