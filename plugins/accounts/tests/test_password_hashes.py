"""Passwords are hashed few at a time, whoever asks for many."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from portula_accounts.passwords import AT_WORK


def test_many_sign_ins_at_once_are_few_hashes_at_once(accounts, monkeypatch):
    passwords, lock = accounts.login.users.passwords, threading.Lock()
    seen = SimpleNamespace(now=0, most=0)
    argon2 = passwords._argon2

    def verify(stored, password):
        with lock:
            seen.now += 1
            seen.most = max(seen.most, seen.now)
        threading.Event().wait(0.02)
        with lock:
            seen.now -= 1
        return argon2.verify(stored, password)

    monkeypatch.setattr(passwords, "_argon2", SimpleNamespace(verify=verify))
    names = [f"user{number}" for number in range(24)]
    with ThreadPoolExecutor(24) as pool:
        pages = list(pool.map(lambda name: accounts.browser().sign_in(name, "wrong password"), names))
    assert {page.status_code for page in pages} == {400}
    assert seen.most == AT_WORK
