"""A resource server in a process of its own, whose questions reach a provider of the same test."""

from urllib.parse import urlsplit

import httpx
from flask import Flask

import portula_jose
import portula_resource_server
from portula import Provider, hookimpl
from portula_resource_server import current_token, remote, require_oauth

URL = "https://id.example/o/introspect/"
CLIENT_FOR = remote.client_for


class ResourceServer:
    """An app with one guarded view; `answer` may take the place of what the provider says."""

    def __init__(self, monkeypatch, world, *plugins, **settings):
        self.world, self.requests, self.answer = world, [], None
        monkeypatch.setattr(remote, "client_for", self._client_for)
        app = Flask("resource")
        given = {"RESOURCE_SERVER_INTROSPECTION_URL": URL, **settings}
        app.config.update(TESTING=True, SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER=given)
        rooms = [portula_jose, portula_resource_server, self, *plugins]
        self.provider = Provider(app, plugins=rooms, discover=False)
        app.add_url_rule("/", "view", require_oauth("read")(lambda: {"sub": current_token.subject}))
        self.http = app.test_client()

    @hookimpl
    def portula_clock(self, provider):
        return lambda: self.world.clock.time

    def get(self, token):
        return self.http.get("/", headers={"Authorization": f"Bearer {token}"})

    def _client_for(self, settings):
        """Return the real client, with another way to the provider."""
        with CLIENT_FOR(settings) as own:
            return httpx.Client(headers=own.headers, transport=httpx.MockTransport(self._asked))

    def _asked(self, request):
        request.read()
        self.requests.append(request)
        made = self.answer(request) if self.answer else self.ask(request)
        stream = httpx.ByteStream(made.content)
        return httpx.Response(made.status_code, headers=made.headers, stream=_Unread(stream))

    def ask(self, request):
        """Return the provider's own answer."""
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        answer = self.world.door().post(urlsplit(str(request.url)).path, request.content, headers)
        return httpx.Response(
            answer.status_code, headers=[*answer.headers.items()], content=answer.get_data()
        )


class _Unread(httpx.SyncByteStream):
    """A body that was not read yet, as a real one."""

    def __init__(self, stream):
        self._stream = stream

    def __iter__(self):
        return iter(self._stream)
