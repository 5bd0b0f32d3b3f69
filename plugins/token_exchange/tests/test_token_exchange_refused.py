"""What is no token exchange is refused as RFC 8693 §2.2.2 says, and nothing without a policy (S67)."""

from contextlib import closing

import pytest
from security.driving import error_of
from support.exchanges import GRANT, TYPE, Policy

from portula import Plugin, hookimpl
from portula.errors import ConfigError, InvalidClientMetadata, StorageDown
from portula.plugin import Application
from portula_testing.jws import taken_apart
from portula_testing.writing import change_in


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token": None, "subject_token_type": None}, "invalid_request"),
        ({"subject_token": "x"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}refresh_token"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}saml2"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}jwt"}, "invalid_request"),
        ({"subject_token_type": "x"}, "invalid_request"),
        ({"requested_token_type": f"{TYPE}refresh_token"}, "invalid_request"),
        ({"requested_token_type": f"{TYPE}id_token"}, "invalid_request"),
        ({"scope": "read write"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
    ],
)
def test_what_is_wrong_gets_the_error_of_the_rfc(house, app, gateway, change, error):
    form = {
        "subject_token": house.tokens(app)["access_token"],
        "subject_token_type": f"{TYPE}access_token",
        **change,
    }
    assert error_of(house.door().token(gateway, grant_type=GRANT, **form)) == error


def test_a_refresh_token_is_no_subject_whatever_it_is_called(house, app, gateway, exchange):
    refresh = house.tokens(app)["refresh_token"]
    for kind in ("access_token", "id_token", "jwt"):
        assert error_of(exchange(gateway, refresh, kind)) == "invalid_request"


def test_a_client_without_the_grant_or_without_a_secret_exchanges_nothing(house, app, exchange):
    token = house.tokens(app)["access_token"]
    assert error_of(exchange(app, token)) == "unauthorized_client"
    with pytest.raises(InvalidClientMetadata):
        house.public_client(grant_types=("authorization_code", GRANT))


def test_a_client_made_public_exchanges_nothing(house, app, exchange):

    public = house.public_client()
    forced = {"grant_types": ("authorization_code", GRANT)}
    change_in(house.provider.storage, Application, {"client_id": public.client_id}, **forced)
    assert error_of(exchange(public, house.tokens(app)["access_token"])) == "unauthorized_client"


def test_nothing_but_true_allows(house, app, gateway, exchange, policy):
    token = house.tokens(app)["access_token"]
    for answer in (False, None, 1, "yes", [True]):
        policy.delegates = policy.impersonates = answer
        assert error_of(exchange(gateway, token)) == "invalid_request"


def test_a_policy_that_fails_allows_nothing(house, app, gateway, exchange, policy):
    def fail():
        raise RuntimeError("the database of the policy")

    policy.delegates = fail
    answer = exchange(gateway, house.tokens(app)["access_token"])
    assert error_of(answer, 500) == "server_error"
    assert "database of the policy" not in answer.text


def test_a_policy_that_cannot_be_asked_now_says_so(house, app, gateway, exchange, policy):
    def fail():
        raise StorageDown("the database of the policy")

    policy.delegates = fail
    answer = exchange(gateway, house.tokens(app)["access_token"])
    assert error_of(answer, 503) == "temporarily_unavailable"


def test_without_a_policy_there_is_no_such_grant(make_house):
    house = make_house(TOKEN_EXCHANGE_POLICY=None)
    client = house.client()
    tokens = house.tokens(client, scope="openid read")
    form = {"subject_token": tokens["access_token"], "subject_token_type": f"{TYPE}access_token"}
    answer = house.door().token(client, grant_type=GRANT, **form)
    assert error_of(answer) == "unsupported_grant_type"
    document = house.door().open("/o/.well-known/openid-configuration").json
    assert GRANT not in document["grant_types_supported"]
    assert "jti" not in taken_apart(tokens["id_token"])[1]


def test_with_one_the_metadata_lists_it(house):
    document = house.door().open("/o/.well-known/openid-configuration").json
    assert GRANT in document["grant_types_supported"]


def test_a_policy_of_another_kind_stops_the_start(make_house):
    with pytest.raises(ConfigError, match="TokenExchangePolicy"):
        make_house(TOKEN_EXCHANGE_POLICY=lambda request: True)


def test_types_of_subjects_can_be_fewer(make_house):
    house = make_house(TOKEN_EXCHANGE_SUBJECT_TOKEN_TYPES=[f"{TYPE}access_token"])
    app = house.client(grant_types=("authorization_code", GRANT))
    token = house.tokens(app, scope="openid read")["id_token"]
    form = {"subject_token": token, "subject_token_type": f"{TYPE}id_token"}
    assert error_of(house.door().token(app, grant_type=GRANT, **form)) == "invalid_request"
    assert "jti" not in taken_apart(token)[1]


def test_operators_hear_why(make_house):
    heard = []

    class Listener:
        @hookimpl
        def portula_token_refused(self, event):
            heard.append((event.error, event.reason))

    house = make_house(Listener())
    gateway = house.client(grant_types=(GRANT,), redirect_uris=())
    form = {"subject_token": "x", "subject_token_type": f"{TYPE}access_token"}
    house.door().token(gateway, grant_type=GRANT, **form)
    assert heard == [("invalid_request", "subject_token: unknown token")]


class PolicyOfAPlugin(Plugin):
    def portula_token_exchange_policy(self, provider):
        return Policy()


def test_a_plugin_may_bring_the_policy(make_house):
    house = make_house(PolicyOfAPlugin, TOKEN_EXCHANGE_POLICY=None)
    gateway = house.client(grant_types=(GRANT,), redirect_uris=())
    form = {
        "subject_token": house.tokens(house.client())["access_token"],
        "subject_token_type": f"{TYPE}access_token",
    }
    assert house.door().token(gateway, grant_type=GRANT, **form).status_code == 200


def test_tokens_of_another_issuer_on_the_same_database_do_not_count(make_house, tmp_path):
    grants = ("authorization_code", "refresh_token", GRANT)
    with closing(make_house(folder=tmp_path)) as ours:
        app = ours.client(grant_types=grants)
        tokens = ours.tokens(app, scope="openid read")
    theirs = {"OIDC_ISS_ENDPOINT": "https://id.example/other", "MOUNT_PATH": "/o"}
    with closing(make_house(folder=tmp_path, **theirs)) as other:
        for kind in ("access_token", "id_token", "jwt"):
            form = {"subject_token": tokens.get(kind, tokens["id_token"]), "subject_token_type": TYPE + kind}
            assert error_of(other.door().token(app, grant_type=GRANT, **form)) == "invalid_request"


def test_a_server_class_that_would_not_ask_the_policy_stops_the_start(make_house):
    with pytest.raises(ConfigError, match="token_exchange"):
        make_house(OAUTH2_SERVER_CLASS="oauthlib.oauth2.BackendApplicationServer")
