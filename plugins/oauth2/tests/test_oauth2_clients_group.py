"""`portula clients` and `portula tokens`: clients and what was issued to them, looked after by hand."""

import json

import pytest

from portula.cli.main import flask_group
from portula.plugin import AccessToken, Application, Authorization, Plugin, RefreshToken, plan_to_add


@pytest.fixture
def run(world):
    world.app.cli.add_command(flask_group, "portula")
    runner = world.app.test_cli_runner()
    return lambda *words, typed=None: runner.invoke(args=["portula", *words], input=typed)


@pytest.fixture
def tea(run):
    """Make a confidential client by command, and return what was printed."""
    words = ("--client-id=tea", "--redirect-uris=https://tea.example/cb", "--scope=read", "--name=Tea")
    return read(run("clients", "create", "confidential", "authorization-code", *words, "--json"))


@pytest.fixture
def issued(world):
    """Keep two authorizations of two people for one client, one for another, and a token of a client's own."""
    storage, now = world.provider.storage, world.provider.now()
    for number, (client_id, subject) in enumerate([("tea", "1"), ("tea", "2"), ("milk", "1")]):
        facts = {
            "client_id": client_id,
            "subject": subject,
            "scope": "read",
            "issued_at": now + number,
        }
        name = f"a{number}"
        storage.apply(
            plan_to_add(
                Authorization(id=name, **facts),
                RefreshToken(authorization=name, digest=f"r{number}", **facts),
                AccessToken(authorization=name, digest=f"t{number}", expires_at=now + 600, **facts),
            )
        )
    own = AccessToken(digest="own", client_id="tea", scope="", issued_at=now, expires_at=now + 600)
    storage.apply(plan_to_add(own))


def read(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def find(world, client_id):
    return world.provider.storage.find(Application, client_id=client_id)


def secret_works(world, secret):
    form = {"grant_type": "client_credentials", "client_id": "tea", "client_secret": secret}
    return world.post("/o/token/", form).json["error"] != "invalid_client"


def live(world):
    found = world.provider.storage.select(Authorization)
    return {each.id for each in found if each.revoked_at is None}


def test_a_list_goes_on_behind_an_identifier(run):
    for name in ("c", "a", "d", "b"):
        run("createapplication", "confidential", "client-credentials", f"--client-id={name}-app")
    first = run("clients", "list", "--limit", "2")
    assert "b-app" in first.stdout
    assert "c-app" not in first.stdout
    assert "--after b-app" in first.stderr
    page = read(run("clients", "list", "--after", "b-app", "--limit", "1", "--json"))
    assert [row["client_id"] for row in page] == ["c-app"]


def test_show_prints_everything_but_secrets(world, run, tea):
    facts = read(run("clients", "show", "tea", "--json"))
    assert facts["redirect_uris"] == ["https://tea.example/cb"]
    assert len(facts["secrets"]) == 1
    for text in (json.dumps(facts), run("clients", "show", "tea").stdout):
        assert tea["client_secret"] not in text
        assert find(world, "tea").secret_hashes[0] not in text


@pytest.mark.parametrize("command", ["show", "set", "rotate-secret", "enable", "disable", "remove"])
def test_an_unknown_client_is_answered_with_the_nearest(run, tea, command):
    done = run("clients", command, "teaa", *(["--name=x"] if command == "set" else []))
    assert done.exit_code == 1
    assert "there is no client 'teaa'; did you mean 'tea'?" in done.stderr


def test_set_changes_what_is_given_and_nothing_else(world, run, tea):
    before = find(world, "tea")
    changed = read(
        run(
            *("clients", "set", "tea", "--redirect-uris", "https://a.example/cb https://b.example/cb"),
            *("--grant-types", "authorization-code refresh-token", "--scope", "write", "--no-require-pkce"),
            *("--metadata", '{"client_uri": "https://tea.example/", "contacts": ["a@tea.example"]}'),
            *("--skip-authorization", "--json"),
        )
    )
    client = find(world, "tea")
    assert client.redirect_uris == ("https://a.example/cb", "https://b.example/cb")
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert (client.scope, client.require_pkce, client.skip_authorization) == ("write", False, True)
    assert client.metadata == {"client_uri": "https://tea.example/", "contacts": ["a@tea.example"]}
    assert (client.name, client.secret_hashes) == (before.name, before.secret_hashes)
    assert changed["version"] == client.version == before.version + 1
    words = ("--scope", "", "--name", "", "--no-skip-authorization", "--metadata", '{"contacts": null}')
    assert run("clients", "set", "tea", *words).exit_code == 0
    client = find(world, "tea")
    assert (client.scope, client.name, client.skip_authorization) == (None, "", False)
    assert client.metadata == {"client_uri": "https://tea.example/"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--redirect-uris", "javascript:alert(1)"), "javascript"),
        (("--redirect-uris", ""), "needs a redirect URI"),
        (("--grant-types", "telepathy"), "telepathy"),
        (("--scope", "rread write"), "nobody knows the scope 'rread'; did you mean 'read'?"),
        (("--metadata", '{"scope": "nosuch"}'), "nobody knows the scope 'nosuch'"),
        (("--metadata", '{"client_url": "https://a.example"}'), "did you mean 'client_uri'?"),
        ((), "say what to change"),
    ],
)
def test_set_hears_every_rule(world, run, tea, words, told):
    before = find(world, "tea")
    done = run("clients", "set", "tea", *words)
    assert done.exit_code in (1, 2)
    assert told in done.stderr
    assert find(world, "tea") == before


