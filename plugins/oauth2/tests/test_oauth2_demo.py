"""The demo client is made anew at each start."""

from portula import Plugin
from portula_testing.provider import make_provider, token_for


def test_what_the_demo_client_of_the_last_start_had_is_not_what_the_new_one_has():
    provider = make_provider(
        "scopes_settings",
        "generators",
        "consent",
        "oauth2",
        settings={"OIDC_ISS_ENDPOINT": "http://127.0.0.1:8000/o"},
    )
    first = dict(provider.hooks.collect(Plugin.portula_demo))
    token = token_for(provider, None, "read", client=provider.clients.find("demo"))
    assert provider.validator.find_live_access_token(token)
    second = dict(provider.hooks.collect(Plugin.portula_demo))
    assert first["Demo client_id"] == second["Demo client_id"] == "demo"
    assert first["Demo client_secret"] != second["Demo client_secret"]
    assert provider.validator.find_live_access_token(token) is None
