"""A house that takes clients known by a document, and the web it fetches them from."""

from security.driving import Party, pkce
from security.house import House

from support.client_documents import CALLBACK, DOCUMENT, URL, Documents

PARTY = Party(URL, None, CALLBACK)


class World:
    """A house, and the web that it fetches documents from."""

    def __init__(self, *plugins, **settings):
        self.web = Documents()
        self.house = House(
            self.web,
            *plugins,
            **{
                "CIMD_ENABLED": True,
                "OIDC_ENABLED": True,
                "PLUGINS_CHOICE": {"fetcher": "Documents"},
                **settings,
            },
        )
        self.clock, self.door = self.house.clock, self.house.door()

    def publish(self, url=URL, **members):
        document = {**DOCUMENT, "client_id": url, **members}
        self.web.published[url] = {name: value for name, value in document.items() if value is not None}

    def find(self, url=URL):
        return self.house.provider.clients.find(url)

    def tokens(self, party=PARTY, browser=None, **parameters):
        code, verifier = (browser or self.house.browser()).code(party, **parameters)
        answer = self.door.redeem(party, code, verifier)
        assert answer.status_code == 200, answer.text
        return answer.json


def ask(browser, party=PARTY, **parameters):
    return browser.ask(party, code_challenge=pkce()[1], code_challenge_method="S256", **parameters)
