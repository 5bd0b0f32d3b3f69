"""examples/minimal does what its README says."""

import httpx
import pytest

from portula.plugin import Application


def test_the_smallest_provider_has_fewer_than_15_lines(example):
    lines = (example("minimal").folder / "app.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 15


@pytest.mark.thorough
def test_the_smallest_provider_runs_as_its_readme_says(example, get_token):
    minimal = example("minimal")
    client = minimal.create_client()
    with minimal.running() as url:
        for path in ("/o/token/", "/tea", "/.well-known/oauth-authorization-server/o"):
            assert f"http://127.0.0.1:5000{path}" in minimal.readme
        headers = {"Authorization": f"Bearer {get_token(url, client, 'read')}"}
        assert httpx.get(f"{url}/tea", headers=headers).json() == {"tea": "green", "for": client[0]}
        assert httpx.get(f"{url}/tea").status_code == 401
        headers = {"Authorization": f"Bearer {get_token(url, client, 'write')}"}
        assert httpx.get(f"{url}/tea", headers=headers).status_code == 403
        document = httpx.get(f"{url}/.well-known/oauth-authorization-server/o").json()
        assert document["introspection_endpoint"] == f"{url}/o/introspect/"


def test_the_smallest_provider_answers_in_process(load):
    app = load("minimal").app
    provider = app.extensions["portula"]["portula"]
    client, secret = provider.clients.create(Application(client_id="", grant_types=("client_credentials",)))
    http = app.test_client()
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": secret}
    token = http.post("/o/token/", data=form).json["access_token"]
    answer = http.get("/tea", headers={"Authorization": f"Bearer {token}"})
    assert answer.json == {"tea": "green", "for": client.client_id}
