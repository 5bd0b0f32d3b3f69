"""Documents of clients that change, fail, or come from many (S54, S56)."""

import threading

import pytest
from jwcrypto.jwk import JWK
from security.driving import Party, error_of
from support.client_documents import CALLBACK, URL
from support.client_world import PARTY, World, ask

from portula import Plugin
from portula.errors import ConfigError, FetchFailed, InvalidClientMetadata
from portula.plugin import Artifact
from portula_cimd.documents import KIND, MAX_DOCUMENTS

KEY = JWK.generate(kty="EC", crv="P-256", use="sig").export_public(as_dict=True)
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.fixture
def world():
    return World()


# --- time and failure ---


@pytest.mark.parametrize(
    ("max_age", "seconds"), [(None, 5 * MINUTE), (0, 5 * MINUTE), (HOUR, HOUR), (10 * DAY, DAY)]
)
def test_a_document_is_kept_as_long_as_it_says_within_bounds(world, max_age, seconds):
    world.web.max_age = max_age
    for forward, times in ((0, 1), (seconds - 1, 1), (1, 2)):
        world.clock.forward(forward)
        assert world.find() is not None
        assert len(world.web.fetched) == times


def test_while_the_source_is_down_the_last_document_counts_for_a_day(world):
    assert world.find() is not None
    world.web.published[URL] = FetchFailed("nobody answers")
    world.clock.forward(DAY - MINUTE)
    assert world.find() is not None
    world.clock.forward(MINUTE)
    assert world.find() is None


def test_a_document_that_turns_bad_counts_as_none_at_the_end_of_its_day(world):
    assert world.find() is not None
    world.publish(client_secret="x" * 40)
    world.clock.forward(DAY)
    assert world.find() is None


def test_a_url_that_failed_is_left_alone_for_a_while(world):
    del world.web.published[URL]
    for forward, times in ((0, 1), (59, 1), (1, 2)):
        world.clock.forward(forward)
        assert world.find() is None
        assert len(world.web.fetched) == times
    world.publish()
    world.clock.forward(60)
    assert world.find() is not None


def test_a_redirect_that_is_taken_out_gets_nothing_any_more(world):
    browser = world.house.browser()
    assert ask(browser).location.startswith("/accounts/login/")
    world.publish(redirect_uris=["https://app.example/other"])
    world.clock.forward(5 * MINUTE)
    assert ask(browser).status_code == 400


def test_a_document_that_changes_between_page_and_answer_gets_no_code(world):
    """S56."""
    browser = world.house.browser()
    page = browser.consent_page(PARTY)
    world.publish(redirect_uris=["https://app.example/other"])
    world.clock.forward(5 * MINUTE)
    answer = browser.submit(page, "consent-allow")
    assert answer.status_code == 400
    assert "code=" not in answer.headers.get("Location", "")


def test_a_key_that_is_declared_after_the_code_is_asked_for(world):
    code, verifier = world.house.browser().code(PARTY)
    world.publish(
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES256",
        jwks={"keys": [KEY]},
    )
    world.clock.forward(5 * MINUTE)
    assert world.door.redeem(PARTY, code, verifier).status_code in (400, 401)


def test_tokens_outlive_a_restart_while_the_source_is_down(tmp_path):
    world = World(folder=tmp_path)
    tokens = world.tokens(scope="read")
    world.house.close()
    again = World(folder=tmp_path)
    again.clock.forward(world.clock.time - again.clock.time)
    again.web.published[URL] = FetchFailed("nobody answers")
    assert again.door.resource(tokens["access_token"]).status_code == 200
    refreshed = again.door.refresh(PARTY, tokens["refresh_token"])
    assert refreshed.status_code == 200
    again.clock.forward(DAY)
    assert error_of(again.door.refresh(PARTY, refreshed.json["refresh_token"]), 401) == "invalid_client"
    again.house.close()


