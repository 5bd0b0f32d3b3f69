"""The client configuration endpoint: a client looks after its registration (RFC 7592)."""

from dataclasses import replace

import pytest

from portula import Plugin
from portula.errors import StorageDown
from portula.plugin import AccessToken, Application, Artifact, Authorization, ClientSaved, Remove
from portula_testing.provider import CALLBACK, token_for
from portula_testing.writing import change_in, remove_from

OTHER = "https://client.example/other"


def refused(answer):
    """Say whether an answer is the one that strangers get (RFC 6750 §3.1)."""
    return (
        answer.status_code == 401
        and answer.json["error"] == "invalid_token"
        and answer.headers["WWW-Authenticate"].startswith("Bearer ")
        and answer.headers["Cache-Control"] == "no-store"
    )


def test_a_client_reads_what_is_registered(world):
    told = world.registered(client_name="Tea", **{"client_name#ja": "茶"})
    answer = world.configure("GET", told)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    secret = ("client_secret", "client_secret_expires_at")
    assert answer.json == {name: value for name, value in told.items() if name not in secret}


def test_head_is_answered_without_a_body(world):
    answer = world.configure("HEAD", world.registered())
    assert (answer.status_code, answer.data) == (200, b"")


# --- Who may ---


def test_strangers_and_the_wrong_client_are_all_answered_alike(world):
    told, other = world.registered(), world.registered()
    answers = [
        world.configure("GET", told, token="wrong"),
        world.configure("GET", told, token=other["registration_access_token"]),
        world.configure("GET", {**told, "registration_client_uri": "/o/register/?client_id=nobody"}),
        world.configure("GET", {**told, "registration_client_uri": "/o/register/"}),
    ]
    assert all(refused(answer) for answer in answers)
    assert len({answer.data for answer in answers}) == 1


@pytest.mark.parametrize("query", ["client_id=a%ffb", "client_id=a%00", "client_id=a&client_id=b"])
def test_a_query_that_cannot_be_read_is_refused(world, query):
    told = {**world.registered(), "registration_client_uri": f"/o/register/?{query}"}
    assert world.error_of(world.configure("GET", told)) == "invalid_request"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_without_a_token_every_method_asks_for_one(world, method):
    told = world.registered()
    uri = told["registration_client_uri"].removeprefix("https://id.example")
    answer = world.open(method, uri, {"client_id": told["client_id"]})
    assert (answer.status_code, answer.data) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portula"'
    assert refused(world.configure(method, told, {"client_id": told["client_id"]}, token="wrong"))
    assert world.find(told) is not None


def test_a_token_in_the_query_is_not_listened_to(world):
    told = world.registered()
    uri = f"{told['registration_client_uri']}&access_token={told['registration_access_token']}"
    answer = world.open("GET", uri.removeprefix("https://id.example"))
    assert answer.status_code == 401


def test_a_disabled_client_is_answered_like_an_unknown_one(world):
    told = world.registered()
    world.provider.clients.save(replace(world.find(told), disabled=True))
    for method in ("GET", "PUT", "DELETE"):
        assert refused(world.configure(method, told, {"client_id": told["client_id"]}))


def test_the_token_of_a_client_that_is_gone_is_forgotten(world):
    from portula.plugin import Application

    told = world.registered()
    remove_from(world.provider.storage, Application, client_id=told["client_id"])
    assert refused(world.configure("GET", told))
    assert [
        artifact
        for artifact in world.provider.storage.select(Artifact)
        if artifact.kind == "registration access token"
    ] == []


def test_tokens_can_be_made_to_expire(make, kind):
    world = make(kind=kind, DCR_REGISTRATION_TOKEN_EXPIRE_SECONDS=60)
    told = world.registered()
    world.clock.advance(59)
    updated = world.update(told, redirect_uris=[CALLBACK]).json
    world.clock.advance(59)
    assert world.configure("GET", updated).status_code == 200, "it counts anew"
    world.clock.advance(1)
    assert refused(world.configure("GET", updated))


def test_tokens_live_as_long_as_their_client_by_default(world):
    told = world.registered()
    world.clock.advance(10 * 365 * 24 * 3600)
    assert world.configure("GET", told).status_code == 200


# --- PUT ---


