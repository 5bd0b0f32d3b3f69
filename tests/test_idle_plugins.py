"""Plugins of which a request hears nothing cost it nothing: not one call more, however many they are."""

import gc
import sys
from base64 import b64encode

import pytest
from werkzeug.test import Client

from portula import hookimpl
from portula_testing.provider import client_for, make_provider


class Bystander:
    """A plugin that a token request does not call."""

    @hookimpl
    def portula_login_failed(self, event):
        raise AssertionError("nobody signs in")


class Refuser:
    """A plugin that is called where a request is refused, and only there."""

    @hookimpl
    def portula_token_refused(self, event):
        pass


def calls(*plugins):
    """Return how many calls of Python functions a token request takes."""
    provider = make_provider("oauth2", "generators", "scopes_settings", "consent", *plugins)
    client, secret = client_for(provider, "client_credentials")
    pair = b64encode(f"{client.client_id}:{secret}".encode()).decode()
    door, seen = Client(provider.wsgi()), []

    def ask():
        answer = door.post(
            "/o/token/",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {pair}"},
        )
        assert answer.status_code == 200

    for _ in range(3):  # what is looked up once is looked up, and the secret's use is noted
        ask()
    gc.collect()
    gc.disable()  # what other tests left is not taken away now
    sys.setprofile(lambda frame, event, _: seen.append(frame) if event == "call" else None)
    try:
        ask()
    finally:
        sys.setprofile(None)
        gc.enable()
    return len(seen)


@pytest.mark.parametrize("kind", [Bystander, Refuser])
@pytest.mark.parametrize("number", [1, 50])
def test_idle_plugins_add_no_call_to_a_request(kind, number):
    assert calls(*(kind() for _ in range(number))) == calls()
