"""`flask portula createapplication`, with the options of django-oauth-toolkit."""

import json
import re

import pytest

from portula import Plugin, hookimpl
from portula.cli.main import flask_group
from portula.plugin import Application, ClientCredentialsGrant

CHOSEN = "a secret that somebody chose, 40 letters"


@pytest.fixture
def run(world):
    return runner(world)


def runner(world):
    world.app.cli.add_command(flask_group, "portula")
    runner = world.app.test_cli_runner()
    return lambda *words, typed=None: runner.invoke(
        args=["portula", "createapplication", *words], input=typed
    )


def created(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def find(world, client_id):
    return world.provider.storage.find(Application, client_id=client_id)


def test_a_confidential_client_is_made_with_a_secret_that_works(world, run, make):
    made = created(run("confidential", "client-credentials", "--json"))
    assert made["grant_types"] == ["client_credentials"]
    assert len(made["client_id"]) == 40
    assert len(made["client_secret"]) == 128
    form = {
        "grant_type": "client_credentials",
        **{name: made[name] for name in ("client_id", "client_secret")},
    }
    assert world.post("/o/token/", form).status_code == 200
    assert made["client_secret"] not in repr(find(world, made["client_id"]).secret_hashes)


def test_every_option_is_kept(world, run):
    made = created(
        run(
            "confidential",
            "authorization-code",
            "refresh_token",
            "--client-id=the-app",
            "--user=1",
            "--redirect-uris=https://a.example/cb https://b.example/cb",
            "--post-logout-redirect-uris=https://a.example/bye",
            "--allowed-origins=https://a.example https://b.example",
            f"--client-secret={CHOSEN}",
            "--name=The app",
            "--scope=read",
            "--skip-authorization",
            "--algorithm=RS256",
            "--application-type=web",
            "--json",
        )
    )
    client = find(world, "the-app")
    expected = {
        "client_id": "the-app",
        "name": "The app",
        "client_type": "confidential",
        "grant_types": ("authorization_code", "refresh_token"),
        "user": "1",
        "redirect_uris": ("https://a.example/cb", "https://b.example/cb"),
        "post_logout_redirect_uris": ("https://a.example/bye",),
        "allowed_origins": ("https://a.example", "https://b.example"),
        "scope": "read",
        "skip_authorization": True,
        "algorithm": "RS256",
        "application_type": "web",
    }
    assert {name: getattr(client, name) for name in expected} == expected
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in expected.items()}
    assert {name: made[name] for name in expected} == listed
    assert made.keys().isdisjoint({"client_secret", "secret_hashes"})


def test_a_chosen_secret_is_kept_as_argon2id(world, run):
    run("confidential", "client-credentials", "--client-id=app", f"--client-secret={CHOSEN}")
    (stored,) = find(world, "app").secret_hashes
    assert stored.startswith("$argon2id$")
    assert world.provider.hooks.ask(Plugin.portula_secret_hasher).verify(CHOSEN, stored)


@pytest.mark.parametrize("way", ["--client-secret-stdin", "--client-secret-file"])
def test_a_chosen_secret_need_not_stand_on_the_command_line(world, run, tmp_path, way):
    (tmp_path / "secret").write_text(f"{CHOSEN}\r\n")
    words = [way, str(tmp_path / "secret")] if way.endswith("file") else [way]
    result = run("confidential", "client-credentials", "--client-id=app", *words, typed=f"{CHOSEN}\n")
    assert result.exit_code == 0, result.output
    (stored,) = find(world, "app").secret_hashes
    assert world.provider.hooks.ask(Plugin.portula_secret_hasher).verify(CHOSEN, stored)


def test_an_empty_secret_is_refused_and_none_is_drawn_in_its_place(world, run):
    result = run("confidential", "client-credentials", "--client-id=app", "--client-secret-stdin", typed="\n")
    assert result.exit_code == 2
    assert "nothing is there to read" in result.output
    assert find(world, "app") is None


def test_a_secret_that_is_not_hashed_is_kept_sealed(world, run):
    words = ["--client-id=app", "--no-hash-client-secret"]
    result = run("confidential", "client-credentials", *words, f"--client-secret={CHOSEN}")
    (stored,) = find(world, "app").secret_hashes
    assert world.provider.hooks.ask(Plugin.portula_secret_hasher).verify(CHOSEN, stored)
    assert not world.provider.hooks.ask(Plugin.portula_secret_hasher).verify(CHOSEN[1:], stored)
    assert stored.startswith("sealed:")
    assert CHOSEN not in repr(world.store._rows)
    assert "kept encrypted" in result.output
    assert "digest" not in result.output
    assert CHOSEN not in result.output


def test_a_public_client_has_no_secret(world, run):
    made = created(run("public", "authorization-code", "--redirect-uris=https://a.example/cb", "--json"))
    assert "client_secret" not in made
    assert find(world, made["client_id"]).secret_hashes == ()


@pytest.mark.parametrize(
    ("client_type", "uris", "kind"),
    [
        ("public", "http://127.0.0.1/cb", "native"),
        ("public", "http://[::1]:8080/cb com.example.app:/cb", "native"),
        ("public", "https://a.example/cb", "web"),
        ("public", "http://127.0.0.1/cb https://a.example/cb", "web"),
        ("public", "http://localhost/cb", "web"),
        ("confidential", "http://127.0.0.1/cb", "web"),
    ],
)
def test_a_native_client_is_told_by_its_uris(run, client_type, uris, kind):
    made = created(run(client_type, "authorization-code", f"--redirect-uris={uris}", "--json"))
    assert made["application_type"] == kind