def test_an_update_replaces_all_that_is_registered(world):
    told = world.registered(client_name="Tea", contacts=["ann@client.example"], scope="read")
    answer = world.update(told, redirect_uris=[OTHER], tos_uri="https://client.example/tos")
    assert answer.status_code == 200
    assert answer.json["redirect_uris"] == [OTHER]
    assert answer.json["tos_uri"] == "https://client.example/tos"
    assert answer.json.keys().isdisjoint({"client_name", "contacts"})
    client = world.find(told)
    assert (client.redirect_uris, client.name, "contacts" in client.metadata) == ((OTHER,), "", False)
    assert client.secret_hashes, "it keeps its secret"
    assert world.heard.of(ClientSaved)[1:] == [
        ClientSaved(
            provider=world.provider,
            client_id=told["client_id"],
            created=False,
            at=1700000000,
            address="203.0.113.7",
        )
    ]


def test_an_update_gives_a_new_token_and_ends_the_old_one(world):
    told = world.registered()
    updated = world.update(told, redirect_uris=[CALLBACK]).json
    assert updated["registration_access_token"] != told["registration_access_token"]
    assert refused(world.configure("GET", told))
    assert world.configure("GET", updated).status_code == 200
    assert world.update(updated, redirect_uris=[CALLBACK]).status_code == 200


def test_rotation_is_a_setting(make, kind):
    world = make(kind=kind, DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE=False)
    told = world.registered()
    updated = world.update(told, redirect_uris=[CALLBACK]).json
    assert updated["registration_access_token"] == told["registration_access_token"]
    assert world.update(told, redirect_uris=[OTHER]).status_code == 200


def test_an_update_that_is_refused_changes_nothing(world):
    told = world.registered(client_name="Tea")
    before = world.find(told)
    answer = world.update(told, redirect_uris=["https://client.example/#part"])
    assert world.error_of(answer) == "invalid_redirect_uri"
    assert world.find(told) == before
    assert world.configure("GET", told).status_code == 200, "the token still counts"


@pytest.mark.parametrize("client_id", [..., None, "", "somebody-else", 7])
def test_an_update_names_its_client(world, client_id):
    told = world.registered()
    document = {"client_id": client_id, "redirect_uris": [CALLBACK]}
    if client_id is ...:
        del document["client_id"]
    assert world.error_of(world.configure("PUT", told, document)) == "invalid_client_metadata"


@pytest.mark.parametrize(
    "name",
    [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ],
)
def test_an_update_sends_nothing_that_only_the_provider_writes(world, name):
    told = world.registered()
    answer = world.update(told, redirect_uris=[CALLBACK], **{name: told[name]})
    assert world.error_of(answer) == "invalid_client_metadata"


def test_the_secret_in_an_update_is_the_clients_own(world):
    told = world.registered()
    for wrong in ("x" * 40, "", 7, ["x"], world.find(told).secret_hashes[0]):
        answer = world.update(told, redirect_uris=[CALLBACK], client_secret=wrong)
        assert world.error_of(answer) == "invalid_client_metadata"
    answer = world.update(told, redirect_uris=[CALLBACK], client_secret=told["client_secret"])
    assert answer.status_code == 200
    assert answer.json["client_secret"] == told["client_secret"]
    assert answer.json["client_secret_expires_at"] == 0


def test_a_client_that_becomes_public_loses_its_secret_and_gets_another_when_it_turns_back(world):
    told = world.registered()
    public = world.update(told, redirect_uris=[CALLBACK], token_endpoint_auth_method="none").json
    assert "client_secret" not in public
    assert (world.find(told).client_type, world.find(told).secret_hashes) == ("public", ())
    again = world.update(public, redirect_uris=[CALLBACK]).json
    assert again["client_secret"] != told["client_secret"]
    (kept,) = world.find(told).secret_hashes
    assert world.provider.hooks.ask(Plugin.portula_secret_hasher).verify(again["client_secret"], kept)


def test_a_secret_that_begins_to_sign_is_another_one(make, by_keys):
    world = make(by_keys)
    told = world.registered()
    signing = world.update(told, redirect_uris=[CALLBACK], id_token_signed_response_alg="HS256").json
    assert signing["client_secret"] != told["client_secret"]
    assert world.find(told).secret_hashes[0].startswith("sealed:")
    still = world.update(signing, redirect_uris=[CALLBACK], id_token_signed_response_alg="HS256").json
    assert "client_secret" not in still


