"""What the manual shows works; and what is beside the room: documents of clients, other server classes, profiles."""

import json
import re
from pathlib import Path

import pytest
from security.driving import error_of
from support.attesting import METHOD, Attester, Instance
from support.client_documents import DOCUMENT, URL, Documents

from portula.errors import ConfigError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rooms" / "attestation.md"
FORM = {"grant_type": "client_credentials", "scope": "read"}


def blocks(language):
    return re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def test_the_wallet_of_the_manual_authenticates(make_house, make_client):
    (code,), (metadata,) = blocks("python"), blocks("json")
    namespace = {}
    exec(code, namespace)
    trusted = namespace["OAUTH2_PROVIDER"]["ATTESTATION_TRUSTED_ATTESTERS"]
    ((name, trust),) = trusted.items()
    attester = Attester(lambda: house.clock.time, name)
    assert trust.pop("jwks_uri").startswith("https://")
    house = make_house(ATTESTATION_TRUSTED_ATTESTERS={name: {**trust, "jwks": attester.key.jwks}})
    registered = {
        "method": json.loads(metadata)["token_endpoint_auth_method"],
        "redirect_uris": ("https://wallet.example.com/cb",),
    }
    for client_id, status in (("wallet", 200), ("https://wallets.example.com/a", 200), ("another", 400)):
        instance = Instance(attester, make_client(house, client_id=client_id, **registered).client_id)
        assert house.door().token(headers=instance.headers(), **FORM).status_code == status


def test_a_client_that_is_known_by_a_document_is_attested(make_house, attester):
    documents = Documents()
    documents.published[URL] = {**DOCUMENT, "token_endpoint_auth_method": METHOD}
    house = make_house(documents, CIMD_ENABLED=True, PLUGINS_CHOICE={"fetcher": "Documents"})
    instance = Instance(attester, URL)
    form = {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43}
    assert error_of(house.door().token(headers=instance.headers(), **form)) == "invalid_grant"
    assert error_of(house.door().token(headers={}, client_id=URL, **form), 401) == "invalid_client"
    documents.published[URL] = {**DOCUMENT, "client_id": f"{URL}/other", "token_endpoint_auth_method": METHOD}
    other = Instance(attester, f"{URL}/other")
    assert error_of(house.door().token(headers=other.headers(), **form), 401) == "invalid_client"


def test_a_document_is_fetched_for_nobody_who_is_not_attested(make_house, attester):
    documents = Documents()
    house = make_house(documents, CIMD_ENABLED=True, PLUGINS_CHOICE={"fetcher": "Documents"})
    stranger = Instance(Attester(attester.now), URL)
    assert error_of(house.door().token(headers=stranger.headers(), **FORM)) == "invalid_client_attestation"
    assert documents.fetched == []


def test_a_server_class_that_cannot_bind_refresh_tokens_is_no_place_for_it(make_house):
    foreign = {"OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer"}
    with pytest.raises(ConfigError, match="client_instance"):
        make_house(**foreign)
    assert make_house(ATTESTATION_TRUSTED_ATTESTERS={}, **foreign)


def test_a_profile_that_names_no_methods_allows_it(make_house, make_client, attester):
    house = make_house(PROFILE="oauth2.1")
    instance = Instance(attester, make_client(house).client_id)
    assert house.door().token(headers=instance.headers(), **FORM).status_code == 200
