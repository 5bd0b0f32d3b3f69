"""What Django stores of a secret is compared with, within bounds, and kept as our own after the first right one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hosting import ask_token, make_provider
from hypothesis import given
from hypothesis import strategies as st

from portula import Plugin
from portula.plugin import Application, Keys
from portula_generators import costly, django_hashes
from portula_generators.hasher import Hasher

SECRET = "correct horse battery staple, and more"
SALT = "Zq1mXy4kT0bB9sLw7cRf2d"
ARGON2 = "argon2$argon2id$v=19$m=64,t=2,p=2$WnExbVh5NGtUMGJCOXNMdzdjUmYyZA$"
FEW = f"pbkdf2_sha256$1000${SALT}$libSS3vv6pin0aZWlyk9LPRqs3eh5bmUnXMm76Tgtss="
MORE = "pbkdf2_sha256$4000$another salt of Django$O8MYvBf6tEG+x2SOBM8yUXuKVrqisZsLxhMfR+C+W6g="
SHORT = "pbkdf2_sha256$1000$salt of tea$6xIC95VMT3YhmPHwPotOeQ6z8EAOwJ5l1B9bA8X5k60="
SCRYPT = (
    f"scrypt$1024${SALT}$8$5$"
    "Q/ep+w+Cw8uGK7gQUnL/i9xw8EMggNvLk94VD6W+Z0XIevj9Qpd3/B+zwrx5uZE679gqW4jxsOepK4xK3gzwig=="
)
WRITTEN = {
    "pbkdf2_sha256": FEW,
    "of Django 5.2": f"pbkdf2_sha256$1000000${SALT}$OV8zC+exbZgO2NF86sFWGH9EgQhVSgEhMbS9HPKIMJ0=",
    "pbkdf2_sha1": f"pbkdf2_sha1$1000${SALT}$syyiV/tivd1+iL5o5b3hrforh3Y=",
    "scrypt": SCRYPT,
    "scrypt of Django 5.2": (
        f"scrypt$16384${SALT}$8$5$"
        "G4TN1dtVXlniS8QXk+6aEqMm4aHhQhZxxcTgxx9K+EQrKARy0Hv5Lo7zEQYES0DNMKG5Uc7lt0cxOLTiNotoxQ=="
    ),
    "argon2": f"{ARGON2}AwGIOIcRSREW2IJnfe7mKlj6VzIkfYwoso5QKp4obI4",
    "argon2 of Django 5.2": (
        "argon2$argon2id$v=19$m=102400,t=2,p=8$WnExbVh5NGtUMGJCOXNMdzdjUmYyZA$"
        "Fx+2NkEEwFvZoaeQTgkEx2DqLSJCInZduYWQupYHgyE"
    ),
}
"""Written by Django 5.2 of SECRET."""
HASHER = Hasher(Keys(["the first key, of enough bytes"], ""), "testing")
FORM = {"grant_types": ("client_credentials",)}


@pytest.fixture
def hasher():
    return Hasher(Keys(["the first key, of enough bytes"], ""), "testing")


@pytest.fixture
def work(monkeypatch):
    """Every piece of work: its form and units."""
    done, real = [], django_hashes._work

    def work(form, units, *further):
        done.append((form, units))
        return real(form, units, *further)

    monkeypatch.setattr(django_hashes, "_work", work)
    return done


def house(**settings):
    """A provider with clients whose secrets are kept in different ways, and none is chosen."""
    provider = make_provider(CLIENT_SECRET_HASH_PROFILE="testing", **settings)
    for name, stored in (("few", FEW), ("more", MORE), ("short", SHORT)):
        client = Application(client_id=name, secret_hashes=(stored,), **FORM)
        provider.clients.create(client, make_secret=False)
    provider.clients.create(Application(client_id="own", **FORM))
    return provider


def stored_of(provider, client_id):
    return provider.storage.find(Application, client_id=client_id).secret_hashes


@pytest.mark.parametrize("stored", WRITTEN.values(), ids=WRITTEN)
def test_the_right_secret_is_known_and_no_other(hasher, stored):
    assert hasher.reads_foreign(stored)
    assert hasher.verify(SECRET, stored) is True
    assert hasher.verify(SECRET[:-1], stored) is False
    assert hasher.verify(stored, stored) is False


@pytest.mark.parametrize(
    "stored",
    [
        FEW.replace("$1000$", "$5000001$"),
        FEW.replace("$1000$", "$0$"),
        FEW.replace("$1000$", "$-1000$"),
        FEW.replace("$1000$", "$" + "1" * 5000 + "$"),
        FEW.replace("$1000$", "$\u0661\u0660\u0660\u0660$"),
        FEW.replace(SALT, ""),
        FEW[:-4],
        FEW[:-1],
        f"{FEW}$",
        FEW.replace("pbkdf2_sha256", "pbkdf2_sha512"),
        SCRYPT.replace("$1024$", "$65537$"),
        SCRYPT.replace("$1024$", "$1000$"),
        SCRYPT.replace("$1024$", "$1048576$"),
        SCRYPT.replace("$8$5$", "$8$17$"),
        WRITTEN["argon2"].replace("m=64", "m=262145"),
        WRITTEN["argon2"].replace("t=2", "t=17"),
        WRITTEN["argon2"].replace("p=2", "p=17"),
        WRITTEN["argon2"].replace("m=64", "m=8"),
        WRITTEN["argon2"].replace("v=19", "v=-5"),
        WRITTEN["argon2"].replace("v=19", "v=18"),
        WRITTEN["argon2"].replace("v=19", "v=99999999999999999999"),
        SCRYPT.replace("$1024$", "$1$"),
        ARGON2,
        "bcrypt_sha256$$2b$12$yb7.O2n0QvGd3v5Y8ooA5eS7vXkM1b1P2eTgJq4o5HkY4cAk8dWvS",
        "!unusable, as Django says that there is none",
        "",
    ],
)
def test_what_is_malformed_or_would_cost_too_much_matches_nothing(hasher, stored):
    assert hasher.verify(SECRET, stored) is False
    assert hasher.verify_foreign(SECRET, stored) is False
    assert hasher.renewal(SECRET, stored) is None or hasher.reads_foreign(stored)


@given(
    prefix=st.sampled_from(
        [
            "pbkdf2_sha256$",
            "pbkdf2_sha1$10$a$",
            "scrypt$2$a$1$1$",
            "argon2$",
            "argon2$argon2id$v=19$m=8,t=1,p=1$",
        ]
    ),
    rest=st.text(max_size=60),
    secret=st.text(max_size=60),
)
def test_a_malformed_form_of_django_matches_nothing(prefix, rest, secret):
    assert HASHER.verify(secret, prefix + rest) is False


@pytest.mark.parametrize(
    ("client_id", "secret", "form"), [("few", SECRET, "digest:"), ("short", "tea", "$argon2id$")]
)
def test_after_the_first_right_secret_it_is_kept_as_our_own(work, client_id, secret, form):
    provider = house()
    assert ask_token(provider, "wrong", client_id).status_code == 401
    assert stored_of(provider, client_id)[0].startswith("pbkdf2_sha256$")
    work.clear()
    assert [ask_token(provider, secret, client_id).status_code for _ in range(5)] == [200] * 5
    (stored,) = stored_of(provider, client_id)
    assert stored.startswith(form)
    assert len(work) == 1
    assert ask_token(provider, "wrong", client_id).status_code == 401


def test_a_client_that_a_process_remembers_is_renewed_too():
    provider = house(CLIENT_CACHE_SECONDS=60)
    assert [ask_token(provider, SECRET, "few").status_code for _ in range(3)] == [200] * 3
    assert stored_of(provider, "few")[0].startswith("digest:")


@pytest.mark.parametrize("remembers", [True, False])
def test_the_secret_of_another_client_of_its_name_stays_as_it_is(monkeypatch, remembers):
    """The client is removed, and its name given anew, by another process: while it is remembered, or being compared."""
    provider, real = house(CLIENT_CACHE_SECONDS=60 if remembers else 0), django_hashes._work

    def make_anew():
        here = list(provider.storage.on_applied)
        provider.storage.on_applied.clear()  # of what other processes change nobody hears
        provider.clients.remove("few")
        later = provider.now() + 2
        monkeypatch.setattr(type(provider), "now", lambda _: later)
        secret = provider.clients.create(Application(client_id="few", **FORM))[1]
        provider.storage.on_applied.extend(here)
        return secret

    made = []
    if remembers:
        assert provider.client_cache.find("few")
        made.append(make_anew())
    else:

        def work(*given):
            monkeypatch.setattr(django_hashes, "_work", real)
            made.append(make_anew())
            return real(*given)

        monkeypatch.setattr(django_hashes, "_work", work)
    answer = ask_token(provider, SECRET, "few")
    assert ask_token(provider, made[0], "few").status_code == 200
    assert ask_token(provider, SECRET, "few").status_code == 401
    assert not remembers or answer.status_code == 401


def test_the_version_of_a_client_stays_so_that_nobodys_edit_fails():
    provider = house()
    read = provider.clients.require("few")
    assert ask_token(provider, SECRET, "few").status_code == 200
    provider.clients.save(replace(read, name="Wiki"))
    assert provider.clients.require("few").name == "Wiki"
    assert ask_token(provider, SECRET, "few").status_code == 200
    assert stored_of(provider, "few")[0].startswith("digest:")


def test_a_secret_that_ends_while_it_is_compared_is_not_brought_back(monkeypatch):
    provider, real = house(), django_hashes._work

    def work(*given):
        monkeypatch.setattr(django_hashes, "_work", real)
        provider.clients.add_secret("few", end_others=True)
        return real(*given)

    monkeypatch.setattr(django_hashes, "_work", work)
    ask_token(provider, SECRET, "few")
    (stored,) = stored_of(provider, "few")
    assert not provider.hooks.ask(Plugin.portula_secret_hasher).verify(SECRET, stored)
    assert ask_token(provider, SECRET, "few").status_code == 401


def test_a_wrong_secret_takes_the_same_time_whatever_the_client_has(work):
    provider = house()
    for client_id in ("few", "more"):
        ask_token(provider, "first", client_id)  # from now on it is known that there are such
    told = {}
    for client_id in ("few", "more", "own", "nobody"):
        work.clear()
        assert ask_token(provider, f"wrong {client_id}", client_id).status_code == 401
        told[client_id] = sum(units for _form, units in work)
    assert set(told.values()) == {4000}, told


def test_a_name_of_nobody_takes_the_time_of_a_password_of_django(hasher, work):
    assert hasher.verify_foreign("tea", None) is False
    assert work == []
    assert hasher.verify_foreign("tea", SHORT) is True
    work.clear()
    assert hasher.verify_foreign("other", None) is False
    assert work == [(("pbkdf2_sha256",), 1000)]


def test_few_comparisons_are_made_at_one_moment_and_few_wrong_ones(monkeypatch):
    provider, real, lock = house(), django_hashes._work, threading.Lock()
    counts = {"now": 0, "most": 0, "all": 0}

    def work(*given):
        with lock:
            counts["now"] += 1
            counts["all"] += 1
            counts["most"] = max(counts["most"], counts["now"])
        threading.Event().wait(0.02)
        with lock:
            counts["now"] -= 1
        return real(*given)

    monkeypatch.setattr(django_hashes, "_work", work)
    with ThreadPoolExecutor(24) as pool:
        answers = pool.map(
            lambda number: ask_token(provider, f"wrong {number}", "few").status_code, range(24)
        )
        assert sorted(answers) == [401] * costly.FAILURES + [429] * (24 - costly.FAILURES)
    assert counts["most"] == costly.AT_WORK
    assert counts["all"] == costly.FAILURES
