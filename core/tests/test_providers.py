"""Starting a provider: its issuer, its name, and two of them in one app."""

import logging

import pytest
from hosting import KEY, deployment, make_app, make_client, make_provider

from portula import ConfigError, Provider
from portula.plugin import current_provider

GRANT = {"grant_type": "client_credentials"}


@pytest.mark.parametrize(
    "issuer",
    [
        "id.example",
        "//id.example/o",
        "ftp://id.example/o",
        "http://id.example/o",
        "http://127.0.0.1.example/o",
        "https://",
        "https:///o",
        "https://user@id.example/o",
        "https://user:pw@id.example/o",
        "https://id.example/o?x=1",
        "https://id.example/o?",
        "https://id.example/o#x",
        "https://id.example/o#",
        "https://[::1",
        "https://id.example:port/o",
        "https://id.example:99999/o",
        "https://id.example/o\n",
        " https://id.example/o",
        "https://id.example/o ",
        "https://id example/o",
        "https://idé.example/o",
        "https://id.example\\o",
    ],
)
def test_what_can_be_no_issuer_is_refused_at_start(issuer):
    with pytest.raises(ConfigError) as caught:
        make_provider(OIDC_ISS_ENDPOINT=issuer)
    (finding,) = caught.value.findings
    assert finding.startswith("OIDC_ISS_ENDPOINT")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example",
        "https://id.example/",
        "https://id.example:8443/a/b",
        "http://localhost:8000/o",
        "http://127.0.0.1:8000/o",
        "http://[::1]:8000/o",
    ],
)
def test_an_issuer_is_kept_as_it_was_written(issuer):
    assert make_provider(OIDC_ISS_ENDPOINT=issuer).issuer == issuer


def test_secret_keys_win_over_the_apps_own_and_its_fallbacks_are_tried():
    app = make_app()
    app.config.update(SECRET_KEY=KEY.encode(), SECRET_KEY_FALLBACKS=["an older key of enough bytes"])
    first = Provider(app, plugins=deployment(), discover=False)
    assert repr(first.keys) == "<Keys: 2>"
    older = make_provider(SECRET_KEYS=["an older key of enough bytes"])
    assert first.keys.verify("p", "v", older.keys.digest("p", "v"))
    assert not older.keys.verify("p", "v", first.keys.digest("p", "v"))


@pytest.fixture
def pair():
    """Return an app and its two providers, which differ in name, mount, issuer and settings."""
    app = make_app(OIDC_ISS_ENDPOINT="https://id.example/o")
    one = Provider(app, plugins=deployment(), discover=False)
    given = {
        "MOUNT_PATH": "/staff/oauth",
        "OIDC_ISS_ENDPOINT": "https://id.example/staff/oauth",
        "ACCESS_TOKEN_EXPIRE_SECONDS": 60,
        "SCOPES": {"tea": "Make tea"},
    }
    two = Provider(app, plugins=deployment(), discover=False, settings=given, name="staff")
    return app, one, two


def test_two_providers_in_one_app_have_clients_tokens_and_settings_of_their_own(pair):
    app, one, two = pair
    http = app.test_client()
    secrets = [make_client(provider)[1] for provider in (one, two)]
    first = http.post("/o/token/", data=GRANT, auth=("machine", secrets[0])).json
    second = http.post("/staff/oauth/token/", data=GRANT, auth=("machine", secrets[1])).json
    assert (first["expires_in"], first["scope"]) == (36000, "read write")
    assert (second["expires_in"], second["scope"]) == (60, "tea")
    assert http.post("/o/token/", data=GRANT, auth=("machine", secrets[1])).status_code == 401
    assert http.post("/staff/oauth/token/", data=GRANT, auth=("machine", secrets[0])).status_code == 401
    assert two.validator.find_live_access_token(second["access_token"])
    assert not one.validator.find_live_access_token(second["access_token"])


def test_two_providers_in_one_app_publish_two_documents(pair):
    app, _, _ = pair
    http = app.test_client()
    for mount in ("/o", "/staff/oauth"):
        for path in (
            f"{mount}/.well-known/oauth-authorization-server",
            f"/.well-known/oauth-authorization-server{mount}",
        ):
            document = http.get(path).json
            assert document["issuer"] == f"https://id.example{mount}"
            assert document["token_endpoint"] == f"https://id.example{mount}/token/"


def test_two_providers_in_one_app_are_found_by_name(pair):
    app, one, two = pair
    with app.app_context():
        assert current_provider() is one
        assert current_provider("staff") is two


def test_two_providers_in_one_app_keep_their_views_and_keys_apart(pair):
    app, one, two = pair
    with app.test_request_context():
        assert one.url_for("oauth2.authorize") == "/o/authorize/"
        assert two.url_for("oauth2.authorize") == "/staff/oauth/authorize/"
        assert one.pages.cookie_name("session") != two.pages.cookie_name("session")
    assert one.keys.digest("p", "v") != two.keys.digest("p", "v")


def test_two_providers_in_one_app_stand_ahead_of_flask_together_without_a_warning(pair, caplog):
    from werkzeug.test import Client

    _, one, two = pair
    secrets = [make_client(provider)[1] for provider in (one, two)]
    with caplog.at_level(logging.WARNING):
        http = Client(one.wsgi(two.wsgi()))
    assert caplog.records == []
    assert http.post("/o/token/", data=GRANT, auth=("machine", secrets[0])).status_code == 200
    assert http.post("/staff/oauth/token/", data=GRANT, auth=("machine", secrets[1])).json["scope"] == "tea"
    assert http.get("/staff/oauth/authorize/", base_url="https://id.example").status_code == 400


def test_functions_of_the_app_that_are_passed_by_are_named(caplog):
    provider = make_provider()

    @provider.app.before_request
    def open_the_gate():
        return None

    provider.wsgi()
    assert "open_the_gate" in caplog.text


def test_two_providers_of_one_name_are_refused_with_the_remedy():
    app = make_app()
    Provider(app, plugins=deployment(), discover=False)
    with pytest.raises(ConfigError, match="name"):
        Provider(app, plugins=deployment(), discover=False, settings={"MOUNT_PATH": "/two"})


def test_two_providers_at_one_mount_are_refused_with_the_remedy():
    app = make_app()
    Provider(app, plugins=deployment(), discover=False)
    with pytest.raises(ConfigError, match="MOUNT_PATH"):
        Provider(app, plugins=deployment(), discover=False, name="two")
