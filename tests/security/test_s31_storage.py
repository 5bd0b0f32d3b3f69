"""S31: who steals the database holds nothing that can be presented anywhere."""

import base64
import hashlib
import sqlite3
from contextlib import closing

import pytest
from support.browser import forms_of
from support.pushing import bring, reference, to_login

from security.driving import PASSWORD, s256

CHOSEN_SECRET = "a secret that a person chose, long enough"


def dump(folder):
    """Return all that the files of a SQLite database hold: their bytes, and the tables as text."""
    files = sorted(folder.glob("*.sqlite3*"))
    with closing(sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True)) as connection:
        text = "\n".join(connection.iterdump())
    raw = [file.read_bytes() for file in files]
    return b"\n".join([*raw, text.encode()])


@pytest.fixture(scope="module")
def stolen(make_house, tmp_path_factory):
    """A house in which everything has happened once, the values it gave out, and a dump of its database."""
    folder = tmp_path_factory.mktemp("stolen")
    house = make_house(folder=folder, OIDC_ENABLED=True, DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    values = {}
    browser, door = house.browser(), house.door()
    client = house.client()
    chosen, sealed = house.client(secret=CHOSEN_SECRET), house.sealed_client()
    assert house.browser().sign_in("ann", "a wrong password").status_code == 400
    page = browser.consent_page(client, code_challenge=s256("v" * 43))
    values |= {f"consent {name}": value for name, value in forms_of(page.text)[0].fields.items()}
    assert browser.submit(page, "consent-allow").status_code == 302
    code, verifier = browser.code(client, scope="openid read")
    waiting, _ = browser.code(client)
    first = door.redeem(client, code, verifier).json
    second = door.refresh(client, first["refresh_token"]).json
    made = door.post("/o/register/", json={"redirect_uris": [client.redirect_uri]}).json
    values |= {f"registered {name}": made[name] for name in ("client_secret", "registration_access_token")}
    values |= {"ID token": first["id_token"], "second ID token": second["id_token"]}
    machine = door.token(client, grant_type="client_credentials").json
    assert door.revoke(client, first["refresh_token"]).status_code == 200
    browser.consent_page(client)
    brought, stranger = reference(house, client, scope="read"), house.browser()
    to_login(stranger, brought)
    bring(browser, brought)
    values |= {"request_uri": brought["request_uri"].rpartition(":")[2]}
    values |= {"code": code, "code that waits": waiting, "code_verifier": verifier, "password": PASSWORD}
    values |= {f"first {name}": first[name] for name in ("access_token", "refresh_token")}
    values |= {f"second {name}": second[name] for name in ("access_token", "refresh_token")}
    values |= {"machine's token": machine["access_token"], "wrong password": "a wrong password"}
    values |= {"secret": client.secret, "chosen secret": CHOSEN_SECRET, "sealed secret": sealed.secret}
    values |= dict(cookie.split("=", 1) for cookie in browser.cookies.split("; "))
    values |= {"secret key": house.app.config["OAUTH2_PROVIDER"]["SECRET_KEYS"][0]}
    for party in (chosen, sealed):
        assert door.token(party, grant_type="client_credentials").status_code == 200
    held = dump(folder)
    yield house, client, values, held
    house.close()


def test_the_dump_holds_what_is_no_secret(stolen):
    """Else the other tests would pass on an empty file."""
    house, client, _, held = stolen
    for known in (client.client_id, client.redirect_uri, house.ann.sub, "ann", "portula_refresh_token"):
        assert known.encode() in held


def test_enough_was_given_out(stolen):
    _, _, values, _ = stolen
    assert {
        "__Host-portula_session",
        "__Host-portula_browser",
        "consent csrf_token",
        "consent interaction",
    } <= set(values)
    assert len({value for value in values.values() if len(value) >= 16}) >= 16


def test_no_value_that_was_given_out_is_in_the_dump(stolen):
    _, _, values, held = stolen
    assert [name for name, value in values.items() if value.encode() in held] == []


def test_no_value_can_be_checked_against_the_dump_without_the_secret_key(stolen):
    """A bare digest could be searched for. That of a verifier is the client's own: its code_challenge."""
    _, _, values, held = stolen
    found = []
    ours = {name: value for name, value in values.items() if name != "code_verifier"}
    for name, value in ours.items():
        for algorithm in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(algorithm, value.encode(), usedforsecurity=False).digest()
            shapes = (
                digest,
                digest.hex().encode(),
                base64.b64encode(digest),
                base64.urlsafe_b64encode(digest),
            )
            found += [(name, algorithm) for shape in shapes if shape.rstrip(b"=") in held]
        found += [
            (name, "base64") for shape in (base64.b64encode(value.encode()),) if shape.rstrip(b"=") in held
        ]
    assert found == []


def test_what_is_stored_opens_nothing(stolen):
    house, client, _, _ = stolen
    door = house.door()
    with closing(sqlite3.connect(f"{house.app.instance_path}/portula.sqlite3")) as connection:
        digests = {
            table: [row[0] for row in connection.execute(f"SELECT digest FROM portula_{table}")]
            for table in ("grant", "access_token", "refresh_token", "artifact")
        }
    assert all(digests.values())
    for digest in digests["access_token"]:
        assert door.resource(digest).status_code == 401
        assert not door.is_active(client, digest)
    for digest in digests["refresh_token"]:
        assert door.refresh(client, digest).status_code == 400
    for digest in digests["grant"]:
        assert door.redeem(client, digest, "v" * 43).status_code == 400
    for digest in digests["artifact"]:
        assert house.browser(f"__Host-portula_session={digest}").get("/accounts/").status_code == 302
