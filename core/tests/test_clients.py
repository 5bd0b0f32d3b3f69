"""Making clients, and what their metadata is read from."""

from dataclasses import replace

import pytest
from support.rules import Closed

from portula import hookimpl
from portula.errors import (
    Conflict,
    DuplicateRecord,
    InvalidClientMetadata,
    RecordReplayed,
    StorageDown,
    UnknownClient,
)
from portula.flow.clients import EDIT_TRIES
from portula.model.client_metadata import in_language
from portula.plugin import (
    AccessToken,
    Application,
    Artifact,
    Authorization,
    ClientMember,
    ClientSaved,
    Plan,
    Remove,
    plan_to_add,
    read_client_metadata,
    secret_id,
)
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


def note(digest):
    return Artifact(digest=digest, kind="note", payload={}, issued_at=1)


def test_a_client_is_saved_with_what_a_plan_adds_or_not_at_all(provider, heard):
    checked = provider.clients.prepare(Application(client_id="a"))
    assert (checked.new, len(checked.secret) > 20) == (True, True)
    assert checked.secret not in repr(checked)
    assert heard.of(ClientSaved) == []
    provider.storage.apply(plan_to_add(note("taken")))
    with pytest.raises(DuplicateRecord):
        provider.clients.save(checked, plan_to_add(note("taken")))
    assert provider.storage.select(Application) == []
    assert heard.of(ClientSaved) == []
    assert (
        provider.clients.save(checked, plan_to_add(note("free"))) == provider.storage.select(Application)[0]
    )
    assert provider.storage.find(Artifact, digest="free") is not None
    assert [event.created for event in heard.of(ClientSaved)] == [True]


def test_a_client_is_saved_as_it_was_read_or_not_at_all(provider, heard):
    read, _ = provider.clients.create(Application(client_id="a"))
    saved = provider.clients.save(replace(read, name="first"), plan_to_add(note("first")))
    assert (saved.name, saved.version) == ("first", read.version + 1)
    with pytest.raises(Conflict) as conflict:
        provider.clients.save(replace(read, name="second"), plan_to_add(note("second")))
    assert conflict.value.record == saved
    assert provider.storage.select(Application) == [saved]
    assert [found.digest for found in provider.storage.select(Artifact)] == ["first"]
    assert [event.created for event in heard.of(ClientSaved)] == [True, False]


def test_what_a_plan_fails_with_is_raised_as_it_is(provider, heard):
    client, _ = provider.clients.create(Application(client_id="a"))
    plan = Plan()
    plan.take(note("gone"), at=1)
    with pytest.raises(RecordReplayed):
        provider.clients.save(client, plan)
    assert provider.storage.select(Application) == [client]


class Busy:
    """Somebody who changes a client while others hear the rules on it, a number of times."""

    def __init__(self, times):
        self.left = times

    @hookimpl
    def portula_validate_client_registration(self, registration):
        if registration.application.name == "mine" and self.left:
            self.left -= 1
            clients = registration.provider.clients
            clients.edit("a", lambda found: replace(found, metadata={"left": self.left}))


def edited(times):
    provider = make_provider("generators", Busy(times))
    provider.clients.create(Application(client_id="a"))
    provider.clients.edit("a", lambda found: replace(found, name="mine"))
    return provider.clients.edit("a", lambda found: found)


def test_of_two_who_edit_at_once_none_undoes_what_the_other_did():
    client = edited(EDIT_TRIES - 1)
    assert (client.name, client.metadata) == ("mine", {"left": 0})


def test_an_edit_is_tried_a_few_times_and_no_more():
    with pytest.raises(Conflict):
        edited(EDIT_TRIES)


def test_a_client_that_keeps_a_rule_no_longer_can_be_disabled_and_nothing_else():
    rule = Closed()
    clients = make_provider("generators", rule).clients
    clients.create(Application(client_id="a"))
    rule.in_force = True
    for changes in ({"name": "new"}, {"disabled": True, "name": "new"}):
        with pytest.raises(InvalidClientMetadata, match="no client is allowed"):
            clients.edit("a", lambda found, changes=changes: replace(found, **changes))
    assert clients.edit("a", lambda found: replace(found, disabled=True)).disabled
    with pytest.raises(InvalidClientMetadata, match="no client is allowed"):
        clients.edit("a", lambda found: replace(found, disabled=False))
    assert clients.require("a").disabled


