"""A token that was exchanged again and again ends with what the first was made of; the links between are no root."""

import pytest
from support.exchanges import GRANT, own_token

from portula.plugin import Application, revoke_client
from portula_testing.writing import remove_from


@pytest.fixture
def chain(house, exchange):
    """Return a function that exchanges a token by one client after another, and returns the clients and tokens."""

    def run(token):
        clients, tokens = [house.client(grant_types=(GRANT,), redirect_uris=()) for _ in range(3)], []
        for each in clients:
            tokens.append(exchange(each, (tokens or [token])[-1]).json["access_token"])
        return clients, tokens

    return run


def active(house, tokens):
    door, watcher = house.door(), house.client()
    return [door.is_active(watcher, each) and door.resource(each).status_code == 200 for each in tokens]


@pytest.mark.parametrize("way", ["authorization", "client", "disabled client", "removed client", "person"])
def test_all_of_a_chain_ends_with_the_authorization_that_it_is_under(house, app, chain, way):
    given = house.tokens(app)
    _, tokens = chain(given["access_token"])
    assert active(house, tokens) == [True, True, True]
    if way == "authorization":
        house.door().revoke(app, given["refresh_token"])
    elif way == "client":
        revoke_client(house.provider, app.client_id)
    elif way == "disabled client":
        house.change(app, disabled=True)
    elif way == "removed client":
        remove_from(house.provider.storage, Application, client_id=app.client_id)
    else:
        house.users.disable(house.ann)
    assert active(house, tokens) == [False, False, False]


@pytest.mark.parametrize("way", ["given back", "client", "disabled client", "removed client"])
def test_all_of_a_chain_ends_with_the_token_of_a_client_that_it_began_with(house, chain, way):
    robot = house.client(grant_types=("client_credentials",), redirect_uris=())
    token = own_token(house, robot)
    _, tokens = chain(token)
    assert active(house, tokens) == [True, True, True]
    if way == "given back":
        house.door().revoke(robot, token)
    elif way == "client":
        revoke_client(house.provider, robot.client_id)
    elif way == "disabled client":
        house.change(robot, disabled=True)
    else:
        remove_from(house.provider.storage, Application, client_id=robot.client_id)
    assert active(house, tokens) == [False, False, False]


@pytest.mark.parametrize("way", ["given back", "disabled client"])
@pytest.mark.parametrize("kind", ["a person's", "a client's own"])
def test_what_was_made_of_a_link_stays_when_that_link_ends(house, app, chain, way, kind):
    robot = house.client(grant_types=("client_credentials",), redirect_uris=())
    token = house.tokens(app)["access_token"] if kind == "a person's" else own_token(house, robot)
    clients, tokens = chain(token)
    if way == "given back":
        house.door().revoke(clients[0], tokens[0])
    else:
        house.change(clients[0], disabled=True)
    assert active(house, tokens) == [False, True, True]
