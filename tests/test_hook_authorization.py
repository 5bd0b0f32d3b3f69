"""The hooks around an authorization request: where its parameters are, what it demands, what is recorded and added."""

import json

import pytest
from security.driving import answered
from security.house import CALLBACK, House
from support.browser import forms_of

from portula import Plugin, hookimpl
from portula.errors import ConfigError, InvalidClientMetadata, InvalidRequestError
from portula.plugin import (
    Answer,
    Application,
    ClientMember,
    ClientSource,
    ConsentItem,
    Demands,
    Grant,
    RequestResolver,
    ResponseMode,
    plan_to_add,
    read_client_metadata,
    write_client_metadata,
)

PKCE = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}


def plugin(name="Shop", **hooks):
    return type(name, (), {hook: staticmethod(hookimpl(function)) for hook, function in hooks.items()})()


# --- portula_interaction_demands ---


class Demanding:
    """Demands what it is told to."""

    def __init__(self, demands):
        self.demands, self.asked = demands, []

    @hookimpl
    def portula_interaction_demands(self, interaction):
        self.asked.append((interaction.user and interaction.user.username, interaction.fresh))
        if isinstance(self.demands, Exception):
            raise self.demands
        return self.demands


def test_a_demand_to_sign_in_is_fulfilled_by_signing_in():
    shop = Demanding(None)
    house = House(shop)
    browser, client = house.browser(), house.client(skip_authorization=True)
    assert "code" in answered(browser.authorize(client))
    shop.asked.clear()
    shop.demands = Demands(login=True, hints={"why": "it is late"})
    response = browser.ask(client, **PKCE)
    assert response.location.startswith("/accounts/login/")
    assert "why=it+is+late" in response.location
    assert shop.asked == [("ann", False)]


def test_demands_of_several_are_joined():
    first, second = Demanding(Demands(silent=True)), Demanding(Demands(consent=True))
    house = House(first, second)
    browser, client = house.browser(), house.client(skip_authorization=True)
    browser.sign_in()
    assert answered(browser.ask(client, **PKCE))["error"] == "consent_required"
    first.demands = None
    assert browser.ask(client, **PKCE).status_code == 200


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (InvalidRequestError("not like this"), "invalid_request"),
        (ZeroDivisionError("bug"), "access_denied"),
        ("not a demand", "access_denied"),
    ],
)
def test_who_raises_or_answers_nonsense_denies(raised, error):
    house = House(Demanding(raised))
    browser = house.browser()
    browser.sign_in()
    answer = answered(browser.ask(house.client(skip_authorization=True), **PKCE))
    assert answer["error"] == error
    assert "bug" not in answer.get("error_description", "")


def test_what_else_is_asked_about_is_remembered_only_if_it_may_be():
    shop = Demanding(Demands(items=(ConsentItem(title="Pay", memory="Pay up to 5 EUR"),)))
    house = House(shop, REQUEST_APPROVAL_PROMPT="auto")
    browser, client = house.browser(), house.client()
    assert "code" in answered(browser.authorize(client, **PKCE))
    assert "code" in answered(browser.ask(client, **PKCE))
    for items in ((ConsentItem(title="Pay"),), (ConsentItem(title="Pay", memory="Pay up to 500 EUR"),)):
        shop.demands = Demands(items=items)
        assert browser.ask(client, **PKCE).status_code == 200


def test_a_consent_page_that_cannot_show_it_is_not_asked(monkeypatch):
    shop = Demanding(Demands(items=(ConsentItem(title="Pay"),)))
    house = House(shop)
    monkeypatch.setattr(house.provider.hooks.ask(Plugin.portula_consent), "shows_items", False)
    browser = house.browser()
    browser.sign_in()
    assert answered(browser.ask(house.client(), **PKCE))["error"] == "server_error"


# --- portula_authorization_response, portula_record_authorization ---


def test_parameters_are_added_and_none_is_overwritten():
    given = {"region": "north", "code": "evil", "state": "evil", "iss": "evil"}
    house = House(plugin(portula_authorization_response=lambda answer: given))
    answer = answered(house.browser().authorize(house.client()))
    assert answer["region"] == "north"
    assert (answer["state"], answer["iss"]) == ("the state", "https://id.example/o")
    assert answer["code"] != "evil"


