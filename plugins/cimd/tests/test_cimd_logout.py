"""Clients that are known by a document hear of a logout, whether or not the document can be had then."""

from contextlib import closing

import pytest
from support.client_documents import DOCUMENT, URL, Documents
from support.client_world import PARTY, World

from portula.errors import FetchFailed
from portula.plugin import Artifact, FetchResponse
from portula_testing.writing import remove_from

BACK = "https://app.example/back"
HOUR = 3600


class Servers(Documents):
    """The web of documents, where servers of apps take what is posted, too."""

    def __init__(self):
        super().__init__()
        self.posts = []

    def post(self, url, body, *, headers=None, max_bytes=65536):
        self.posts.append(url)
        return FetchResponse(200, "", b"")


def world_with(servers, folder):
    world = World(
        servers,
        folder=folder,
        PLUGINS_CHOICE={"fetcher": "Servers"},
        DELIVERY_THREADS=0,
        CIMD_METADATA_MAX_AGE_SECONDS=600,
        OIDC_BACKCHANNEL_LOGOUT_ENABLED=True,
    )
    world.web = servers
    return world


@pytest.mark.parametrize("kept", [True, False])
def test_a_logout_fetches_nothing_and_its_delivery_waits_for_the_document(tmp_path, kept):
    servers = Servers()
    with closing(world_with(servers, tmp_path).house) as first:
        servers.published[URL] = document = {**DOCUMENT, "backchannel_logout_uri": BACK}
        browser = first.browser()
        browser.code(PARTY, scope="openid")
        if not kept:
            remove_from(
                first.provider.storage, Artifact, digest=first.provider.keys.digests("client-document", URL)
            )
    servers.published[URL] = FetchFailed("nobody answers")
    servers.fetched.clear()
    with closing(world_with(servers, tmp_path).house) as house:  # another process
        house.clock.forward(HOUR)
        browser, deliveries = house.browser(browser.cookies), house.provider.deliveries
        browser.submit(browser.get("/accounts/logout/"), "logout-confirm")
        assert servers.fetched == []
        assert deliveries.deliver(impatient=True).failed == 1
        assert servers.posts == []
        servers.published[URL] = document
        house.clock.forward(HOUR)
        assert deliveries.deliver(impatient=True).delivered == 1
        assert servers.posts == [BACK]
