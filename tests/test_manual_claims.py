"""The manual's claim of one's own is told with its scope, and what hooks of rooms are given stands on their pages."""

import pytest
from flask import Flask
from test_manual import portula_reference, run

from portula import Provider
from portula_testing.provider import Memory, TestLogin, token_for


@pytest.mark.parametrize(
    ("subject", "scope", "told"),
    [("7", "openid tea", "green"), ("7", "openid", None), ("8", "openid tea", None)],
)
def test_a_claim_of_ones_own_is_told_with_its_scope(subject, scope, told):
    settings = {"STORAGE": "memory", "OIDC_ENABLED": True, "SCOPES": {"tea": "Know which tea you like"}}
    app = Flask("tea")
    app.config.update(SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER=settings)
    provider = Provider(app, plugins=[Memory(), TestLogin(), run("docs/rooms/oidc.md", "Teas")()])
    token = token_for(provider, subject, scope)
    answer = app.test_client().get("/o/userinfo/", headers={"Authorization": f"Bearer {token}"})
    assert answer.json.get("favourite_tea") == told
    assert (
        "favourite_tea"
        in app.test_client().get("/o/.well-known/openid-configuration").json["claims_supported"]
    )


@pytest.mark.parametrize(("scope", "told"), [("openid shopping", 39), ("openid profile", None)])
def test_the_validator_of_who_moves_over_tells_its_claim_beside_ours(scope, told):
    settings = {
        "STORAGE": "memory",
        "OIDC_ENABLED": True,
        "SCOPES": {"shopping": "Shop"},
        "OAUTH2_VALIDATOR_CLASS": run("docs/rooms/import_dot.md", "Validator"),
    }
    app = Flask("moved")
    app.config.update(SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER=settings)
    provider = Provider(app, plugins=[Memory(), TestLogin()])
    token = token_for(provider, "1", scope)
    answer = app.test_client().get("/o/userinfo/", headers={"Authorization": f"Bearer {token}"})
    assert answer.json.get("shoe_size") == told
    supported = app.test_client().get("/o/.well-known/openid-configuration").json["claims_supported"]
    assert {"shoe_size", "email"} <= set(supported)


@pytest.mark.parametrize(
    ("room", "members"),
    [
        ("oidc", ["portula_oidc.hooks.OIDCHooks", "- `info.user`, `User`: The person.", "- `token.claims`"]),
        (
            "device",
            [
                "- `assessment.scope`, `tuple[str, ...]`: What it asks for.",
                "- `assessment.is_near`, `bool`: ",
            ],
        ),
        ("ciba", ["- `event.expires_at`, `int`: Unix seconds."]),
    ],
)
def test_the_page_of_a_room_has_what_its_hooks_are_given(room, members):
    page = portula_reference.room_markdown(room)
    assert [member for member in members if member not in page] == []
