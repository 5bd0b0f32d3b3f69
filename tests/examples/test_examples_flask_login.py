"""examples/flask_login: the app's own users sign in, allow, and are forgotten when they go."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from portula.records import Application

REDIRECT_URI = "http://127.0.0.1:8765/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.fixture
def module(load):
    module = load("flask_login")
    client = Application(
        client_id="tea", client_type="public", grant_types=("authorization_code",), redirect_uris=(REDIRECT_URI,)
    )
    module.app.extensions["portula"]["portula"].clients.create(client)
    return module


@pytest.fixture
def address(module, example_readme):
    return example_readme


@pytest.fixture
def example_readme():
    from pathlib import Path

    text = (Path(__file__).resolve().parents[2] / "examples/flask_login/README.md").read_text(encoding="utf-8")
    return text


def hidden_fields(page):
    """Return the hidden fields of a page's first form."""
    form = re.search(r"<form.*?</form>", page, re.DOTALL)
    assert form, page
    inputs = [tag for tag in re.findall(r"<input[^>]*>", form[0]) if 'type="hidden"' in tag]
    return {
        re.search(r'name="([^"]*)"', tag)[1]: html.unescape(re.search(r'value="([^"]*)"', tag)[1]) for tag in inputs
    }
