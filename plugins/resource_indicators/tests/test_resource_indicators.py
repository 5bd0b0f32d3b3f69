"""Tokens for certain servers: RFC 8707 §2, over HTTP."""

import pytest
from security.driving import answered, error_of
from support.pushing import VERIFIER, pushed, reference, to_page

from portula.errors import ConfigError, StorageDown

API, FILES, HERE = "https://api.example/", "https://files.example/v1", "https://id.example/resource"
WRONG = [
    "api.example",
    "/resource",
    f"{API}#top",
    f"{API}#",
    "https://api.example@evil.example/",
    "https:///nothing",
    "https://api.example/a/../",
    "https://api.example/%2e%2e/",
    "https://api.exa mple/",
    "https://api.example/\\evil",
    "https://API.example/",
    "https://api.example/apix",
    "https://api.example:444/",
    "http://api.example/",
    "urn:nobody",
    "x" * 3000,
    "",
]


def granted(world, browser, party, *resources, scope="read write", **redeem):
    """Return the token response for a code that was granted for some resources."""
    code = browser.code(party, resource=list(resources), scope=scope)
    return world.door().redeem(party, *code, **redeem)


def audience(world, token):
    return world.door().introspect(world.api, token).json.get("aud")


# --- Whom a token is for ---


def test_a_token_is_for_all_that_was_granted_or_for_what_its_request_names(world, browser, party):
    both = granted(world, browser, party, API, FILES).json
    assert audience(world, both["access_token"]) == [API, FILES]
    one = granted(world, browser, party, API, FILES, resource=API).json
    assert audience(world, one["access_token"]) == [API]


def test_a_token_for_somebody_is_shown_to_nobody_else(world, browser, party):
    token = granted(world, browser, party, API).json["access_token"]
    assert world.door().is_active(world.api, token)
    for other in (party, world.client()):
        assert world.door().introspect(other, token).json == {"active": False}
    elsewhere = granted(world, browser, party, FILES).json["access_token"]
    assert not world.door().is_active(world.api, elsewhere)


def test_a_refresh_names_any_of_the_granted_and_the_refresh_token_keeps_all(world, browser, party):
    tokens = granted(world, browser, party, API, FILES, resource=FILES).json
    for named, expected in ((FILES, None), (API, [API]), (None, [API, FILES])):
        tokens = world.door().refresh(party, tokens["refresh_token"], resource=named).json
        assert audience(world, tokens["access_token"]) == expected


def test_scopes_that_only_others_know_are_left_out_and_said(world, browser, party):
    tokens = granted(world, browser, party, API, FILES, scope="openid read write", resource=FILES).json
    assert tokens["scope"].split() == ["openid", "write"]
    assert "id_token" in tokens
    again = world.door().refresh(party, tokens["refresh_token"], resource=API).json
    assert set(again["scope"].split()) == {"openid", "read", "write"}


def test_a_client_for_itself_names_what_the_policy_allows(world, party):
    token = world.door().token(party, grant_type="client_credentials", scope="read", resource=API).json
    assert audience(world, token["access_token"]) == [API]
    refused = world.door().token(party, grant_type="client_credentials", resource="https://no.example")
    assert error_of(refused) == "invalid_target"


def test_a_host_without_a_path_is_the_same_as_with_its_slash(world, browser, party):
    tokens = granted(world, browser, party, API.removesuffix("/"), resource=API).json
    assert audience(world, tokens["access_token"]) == [API]


def test_a_pushed_request_names_resources_too(world, browser, party):
    assert error_of(pushed(world, party, resource="https://no.example")) == "invalid_target"
    page = to_page(browser, reference(world, party, resource=[API, HERE]))
    code = answered(browser.submit(page, "consent-allow"))["code"]
    tokens = world.door().redeem(party, code, VERIFIER).json
    assert audience(world, tokens["access_token"]) == [API, HERE]


# --- What is refused ---


