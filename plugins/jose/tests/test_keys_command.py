"""`portula keys rotate|status`."""

import json

import click
import pytest
from click.testing import CliRunner

from portula import Plugin
from portula_testing.jws import taken_apart
from portula_testing.provider import Memory

KEYS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "RSA-OAEP", "ECDH-ES")
LEAD = 2 * 3600 + 5


@pytest.fixture
def run():
    def run(provider, *words):
        group = click.Group(
            commands={command.name: command for command in provider.hooks.collect(Plugin.portula_commands)}
        )
        return CliRunner().invoke(group, ["keys", *words])

    return run


@pytest.fixture
def provider(make):
    return make()


def status(run, provider):
    done = run(provider, "status", "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def kid_of(provider):
    return taken_apart(provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT"))[0]["kid"]


def test_before_anything_is_signed_there_is_nothing_to_list(run, provider):
    assert "No key has been needed yet" in run(provider, "status").output
    assert status(run, provider) == []


def test_status_lists_keys_and_states(run, provider, clock):
    kid, now = kid_of(provider), int(clock())
    run(provider, "rotate", "--algorithm", "RS256")
    old, new = status(run, provider)
    assert old == {
        "kid": kid,
        "algorithms": ["RS256"],
        "state": "active",
        "from": "storage",
        "made_at": now,
        "signs_from": now,
        "until": now + LEAD,
    }
    assert (new["state"], new["signs_from"], new["until"]) == ("next", now + LEAD, now + LEAD)
    table = run(provider, "status").output
    for word in (kid, new["kid"], "active", "next", "RS256", "storage"):
        assert word in table


def test_rotate_says_when_the_next_key_signs(run, provider, clock):
    old = kid_of(provider)
    done = run(provider, "rotate", "--algorithm", "RS256")
    assert done.exit_code == 0
    assert "signs from " in done.output
    assert kid_of(provider) == old
    assert run(provider, "rotate", "--algorithm", "RS256").output == done.output, (
        "asked twice, it does nothing"
    )
    clock.advance(LEAD)
    assert kid_of(provider) in done.output
    assert kid_of(provider) != old


def test_rotate_now_does_not_wait(run, provider):
    old = kid_of(provider)
    done = run(provider, "rotate", "--now", "--algorithm", "RS256")
    assert done.output == f"RS256  {kid_of(provider)}  signs now\n"
    assert kid_of(provider) != old


def test_rotate_turns_every_algorithm_unless_one_is_named(run, provider):
    kid_of(provider)
    run(provider, "rotate", "--now")
    rows = json.loads(run(provider, "rotate", "--now", "--json").output)
    active = [row for row in rows if row["state"] == "active"]
    assert [row["algorithms"] for row in active] == [[name] for name in KEYS]
    assert len([row for row in rows if row["state"] == "retiring"]) == 8


def test_an_algorithm_without_a_generated_key_is_refused(run, provider):
    done = run(provider, "rotate", "--algorithm", "RS512")
    assert done.exit_code == 1
    assert done.output == (f"Error: no key is generated for RS512; there are: {', '.join(KEYS)}\n")


def test_a_configured_key_is_listed_and_rotated_by_hand(run, make, pem):
    provider = make(OIDC_RSA_PRIVATE_KEY=pem)
    (row,) = status(run, provider)
    assert row["kid"] == kid_of(provider)
    assert (row["state"], row["from"], row["algorithms"]) == ("active", "configuration", ["PS256", "RS256"])
    done = run(provider, "rotate")
    assert done.exit_code == 1
    assert "OIDC_RSA_PRIVATE_KEYS_INACTIVE" in done.output


def test_an_inactive_key_is_listed_as_such(run, make, pem):
    rows = status(run, make(OIDC_RSA_PRIVATE_KEYS_INACTIVE=[pem]))
    assert [(row["state"], row["from"]) for row in rows] == [("inactive", "configuration")]


def test_no_command_prints_a_private_part(run, provider):
    """Attack S58."""
    kid_of(provider)
    printed = "".join(
        run(provider, *words).output
        for words in (["rotate"], ["rotate", "--json"], ["status"], ["status", "--json"], ["rotate", "--now"])
    )
    for stored in provider.hooks.ask(Plugin.portula_jose).ring.ring().keys:
        members = json.loads(stored.key.export_private())
        assert stored.public.kid in printed
        assert not any(members[name] in printed for name in ("d", "p", "q", "n", "x") if name in members)


def test_list_is_the_name_that_other_groups_have_for_status(run, provider):
    kid_of(provider)
    assert json.loads(run(provider, "list", "--json").output) == status(run, provider)


def test_show_prints_the_public_members_and_nothing_private(run, provider):
    kid = kid_of(provider)
    facts = json.loads(run(provider, "show", kid, "--json").output)
    assert (facts["kid"], facts["state"]) == (kid, "active")
    assert set(facts["jwk"]) == {"kty", "n", "e", "kid", "use", "alg"}
    assert kid in run(provider, "show", kid).output


def test_show_names_the_nearest_key(run, provider):
    kid = kid_of(provider)
    done = run(provider, "show", kid[:-1])
    assert (done.exit_code, f"did you mean {kid!r}?" in done.output) == (1, True)


def test_forget_asks_and_removes_what_cannot_be_opened_alone(run, make):
    memory = Memory()
    kid_of(make(memory, SECRET_KEYS=["the secret key of last year"]))
    provider = make(memory, SECRET_KEYS=["the secret key of this year"])
    kid = kid_of(provider)
    asked = run(provider, "forget")
    assert asked.exit_code == 1
    assert "1 signing key cannot be opened with SECRET_KEYS" in run(provider, "list").stderr
    assert json.loads(run(provider, "forget", "--yes", "--json").output) == {"removed": 1}
    assert json.loads(run(provider, "forget", "--json").output) == {"removed": 0}
    assert run(provider, "list").stderr == ""
    assert [row["kid"] for row in status(run, provider)] == [kid]
