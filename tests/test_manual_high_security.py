"""The page about high security is enough: its commands and its client are run as they stand."""

import json
import re
import shlex
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from security.driving import PASSWORD, Door, answered
from security.house import House
from test_manual import blocks

from portula.cli.main import main
from portula.plugin import Application, read_client_metadata

PAGE = "docs/high_security.md"
TEXT = (Path(__file__).resolve().parents[1] / PAGE).read_text(encoding="utf-8")
HOST = "https://id.example.com"


def commands():
    """Return the commands of the page, in order, without the name of the program."""
    consoles = re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    lines = [line for text in consoles for line in text.replace("\\\n", " ").splitlines()]
    return [shlex.split(line.removeprefix("$ portula ")) for line in lines]


def code(name):
    """Return what the Python of a file on the page defines."""
    (block,) = [block for block in blocks(PAGE) if block.startswith(f"# {name}\n")]
    namespace = {"__name__": "manual"}
    exec(block, namespace)
    return namespace


class Http:
    """What `requests.Session` does, in this process."""

    def __init__(self, app):
        self.door = Door(app, HOST)

    def post(self, url, **keywords):
        return Answered(self.door.post(url.removeprefix(HOST), **keywords))

    def get(self, url, headers):
        return Answered(self.door.open(url.removeprefix(HOST), headers=headers))


class Answered:
    def __init__(self, response):
        assert response.status_code < 300, response.text
        self.json = lambda: response.json


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command of the page in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (config,) = [block for block in blocks(PAGE) if block.startswith("# config.py\n")]
    Path("config.py").write_text(config)

    def run(words):
        typed = f"{PASSWORD}\n" * 2 if "createuser" in words else None
        return CliRunner().invoke(main, ["--no-plugins", *words], input=typed)

    return run


def test_the_commands_of_the_page(run):
    code("keys.py")["make_keys"]()
    ordered = commands()
    init = next(words for words in ordered if "init" in words)
    assert run(init).exit_code == 0
    for words in ordered:
        done = run(words)
        assert done.exit_code == 0, (words, done.output)
    assert done.output == "Nothing is missing for the profile fapi2.\n"


@pytest.fixture
def house():
    """The server of the page, as `portula serve` has it, at the time of now."""
    settings = {**code("config.py")["OAUTH2_PROVIDER"], "OIDC_ENABLED": True}
    house = House(**settings)
    house.host, house.clock.time = HOST, int(time.time())
    return house


def test_the_client_of_the_page(house, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = code("client.py")["BankApp"]
    key = code("keys.py")["make_keys"]()
    document = {**json.loads(Path("client.json").read_text()), "redirect_uris": [page.redirect_uri]}
    members = read_client_metadata(house.provider.client_members, document)
    grants = ("authorization_code",)
    house.provider.clients.create(
        Application(client_id=page.client_id, client_type="confidential", grant_types=grants, **members)
    )
    app = page(Http(house.app), key)
    browser = house.browser()
    login = browser.get(browser.get(app.start().removeprefix(HOST)).location)
    consent = browser.submit(login, "login-submit", username="ann", password=PASSWORD)
    back = answered(browser.submit(browser.get(consent.location), "consent-allow"))
    tokens = app.finish(**back)
    assert tokens["token_type"] == "DPoP"
    again = app.refresh(tokens["refresh_token"])
    assert app.userinfo(again["access_token"])["sub"] == house.ann.sub
    with pytest.raises(ValueError, match="not the answer"):
        app.finish(**{**back, "state": "another"})


def test_the_documents_of_the_page():
    (document,) = re.findall(r"^```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert json.loads(document)["profile"] == "fapi2"
