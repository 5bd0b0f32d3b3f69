"""`portula import-dot-data`: what a dump holds goes on here, with secrets, passwords and tokens that people have."""

import pytest

import portula_accounts
from portula import Plugin
from portula.plugin import Application, Artifact, Authorization, RefreshToken, revoke_person

CLIENTS = ("web", "plain", "spa", "hs")
"""Clients that have a refresh token that counts."""
REVOKED = "G2oYJLbvyhk3FdMqTxM0lU1e8wD2Ge"
OF_BCRYPT = "ZeyJwE4OWYZO2MxLuJux5jo1aRtSh1"
OF_WEB = "eYFNTRwlWk7QDwnJ0lpmth5XjB8lpG"
OF_DISABLED = "g85tnGEsejKnzpyh4QXb4Sq0SFz1MU"


# --- What goes on ---


@pytest.mark.parametrize("client_id", ["web", "plain", "machine", "hyb", "hs"])
def test_a_client_authenticates_with_the_secret_it_had(moved, client_id):
    client = moved.storage.find(Application, client_id=client_id)
    hasher = moved.provider.hooks.ask(Plugin.portula_secret_hasher)
    assert [hasher.verify(moved.secrets[client_id], stored) for stored in client.secret_hashes] == [True]
    assert moved.secrets[client_id] not in repr(client.secret_hashes)
    form = {"grant_type": "client_credentials"}
    refused = {"unauthorized_client"} if client_id != "machine" else set()
    for _ in range(2):
        answer = moved.token(client_id, moved.secrets[client_id], **form)
        assert {answer.json.get("error")} - {None} == refused
    assert moved.token(client_id, "wrong", **form).status_code == 401
    forms = {"web": "digest:", "plain": "digest:", "machine": "digest:", "hyb": "digest:", "hs": "sealed:"}
    assert moved.storage.find(Application, client_id=client_id).secret_hashes[0].startswith(forms[client_id])


def test_clients_are_what_they_were(moved):
    web = moved.storage.find(Application, client_id="web")
    expected = {
        "name": "Web",
        "client_type": "confidential",
        "grant_types": ("authorization_code", "refresh_token"),
        "redirect_uris": ("https://app.example/cb",),
        "post_logout_redirect_uris": ("https://app.example/bye",),
        "allowed_origins": ("https://app.example",),
        "algorithm": "RS256",
        "user": "1",
        "skip_authorization": False,
        "application_type": "web",
    }
    assert {name: getattr(web, name) for name in expected} == expected
    assert moved.storage.find(Application, client_id="plain").skip_authorization
    spa = moved.storage.find(Application, client_id="spa")
    assert (spa.client_type, spa.secret_hashes) == ("public", ())
    hybrid = moved.storage.find(Application, client_id="hyb")
    assert hybrid.grant_types == ("authorization_code", "implicit", "refresh_token")


@pytest.mark.parametrize(("name", "subject"), [("ada", "1"), ("bob", "2"), ("cid", "3"), ("dan", "4")])
def test_a_person_signs_in_with_the_password_they_had_and_has_their_subject(moved, name, subject):
    assert moved.sign_in(name, "wrong") == 400
    assert moved.sign_in(name, f"{name}'s old pass word") == 302
    person = moved.provider.people.find(subject)
    assert person.claims["given_name"] == name.title()
    assert person.claims["name"] == f"{name.title()} Wren"
    assert person.claims["email"] == f"{name}@example.com"
    assert not person.is_admin
    (kept,) = [each for each in moved.storage.select(portula_accounts.records.User) if each.sub == subject]
    assert kept.password_hash.startswith("$argon2id$")
    assert moved.sign_in(name, f"{name}'s old pass word") == 302


def test_who_was_disabled_or_had_no_password_signs_in_with_none(moved):
    assert moved.sign_in("off", "off password") == 400
    assert moved.sign_in("none", "") == 400
    assert not moved.provider.people.find("6").active
    assert moved.provider.people.find("7").active


@pytest.mark.parametrize("client_id", CLIENTS)
def test_an_app_goes_on_with_its_refresh_token(moved, client_id):
    first = moved.refresh(client_id, moved.tokens[client_id])
    assert first.status_code == 200, first.data
    scopes = {"web": "openid read", "plain": "read write", "spa": "read", "hs": "openid read"}
    assert first.json["scope"] == scopes[client_id]
    assert first.json["refresh_token"] != moved.tokens[client_id]
    second = moved.refresh(client_id, first.json["refresh_token"])
    assert second.status_code == 200


