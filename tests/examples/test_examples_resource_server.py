"""examples/resource_server does what its README says, beside examples/minimal in another process."""

import json

import httpx
import pytest

pytestmark = pytest.mark.thorough


def test_a_resource_server_asks_the_provider_in_another_process(example, get_token):
    minimal, resource_server = example("minimal"), example("resource_server")
    client, asker = minimal.create_client(), minimal.create_client()
    prefix = "FLASK_OAUTH2_PROVIDER__RESOURCE_SERVER_INTROSPECTION"
    assert f"export {prefix}_URL=http://127.0.0.1:5000/o/introspect/" in resource_server.commands
    assert f"export {prefix}_CREDENTIALS=" in resource_server.commands

    def tea(token):
        return httpx.get(f"{resource_url}/tea", headers={"Authorization": f"Bearer {token}"}, timeout=20)

    with minimal.running() as url:
        settings = {f"{prefix}_URL": f"{url}/o/introspect/", f"{prefix}_CREDENTIALS": json.dumps(asker)}
        running = resource_server.running(**settings)
        resource_url = running.__enter__()
        token, unseen = get_token(url, client, "read"), get_token(url, client, "read")
        answer = tea(token)
        assert (answer.status_code, answer.json()) == (200, {"tea": "black", "for": client[0]})
        assert tea(get_token(url, client, "write")).status_code == 403
        assert tea("nothing").status_code == 401
    try:
        assert tea(unseen).status_code == 503
        assert tea(token).status_code == 200
    finally:
        running.__exit__(None, None, None)
