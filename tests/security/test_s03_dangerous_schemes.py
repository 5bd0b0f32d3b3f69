"""S03: an address that runs code or reads files is kept nowhere, whichever way it is offered."""

from dataclasses import dataclass

import pytest

from portula.cli.main import flask_group
from portula.errors import ConfigError, InvalidClientMetadata
from portula.plugin import Application
from security.driving import CALLBACK, error_of

DANGEROUS = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "javascript://client.example/%0aalert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "DATA:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://client.example/1",
    "about:blank",
    "ws://client.example/cb",
    "wss://client.example/cb",
    "ftp://client.example/cb",
    "mailto:ann@client.example",
    "filesystem:https://client.example/temporary/cb",
    "view-source:https://client.example/cb",
]
CLIENT_LINKS = ["client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri"]

dangerous = pytest.mark.parametrize("uri", DANGEROUS, ids=lambda uri: ascii(uri)[1:40])


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissive(Application):
    """A client class of a deployment that thinks it allows everything."""

    def get_allowed_schemes(self):
        return tuple(uri.partition(":")[0].strip().lower() for uri in DANGEROUS)


@dangerous
@pytest.mark.parametrize("application_type", ["web", "native"])
def test_it_is_no_redirect_uri(house, uri, application_type):
    with pytest.raises(InvalidClientMetadata):
        house.client(redirect_uris=(CALLBACK, uri), application_type=application_type)


@pytest.fixture(scope="module")
def permissive(make_house):
    return make_house(APPLICATION_MODEL=Permissive)


@dangerous
def test_it_is_no_redirect_uri_for_a_client_class_that_allows_it(permissive, uri):
    with pytest.raises(InvalidClientMetadata):
        permissive.client(redirect_uris=(uri,))


@dangerous
def test_it_is_no_post_logout_redirect_uri(house, uri):
    with pytest.raises(InvalidClientMetadata):
        house.client(post_logout_redirect_uris=(uri,))


@dangerous
def test_it_is_no_allowed_origin(house, uri):
    with pytest.raises(InvalidClientMetadata):
        house.client(allowed_origins=(uri,))


@dangerous
@pytest.mark.parametrize("member", CLIENT_LINKS)
def test_it_is_no_link_of_a_client(house, uri, member):
    with pytest.raises(InvalidClientMetadata):
        house.client(metadata={member: uri})


def test_a_link_that_is_no_text_is_refused(house):
    with pytest.raises(InvalidClientMetadata):
        house.client(metadata={"logo_uri": ["https://client.example/logo.png"]})


@dangerous
def test_a_client_cannot_be_changed_to_it(house, client, uri):
    with pytest.raises(InvalidClientMetadata):
        house.change(client, redirect_uris=(uri,))
    known = house.provider.storage.find(Application, client_id=client.client_id)
    assert known.redirect_uris == (CALLBACK,)


def createapplication(house, *options):
    given = ["createapplication", "confidential", "authorization-code", *options]
    return house.app.test_cli_runner().invoke(flask_group, given)


@pytest.mark.parametrize("uri", [uri for uri in DANGEROUS if uri.split() == [uri]])
def test_the_command_line_refuses_it(house, uri):
    wrong = createapplication(house, f"--redirect-uris={uri}")
    also_wrong = createapplication(house, f"--redirect-uris={CALLBACK}", f"--post-logout-redirect-uris={uri}")
    for result in (wrong, also_wrong):
        assert result.exit_code == 1
        assert "redirect URI" in result.output
    assert createapplication(house, f"--redirect-uris={CALLBACK}").exit_code == 0


@pytest.mark.parametrize("scheme", ["javascript", "DATA", "vbscript", "file", "blob", "about", "ws"])
@pytest.mark.parametrize("setting", ["ALLOWED_REDIRECT_URI_SCHEMES", "ALLOWED_SCHEMES"])
def test_no_setting_allows_it(make_house, setting, scheme):
    with pytest.raises(ConfigError, match=setting):
        make_house(**{setting: ["https", scheme]})


def test_decent_links_are_kept(house):
    links = dict.fromkeys(CLIENT_LINKS, "https://client.example/page")
    client = house.client(metadata=links)
    known = house.provider.storage.find(Application, client_id=client.client_id)
    assert dict(known.metadata) == links


@dangerous
@pytest.mark.parametrize("member", CLIENT_LINKS)
def test_it_is_no_link_of_a_client_in_any_language(house, uri, member):
    with pytest.raises(InvalidClientMetadata):
        house.client(metadata={f"{member}#de-CH": uri})


@pytest.fixture(scope="module")
def open_house(make_house):
    """A house at which everybody may register clients."""
    limits = {"DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR": None, "DCR_MAX_CLIENTS_PER_HOUR": None}
    return make_house(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open", **limits)


@dangerous
@pytest.mark.parametrize("application_type", ["web", "native"])
def test_nobody_registers_it_as_a_redirect_uri(open_house, kind, uri, application_type):
    document = {"redirect_uris": [CALLBACK, uri], "application_type": application_type}
    answer = open_house.door(kind).open("/o/register/", method="POST", json=document)
    assert error_of(answer) == "invalid_redirect_uri"


@dangerous
@pytest.mark.parametrize("member", ["client_uri", "logo_uri", "policy_uri", "tos_uri", "logo_uri#de"])
def test_nobody_registers_it_as_a_link(open_house, kind, uri, member):
    document = {"redirect_uris": [CALLBACK], member: uri}
    answer = open_house.door(kind).open("/o/register/", method="POST", json=document)
    assert error_of(answer) == "invalid_client_metadata"
