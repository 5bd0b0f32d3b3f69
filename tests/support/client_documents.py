"""A web of client metadata documents, as a fetcher finds them."""

import json

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse
from support.fitting import stubbed

URL = "https://app.example/oauth/client.json"
CALLBACK = "https://app.example/callback"
DOCUMENT = {"client_id": URL, "client_name": "An app", "redirect_uris": [CALLBACK]}


class Documents(stubbed(Fetcher)):
    """What is published where; an exception in place of a document is raised."""

    def __init__(self):
        self.published, self.fetched, self.max_age = {URL: DOCUMENT}, [], None
        self.media_type = "application/json"

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        self.fetched.append(url)
        found = self.published.get(url, FetchFailed("there is nothing", status=404))
        if isinstance(found, Exception):
            raise found
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        if len(body) > max_bytes:
            raise FetchFailed("the answer is too long")
        return FetchResponse(200, self.media_type, body, self.max_age)
