"""S32: whatever must not be guessed comes from `secrets`, and there is enough of it (RFC 6749 §10.10)."""

import ast
import base64
import math
import random
import string
from pathlib import Path

import pytest
from support.browser import forms_of

from portula import Plugin
from portula.errors import ConfigError
from security.driving import answered

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("core/src", "plugins")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if "src" in path.parts
]
PREDICTABLE = {"random", "numpy"}
BASE64URL = frozenset(string.ascii_letters + string.digits + "-_")
BITS = 128


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_nothing_imports_a_predictable_generator():
    assert len(SOURCES) > 50
    assert {path.name: names for path in SOURCES if (names := PREDICTABLE.intersection(imported(path)))} == {}


def test_no_identifier_is_made_of_clock_and_address():
    named = {
        (path.name, node.attr)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("uuid1", "uuid3", "uuid6", "uuid7", "getnode", "mktemp")
    }
    assert named == set()


def test_the_generators_of_the_room_draw_from_secrets():
    path = ROOT / "plugins/generators/src/portula_generators/values.py"
    assert "secrets" in set(imported(path))


@pytest.fixture(scope="module")
def made(house):
    """Return many of each value that is given out, by name."""
    door, client = house.door(), house.client(skip_authorization=True)
    browser = house.browser()
    assert browser.sign_in().status_code == 302
    values = {"access_token": [], "refresh_token": [], "code": []}
    for _ in range(100):
        code, verifier = browser.code(client)
        tokens = door.redeem(client, code, verifier).json
        values["code"].append(code)
        values["access_token"].append(tokens["access_token"])
        values["refresh_token"].append(tokens["refresh_token"])
    asking = house.client()
    pages = [forms_of(browser.consent_page(asking).text)[0].fields for _ in range(100)]
    values["interaction"] = [page["interaction"] for page in pages]
    values["csrf_token"] = [page["csrf_token"] for page in pages]
    cookies = []
    for _ in range(30):
        other = house.browser()
        other.sign_in()
        cookies.append(dict(cookie.split("=", 1) for cookie in other.cookies.split("; ")))
    values["session cookie"] = [cookie["__Host-portula_session"] for cookie in cookies]
    values["browser cookie"] = [cookie["__Host-portula_browser"] for cookie in cookies]
    return values


NAMES = [
    "access_token",
    "refresh_token",
    "code",
    "interaction",
    "csrf_token",
    "session cookie",
    "browser cookie",
]


@pytest.mark.parametrize("name", NAMES)
def test_each_value_has_enough_bits_of_the_alphabet(made, name):
    for value in made[name]:
        assert BASE64URL.issuperset(value)
        assert len(value) * math.log2(len(BASE64URL)) >= BITS
    assert len(set(made[name])) == len(made[name])


@pytest.mark.parametrize("name", NAMES)
def test_no_part_of_a_value_stays_the_same(made, name):
    """A prefix, a counter or a clock in it would show here. The last character holds four bits only.

    A refresh token says which key made it and how often it was rotated; 32 bytes around that are as random as the rest.
    """
    positions = list(zip(*made[name], strict=True))
    if name == "refresh_token":
        positions = positions[3:24] + positions[30:]
    for position in positions:
        assert len(set(position)) >= 8


def test_the_bits_of_tokens_are_balanced(made):
    """Six standard deviations: a fair source fails once in five hundred million runs."""
    data = b"".join(base64.urlsafe_b64decode(f"{token}=") for token in made["access_token"] + made["code"])
    ones = sum(byte.bit_count() for byte in data)
    assert abs(ones - 4 * len(data)) < 6 * math.sqrt(8 * len(data)) / 2


def test_a_seed_changes_nothing(house):
    hooks = house.provider.hooks
    drawn = []
    for _ in range(2):
        random.seed(1)
        secret = hooks.ask(Plugin.portula_client_secret_generator).hash()
        drawn.append(
            (
                hooks.ask(Plugin.portula_client_id_generator).hash(),
                secret,
                hooks.ask(Plugin.portula_access_token_generator)(None),
            )
        )
    assert not set(drawn[0]) & set(drawn[1])


def test_client_identifiers_and_secrets_survive_http_basic(house):
    for _ in range(50):
        party = house.client()
        assert len(party.client_id) == 40
        assert set(party.client_id) <= set(string.ascii_letters + string.digits)
        assert len(party.secret) == 128
        assert set(party.secret) <= set(string.ascii_letters + string.digits + "-._~")


def test_a_short_secret_cannot_be_configured(make_house):
    with pytest.raises(ConfigError, match="CLIENT_SECRET_GENERATOR_LENGTH"):
        make_house(CLIENT_SECRET_GENERATOR_LENGTH=31)
    party = make_house(CLIENT_SECRET_GENERATOR_LENGTH=32).client()
    assert len(party.secret) == 32


def test_the_state_of_one_value_tells_nothing_of_the_next(house, browser, client):
    codes = [answered(browser.authorize(client))["code"] for _ in range(3)]
    assert len({code[:8] for code in codes}) == 3
