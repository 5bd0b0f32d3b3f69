"""REALM and CLIENTS_SHARED: what they name, and what they may be."""

import pytest
from support.tenants import ROOMS

from portula import ConfigError
from portula_testing.provider import Memory, client_for, make_provider


def test_a_shared_client_is_in_place_of_one_of_its_own():
    """So no client_id ever means two clients at one provider."""
    memory = Memory()
    east, west, alone = (
        make_provider(*ROOMS, memory, settings=settings)
        for settings in ({"REALM": "east"}, {"REALM": "west", "CLIENTS_SHARED": "east"}, {"REALM": "west"})
    )
    for provider in (east, alone):
        client_for(provider, "client_credentials", client_id="app", name=provider.realm)
    assert [provider.clients.find("app").name for provider in (east, west, alone)] == ["east", "east", "west"]


@pytest.mark.parametrize("issuer", ["", "https://id.example/o"])
def test_realms_of_one_issuer_digest_apart(issuer):
    settings = [{"REALM": name, "OIDC_ISS_ENDPOINT": issuer} for name in ("", "a", "b")]
    keys = [make_provider(*ROOMS, settings=given).keys for given in settings]
    assert len({made.digest("session", "x") for made in keys}) == 3
    assert len({made.across_issuers.digest("client secret", "x") for made in keys}) == 1


@pytest.mark.parametrize("name", ["a b", "a/b", "a\0", "a\n", "é", "x" * 65, 1])
@pytest.mark.parametrize("setting", ["REALM", "CLIENTS_SHARED"])
def test_what_can_be_no_name_of_a_realm_is_refused(setting, name):
    with pytest.raises(ConfigError, match=rf"^{setting}: "):
        make_provider(*ROOMS, settings={setting: name})