def test_an_operators_marks_survive_an_update(world):
    told = world.registered()
    marked = replace(
        world.find(told),
        user="7",
        require_pkce=True,
        allowed_origins=("https://client.example",),
        metadata={"tenant": "north"},
    )
    world.provider.clients.save(marked)
    world.update(told, redirect_uris=[OTHER])
    client = world.find(told)
    assert (client.user, client.require_pkce) == ("7", True)
    assert client.allowed_origins == ("https://client.example",)
    assert client.metadata["tenant"] == "north"


def test_a_trusted_client_is_trusted_at_the_addresses_it_was_trusted_with(world):
    told = world.registered(redirect_uris=[CALLBACK, OTHER])
    world.provider.clients.save(replace(world.find(told), skip_authorization=True))
    told = world.update(told, redirect_uris=[OTHER]).json
    assert world.find(told).skip_authorization
    world.update(told, redirect_uris=[OTHER, "https://evil.example/cb"])
    assert not world.find(told).skip_authorization


def test_what_an_operator_gave_a_client_it_may_keep_but_others_may_not_ask_for(world):
    told = world.registered(scope="read")
    generous = replace(
        world.find(told), scope="read introspection", grant_types=("authorization_code", "client_credentials")
    )
    world.provider.clients.save(generous)
    asked = {"scope": "introspection", "grant_types": ["authorization_code", "client_credentials"]}
    told = world.update(told, redirect_uris=[CALLBACK], **asked).json
    assert (told["scope"], told["grant_types"]) == (asked["scope"], asked["grant_types"])
    told = world.update(told, redirect_uris=[CALLBACK], scope="read", grant_types=["authorization_code"]).json
    told = world.update(told, redirect_uris=[CALLBACK], **asked).json
    assert (told["scope"], told["grant_types"]) == ("read write offline_access", ["authorization_code"])


# --- DELETE ---


def test_a_client_that_is_deleted_is_gone_with_its_tokens(world):
    told = world.registered()
    _, secret = world.provider.clients.create(Application(client_id="asking"))
    token = token_for(world.provider, "ann", "read", client=world.find(told))

    def active():
        form = {"token": token, "client_id": "asking", "client_secret": secret}
        return world.open("POST", "/o/introspect/", data=form).json["active"]

    assert active()
    answer = world.configure("DELETE", told)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Type" not in answer.headers
    assert world.find(told) is None
    assert not active()
    for method in ("GET", "PUT", "DELETE"):
        assert refused(world.configure(method, told, {"client_id": told["client_id"]}))


def test_deleting_a_client_ends_for_good_what_it_may_do_in_the_name_of_people(world):
    told, storage = world.registered(), world.provider.storage
    token_for(world.provider, "ann", "read", client=world.find(told))
    (own,) = storage.select(Authorization)
    other = token_for(world.provider, "ann", "read", client=Application(client_id="other"))
    (exchanged,) = [each for each in storage.select(AccessToken) if each.client_id == "other"]
    change_in(storage, AccessToken, {"digest": exchanged.digest}, client_id=told["client_id"])
    world.configure("DELETE", told)
    assert storage.find(Authorization, id=own.id).revoked_at == world.clock.time
    assert storage.find(Authorization, id=exchanged.authorization).revoked_at is None
    world.provider.clients.create(Application(client_id=told["client_id"]))
    assert world.provider.validator.find_live_access_token(other) is None


def test_a_deletion_that_fails_can_be_repeated(world, monkeypatch):
    told, storage = world.registered(), world.provider.storage
    token = token_for(world.provider, "ann", "read", client=world.find(told))
    apply = storage.apply

    def failing(plan):
        if any(isinstance(part, Remove) and part.cls is Application for part in plan.parts):
            raise StorageDown("gone")
        return apply(plan)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "apply", failing)
        assert world.configure("DELETE", told).status_code == 503
    assert world.provider.validator.find_live_access_token(token) is None
    assert world.configure("GET", told).status_code == 200
    assert world.configure("DELETE", told).status_code == 204


def test_of_two_who_delete_a_client_at_once_one_is_refused(world, monkeypatch):
    told, remove = world.registered(), world.provider.clients.remove

    def overtaken(*arguments):
        remove(told["client_id"])
        return remove(*arguments)

    monkeypatch.setattr(world.provider.clients, "remove", overtaken)
    assert refused(world.configure("DELETE", told))


def test_deleting_one_client_leaves_the_others(world):
    told, other = world.registered(), world.registered()
    world.configure("DELETE", told)
    assert world.configure("GET", other).status_code == 200


def test_other_methods_are_not_allowed(world):
    answer = world.configure("PATCH", world.registered())
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, GET, PUT, DELETE, OPTIONS"