def test_the_kind_of_application_may_be_said(run):
    words = ["--redirect-uris=http://127.0.0.1/cb", "--application-type=web", "--json"]
    assert created(run("public", "authorization-code", *words))["application_type"] == "web"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["confidential", "tea"], "grant type 'tea' is not one of"),
        (["confidential", "authorization_cod"], "; did you mean 'authorization_code'?"),
        (["confidential", "password"], "grant type 'password' is off; PASSWORD_GRANT_ENABLED"),
        (["confidential", "authorization-code"], "needs a redirect URI"),
        (["confidential", "authorization-code", "--redirect-uris=http://a.example/cb"], "use https"),
        (["confidential", "authorization-code", "--redirect-uris=javascript:alert(1)"], "redirect"),
        (["public", "client-credentials"], "cannot use client credentials"),
        (["confidential", "client-credentials", "--client-secret=" + "x" * 31], "at least 32"),
        (["public", "authorization-code", f"--client-secret={CHOSEN}"], "has no secret"),
        (["confidential", "client-credentials", "--client-id=two words"], "without spaces"),
        (["confidential", "client-credentials", "--allowed-origins=https://a.example/x"], "allowed origin"),
    ],
)
def test_what_may_not_be_saved_is_said_and_not_saved(world, run, words, text):
    result = run(*words)
    assert result.exit_code == 1
    assert text in result.stderr
    assert "Traceback" not in result.output
    assert world.store._rows[Application] == {}


@pytest.mark.parametrize("words", [[], ["confidential"], ["secret", "client-credentials"]])
def test_words_that_are_missing_or_wrong_are_a_usage_error(run, words):
    result = run(*words)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_a_client_id_that_is_taken_is_said(world, run):
    assert run("confidential", "client-credentials", "--client-id=app").exit_code == 0
    before = find(world, "app")
    result = run("confidential", "client-credentials", "--client-id=app")
    assert (result.exit_code, "'app' is taken" in result.stderr) == (1, True)
    assert find(world, "app") == before


def test_people_read_a_table_and_the_whole_secret(world, run):
    result = run("confidential", "client-credentials", "--client-id=app", "--name=The [bold]app")
    (secret,) = re.findall("^client_secret (.*)$", result.stdout, re.MULTILINE)
    (stored,) = find(world, "app").secret_hashes
    assert world.provider.hooks.ask(Plugin.portula_secret_hasher).verify(secret, stored)
    assert "The [bold]app" in result.stdout
    assert "shown this once" in result.stdout


@pytest.mark.parametrize("name", ["urn:example:grant-type:tea", "urn:example:grant_type:tea"])
def test_a_contributed_grant_type_is_written_as_it_is_called(make, name):
    class Tea:
        @hookimpl
        def portula_grant_types(self, provider):
            return {name: ClientCredentialsGrant}

    made = created(runner(make(Tea()))("confidential", name, "client-credentials", "--json"))
    assert made["grant_types"] == [name, "client_credentials"]


def test_further_metadata_comes_as_json(world, run):
    document = {"client_uri": "https://a.example", "client_name": "Tea", "client_name#ja": "\u8336"}
    made = created(run("confidential", "client-credentials", "--json", "--metadata", json.dumps(document)))
    kept = find(world, made["client_id"])
    assert kept.name == made["name"] == "Tea"
    assert (
        kept.metadata == made["metadata"] == {"client_uri": "https://a.example", "client_name#ja": "\u8336"}
    )
    assert '"client_uri": "https://a.example"' in run(
        "confidential", "client-credentials", "--metadata", json.dumps(document)
    ).output.replace("\n", "")


def test_further_metadata_comes_from_a_file(world, run, tmp_path):
    file = tmp_path / "client.json"
    file.write_text(
        json.dumps({"token_endpoint_auth_method": "client_secret_post", "contacts": ["a@b.example"]})
    )
    made = created(run("confidential", "client-credentials", "--json", "--metadata", f"@{file}"))
    assert made["token_endpoint_auth_method"] == "client_secret_post"
    assert find(world, made["client_id"]).metadata == {"contacts": ["a@b.example"]}


def test_what_an_option_says_counts_more_than_metadata(world, run):
    document = json.dumps({"client_name": "Tea", "scope": "read", "grant_types": ["password"]})
    made = created(
        run("confidential", "client-credentials", "--json", "--name=Coffee", "--metadata", document)
    )
    assert (made["name"], made["scope"], made["grant_types"]) == ("Coffee", "read", ["client_credentials"])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "it is not JSON in UTF-8"),
        ("[]", "it is not a JSON object"),
        ("[" * 100_000, "it is not JSON in UTF-8"),
        ('{"default_max_age": NaN}', "without a finite value"),
        ('{"contacts": ["\\ud800"]}', "surrogate"),
        ("@/no/such/file", "No such file"),
        ('{"contact": ["a@b.example"]}', "no installed plugin understands this; did you mean 'contacts'?"),
        ('{"contacts": "a@b.example"}', "contacts: Input should be a valid list"),
        ('{"token_endpoint_auth_method": "magic"}', "token_endpoint_auth_method"),
        ('{"client_uri": "javascript:alert(1)"}', "client_uri is not an http or https URL"),
    ],
)
def test_metadata_that_cannot_be_meant_makes_no_client(world, run, document, message):
    result = run("confidential", "client-credentials", "--metadata", document)
    assert result.exit_code in (1, 2)
    assert message in result.output.replace("\n", "")
    assert world.provider.storage.select(Application) == []
