"""What `portula check` finds about the keys."""

import pytest

from portula import Plugin
from portula.plugin import Artifact, Level
from portula_testing.provider import Memory
from portula_testing.writing import change_in

YEAR = 366 * 24 * 3600


@pytest.fixture
def found():
    def found(provider):
        return {
            finding.id: finding
            for finding in provider.hooks.collect(Plugin.portula_checks)
            if finding.id.startswith("jose.")
        }

    return found


def test_generated_keys_at_the_defaults_leave_nothing_to_say(make, found):
    provider = make()
    provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT")
    assert found(provider) == {}


def test_looking_makes_no_key(make, found):
    provider = make()
    found(provider)
    assert provider.storage.select(Artifact) == []


def test_a_configured_key_is_rotated_by_hand(make, found, pem):
    findings = found(make(OIDC_RSA_PRIVATE_KEY=pem))
    assert {name: finding.level for name, finding in findings.items()} == {"jose.configured-key": Level.INFO}


@pytest.mark.parametrize(("seconds", "short"), [(299, True), (300, False)])
def test_a_short_life_of_the_published_keys_is_told(make, found, seconds, short):
    assert ("jose.max-age" in found(make(OIDC_JWKS_MAX_AGE_SECONDS=seconds))) is short


def test_keys_without_rotation_are_told(make, found):
    findings = found(make(SIGNING_KEY_ROTATION_SECONDS=None))
    assert {name: finding.level for name, finding in findings.items()} == {"jose.rotation": Level.WARNING}


def test_a_short_retirement_is_told(make, found):
    assert "jose.retiring" in found(make(SIGNING_KEY_RETIRING_SECONDS=3600))


def test_a_key_older_than_a_year_is_told(make, found, clock):
    provider = make(SIGNING_KEY_ROTATION_SECONDS=None)
    provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT")
    clock.advance(YEAR)
    assert "jose.old-key" not in found(provider)
    clock.advance(1)
    assert found(provider)["jose.old-key"].remedy == "Run `portula keys rotate`."
    provider.hooks.ask(Plugin.portula_jose).ring.rotate("RS256", at_once=True)
    assert "jose.old-key" not in found(provider)


def test_keys_under_a_former_secret_key_are_told(make, found):
    memory = Memory()
    make(memory, SECRET_KEYS=["the secret key of last year"]).hooks.ask(Plugin.portula_jose).sign(
        {}, typ="JWT"
    )
    later = make(memory, SECRET_KEYS=["the secret key of this year", "the secret key of last year"])
    later.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT")
    assert found(later)["jose.former-secret-key"].summary.startswith("1 keys ")


def test_keys_under_a_secret_key_that_is_gone_are_told_until_they_are_forgotten(make, found):
    memory = Memory()
    make(memory, SECRET_KEYS=["the secret key of last year"]).hooks.ask(Plugin.portula_jose).sign(
        {}, typ="JWT"
    )
    later = make(memory, SECRET_KEYS=["the secret key of this year"])
    later.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT")
    told = found(later)["jose.other-secret-key"]
    assert (told.level, told.at_start) == (Level.WARNING, True)
    assert "1 signing key cannot be opened with SECRET_KEYS" in told.summary
    both = make(memory, SECRET_KEYS=["the secret key of this year", "the secret key of last year"])
    assert "jose.other-secret-key" not in found(both)
    assert later.hooks.ask(Plugin.portula_jose).ring.forget() == 1
    assert found(later) == {}


def test_damaged_keys_are_told(make, found):
    provider = make()
    provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT")
    (record,) = provider.storage.select(Artifact)
    change_in(provider.storage, Artifact, {"digest": record.digest}, payload={"sealed": "damaged"})
    later = make(*[plugin for plugin in provider._given_plugins if isinstance(plugin, Memory)])
    assert found(later)["jose.unreadable-key"].level is Level.ERROR