@pytest.mark.parametrize("words", [("--scope", "nosuch read"), ("--metadata", '{"scope": "nosuch read"}')])
def test_createapplication_refuses_a_scope_that_nobody_knows(world, run, words):
    done = run("createapplication", "confidential", "client-credentials", "--client-id=new", *words)
    assert done.exit_code == 1
    assert "nobody knows the scope 'nosuch'" in done.stderr
    assert find(world, "new") is None


def test_createapplication_lets_a_confidential_client_go_without_pkce(world, run):
    words = ("--redirect-uris=https://a.example/cb", "--client-id=old", "--no-require-pkce")
    assert run("createapplication", "confidential", "authorization-code", *words).exit_code == 0
    assert find(world, "old").require_pkce is False


def test_a_secret_is_rotated_in_two_steps(world, run, tea):
    made = read(run("clients", "rotate-secret", "tea", "--json"))
    old, new = tea["client_secret"], made["client_secret"]
    assert (secret_works(world, old), secret_works(world, new)) == (True, True)
    assert "at most 2 secrets" in run("clients", "rotate-secret", "tea").stderr
    assert run("clients", "rotate-secret", "tea", "--finish", typed="n\n").exit_code == 1
    assert secret_works(world, old)
    assert len(read(run("clients", "rotate-secret", "tea", "--finish", "--yes", "--json"))["secrets"]) == 1
    assert (secret_works(world, old), secret_works(world, new)) == (False, True)


def test_a_secret_is_rotated_at_once(world, run, tea):
    run("clients", "rotate-secret", "tea")
    made = read(run("clients", "rotate-secret", "tea", "--now", "--yes", "--json"))
    assert len(made["secrets"]) == 1
    assert (secret_works(world, tea["client_secret"]), secret_works(world, made["client_secret"])) == (
        False,
        True,
    )


def test_a_secret_that_can_sign_is_rotated_into_one_that_can(world, run):
    words = ("--client-id=tea", "--no-hash-client-secret")
    run("createapplication", "confidential", "client-credentials", *words)
    made = read(run("clients", "rotate-secret", "tea", "--json"))
    hasher = world.provider.hooks.ask(Plugin.portula_secret_hasher)
    assert hasher.unseal(find(world, "tea").secret_hashes[-1]) == made["client_secret"]


def test_a_client_is_shut_out_and_let_in_again(world, run, tea):
    assert read(run("clients", "disable", "tea", "--json"))["disabled"] is True
    assert not secret_works(world, tea["client_secret"])
    assert read(run("clients", "enable", "tea", "--json"))["disabled"] is False
    assert secret_works(world, tea["client_secret"])


def test_removing_a_client_asks_first_and_ends_what_was_issued_to_it(world, run, tea, issued):
    assert run("clients", "remove", "tea", typed="n\n").exit_code == 1
    assert find(world, "tea")
    assert run("clients", "remove", "tea", "--yes").exit_code == 0
    assert find(world, "tea") is None
    assert live(world) == {"a2"}
    assert world.provider.storage.find(AccessToken, digest="own").revoked_at is not None


def test_tokens_are_listed_by_authorization_the_newest_first(run, tea, issued):
    assert [row["id"] for row in read(run("tokens", "list", "--json"))] == ["a2", "a1", "a0"]
    assert [row["id"] for row in read(run("tokens", "list", "--user", "1", "--json"))] == ["a2", "a0"]
    page = read(run("tokens", "list", "--client", "tea", "--after", "a1", "--json"))
    assert [row["id"] for row in page] == ["a0"]
    table = run("tokens", "list")
    assert "a1" in table.stdout
    assert "r1" not in table.stdout


def test_an_authorization_is_shown_with_the_times_of_its_tokens(run, tea, issued):
    facts = read(run("tokens", "show", "a0", "--json"))
    assert [token["state"] for token in facts["access_tokens"]] == ["live"]
    assert "t0" not in json.dumps(facts)
    run("tokens", "revoke", "a0", "--yes")
    facts = read(run("tokens", "show", "a0", "--json"))
    assert (facts["state"], facts["access_tokens"][0]["state"]) == ("revoked", "revoked")
    assert run("tokens", "show", "nosuch").exit_code == 1


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (("a0", "a2"), {"a1"}),
        (("--user", "1"), {"a1"}),
        (("--client", "tea"), {"a2"}),
        (("--user", "1", "--client", "tea"), {"a1", "a2"}),
    ],
)
def test_tokens_are_revoked_once_it_was_confirmed(world, run, tea, issued, words, left):
    assert run("tokens", "revoke", *words, typed="n\n").exit_code == 1
    assert live(world) == {"a0", "a1", "a2"}
    assert run("tokens", "revoke", *words, "--yes").exit_code == 0
    assert live(world) == left
    heard = {event.authorization for event in world.host.heard if hasattr(event, "authorization")}
    assert heard == {"a0", "a1", "a2"} - left


@pytest.mark.parametrize("words", [(), ("a0", "--user", "1"), ("nosuch",), ("--client", "nosuch")])
def test_revoking_needs_one_clear_aim(world, run, tea, issued, words):
    assert run("tokens", "revoke", *words, "--yes").exit_code in (1, 2)
    assert live(world) == {"a0", "a1", "a2"}