@pytest.mark.parametrize("resource", WRONG)
def test_what_is_no_known_resource_is_no_target(world, browser, party, resource):
    sent = answered(browser.ask(party, resource=resource, scope="read"))
    token = world.door().token(party, grant_type="client_credentials", resource=[API, resource])
    if resource == "":  # absent (RFC 6749 §3.1)
        return
    assert sent["error"] == "invalid_target"
    assert error_of(token) == "invalid_target"


@pytest.mark.parametrize("resource", [FILES, HERE])
def test_what_was_not_granted_is_no_target_of_code_or_refresh(world, browser, party, resource):
    assert error_of(granted(world, browser, party, API, resource=resource)) == "invalid_target"
    tokens = granted(world, browser, party, API).json
    refused = world.door().refresh(party, tokens["refresh_token"], resource=[API, resource])
    assert error_of(refused) == "invalid_target"
    assert world.door().refresh(party, tokens["refresh_token"]).status_code == 200


def test_a_code_without_resources_cannot_be_given_some(world, browser, party):
    code = browser.code(party, scope="read")
    assert error_of(world.door().redeem(party, *code, resource=API)) == "invalid_target"


def test_a_resource_that_knows_none_of_the_scopes_is_no_target(world, browser, party):
    assert answered(browser.ask(party, resource=FILES, scope="read"))["error"] == "invalid_target"


def test_thirty_resources_are_too_many(world, party):
    many = [f"{API}{number}" for number in range(30)]
    refused = world.door().token(party, grant_type="client_credentials", resource=many)
    assert error_of(refused) == "invalid_target"


# --- At the server ---


def test_a_token_for_another_server_is_of_no_use_here(world, browser, party):
    for resources, status in (((HERE,), 200), ((), 200), ((API,), 401), ((API, HERE), 200)):
        tokens = granted(world, browser, party, *resources, scope="read").json
        response = world.door().resource(tokens["access_token"])
        assert response.status_code == status, resources
        if status == 401:
            assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("https://id.example", 200),
        ("https://id.example/", 200),
        ("https://ID.example:443/resource", 200),
        ("https://id.example/resource/", 401),
        ("https://id.example/res", 401),
        ("https://id.example:8443/resource", 401),
        ("http://id.example/resource", 401),
        ("urn:example:resource", 401),
        ("urn:example:ours", 200),
    ],
)
def test_a_token_is_for_its_url_and_what_is_below(make_world, resource, status):
    world = make_world(RESOURCE_INDICATORS_POLICY="any", RESOURCE_SERVER_AUDIENCES=["urn:example:ours"])
    form = {"grant_type": "client_credentials", "scope": "read", "resource": resource}
    token = world.door().token(world.client(), **form).json["access_token"]
    assert world.door().resource(token).status_code == status


def test_the_host_header_makes_no_server_of_another(world, browser, party):
    token = granted(world, browser, party, API, scope="read").json["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Host": "api.example"}
    assert world.door().open("/resource", headers=headers, base_url="https://api.example").status_code != 200


def test_a_validator_of_the_deployments_own_decides(make_world):
    heard = []

    def only(url, audience):
        heard.append((url, audience))
        return audience == [FILES]

    world = make_world(RESOURCE_INDICATORS_POLICY="any", RESOURCE_SERVER_TOKEN_RESOURCE_VALIDATOR=only)
    form = {"grant_type": "client_credentials", "scope": "read"}
    for resource, status in ((FILES, 200), (API, 401)):
        token = world.door().token(world.client(), **form, resource=resource).json["access_token"]
        assert world.door().resource(token).status_code == status
    assert heard[0] == (HERE, [FILES])


# --- Settings ---


def test_without_registered_resources_the_parameter_is_ignored(make_world):
    world = make_world()
    form = {"grant_type": "client_credentials", "scope": "read", "resource": "nonsense"}
    token = world.door().token(world.client(), **form)
    assert token.status_code == 200
    assert "aud" not in world.door().introspect(world.client(), token.json["access_token"]).json


