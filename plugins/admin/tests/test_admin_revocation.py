"""Taking tokens and codes back: never deleting them, and listeners hear of it."""

from portula.plugin import AccessToken, Authorization, Grant, TokenRevoked
from portula_testing.provider import token_for

NOW = 1_700_000_000
BY_ADA = {"actor": "ada", "address": "127.0.0.1"}


def revoked(admin, cls):
    """Return the names of what is revoked, or used up in the case of codes."""
    end = "taken_at" if cls is Grant else "revoked_at"
    key = "id" if cls is Authorization else "authorization"
    return {
        getattr(record, key): getattr(record, end)
        for record in admin.storage.select(cls)
        if getattr(record, end) is not None
    }


def test_a_token_is_revoked_and_stops_working(admin):
    admin.client()
    value = token_for(admin.provider, "bob", "read", client=admin.found())
    (token,) = admin.storage.select(AccessToken)
    admin.clock.advance(5)
    admin.heard.events.clear()
    page = admin.act("access-token", "revoke_selected", token.digest[:12])
    assert "1 access token revoked" in page.text
    assert admin.provider.validator.find_live_access_token(value) is None
    (kept,) = admin.storage.select(AccessToken)
    assert (kept.digest, kept.revoked_at) == (token.digest, NOW + 5)
    assert admin.heard.of(TokenRevoked) == [
        TokenRevoked(
            provider=admin.provider,
            **BY_ADA,
            client_id="app",
            subject="bob",
            authorization=token.authorization,
            at=NOW + 5,
        )
    ]


def test_several_are_revoked_and_the_others_are_not(admin):
    names = [admin.access(f"t{number}") for number in range(5)]
    page = admin.act("access-token", "revoke_selected", *names[:3])
    assert "3 access tokens revoked" in page.text
    assert revoked(admin, AccessToken) == {"t0": NOW, "t1": NOW, "t2": NOW}
    assert {event.authorization for event in admin.heard.of(TokenRevoked)} == {"t0", "t1", "t2"}


def test_what_is_revoked_stays_as_it_is(admin):
    name = admin.access("t", revoked_at=NOW - 5)
    page = admin.act("access-token", "revoke_selected", name)
    assert "Nothing was left to revoke" in page.text
    assert revoked(admin, AccessToken) == {"t": NOW - 5}
    assert admin.heard.events == []


def test_a_refresh_token_takes_its_authorization_with_it(admin):
    name = admin.refresh("r1", authorization="one-authorization")
    admin.refresh("r3", authorization="two-authorization")
    admin.access("a1", authorization="one-authorization")
    admin.access("a3", authorization="two-authorization")
    page = admin.act("refresh-token", "revoke_selected", name)
    assert "1 refresh token revoked, with all tokens of the same sign-in" in page.text
    assert revoked(admin, Authorization) == {"one-authorization": NOW}
    assert admin.get("/access-token/").text.count("Revoked") == admin.get("/refresh-token/").text.count(
        "Revoked"
    )
    assert admin.heard.of(TokenRevoked) == [
        TokenRevoked(
            provider=admin.provider,
            **BY_ADA,
            client_id="app",
            subject="bob",
            authorization="one-authorization",
            at=NOW,
        )
    ]
    again = admin.act("refresh-token", "revoke_selected", name)
    assert "Nothing was left" in again.text
    assert len(admin.heard.events) == 1


def test_a_code_is_used_up_and_what_it_became_is_revoked(admin):
    fresh, old, done = (
        admin.grant("fresh"),
        admin.grant("old", taken_at=NOW - 9),
        admin.grant("done", taken_at=1),
    )
    admin.access("a", authorization="old")
    admin.refresh("r", authorization="old")
    page = admin.act("grant", "revoke_selected", fresh, old, done)
    assert "3 codes revoked" in page.text
    assert revoked(admin, Grant) == {"fresh": NOW, "old": NOW - 9, "done": 1}
    assert revoked(admin, Authorization) == {"fresh": NOW, "old": NOW, "done": NOW}
    assert {event.authorization for event in admin.heard.of(TokenRevoked)} == {"fresh", "old", "done"}


def test_nothing_happens_before_it_is_asked_and_answered(admin):
    name = admin.access("t")
    fields = {**admin.token_field("/access-token/"), "action": "revoke_selected", f"pick-{name}": "on"}
    asked = admin.post("/access-token/action/", fields, 200)
    assert "Revoke 1 access token?" in asked.text
    assert revoked(admin, AccessToken) == {}


def test_the_page_of_a_token_revokes_it(admin):
    name = admin.access("t")
    (form,) = admin.forms(admin.get("/access-token/view/", id=name))
    asked = admin.post("/access-token/action/", {**form, "action": "revoke_selected"}, 200)
    admin.post("/access-token/action/", {**admin.forms(asked)[0], "action": "revoke_selected"})
    assert revoked(admin, AccessToken) == {"t": NOW}
    assert "Revoke</button>" not in admin.get("/access-token/view/", id=name).text


def test_nothing_selected_and_nothing_known_change_nothing(admin):
    admin.access("t")
    field = admin.token_field("/access-token/")
    for picked in ({}, {"pick-nonsense": "on"}, {"pick-": "on"}, {"pick-t": "on"}):
        done = admin.post(
            "/access-token/action/", {**field, **picked, "action": "revoke_selected", "confirmed": "yes"}
        )
        assert "Nothing was selected" in admin.http.get(done.location).text
    admin.post("/access-token/action/", {**field, "action": "delete_selected"}, 404)
    admin.post("/access-token/action/", {**field, "action": "revoke"}, 404)
    admin.post("/nothing/action/", {**field, "action": "revoke_selected"}, 404)
    assert revoked(admin, AccessToken) == {}


def test_a_notice_is_shown_to_whom_it_was_given_and_not_for_long(admin):
    name = admin.access("t")
    field = {**admin.token_field("/access-token/"), f"pick-{name}": "on", "confirmed": "yes"}
    done = admin.post("/access-token/action/", {**field, "action": "revoke_selected"})
    assert "1 access token revoked" in admin.http.get(done.location).text
    admin.clock.advance(121)
    assert "1 access token revoked" not in admin.http.get(done.location).text
    assert "hello" not in admin.get("/access-token/", notice="hello").text