def test_a_client_that_keeps_a_rule_no_longer_can_lose_a_secret_and_gets_none():
    rule = Closed()
    clients = make_provider("generators", rule).clients
    clients.create(Application(client_id="a", client_type="confidential"))
    first, second = clients.add_secret("a")[0].secret_hashes
    rule.in_force = True
    with pytest.raises(InvalidClientMetadata, match="no client is allowed"):
        clients.add_secret("a", end_others=True)
    assert clients.remove_secret("a", secret_id(first)).secret_hashes == (second,)
    with pytest.raises(InvalidClientMetadata, match="only secret"):
        clients.remove_secret("a", secret_id(second))
    with pytest.raises(InvalidClientMetadata, match="no such secret"):
        clients.remove_secret("a", secret_id(first))


def test_a_walk_ends_at_its_limit(provider):
    for name in "abc":
        provider.clients.create(Application(client_id=name))
    provider.clients.edit("a", lambda found: replace(found, disabled=True))
    assert [client.client_id for client in provider.clients.iterate(2)] == ["b"]


def test_what_is_gone_is_not_edited(provider):
    def edit(found):
        plan = Plan()
        plan.remove(Application, client_id="a")
        provider.storage.apply(plan)
        return found

    provider.clients.create(Application(client_id="a"))
    with pytest.raises(UnknownClient):
        provider.clients.edit("a", edit)


# --- Removing ---


def issue(provider, name, authorization, client="a", under="a"):
    """Give a client an access token, under an authorization of its own or of another client."""
    shared = {"subject": "ann", "scope": "read", "issued_at": 1}
    plan = Plan()
    if provider.storage.find(Authorization, id=authorization) is None:
        plan.add(Authorization(id=authorization, client_id=under, **shared))
    plan.add(
        AccessToken(digest=name, client_id=client, authorization=authorization, expires_at=9**9, **shared)
    )
    provider.storage.apply(plan)


def live(provider):
    """Return what is not revoked."""
    found = [*provider.storage.select(Authorization), *provider.storage.select(AccessToken)]
    return {getattr(each, "id", None) or each.digest for each in found if each.revoked_at is None}


class Interrupting:
    """Lets something happen in place of, or just before, the write that removes a client."""

    def __init__(self, provider, monkeypatch, happens):
        apply = provider.storage.apply

        def interrupted(plan):
            if any(isinstance(part, Remove) and part.cls is Application for part in plan.parts):
                happens()
            return apply(plan)

        monkeypatch.setattr(provider.storage, "apply", interrupted)


def test_what_was_issued_ends_before_the_client_goes_so_that_a_removal_that_fails_is_repeated(
    provider, monkeypatch
):
    provider.clients.create(Application(client_id="a"))
    issue(provider, "own", "a's")
    issue(provider, "exchanged", "b's", under="b")
    issue(provider, "of b", "b's", client="b", under="b")

    def fail():
        raise StorageDown("gone")

    with monkeypatch.context() as patch:
        Interrupting(provider, patch, fail)
        with pytest.raises(StorageDown):
            provider.clients.remove("a", plan_to_add(note("n")))
    assert live(provider) == {"own", "b's", "of b"}, "the token ended with the authorization of a"
    assert provider.clients.find("a") is not None
    assert provider.storage.find(Artifact, digest="n") is None
    provider.clients.remove("a", plan_to_add(note("n")))
    assert provider.clients.find("a") is None
    assert provider.storage.find(Artifact, digest="n") is not None


def test_what_is_issued_while_a_client_is_removed_ends_too(provider, monkeypatch):
    provider.clients.create(Application(client_id="a"))
    issue(provider, "of b", "b's", client="b", under="b")
    Interrupting(provider, monkeypatch, lambda: issue(provider, "late", "a's"))
    provider.clients.remove("a")
    assert live(provider) == {"late", "b's", "of b"}, (
        "of what is a's only the token, whose authorization ended"
    )


def test_a_removal_hears_what_its_plan_fails_with(provider):
    provider.clients.create(Application(client_id="a"))
    provider.storage.apply(plan_to_add(note("n")))
    with pytest.raises(DuplicateRecord):
        provider.clients.remove("a", plan_to_add(note("n")))
    assert provider.clients.find("a") is not None


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