@pytest.mark.parametrize("mode", [None, "fragment", "form_post"])
def test_what_is_no_text_is_sent_as_json_and_none_is_absent(mode):
    given = {"text": "a b", "number": 7, "yes": True, "nested": {"a": ["ä"]}, "absent": None}
    house = House(plugin(portula_authorization_response=lambda answer: given))
    answer = house.browser().authorize(house.client(), response_mode=mode)
    sent = forms_of(answer.text)[0].fields if mode == "form_post" else answered(answer)
    found = {name: sent.get(name) for name in given}
    nested = '{"a": ["\\u00e4"]}'
    assert found == {"text": "a b", "number": "7", "yes": "true", "nested": nested, "absent": None}


def test_what_is_granted_is_recorded_in_its_transaction():
    events = []
    house = House(plugin(portula_record_authorization=events_of(events)))
    client = house.client()
    house.browser().authorize(client, scope="read")
    (event,) = events
    assert (event.client_id, event.subject, event.scopes) == (client.client_id, house.ann.sub, ("read",))
    assert event.sid is not None


def events_of(events):
    def portula_record_authorization(event):
        events.append(event)

    return portula_record_authorization


def test_what_cannot_be_recorded_is_not_granted():
    def fail(event):
        raise OSError("the disk is full")

    house = House(plugin(portula_record_authorization=fail))
    answer = answered(house.browser().authorize(house.client()))
    assert answer["error"] == "server_error"
    assert "code" not in answer
    assert "disk" not in str(answer)


# --- portula_request_resolvers ---


def ticket(name, parameters):
    return RequestResolver(
        name=name,
        presented=lambda sent: name in sent,
        resolve=lambda exchange: [*parameters.items()],
    )


def test_parameters_may_be_kept_elsewhere():
    resolvers = []
    house = House(plugin(portula_request_resolvers=lambda provider: resolvers))
    client = house.client()
    kept = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": "read",
        "state": "kept",
        **PKCE,
    }
    resolvers.append(ticket("ticket", kept))
    house.provider.request_resolvers = resolvers
    answer = answered(house.browser().authorize(client, ticket="1", state="outside"))
    assert answer["state"] == "kept"


def test_two_places_at_once_are_an_invalid_request_and_an_unknown_one_is_not_supported():
    resolvers = [ticket("one", {}), ticket("two", {})]
    house = House(plugin(portula_request_resolvers=lambda provider: resolvers), REQUEST_OBJECTS_ENABLED=False)
    browser, client = house.browser(), house.client()
    assert answered(browser.ask(client, one="1", two="2"))["error"] == "invalid_request"
    assert answered(browser.ask(client, request="a.b.c"))["error"] == "request_not_supported"
    assert answered(browser.ask(client, request_uri="urn:x"))["error"] == "request_uri_not_supported"


def test_parameters_elsewhere_do_not_make_a_redirect_to_an_unregistered_uri():
    house = House()
    response = house.browser().ask(house.client(), request="a.b.c", redirect_uri="https://evil.example/")
    assert response.status_code == 400
    assert "Location" not in response.headers


# --- portula_response_modes ---


def page(exchange, parameters):
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(dict(parameters)).encode())


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
def test_an_answer_may_travel_as_a_plugin_says(button):
    modes = [ResponseMode(name="tea", write=page)]
    house = House(plugin(portula_response_modes=lambda provider: modes))
    response = house.browser().authorize(house.client(), button, response_mode="tea", state="s")
    assert response.status_code == 200
    assert set(response.json) >= {"code" if button == "consent-allow" else "error", "state", "iss"}


