"""Codes and refresh tokens that many processes redeem at one moment: one of them succeeds."""

import base64
import logging
import multiprocessing
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import Client

from portula import Plugin, Provider
from portula.plugin import Application, OAuthRequest, exchange_of

PROCESSES = 4
CALLBACK = "https://app.example.com/callback"
SETTINGS: dict[str, Any] = {
    "OIDC_ISS_ENDPOINT": "https://id.example.com/o",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 600,
    "PASSWORD_HASH_PROFILE": "testing",
    "CLIENT_SECRET_HASH_PROFILE": "testing",
    "DELIVERY_THREADS": 0,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
}
VERIFIER, CHALLENGE = "v" * 64, "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM"


class Racer:
    """A provider in this process, and its token endpoint."""

    def __init__(self, settings: Mapping[str, Any], secret_key: str, folder: Path):
        logging.disable(logging.CRITICAL)  # a line for each replay is what it should write
        self.app = Flask("races", instance_path=str(folder), static_folder=None)
        self.app.config.update(SECRET_KEY=secret_key, OAUTH2_PROVIDER={**SETTINGS, **settings})
        self.provider = Provider(self.app)
        self.http = Client(self.provider.wsgi())

    def token(self, authorization: str, **form: str) -> Any:
        """Ask for a token."""
        return self.http.post(
            "/o/token/",
            data=form,
            headers={"Authorization": authorization},
            base_url="https://id.example.com",
        )


def raced(
    settings: Sequence[Mapping[str, Any]], secret_key: bytes, folder: Path, number: int, tries: int
) -> dict[str, Any]:
    """Race for so many codes and so many refresh tokens; return how often each had how many winners.

    Args:
        settings: of both nodes; processes are at each by turns.
        secret_key: that the nodes share.
        folder: of instances.
        number: of codes, and of refresh tokens.
        tries: for each of them.
    """
    key = base64.b64encode(secret_key).decode()
    racer = Racer(settings[0], key, folder)
    client, secret = racer.provider.clients.create(
        Application(
            client_id="", grant_types=("authorization_code", "refresh_token"), redirect_uris=(CALLBACK,)
        )
    )
    authorization = "Basic " + base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    login: Any = racer.provider.hooks.ask(Plugin.portula_login)
    subject = str(login.users.create(f"racer-{secrets.token_hex(4)}", secrets.token_urlsafe(16)).sub)

    def form(code: str) -> dict[str, str]:
        return {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }

    codes = [form(_code(racer, client, subject)) for _ in range(number)]
    told: dict[str, Any] = {"codes": _run(settings, key, folder, authorization, codes, tries)}
    redeemed = [racer.token(authorization, **form(_code(racer, client, subject))).json for _ in range(number)]
    refreshes = [{"grant_type": "refresh_token", "refresh_token": each["refresh_token"]} for each in redeemed]
    told["refresh tokens"] = _run(settings, key, folder, authorization, refreshes, tries)
    return told


def _code(racer: Racer, client: Application, subject: str) -> str:
    """Issue a code as the authorization endpoint does once the person agreed."""
    code = secrets.token_urlsafe(32)
    body = [("redirect_uri", CALLBACK), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]
    request = OAuthRequest("/o/authorize/", body=body)
    request.client, request.user, request.scopes = client, subject, ["read"]
    request.using_default_redirect_uri = False
    racer.provider.validator.save_authorization_code(client.client_id, {"code": code}, request)
    racer.provider.storage.apply(exchange_of(request, racer.provider).plan)
    return code


def _run(
    settings: Sequence[Mapping[str, Any]],
    key: str,
    folder: Path,
    authorization: str,
    forms: list[dict[str, str]],
    tries: int,
) -> dict[str, Any]:
    """Send each form as often as said, from four processes at one moment; count who won."""
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(tries), spawn.Queue()
    processes = [
        spawn.Process(
            target=_compete,
            args=(
                settings[number % 2],
                key,
                folder / str(number),
                authorization,
                forms,
                tries // PROCESSES,
                barrier,
                results,
            ),
        )
        for number in range(PROCESSES)
    ]
    began = time.monotonic()
    for process in processes:
        process.start()
    statuses = [results.get(timeout=900) for _ in range(tries)]
    for process in processes:
        process.join(60)
    wins = Counter(sum(column[place] == 200 for column in statuses) for place in range(len(forms)))
    others = Counter(status for column in statuses for status in column if status != 200)
    return {
        "winners": {str(number): count for number, count in sorted(wins.items())},
        "others": {str(status): count for status, count in sorted(others.items())},
        "seconds": round(time.monotonic() - began, 1),
    }


def _compete(
    settings: Mapping[str, Any],
    key: str,
    folder: Path,
    authorization: str,
    forms: list[dict[str, str]],
    threads: int,
    barrier: Any,
    results: Any,
) -> None:
    """Send each form once in each thread, all at one moment; put the statuses of each thread."""
    racer = Racer(settings, key, folder)

    def run() -> None:
        statuses = []
        for form in forms:
            barrier.wait(300)
            statuses.append(racer.token(authorization, **form).status_code)
        results.put(statuses)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
