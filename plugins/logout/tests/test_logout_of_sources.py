"""Apps that nobody registered here, but a source makes known, hear of a logout as the others do."""

import pytest
from support.signing_out import NOW, TEA, House, deliver, heard, sign_out

from portula import hookimpl
from portula.plugin import AccessToken, Application, Authorization, ClientSource
from portula_testing.writing import add_to

NAME = "tea.example"
FRAME = "https://tea.example/frame"


class Source:
    """Knows one client, by asking another server and by what it keeps, as far as a test lets it."""

    def __init__(self, client_type="public"):
        self.client = Application(
            client_id=NAME,
            name="Tea house",
            client_type=client_type,
            redirect_uris=("https://tea.example/cb",),
            metadata={"backchannel_logout_uri": TEA, "frontchannel_logout_uri": FRAME},
        )
        self.found = self.kept = self.client
        self.asked = 0

    @hookimpl
    def portula_client_sources(self, provider):
        return [
            ClientSource(
                name="house", claims=lambda name: name == NAME, find=self.find, known=lambda _: self.kept
            )
        ]

    def find(self, client_id):
        self.asked += 1
        return self.found


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def house(source):
    return House(
        source,
        OIDC_BACKCHANNEL_LOGOUT_ENABLED=True,
        OIDC_FRONTCHANNEL_LOGOUT_ENABLED=True,
    )


@pytest.mark.parametrize("kept", [True, False])
def test_its_server_is_told_and_nobody_is_asked_who_it_is_before(house, source, kept):
    ada = house.browser("ada", NAME)
    source.kept = source.client if kept else None
    sign_out(ada)
    assert (ada.who, source.asked) == ("nobody", 0)
    assert deliver(house)["delivered"] == 1
    assert heard(house) == [TEA]
    assert house.jose.read(house.fetcher.posts[0][1]["logout_token"]).claims["aud"] == NAME


@pytest.mark.parametrize("kept", [True, False])
def test_it_has_a_frame(house, source, kept):
    ada = house.browser("ada", NAME)
    source.kept = source.client if kept else None
    page = ada.press(ada.ask(id_token_hint=house.hint(ada.sid)))
    assert f'src="{FRAME}?' in page.text
    assert source.asked == 0


def test_what_it_says_now_comes_before_what_it_said(house, source):
    ada = house.browser("ada", NAME)
    source.found = source.kept = Application(client_id=NAME)
    sign_out(ada)
    deliver(house)
    assert heard(house) == []


def test_while_nobody_says_who_it_is_its_server_waits(house, source):
    ada = house.browser("ada", NAME)
    source.found = source.kept = None
    sign_out(ada)
    assert ada.who == "nobody"
    assert deliver(house)["failed"] == 1
    assert heard(house) == []
    source.found = source.client
    house.clock.advance(3600)
    assert deliver(house)["delivered"] == 1
    assert heard(house) == [TEA]


def test_an_app_that_wants_to_hear_nothing_and_is_not_known_is_passed_over(house, source):
    source.client = source.kept = source.found = Application(client_id=NAME)
    ada = house.browser("ada", NAME)
    source.found = source.kept = None
    sign_out(ada)
    assert ada.who == "nobody"
    assert house.artifacts("logout-token", "session-client") == []


@pytest.mark.parametrize(
    ("types", "ends"),
    [(["public"], {"public": True, "confidential": False}), (["confidential"], {"confidential": True})],
)
@pytest.mark.parametrize("client_type", ["public", "confidential", None])
def test_its_tokens_end_by_its_type_and_in_any_case_while_that_is_not_known(types, ends, client_type):
    source = Source(client_type or "public")
    house = House(source, OIDC_RP_INITIATED_LOGOUT_CLIENT_TYPES=types)
    shared = {
        "client_id": NAME,
        "subject": "ada",
        "scope": "openid",
        "issued_at": NOW,
        "expires_at": NOW + 600,
    }
    add_to(house.storage, Authorization(id="a", **shared))
    add_to(house.storage, AccessToken(digest="t", authorization="a", **shared))
    if client_type is None:
        source.kept = None
    ada = house.browser("ada")
    ada.press(ada.ask(id_token_hint=house.hint(ada.sid)))
    ended = house.storage.find(Authorization, id="a").revoked_at is not None
    assert ended is (client_type is None or ends.get(client_type, False))
    assert source.asked == 0
