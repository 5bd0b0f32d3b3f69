"""REQUEST_APPROVAL_PROMPT: when a person is asked again."""

import pytest

LOOPBACK = "http://127.0.0.1:8080/cb"


def is_asked(world, party, **parameters):
    """Say whether the person sees the consent page; otherwise the client has its code."""
    response = world.ask(party, **parameters)
    assert response.status_code == 200 or "code=" in response.location
    return response.status_code == 200


def test_by_default_people_are_asked_each_time(world):
    client = world.client()
    world.authorize(client)
    assert is_asked(world, client)
    assert is_asked(world, client, approval_prompt="auto")


def test_auto_asks_once_for_the_same_scopes(make):
    world = make(REQUEST_APPROVAL_PROMPT="auto")
    client = world.client()
    assert is_asked(world, client, scope="read write")
    world.authorize(client, scope="read write")
    assert not is_asked(world, client, scope="read write")
    assert not is_asked(world, client, scope="write")


def test_auto_asks_again_for_more(make):
    world = make(REQUEST_APPROVAL_PROMPT="auto")
    client = world.client()
    world.authorize(client, scope="read")
    assert is_asked(world, client, scope="read write")
    assert is_asked(world, world.client(), scope="read")


def test_a_client_may_ask_for_the_question(make):
    world = make(REQUEST_APPROVAL_PROMPT="auto")
    client = world.client()
    world.authorize(client)
    assert is_asked(world, client, approval_prompt="force")
    assert not is_asked(world, client, approval_prompt="auto")


def test_a_no_is_not_remembered_as_a_yes(make):
    world = make(REQUEST_APPROVAL_PROMPT="auto")
    client = world.client()
    world.authorize(client, "consent-deny")
    assert is_asked(world, client)


@pytest.mark.parametrize(
    "fields",
    [
        {"application_type": "native", "redirect_uris": ("com.example.app:/cb",)},
        {"application_type": "native", "redirect_uris": (LOOPBACK,)},
        {"redirect_uris": (LOOPBACK,)},
    ],
)
def test_auto_never_skips_for_who_cannot_be_told_from_another_app(make, fields):
    world = make(REQUEST_APPROVAL_PROMPT="auto")
    client = world.public(**fields)
    redirect_uri = fields["redirect_uris"][0]
    world.authorize(client, redirect_uri=redirect_uri)
    assert is_asked(world, client, redirect_uri=redirect_uri)


def test_auto_skips_for_a_public_client_behind_https(make):
    world = make(REQUEST_APPROVAL_PROMPT="auto")
    client = world.public()
    world.authorize(client)
    assert not is_asked(world, client)