def test_the_issuer_at_which_the_tokens_count_is_named(make_house):
    text = "The refresh tokens count at the issuer https://id.example/o, and at no other."
    house = make_house()
    assert text in house.run().output
    assert text not in house.run().output


@pytest.mark.parametrize("client_id", CLIENTS)
def test_the_old_value_that_comes_again_ends_the_authorization(moved, client_id):
    """RFC 9700 §4.14.2."""
    newer = moved.refresh(client_id, moved.tokens[client_id]).json["refresh_token"]
    moved.clock.advance(3600)
    assert moved.refresh(client_id, moved.tokens[client_id]).json == {"error": "invalid_grant"}
    assert moved.refresh(client_id, newer).json == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("client_id", "value"),
    [("plain", REVOKED), ("web", OF_BCRYPT), ("web", OF_DISABLED), ("plain", OF_WEB)],
)
def test_no_other_refresh_token_counts(moved, client_id, value):
    assert moved.refresh(client_id, value).json == {"error": "invalid_grant"}


def test_a_refresh_token_ends_when_it_would_have_ended(make_house):
    house = make_house(REFRESH_TOKEN_EXPIRE_SECONDS=3600)
    house.told()
    house.clock.advance(3600 - 61)
    assert house.refresh("web", house.tokens["web"]).status_code == 200
    house.clock.advance(2)
    assert house.refresh("spa", house.tokens["spa"]).status_code == 400
    late = make_house(REFRESH_TOKEN_EXPIRE_SECONDS=3600)
    late.clock.advance(3600)
    told = late.told()
    assert told["counts"]["refresh tokens"]["taken"] == 0
    assert {"kind": "refresh tokens", "reason": "expired", "rows": 6} in told["left_out"]


def test_a_refresh_token_is_held_to_the_resources_it_was_for(house, write):
    def name_resource(each):
        if each["model"].endswith("refreshtoken"):
            each["fields"]["resource"] = ["https://api.example/"]

    house.told(path=write(change=name_resource))
    assert {known.resources for known in house.storage.select(Authorization)} == {("https://api.example/",)}


# --- Again, and not at all ---


def test_what_is_there_is_left_as_it_is(moved):
    before = {cls: moved.storage.select(cls) for cls in (Application, Authorization, RefreshToken)}
    told = moved.told()
    assert {kind: (counts["taken"], counts["already there"]) for kind, counts in told["counts"].items()} == {
        "people": (0, 6),
        "clients": (0, 8),
        "refresh tokens": (0, 4),
    }
    assert {cls: moved.storage.select(cls) for cls in before} == before


def test_a_token_that_ended_here_does_not_come_back(moved):
    for subject in "1234":
        revoke_person(moved.provider, subject)
    moved.clock.advance(1)
    for cls in (RefreshToken, Authorization, Artifact):  # as `portula cleartokens` does
        moved.storage.purge(cls, now=moved.provider.now(), limit=100)
    assert moved.count()["RefreshToken"] == 0
    assert moved.told()["counts"]["refresh tokens"]["already there"] == 4
    assert moved.refresh("spa", moved.tokens["spa"]).status_code == 400


def test_a_dry_run_says_the_same_and_writes_nothing(house):
    before = house.count()
    dry = house.told("--dry-run")
    assert house.count() == before
    assert house.storage.select(Artifact) == []
    real = house.told()
    assert dry["counts"]["clients"] == real["counts"]["clients"]
    assert dry["counts"]["refresh tokens"] == real["counts"]["refresh tokens"]


def test_a_row_that_somebody_else_adds_at_that_moment_is_refused_and_the_others_are_taken(house, monkeypatch):
    apply, add = house.storage.apply, house.provider.hooks.ask(Plugin.portula_login).users.create

    def applied(plan):
        monkeypatch.setattr(house.storage, "apply", apply)
        add("ada", "correct horse battery")
        return apply(plan)

    monkeypatch.setattr(house.storage, "apply", applied)
    told = house.told()
    first = told["refused"][0]
    assert (first["pk"], first["reason"]) == (1, "somebody else added it at this moment")
    assert told["counts"]["people"]["taken"] == 5
