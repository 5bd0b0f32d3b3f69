"""Registers clients as software does, at houses that let it."""

import json
from typing import ClassVar
from urllib.parse import urlsplit

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import Application, Fetcher
from security.driving import CALLBACK, bearer

OPEN = {
    "DCR_ENABLED": True,
    "DCR_REGISTRATION_MODE": "open",
    "DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR": None,
    "DCR_MAX_CLIENTS_PER_HOUR": None,
}
REGISTER = "/o/register/"

PRIVILEGED = {
    "client_id": "chosen-by-me",
    "client_secret": "chosen by me, and long enough for it",
    "client_secret_expires_at": 1,
    "client_id_issued_at": 1,
    "client_type": "confidential",
    "name": "By another name",
    "secret_hashes": ["digest:x"],
    "allowed_origins": ["https://evil.example"],
    "require_pkce": False,
    "skip_authorization": True,
    "skip_consent": True,
    "first_party": True,
    "trusted": True,
    "algorithm": "none",
    "user": "1",
    "owner": "1",
    "is_admin": True,
    "disabled": False,
    "created_at": 1,
    "updated_at": 1,
    "version": 1,
    "metadata": {"skip_authorization": True},
    "registration_access_token": "chosen by me",
    "registration_client_uri": "https://evil.example/",
}


class Elsewhere(Fetcher):
    """Other servers: none of them answers, and each may be given something to do meanwhile."""

    chosen: ClassVar = {"PLUGINS_CHOICE": {"fetcher": "Elsewhere"}, "OIDC_ENABLED": True}

    def __init__(self, meanwhile=None):
        self.asked, self.meanwhile = [], meanwhile

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        self.asked.append(url)
        if self.meanwhile is not None:
            self.meanwhile()
        raise FetchFailed("nobody is there")

    def post(self, url, form, *, max_bytes=65536):
        raise FetchFailed("nobody is there")


def send(door, method, document, path=REGISTER, headers=None):
    return door.open(
        path, method=method, data=json.dumps(document), content_type="application/json", headers=headers
    )


def register(door, headers=None, **members):
    return send(door, "POST", {"redirect_uris": [CALLBACK], **members}, headers=headers)


def update(door, told, **members):
    uri = urlsplit(told["registration_client_uri"])
    document = {"client_id": told["client_id"], "redirect_uris": [CALLBACK], **members}
    return send(door, "PUT", document, f"{uri.path}?{uri.query}", bearer(told["registration_access_token"]))


def record(house, told):
    return house.provider.storage.find(Application, client_id=told["client_id"])


def told_by(answer, status=201):
    assert answer.status_code == status, answer.text
    return answer.json
