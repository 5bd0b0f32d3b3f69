"""One distribution, installed by pip, replaces every class and generator that a setting can name; all at once."""

import json
import subprocess

import httpx
import pytest
from replacing import REPLACED
from support.browser import Browser

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-replace")]

PASSWORD = "a long password of hers"
PAGES = {
    "application": "Own clients",
    "access-token": "Own access tokens",
    "refresh-token": "Own refresh tokens",
    "grant": "Own codes",
    "id-token": "Own ID tokens",
}


@pytest.fixture(scope="module")
def venv(make_venv):
    return make_venv("replaces_all")


@pytest.fixture(scope="module")
def deployment(venv, tmp_path_factory):
    deployment = venv.deployment(tmp_path_factory.mktemp("own"))
    deployment.try_("createuser", "root", "--admin", "--password-stdin", typed=PASSWORD)
    return deployment


@pytest.fixture(scope="module")
def client(deployment):
    return deployment.json("createapplication", "confidential", "client-credentials")


@pytest.fixture(scope="module")
def url(deployment, client):
    with deployment.serving() as url:
        yield url


@pytest.fixture
def answer(url, client):
    auth = (client["client_id"], client["client_secret"])
    return httpx.post(f"{url}/o/token/", auth=auth, data={"grant_type": "client_credentials"})


EXPLAIN = """
import json, sys
from click.testing import CliRunner
from portula.cli.main import main

common, names = sys.argv[1:5], sys.argv[5:]
told = {name: CliRunner().invoke(main, [*common, "explain", name, "--json"]) for name in names}
print(json.dumps({name: json.loads(done.output)["slot"] for name, done in told.items()}))
"""


@pytest.fixture(scope="module")
def rulings(deployment):
    """What `portula explain` says of each setting, asked for all of them in one process of the venv."""
    _, *common = deployment.command()
    names = [replaced.setting for replaced in REPLACED]
    done = subprocess.run(
        [deployment.venv.bin / "python", "-c", EXPLAIN, *common, *names],
        capture_output=True,
        check=True,
        cwd=deployment.folder,
        env=deployment.venv.environment(),
        text=True,
        timeout=120,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("replaced", REPLACED, ids=lambda replaced: replaced.setting)
def test_explain_tells_that_the_distribution_won(rulings, replaced):
    ruling = rulings[replaced.setting]
    winner = ruling["winner"]
    assert (winner["plugin"], winner["distribution"], winner["version"], winner["tier"]) == (
        "replaces_all",
        "portula-replaces-all",
        "1.0",
        "installed",
    )
    assert [entry["plugin"] for entry in ruling["outranked"]] == [replaced.default]


def test_clients_and_tokens_are_made_by_it(client, answer):
    assert client["client_id"].startswith("own-")
    assert client["client_secret"].startswith("own-")
    assert answer.json()["access_token"].startswith("own-at-")


def test_scopes_lifetime_server_and_backend_are_its_own(answer):
    assert (answer.json()["scope"], answer.json()["expires_in"]) == ("own", 36001)
    assert (answer.headers["X-Server"], answer.headers["X-Backend"]) == ("own", "own")


def test_its_model_of_a_client_decides(deployment, url):
    closed = deployment.json("createapplication", "confidential", "client-credentials", "--name", "closed")
    auth = (closed["client_id"], closed["client_secret"])
    refused = httpx.post(f"{url}/o/token/", auth=auth, data={"grant_type": "client_credentials"})
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_its_pages_stand_in_the_admin(url):
    with Browser(url) as browser:
        browser.get("/o/admin/")
        browser.sign_in("root", PASSWORD)
        for kind, title in PAGES.items():
            assert title in browser.get(f"/o/admin/{kind}/").text
