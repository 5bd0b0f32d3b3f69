"""Clients that authenticate by certificates: RFC 8705 §2."""

import base64
from contextlib import closing

import pytest
from security.driving import error_of
from support.certificates import FOR_CLIENTS, FOR_SERVERS, Issuer, self_signed, shown

from portula import hookimpl
from portula.errors import ConfigError, InvalidClientMetadata
from portula_testing import jws

FORM = {"grant_type": "client_credentials", "scope": "read"}
DN = "CN=the client,O=Acme"
DAY = 24 * 60 * 60


def named(house, **members):
    """Register a client of the method tls_client_auth."""
    metadata = {f"tls_client_auth_{name}": value for name, value in members.items()}
    return house.client(token_endpoint_auth_method="tls_client_auth", metadata=metadata)


def ask(door, client, der, **form):
    headers = {} if der is None else shown(der)
    return door.token(None, headers, client_id=client.client_id, **{**FORM, **form})


def test_the_methods_are_told(door, make_house):
    document = door.open("/o/.well-known/oauth-authorization-server").json
    for endpoint in ("token", "revocation", "introspection"):
        methods = document[f"{endpoint}_endpoint_auth_methods_supported"]
        assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(methods)
    alone = make_house(MTLS_TRUSTED_CAS=None).door().open("/o/.well-known/oauth-authorization-server").json
    assert "tls_client_auth" not in alone["token_endpoint_auth_methods_supported"]
    assert "self_signed_tls_client_auth" in alone["token_endpoint_auth_methods_supported"]


NAMES = {
    "subject": ({"subject_dn": DN}, {"subject": DN}),
    "subject with escapes": ({"subject_dn": "CN=a\\2c b,O=\\c3\\85"}, {"subject": "CN=a\\, b,O=Å"}),
    "parts in another order": ({"subject_dn": "OU=b+CN=a,O=c"}, {"subject": "CN=a+OU=b,O=c"}),
    "attributes by number": ({"subject_dn": "2.5.4.3=the client,2.5.4.10=Acme"}, {"subject": DN}),
    "host": ({"san_dns": "Client.example"}, {"dns": "client.example"}),
    "URI": ({"san_uri": "urn:client:1"}, {"uri": "urn:client:1"}),
    "address": ({"san_ip": "2001:db8::1"}, {"ip": "2001:0db8:0:0:0:0:0:1"}),
    "address of four": ({"san_ip": "192.0.2.1"}, {"ip": "192.0.2.1"}),
    "mail": ({"san_email": "ops@client.example"}, {"email": "ops@client.example"}),
}


@pytest.mark.parametrize(("members", "given"), NAMES.values(), ids=NAMES)
def test_a_client_is_known_by_the_name_that_it_is_registered_with(house, door, authority, members, given):
    client = named(house, **members)
    assert ask(door, client, authority.client(**given)).status_code == 200
    other = authority.client("CN=another,O=Acme", dns="other.example", uri="urn:client:2", ip="192.0.2.2")
    assert error_of(ask(door, client, other), 401) == "invalid_client"


OTHERS = {
    "the name in another part": ({"san_dns": "the client"}, None),
    "the common name as a host": ({"san_dns": "client.example"}, {"subject": "CN=client.example"}),
    "a wildcard": ({"san_dns": "a.client.example"}, {"dns": "*.client.example"}),
    "a host below": ({"san_dns": "client.example"}, {"dns": "a.client.example"}),
    "NUL in a host": ({"san_dns": "client.example"}, {"dns": "client.example\0.evil.example"}),
    "the address as a host": ({"san_ip": "192.0.2.1"}, {"dns": "192.0.2.1"}),
    "the address as a URI": ({"san_uri": "https://client.example"}, {"uri": "https://client.example/"}),
    "the mail of somebody": ({"san_email": "ops@client.example"}, {"email": "ops@client.example.evil"}),
    "the parts turned round": ({"subject_dn": DN}, {"subject": "O=Acme,CN=the client"}),
    "one part more": ({"subject_dn": DN}, {"subject": f"OU=more,{DN}"}),
    "one part less": ({"subject_dn": DN}, {"subject": "CN=the client"}),
    "parts in one text": ({"subject_dn": DN}, {"subject": "CN=the client\\,O=Acme"}),
}


@pytest.mark.parametrize(("members", "given"), OTHERS.values(), ids=OTHERS)
def test_what_only_looks_like_the_name_is_another(house, door, authority, members, given):
    if given is None:
        with pytest.raises(InvalidClientMetadata):
            named(house, **members)
        return
    client = named(house, **members)
    assert error_of(ask(door, client, authority.client(**given)), 401) == "invalid_client"


