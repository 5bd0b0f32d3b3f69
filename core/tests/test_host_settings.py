"""OIDC_ISS_ENDPOINT as a callable, USE_TZ, and a backend made anew for each use."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hosting import ask_token, deployment, make_app, make_client, make_provider

from portula import Provider
from portula.plugin import Backend

HOUSES = {"a.example": "https://a.example/o", "b.example": "https://b.example/o"}


def per_host(asked):
    """Return the issuer for a host that is known, nothing for any other."""
    return HOUSES.get(asked.headers.get("host", ""), "")


def published(provider, host):
    path = "/.well-known/oauth-authorization-server/o"
    return provider.app.test_client().get(path, base_url=f"https://{host}")


@pytest.mark.parametrize("host", HOUSES)
def test_an_issuer_may_be_told_for_each_request(host):
    provider = make_provider(OIDC_ISS_ENDPOINT=per_host)
    document = published(provider, host).json
    assert document["issuer"] == HOUSES[host]
    assert document["token_endpoint"] == f"{HOUSES[host]}/token/"


def test_both_doors_and_the_pages_hear_the_same_issuer():
    provider = make_provider(OIDC_ISS_ENDPOINT=per_host)
    client, _ = make_client(
        provider, redirect_uris=("https://app.example/cb",), grant_types=("authorization_code",)
    )
    sent = provider.app.test_client().get(
        "/o/authorize/",
        query_string={"response_type": "tea", "client_id": client.client_id},
        base_url="https://b.example",
    )
    assert parse_qs(urlsplit(sent.location).query)["iss"] == ["https://b.example/o"]
    with provider.app.test_request_context(base_url="https://a.example"):
        assert provider.current_issuer() == "https://a.example/o"


def test_a_host_that_the_callable_does_not_know_gets_no_say():
    provider = make_provider(OIDC_ISS_ENDPOINT=per_host)
    refused = published(provider, "evil.example")
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "issuer", ["https://a.example/elsewhere", "ftp://a.example/o", "a.example", "https://a.example/o?x"]
)
def test_an_issuer_that_could_not_be_configured_is_not_published(issuer, caplog):
    provider = make_provider(OIDC_ISS_ENDPOINT=lambda _asked: issuer)
    assert published(provider, "a.example").status_code == 500
    assert "OIDC_ISS_ENDPOINT: the callable returned" in caplog.text


# --- USE_TZ ---


@pytest.mark.parametrize(
    ("inside", "outside", "zone"),
    [(None, None, None), (True, None, UTC), (None, True, UTC), (False, True, None), (True, False, UTC)],
)
def test_use_tz_decides_whether_datetimes_know_their_zone(inside, outside, zone):
    app = make_app(**({} if inside is None else {"USE_TZ": inside}))
    if outside is not None:
        app.config["USE_TZ"] = outside
    provider = Provider(app, plugins=deployment(), discover=False)
    assert provider.datetime_of(1_700_000_000) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=zone)
    assert provider.datetime_of(None) is None


# --- ALWAYS_RELOAD_OAUTHLIB_CORE ---


@pytest.mark.parametrize("reload", [False, True])
def test_a_backend_is_made_once_or_at_each_use(reload):
    made = []

    class Counted(Backend):
        def __init__(self, *args):
            super().__init__(*args)
            made.append(self)

    provider = make_provider(OAUTH2_BACKEND_CLASS=Counted, ALWAYS_RELOAD_OAUTHLIB_CORE=reload)
    _, secret = make_client(provider)
    before = len(made)
    assert [ask_token(provider, secret).status_code for _ in range(3)] == [200] * 3
    assert len(made) - before == (3 if reload else 0)
    assert type(provider.backend.server).__name__ == "Server"
    assert before >= 1
