"""Making clients, and what their metadata is read from."""

import pytest

from portula.errors import InvalidClientMetadata
from portula.model.client_metadata import in_language
from portula.plugin import Application, ClientMember, ClientSaved, read_client_metadata
from portula_testing.provider import Recorder, make_provider

MEMBERS = {
    "client_name": ClientMember("client_name", str, "name", localized=True),
    "tags": ClientMember("tags", list[str]),
}


@pytest.fixture
def heard():
    return Recorder()


@pytest.fixture
def provider(heard):
    return make_provider("generators", heard)


def test_a_confidential_client_may_have_no_secret(provider):
    client, secret = provider.clients.create(Application(client_id="a"), make_secret=False)
    assert (client.client_type, client.secret_hashes, secret) == ("confidential", (), None)


def test_a_chosen_secret_is_kept_although_none_was_to_be_made(provider):
    client, secret = provider.clients.create(Application(client_id="a"), secret="s" * 32, make_secret=False)
    assert secret == "s" * 32
    assert client.secret_hashes


def test_a_public_client_is_given_no_secret(provider):
    with pytest.raises(InvalidClientMetadata, match="a public client has no secret"):
        provider.clients.create(Application(client_id="a", client_type="public"), secret="s" * 32)


def test_of_a_client_that_is_not_kept_nobody_hears(provider, heard):
    def create_and_fail():
        with provider.storage.transaction():
            client, _ = provider.clients.create(Application(client_id="a"))
            provider.clients.save(client)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        create_and_fail()
    assert heard.of(ClientSaved) == []


def test_listeners_hear_after_the_commit(provider, heard):
    with provider.storage.transaction():
        client, _ = provider.clients.create(Application(client_id="a"))
        provider.clients.save(client)
        assert heard.of(ClientSaved) == []
    assert [event.created for event in heard.of(ClientSaved)] == [True, False]


def test_a_member_in_a_language_is_kept_beside_the_plain_one():
    document = {"client_name": "Tea", "client_name#de-CH": "Tee"}
    assert read_client_metadata(MEMBERS, document) == {
        "name": "Tea",
        "metadata": {"client_name#de-CH": "Tee"},
    }


@pytest.mark.parametrize(
    "name", ["client_name#", "client_name#d e", "client_name#de-", "client_name#verylongtag", "tags#de"]
)
def test_what_is_no_member_in_a_language_is_left_out(name):
    assert read_client_metadata(MEMBERS, {name: "x"}) == {"metadata": {}}


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ([], "plain"),
        (["fr"], "plain"),
        (["de"], "Hochdeutsch"),
        (["DE-ch"], "Schweizerdeutsch"),
        (["de-AT-1996"], "Hochdeutsch"),
        (["fr", "de"], "Hochdeutsch"),
        (["", "-"], "plain"),
    ],
)
def test_a_language_is_looked_up_from_the_special_to_the_general(languages, expected):
    metadata = {"m": "plain", "m#de": "Hochdeutsch", "m#de-CH": "Schweizerdeutsch", "mm#fr": "other"}
    assert in_language(metadata, "m", languages) == expected


def test_a_member_that_is_not_there_is_none():
    assert in_language({}, "m", ["de"]) is None