WRONG = {
    "expired": {"ends": -1},
    "not valid yet": {"begins": 1},
    "an authority's": {"ca": True},
    "for servers": {"uses": FOR_SERVERS},
    "for no signatures": {"signs": False},
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_a_certificate_that_is_not_for_this_is_refused(house, door, authority, given):
    client = named(house, subject_dn=DN)
    assert error_of(ask(door, client, authority.client(**given)), 401) == "invalid_client"
    assert ask(door, client, authority.client(uses=FOR_CLIENTS)).status_code == 200


def test_the_same_name_by_another_authority_is_nobodys(house, door, authority):
    client = named(house, subject_dn=DN)
    forger = Issuer("the authority")  # the same name, another key
    below = Issuer("below", parent=authority)
    for stranger in (forger.client(), below.client(), self_signed()[0], authority.der):
        assert error_of(ask(door, client, stranger), 401) == "invalid_client"


def test_an_authority_below_is_trusted_where_it_is_named(make_house, authority, tmp_path):
    below = Issuer("below", parent=authority)
    house = make_house(MTLS_TRUSTED_CAS=below.write(tmp_path))
    client = named(house, subject_dn=DN)
    assert ask(house.door(), client, below.client()).status_code == 200
    assert error_of(ask(house.door(), client, authority.client()), 401) == "invalid_client"


def test_the_client_names_itself_in_the_form(house, door, authority):
    client, der = named(house, subject_dn=DN), authority.client()
    assert error_of(door.token(None, shown(der), **FORM), 401) == "invalid_client"
    assert error_of(ask(door, client, None), 401) == "invalid_client"
    other = named(house, subject_dn="CN=another")
    assert error_of(ask(door, other, der), 401) == "invalid_client"


def test_a_second_way_beside_it_is_refused(house, door, authority):
    client, der = named(house, subject_dn=DN), authority.client()
    assert error_of(ask(door, client, der, client_secret=client.secret)) == "invalid_request"
    both = {**shown(der), **client.auth}
    assert error_of(door.token(None, both, client_id=client.client_id, **FORM)) == "invalid_request"
    assert error_of(door.token(None, client.auth, **FORM), 401) == "invalid_client"


def test_a_certificate_is_no_way_for_a_client_of_another_method(house, door, authority):
    client = house.client(metadata={"tls_client_auth_subject_dn": DN})
    assert error_of(ask(door, client, authority.client()), 401) == "invalid_client"
    assert door.token(client, {**client.auth, **shown(authority.client())}, **FORM).status_code == 200


def test_it_counts_wherever_clients_authenticate(house, door, authority):
    client, der = named(house, subject_dn=DN), authority.client()
    token = ask(door, client, der).json["access_token"]
    form = {"client_id": client.client_id, "token": token}
    assert door.post("/o/introspect/", form, shown(der)).json["active"] is True
    assert error_of(door.post("/o/introspect/", form), 401) == "invalid_client"
    assert error_of(door.post("/o/revoke_token/", form), 401) == "invalid_client"
    assert door.post("/o/revoke_token/", form, shown(der)).status_code == 200
    assert door.post("/o/introspect/", form, shown(der)).json["active"] is False


def test_two_workers_and_a_restart_know_the_client(make_house, authority, tmp_path):
    der = authority.client()
    with closing(make_house(folder=tmp_path)) as one, closing(make_house(folder=tmp_path)) as two:
        client = named(one, subject_dn=DN)
        assert ask(two.door(), client, der).status_code == 200
        one.change(client, metadata={"tls_client_auth_subject_dn": "CN=renamed"})
        assert error_of(ask(two.door(), client, der), 401) == "invalid_client"
    with closing(make_house(folder=tmp_path)) as after:
        assert ask(after.door(), client, authority.client("CN=renamed")).status_code == 200


def test_why_is_told_to_operators_alone(make_house, authority):
    reasons = []

    class Heard:
        @hookimpl
        def portula_client_authentication_failed(self, event):
            reasons.append((event.method, event.reason))

    house = make_house(Heard())
    client = named(house, subject_dn=DN)
    for der in (authority.client("CN=another"), authority.client(ends=-1)):
        refused = ask(house.door(), client, der)
        assert "certificate" not in refused.text
    assert reasons == [
        ("tls_client_auth", "the certificate is refused: it is another's"),
        ("tls_client_auth", "the certificate is refused: it has expired, or is not valid yet"),
    ]


# --- Registered certificates ---


def own(house, jwks):
    return house.client(token_endpoint_auth_method="self_signed_tls_client_auth", metadata={"jwks": jwks})


def test_a_client_is_known_by_its_own_certificate(house, door, authority):
    (der, jwks), (other, _) = self_signed(), self_signed()
    client = own(house, jwks)
    assert ask(door, client, der).status_code == 200
    for stranger in (other, authority.client("CN=a client by itself"), None):
        assert error_of(ask(door, client, stranger), 401) == "invalid_client"


def test_a_certificate_of_many_keys_counts_and_one_that_was_taken_out_does_not(house, door):
    (first, one), (second, two) = self_signed(), self_signed()
    client = own(house, {"keys": one["keys"] + two["keys"]})
    assert [ask(door, client, der).status_code for der in (first, second)] == [200, 200]
    house.change(client, metadata={"jwks": two})
    assert error_of(ask(door, client, first), 401) == "invalid_client"
    assert ask(door, client, second).status_code == 200


@pytest.mark.parametrize("given", [{"ends": -1}, {"begins": 1}])
def test_it_has_its_time_too(house, door, given):
    der, jwks = self_signed(**given)
    assert error_of(ask(door, own(house, jwks), der), 401) == "invalid_client"


def test_another_certificate_of_the_same_key_is_another(house, door):
    issuer = Issuer("a client by itself")
    first, second = (issuer.sign(issuer.key, "CN=a client by itself", ends=days * DAY) for days in (1, 2))
    jwk = {**jws.public_members(issuer.key.public_key()), "x5c": [base64.b64encode(first).decode()]}
    client = own(house, {"keys": [jwk]})
    assert ask(door, client, first).status_code == 200
    assert error_of(ask(door, client, second), 401) == "invalid_client"


# --- Registration ---

METADATA = {
    "no name": {},
    "two names": {"tls_client_auth_subject_dn": DN, "tls_client_auth_san_dns": "client.example"},
    "no distinguished name": {"tls_client_auth_subject_dn": "the client"},
    "spaces between its parts": {"tls_client_auth_subject_dn": "CN=the client, O=Acme"},
    "an unknown attribute": {"tls_client_auth_subject_dn": "XY=the client"},
    "an empty name": {"tls_client_auth_subject_dn": ""},
    "a wildcard": {"tls_client_auth_san_dns": "*.client.example"},
    "no host": {"tls_client_auth_san_dns": "https://client.example"},
    "no address": {"tls_client_auth_san_ip": "client.example"},
    "a network": {"tls_client_auth_san_ip": "192.0.2.0/24"},
    "no ASCII": {"tls_client_auth_san_uri": "urn:\0"},
    "no mail": {"tls_client_auth_san_email": "é"},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_a_client_that_could_not_be_known_is_not_registered(house, metadata):
    with pytest.raises(InvalidClientMetadata, match="tls_client_auth"):
        house.client(token_endpoint_auth_method="tls_client_auth", metadata=metadata)


@pytest.mark.parametrize(
    "x5c",
    [None, [], "AAAA", ["!"], ["AAAA"], [7]],
    ids=["none", "empty", "text", "no base64", "no DER", "number"],
)
def test_a_client_without_a_certificate_is_not_registered_as_having_one(house, x5c):
    _, jwks = self_signed()
    (key,) = jwks["keys"]
    key = {name: value for name, value in {**key, "x5c": x5c}.items() if value is not None}
    with pytest.raises(InvalidClientMetadata, match="self_signed_tls_client_auth"):
        own(house, {"keys": [key]})
    with pytest.raises(InvalidClientMetadata, match="self_signed_tls_client_auth"):
        house.client(
            token_endpoint_auth_method="self_signed_tls_client_auth",
            metadata={"jwks_uri": "https://client.example/keys"},
        )


def test_a_client_registers_itself_with_its_name(make_house, authority):
    house = make_house(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    door = house.door()
    asked = {
        "redirect_uris": ["https://client.example/cb"],
        "grant_types": ["client_credentials", "authorization_code"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "client.example",
        "use_mtls_endpoint_aliases": True,
        "tls_client_certificate_bound_access_tokens": True,
    }
    answer = door.post("/o/register/", json=asked)
    assert answer.status_code == 201, answer.text
    for name in ("tls_client_auth_san_dns", "use_mtls_endpoint_aliases"):
        assert answer.json[name] == asked[name]
    refused = door.post("/o/register/", json={**asked, "tls_client_auth_san_dns": "*"})
    assert error_of(refused) == "invalid_client_metadata"


# --- Settings ---


def test_while_it_is_off_a_certificate_is_nothing(make_house, authority):
    house = make_house(MTLS_ENABLED=False)
    client, door = house.client(), house.door()
    assert door.token(client, {**client.auth, **shown(authority.client())}, **FORM).status_code == 200
    document = door.open("/o/.well-known/oauth-authorization-server").json
    assert not [member for member in document if "tls" in member]
    assert "tls_client_auth" not in document["token_endpoint_auth_methods_supported"]


def test_settings_that_make_no_sense_stop_the_start(make_house, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for settings in (
        {"MTLS_TRUSTED_CAS": str(tmp_path / "nowhere.pem")},
        {"MTLS_TRUSTED_CAS": str(empty)},
        {"MTLS_ENDPOINT_BASE_URL": "mtls.example"},
        {"MTLS_ENDPOINT_BASE_URL": "https://mtls.example/"},
        {"TRUSTED_PROXIES": 0},
    ):
        with pytest.raises(ConfigError):
            make_house(**settings)
