"""What the room tells of itself: metadata, settings, steps, client metadata (RFC 9126 §5, §6)."""

import pytest

from portula.errors import ConfigError


def metadata(world):
    return world.door().open("/o/.well-known/oauth-authorization-server").json


def test_the_endpoint_is_published(make_world):
    document = metadata(make_world())
    assert document["pushed_authorization_request_endpoint"] == "https://id.example/o/par/"
    assert document["require_pushed_authorization_requests"] is False
    document = metadata(make_world(REQUIRE_PUSHED_AUTHORIZATION_REQUESTS=True))
    assert document["require_pushed_authorization_requests"] is True
    document = metadata(make_world(PAR_ENABLED=False))
    assert not any("pushed" in name for name in document)


@pytest.mark.parametrize(
    "settings",
    [
        {"PAR_REQUEST_URI_LIFETIME_SECONDS": 601},
        {"PAR_REQUEST_URI_LIFETIME_SECONDS": 0},
        {"PAR_ENABLED": False, "REQUIRE_PUSHED_AUTHORIZATION_REQUESTS": True},
    ],
    ids=str,
)
def test_settings_that_contradict_stop_the_start(make_world, settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        make_world(**settings)


def test_clients_register_themselves_with_it(make_world):
    world = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    document = {"redirect_uris": ["https://client.example/cb"], "require_pushed_authorization_requests": True}
    made = world.door().post("/o/register/", json=document)
    assert made.json["require_pushed_authorization_requests"] is True
    wrong = {**document, "require_pushed_authorization_requests": "yes"}
    refused = world.door().post("/o/register/", json=wrong)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_client_metadata")


def test_browser_pages_of_the_client_may_read_the_answer(world):
    page = "https://app.example"
    party = world.client(allowed_origins=(page,))
    answer = world.door().post("/o/par/", {"client_id": party.client_id}, {**party.auth, "Origin": page})
    assert answer.headers["Access-Control-Allow-Origin"] == page
    other = {**party.auth, "Origin": "https://other.example"}
    answer = world.door().post("/o/par/", {"client_id": party.client_id}, other)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_its_steps_are_shown(world):
    steps = world.provider.step_lists["par"]
    names = [step.name for step in steps if step.source.name in ("portula_par", "core", "par")]
    own = ["origin", "form", "quota", "parameters", "judge", "write"]
    assert names == ["read", "client", *own, "apply"]
