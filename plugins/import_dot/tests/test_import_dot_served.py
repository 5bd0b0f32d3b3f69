"""What a dump holds goes on at a server of its own, over HTTP."""

import json
import subprocess

import httpx
import pytest
from support.browser import forms_of
from support.server import PORTULA, running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("moved")) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.mark.thorough
def test_secret_password_and_refresh_token_go_on_and_a_replay_ends_it(server, web, house):
    common = ["--data-dir", str(server.data_dir), "--config", str(server.config)]
    words = [PORTULA, *common, "import-dot-data", str(house.dump), "--json"]
    done = subprocess.run(words, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == 1, done.stderr  # some rows of the dump are refused
    assert json.loads(done.stdout)["counts"]["refresh tokens"]["taken"] == 4

    def refresh(value, secret=house.secrets["web"]):
        form = {"grant_type": "refresh_token", "refresh_token": value}
        return web.post("/o/token/", data=form, auth=("web", secret))

    assert refresh(house.tokens["web"], "wrong").status_code == 401
    first = refresh(house.tokens["web"])
    assert first.status_code == 200, first.text
    second = refresh(first.json()["refresh_token"])
    assert second.status_code == 200
    assert refresh(house.tokens["web"]).json() == {"error": "invalid_grant"}  # RFC 9700 §4.14.2
    assert refresh(second.json()["refresh_token"]).json() == {"error": "invalid_grant"}

    def sign_in(password):
        (form, *_) = forms_of(web.get("/accounts/login/").text)
        return web.post("/accounts/login/", data={**form.fields, "username": "dan", "password": password})

    assert sign_in("wrong").status_code == 400
    assert sign_in("dan's old pass word").status_code == 302
    assert web.get("/accounts/").status_code == 200
