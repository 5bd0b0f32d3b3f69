"""A client with keys is made on the command line."""

import json

from portula.cli.main import flask_group


def test_a_client_with_keys_is_made_on_the_command_line(world, key, tmp_path):
    file = tmp_path / "client.json"
    file.write_text(json.dumps({"token_endpoint_auth_method": "private_key_jwt", "jwks": key.jwks}))
    world.provider.app.cli.add_command(flask_group, "portula")
    words = [
        "portula",
        "createapplication",
        "confidential",
        "client-credentials",
        "--json",
        "--metadata",
        f"@{file}",
    ]
    done = world.provider.app.test_cli_runner().invoke(args=words)
    assert done.exit_code == 0, done.output
    client = json.loads(done.stdout)["client_id"]
    assert world.token(key.sign(world.claims(client))).status_code == 200
