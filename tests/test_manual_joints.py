"""The examples of the manual that stand on joints: a page on which people decide, and a delivery."""

import json

from support.browser import forms_of
from test_manual import run

from portula import hookimpl
from portula.plugin import Authorization, Fetcher, FetchResponse
from portula_testing.provider import TestLogin, client_for, make_provider

ROOMS = ("consent", "generators", "oauth2", "scopes_settings")


def test_the_example_of_a_page_asks_a_person():
    login = TestLogin()
    login.sign_in_as("ada")
    provider = make_provider(*ROOMS, login, run("docs/plugins.md", "TeaRoom")())
    client, _ = client_for(provider, "authorization_code")
    browser = provider.app.test_client()
    assert browser.get("/o/tea/?app=nobody").status_code == 400
    page = browser.get(f"/o/tea/?app={client.client_id}")
    (form,) = forms_of(page.text)
    name, value = form.buttons["consent-allow"]
    assert browser.post(form.action, data={**form.fields, name: value}).text == "Your tea is coming."
    (given,) = provider.storage.select(Authorization)
    assert (given.client_id, given.scope) == (client.client_id, "read")


def test_the_example_of_a_delivery_is_sent():
    class Shop(Fetcher):
        def __init__(self):
            self.heard = []

        @hookimpl
        def portula_fetcher(self, provider):
            return self

        def get(self, url, **_):
            raise NotImplementedError

        def post(self, url, body, **_):
            self.heard.append((url, json.loads(body)))
            return FetchResponse(202, "", b"")

    shop, webhook = Shop(), run("docs/plugins.md", "Webhook")()
    provider = make_provider(*ROOMS, shop, webhook, settings={"DELIVERY_THREADS": 0})
    client, secret = client_for(provider, "client_credentials")
    form = {"grant_type": "client_credentials"}
    answer = provider.app.test_client().post("/o/token/", data=form, auth=(client.client_id, secret))
    assert answer.status_code == 200
    assert provider.deliveries.deliver().delivered == 1
    told = {"client": client.client_id, "grant_type": "client_credentials"}
    assert shop.heard == [("https://shop.example/tokens", told)]
