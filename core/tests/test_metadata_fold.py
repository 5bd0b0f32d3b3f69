"""Folding what rooms say about themselves into one metadata document."""

from datetime import date

import pytest
from hosting import Memory, make_app

from portula import Provider, hookimpl
from portula.errors import BrokenPlugin, DuplicateContribution
from portula.plugin import PluginSource, Tier
from portula.web.metadata import METADATA_DATA_SECONDS, absolute, fold
from portula_testing.provider import MovableClock, make_provider

ONE = PluginSource("one", Tier.DEFAULT, "dist-one", "1")
TWO = PluginSource("two", Tier.INSTALLED, "dist-two", "2")


def folded(first, second):
    return fold([(ONE, first), (TWO, second)])


def test_lists_are_joined_sorted_and_without_doubles():
    assert folded({"a": ["z", "b"]}, {"a": ("b", "c")}) == {"a": ["b", "c", "z"]}
    assert folded({"a": {"x"}}, {"a": frozenset({"y"})}) == {"a": ["x", "y"]}


def test_single_values_may_be_said_twice_when_they_agree():
    assert folded({"a": "x", "b": True}, {"a": "x", "c": 1}) == {"a": "x", "b": True, "c": 1}


@pytest.mark.parametrize(
    ("first", "second"),
    [("x", "y"), (True, False), ("x", ["y"]), (["y"], "x"), ("xy", ["x", "y"]), (1, ["x"])],
)
def test_who_disagrees_is_named_on_both_sides(first, second):
    with pytest.raises(DuplicateContribution) as caught:
        folded({"a": first}, {"a": second})
    for word in ("'a'", "dist-one", "dist-two"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"since": date(2026, 1, 1)}, "since is a date"),
        ({"share": float("nan")}, "share is a number without a finite value"),
        ({"limits": {"rate": {1, 2}}}, "limits.rate is a set"),
        ({"kinds": [{"type": "tea"}]}, "kinds is a list of more than text"),
        ({"kinds": ["tea", 5]}, "kinds is a list of more than text"),
    ],
)
def test_what_json_has_not_stops_the_start_and_names_the_room(members, words):
    class Shop:
        @hookimpl
        def portula_metadata(self, provider):
            return members

    with pytest.raises(BrokenPlugin) as caught:
        Provider(make_app(STORAGE="memory"), plugins=[Memory(), Shop()], discover=False)
    assert str(caught.value) == f"plugin 'Shop': portula_metadata: {words}"


def test_a_document_of_nothing_but_data_is_published():
    class Shop:
        @hookimpl
        def portula_metadata(self, provider):
            return {"kinds": lambda: ["tea"]}

    provider = Provider(make_app(STORAGE="memory"), plugins=[Memory(), Shop()], discover=False)
    answer = provider.app.test_client().get("/.well-known/oauth-authorization-server/o")
    assert answer.json["kinds"] == ["tea"]


def test_empty_members_are_left_out_and_false_is_not_empty():
    assert folded({"a": None, "b": [], "c": "", "d": False, "e": 0}, {"f": ()}) == {"d": False, "e": 0}


def test_the_contributions_stay_as_they_were():
    first = {"a": ["z", "b"]}
    folded(first, {"a": ["c"]})
    assert first == {"a": ["z", "b"]}


def test_endpoints_become_addresses_below_the_mount():
    document = absolute(
        {
            "token_endpoint": "token/",
            "userinfo_endpoint": "https://else.example/me",
            "service_documentation": "docs/",
        },
        "https://id.example/tenant",
        "https://id.example/o",
    )
    assert document == {
        "issuer": "https://id.example/tenant",
        "token_endpoint": "https://id.example/o/token/",
        "userinfo_endpoint": "https://else.example/me",
        "service_documentation": "docs/",
    }


def room(**members):
    class Room:
        @hookimpl
        def portula_metadata(self, provider):
            return members

    return Room()


def test_two_rooms_that_disagree_stop_the_start():
    with pytest.raises(DuplicateContribution, match="service_documentation"):
        Provider(
            make_app(),
            plugins=[
                room(service_documentation="https://a.example"),
                room(service_documentation="https://b.example"),
                Memory(),
            ],
            discover=False,
        )


def test_without_a_contribution_there_is_no_document():
    app = make_app()
    Provider(app, plugins=[Memory()], discover=False)
    assert app.test_client().get("/o/.well-known/oauth-authorization-server").status_code == 404


def test_what_depends_on_data_is_published_as_it_is_half_a_minute_later():
    class Room:
        page = "first/"

        @hookimpl
        def portula_metadata(self, provider):
            return {"service_documentation": lambda: self.page, "op_policy_uri": "policy/"}

    room, clock = Room(), MovableClock(1_700_000_000)
    http = make_provider(room, clock=clock).app.test_client()

    def published():
        return http.get("/.well-known/oauth-authorization-server/o").json["service_documentation"]

    assert [published(), published()] == ["first/"] * 2
    room.page = "second/"
    clock.advance(METADATA_DATA_SECONDS)
    assert published() == "second/"


def test_a_document_of_any_room_is_published():
    app = make_app(OIDC_ISS_ENDPOINT="https://id.example/o")
    Provider(app, plugins=[room(tea_endpoint="tea/", cups=["b", "a"]), Memory()], discover=False)
    assert app.test_client().get("/o/.well-known/oauth-authorization-server").json == {
        "issuer": "https://id.example/o",
        "tea_endpoint": "https://id.example/o/tea/",
        "cups": ["a", "b"],
    }


def test_nothing_is_said_of_the_authentication_at_an_endpoint_that_is_not_there():
    told = {
        f"{endpoint}_endpoint_auth_{what}_supported": ["x"]
        for endpoint in ("token", "introspection")
        for what in ("methods", "signing_alg_values")
    }
    document = fold([(ONE, {"token_endpoint": "token/", **told})])
    assert sorted(document) == [
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
    ]