def test_what_another_worker_fetched_is_not_fetched_again(tmp_path):
    first, second = World(folder=tmp_path), World(folder=tmp_path)
    first.tokens()
    second.clock.forward(first.clock.time - second.clock.time)
    assert second.find().name == "An app"
    assert second.web.fetched == []
    first.house.close()
    second.house.close()


def test_the_storage_keeps_nothing_of_who_was_allowed_nothing(world):
    for number in range(20):
        url = f"https://app.example/{number}/client.json"
        world.publish(url)
        world.house.browser().consent_page(Party(url, None, CALLBACK))
        digest = world.house.provider.keys.digest(KIND, url)
        assert world.house.provider.storage.find(Artifact, digest=digest) is None


def test_any_number_of_urls_takes_bounded_memory(world):
    """S56: the one not used for longest is forgotten."""
    urls = [f"https://app.example/{number}/client.json" for number in range(MAX_DOCUMENTS + 2)]
    for url in (URL, *urls[:-1], URL, urls[-1]):
        world.find(url)
    fetched = len(world.web.fetched)
    assert fetched == len(urls) + 2
    for url, more in ((URL, 0), (urls[-1], 0), (urls[0], 1)):
        world.find(url)
        assert len(world.web.fetched) == fetched + more


def test_who_is_denied_later_is_denied_at_once(tmp_path):
    """What was allowed before, and is kept in the storage, is judged by the rules of now."""
    first = World(folder=tmp_path)
    first.tokens()
    first.house.close()
    for settings in (
        {"CIMD_ALLOWED_HOSTS": ["other.example"]},
        {"CIMD_REGISTRATION_PERMISSION_CLASSES": [type("Nobody", (), {"has_permission": lambda *_: False})]},
    ):
        later = World(folder=tmp_path, **settings)
        later.clock.forward(first.clock.time - later.clock.time)
        assert later.find() is None
        later.house.close()


def test_a_rule_that_changes_its_mind_counts_when_the_document_is_fetched_again():
    class Moody(Plugin):
        denies = False

        def portula_assess_client_document(self, document):
            if self.denies:
                raise InvalidClientMetadata("not today")

    world = World(mood := Moody())
    assert world.find() is not None
    mood.denies = True
    world.clock.forward(5 * MINUTE)
    assert world.find() is None


def test_a_fetcher_of_an_app_that_fails_is_no_failure_of_the_server():
    def fetch(url):
        raise KeyError(url)

    world = World(CIMD_METADATA_FETCHER=fetch)
    assert world.find() is None
    assert world.house.browser().ask(PARTY).status_code == 400


def test_no_more_are_fetched_at_once_than_is_set():
    """S54: whoever names slow documents holds so many threads, and no more."""
    world = World(CIMD_MAX_CONCURRENT_FETCHES=1)
    begun, ended = threading.Event(), threading.Event()
    real = world.web.get

    def slow(url, **keywords):
        begun.set()
        assert ended.wait(30)
        return real(url, **keywords)

    world.web.get = slow
    found = []
    thread = threading.Thread(target=lambda: found.append(world.find()))
    thread.start()
    assert begun.wait(30)
    other = "https://app.example/another/client.json"
    world.publish(other)
    assert world.find(other) is None
    ended.set()
    thread.join(30)
    assert found[0] is not None
    assert world.find(other) is not None, "it is not left alone for what others did"


@pytest.mark.parametrize(
    "settings",
    [
        {"CIMD_METADATA_MIN_AGE_SECONDS": 90000},
        {"CIMD_MAX_DOCUMENT_SIZE": 10**9},
        {"CIMD_ALLOWED_HOSTS": ["https://app.example"]},
        {"CIMD_REGISTRATION_PERMISSION_CLASSES": ["nowhere.Nothing"]},
        {"CIMD_METADATA_FETCHER": "nowhere.nothing"},
    ],
    ids=str,
)
def test_what_cannot_be_stops_the_start(settings):
    with pytest.raises(ConfigError, match=next(iter(settings)).replace("MIN", "M..")):
        World(**settings)