def test_a_policy_of_the_deployments_own_decides_and_may_fail(make_world):
    def policy(client, resources, scopes):
        if "write" in scopes:
            raise RuntimeError("no answer")
        if "introspection" in scopes:
            raise StorageDown("no answer")
        return resources == (API,)

    world = make_world(RESOURCE_INDICATORS_POLICY=policy, SCOPES={"read": "Read", "write": "Write"})
    form, party = {"grant_type": "client_credentials", "scope": "read"}, world.client()
    assert world.door().token(party, **form, resource=API).status_code == 200
    assert error_of(world.door().token(party, **form, resource=FILES)) == "invalid_target"
    failed = world.door().token(party, **{**form, "scope": "write"}, resource=API)
    assert (failed.status_code, failed.json["error"]) == (500, "server_error")
    later = world.door().token(party, **{**form, "scope": "introspection"}, resource=API)
    assert (later.status_code, later.json["error"]) == (503, "temporarily_unavailable")


def test_a_default_is_the_audience_where_nothing_is_named(make_world):
    world = make_world(PROTECTED_RESOURCES={API: {"client_id": "api"}}, RESOURCE_INDICATORS_DEFAULT=API)
    api = world.client(client_id="api")
    token = world.door().token(world.client(), grant_type="client_credentials", scope="read").json
    assert world.door().introspect(api, token["access_token"]).json["aud"] == [API]


# --- What was granted, and is for clients no more ---


def test_a_resource_that_is_registered_no_more_is_in_no_further_token(make_world, tmp_path):
    """Whoever asks for it now is refused, so nobody goes on for ever with what was granted before."""
    scopes = {"read": "Read", "write": "Write"}
    known = {API: {"scopes": ["read"], "client_id": "api"}, FILES: {"scopes": ["write"]}}
    before = make_world(folder=tmp_path, PROTECTED_RESOURCES=known, SCOPES=scopes)
    party, api = before.client(), before.client(client_id="api")
    both, alone = (granted(before, before.browser(), party, *of).json for of in ((API, FILES), (FILES,)))
    code = before.browser().code(party, resource=[API, FILES], scope="read write")
    before.close()
    world = make_world(folder=tmp_path, PROTECTED_RESOURCES={API: known[API]}, SCOPES=scopes)
    world.api, door = api, world.door()
    second = door.refresh(party, both["refresh_token"]).json
    for tokens in (second, door.redeem(party, *code).json):
        assert audience(world, tokens["access_token"]) == [API]
    assert error_of(door.refresh(party, second["refresh_token"], resource=FILES)) == "invalid_target"
    assert error_of(door.refresh(party, alone["refresh_token"])) == "invalid_target"
    world.close()


def test_a_policy_that_changes_its_mind_is_heard_by_refreshes_that_name_nothing(make_world):
    allowed = [API, FILES]
    policy = {"RESOURCE_INDICATORS_POLICY": lambda client, resources, scopes: set(resources) <= set(allowed)}
    world = make_world(
        PROTECTED_RESOURCES={API: {}, FILES: {}}, SCOPES={"read": "Read", "write": "Write"}, **policy
    )
    party = world.client()
    tokens = granted(world, world.browser(), party, API, FILES).json
    tokens = world.door().refresh(party, tokens["refresh_token"]).json
    allowed.remove(FILES)
    assert error_of(world.door().refresh(party, tokens["refresh_token"])) == "invalid_target"
    assert world.door().refresh(party, tokens["refresh_token"], resource=API).status_code == 200


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PROTECTED_RESOURCES": {"api.example": {}}}, "'api.example' is no absolute URI without a fragment"),
        ({"PROTECTED_RESOURCES": {"https://u@h/": {}}}, "names a user"),
        ({"PROTECTED_RESOURCES": {API: {"scope": "read"}}}, "scope"),
        ({"RESOURCE_INDICATORS_DEFAULT": API}, "is not one of PROTECTED_RESOURCES"),
        ({"RESOURCE_INDICATORS_POLICY": "all"}, "it is 'registered', 'any' or a callable"),
    ],
)
def test_settings_that_cannot_be_stop_the_start(make_world, settings, words):
    with pytest.raises(ConfigError, match=words):
        make_world(**settings)