def test_a_mode_without_tokens_is_refused_for_a_response_type_with_them():
    modes = [ResponseMode(name="tea", write=page, carries_tokens=False)]
    house = House(plugin(portula_response_modes=lambda provider: modes), IMPLICIT_GRANT_ENABLED=True)
    client = house.client(grant_types=("implicit",))
    sent = {"response_type": "token", "code_challenge": None, "code_challenge_method": None}
    assert answered(house.browser().ask(client, response_mode="tea", **sent))["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["query", "fragment", "form_post"])
def test_a_mode_that_is_there_cannot_be_taken(name):
    modes = [ResponseMode(name=name, write=page)]
    with pytest.raises(ConfigError, match=name):
        House(plugin(portula_response_modes=lambda provider: modes))


def fail(*_):
    raise OSError("the signer is away")


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
def test_an_answer_that_cannot_be_written_is_a_page_and_nothing_is_kept(button):
    house = House(plugin(portula_response_modes=lambda provider: [ResponseMode(name="tea", write=fail)]))
    house.app.testing = False
    response = house.browser().authorize(house.client(), button, response_mode="tea")
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert "signer" not in response.text
    assert house.provider.storage.select(Grant) == []


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
def test_a_source_of_parameters_that_cannot_be_ended_gives_no_code(button):
    client_of = {}

    def resolve(exchange):
        party = client_of["party"]
        sent = {"response_type": "code", "client_id": party.client_id, "redirect_uri": party.redirect_uri}
        return [*{**sent, "scope": "read", **PKCE}.items()]

    resolver = RequestResolver(
        name="ticket", presented=lambda sent: "ticket" in sent, resolve=resolve, consume=fail
    )
    house = House(plugin(portula_request_resolvers=lambda provider: [resolver]))
    client_of["party"] = house.client()
    answer = answered(house.browser().authorize(client_of["party"], button, ticket="1"))
    assert answer["error"] == "server_error"
    assert house.provider.storage.select(Grant) == []


# --- portula_client_sources ---


def test_a_client_may_come_from_elsewhere_and_nobody_else_answers_for_its_name():
    made = {"tea:green": Application(client_id="tea:green", client_type="public", redirect_uris=(CALLBACK,))}
    source = ClientSource(name="tea", claims=lambda name: name.startswith("tea:"), find=made.get)
    house = House(plugin(portula_client_sources=lambda provider: [source]))
    house.provider.storage.apply(plan_to_add(Application(client_id="tea:black", redirect_uris=(CALLBACK,))))
    registered = house.client()
    clients, names = house.provider.clients, ["tea:green", "tea:black", registered.client_id, "nobody"]
    assert set(clients.find_all(names)) == {"tea:green", names[2]}
    assert (clients.find("tea:black"), clients.find(names[2]).client_id) == (None, names[2])
    assert house.browser().ask(registered, client_id="tea:black", **PKCE).status_code == 400
    assert house.browser().ask(registered, client_id="tea:green", **PKCE).status_code == 302


def test_a_source_of_clients_that_fails_lets_nobody_in():
    source = ClientSource(name="tea", claims=lambda name: name.startswith("tea:"), find=fail)
    house = House(plugin(portula_client_sources=lambda provider: [source]))
    house.app.testing = False
    page = house.browser().ask(house.client(), client_id="tea:green", **PKCE)
    assert (page.status_code, page.mimetype, "Location" in page.headers) == (500, "text/html", False)
    form = {"grant_type": "authorization_code", "client_id": "tea:green", "code": "x"}
    answer = house.door().token(**form)
    assert (answer.status_code, answer.json["error"]) == (500, "server_error")


# --- portula_client_metadata ---


def test_client_metadata_is_read_by_the_members_that_rooms_contribute():
    shop = plugin(
        portula_client_metadata=lambda provider: [
            ClientMember("tea", list[str]),
            ClientMember("tea_name", localized=True),
        ]
    )
    members = House(shop).provider.client_members
    document = {
        "client_name": "An app",
        "redirect_uris": ["https://client.example/"],
        "tea": ["green"],
        "tea_name#sv": "te",
        "tea#sv": ["no"],
        "unheard_of": 1,
        "skip_authorization": True,
    }
    fields = read_client_metadata(members, document)
    assert fields == {
        "name": "An app",
        "redirect_uris": ("https://client.example/",),
        "metadata": {"tea": ["green"], "tea_name#sv": "te"},
    }
    written = write_client_metadata(members, Application(client_id="x", **fields))
    kept = ("client_name", "redirect_uris", "tea", "tea_name#sv")
    assert {name: written[name] for name in kept} == {name: document[name] for name in kept}


def test_a_value_of_the_wrong_type_is_named():
    members = House().provider.client_members
    with pytest.raises(InvalidClientMetadata, match="grant_types") as caught:
        read_client_metadata(members, {"grant_types": "authorization_code"})
    assert caught.value.error == "invalid_client_metadata"
    with pytest.raises(InvalidClientMetadata) as caught:
        read_client_metadata(members, {"redirect_uris": [1]})
    assert caught.value.error == "invalid_redirect_uri"


def test_two_plugins_cannot_contribute_one_member():
    with pytest.raises(ConfigError, match="redirect_uris"):
        House(plugin(portula_client_metadata=lambda provider: [ClientMember("redirect_uris")]))
