"""`healthz` and `readyz`: off in applications unless asked for, on in servers; what fails is named, and not told."""

import pytest
from flask import Flask

from portula import Plugin, Provider
from portula.errors import StorageDown
from portula.web import health
from portula_testing.provider import Memory, installed_rooms, make_provider


class Room(Plugin):
    def __init__(self):
        self.asked, self.failure = 0, None

    def portula_readiness(self, provider):
        return {"kettle": self.check, "cups": lambda: None}

    def check(self):
        self.asked += 1
        if self.failure:
            raise self.failure


def visit(path, *plugins, **settings):
    return make_provider(*plugins, settings=settings).app.test_client().get(path)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_an_application_has_neither_unless_it_asks(path):
    assert visit(path).status_code == 404
    assert visit(f"/ops{path}", HEALTH_PATH="/ops").status_code == 200


def test_a_server_of_its_own_has_both(tmp_path):
    app = Flask("alone", instance_path=str(tmp_path), static_folder=None)
    app.config["SECRET_KEY"] = "x" * 32
    app.config["OAUTH2_PROVIDER"] = {"OIDC_ISS_ENDPOINT": "http://localhost/o"}
    Provider(app, stand_alone=True)
    client = app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (
        200,
        {"status": "ok", "checks": dict.fromkeys(["keys", "storage", "schema"], "ok")},
    )


@pytest.mark.parametrize(
    "failure", [StorageDown("DATABASE_URL: the password is sesame"), RuntimeError("sesame")]
)
def test_what_fails_is_named_and_the_log_says_why(failure, caplog):
    room = Room()
    room.failure = failure
    answer = visit("/readyz", room, HEALTH_PATH="")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == {"status": "unavailable", "checks": {"kettle": "failed", "cups": "ok"}}
    assert "sesame" not in answer.text
    assert "not ready: kettle" in caplog.text


def test_however_often_it_is_asked_the_checks_run_once(monkeypatch):
    monkeypatch.setattr(health, "HELD_SECONDS", 3600)
    room = Room()
    client = make_provider(room, settings={"HEALTH_PATH": ""}).app.test_client()
    for _ in range(20):
        assert client.get("/readyz").status_code == 200
    assert room.asked == 1
    monkeypatch.setattr(health, "HELD_SECONDS", -1)
    room.failure = StorageDown("DATABASE_URL: gone")
    assert client.get("/readyz").status_code == 503
    room.failure = None
    assert client.get("/readyz").status_code == 200


def test_healthz_needs_no_storage():
    class Broken(Memory):
        def make(self, records):
            raise AssertionError("asked")

    provider = make_provider(settings={"HEALTH_PATH": ""})
    provider.storage = None
    assert provider.app.test_client().get("/healthz").json == {"status": "ok"}


def test_a_page_is_no_file_whatever_its_path_says():
    """What is answered beside requests that wait for the storage is never a page that asks it too."""
    rooms = [room for room in installed_rooms() if not room.startswith("storage_")]
    provider = make_provider(*rooms, settings={"OIDC_ISS_ENDPOINT": "http://localhost/o"})
    endpoints = provider.machine_endpoints
    rules = {rule.rule for rule in provider.app.url_map.iter_rules()} - endpoints.paths.keys()
    files = {rule for rule in rules if rule.endswith("<path:filename>")}
    for rule in rules:
        path = (
            rule.replace("<path:filename>", "portula.css")
            .replace("<slug>", "static")
            .replace("<named>", "static")
        )
        assert endpoints.needs_no_storage(path) == (rule in files), path
    assert "/o/static/<path:filename>" in files
    assert not endpoints.needs_no_storage("/o/admin/static/view/")
