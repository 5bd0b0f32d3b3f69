"""The pages of a demo that play each grant: by the same player as `portula try`, for one browser each."""

import json
import re
import threading
import time
from html import unescape
from types import SimpleNamespace

import pytest
from support.browser import Browser, forms_of
from support.server import Server, free_port, running
from support.wsgi_server import serving

from portula import Plugin
from portula.cli.serve import ServeOptions, make_app
from portula.plugin import Application, Artifact
from portula_playground import player as player_module
from portula_playground.page import THREAD
from portula_playground.trial_clients import CLIENT_IDS, LIFE_SECONDS, NAME, take

PASSWORD = "correct horse battery staple"
CONFIGURATION = """
OAUTH2_PROVIDER = {{
    "PASSWORD_HASH_PROFILE": "testing",
    "CLIENT_SECRET_HASH_PROFILE": "testing",
    "DEVICE_FLOW_INTERVAL": 1,
    "PLUGINS_DIR": {plugins!r},
}}
"""
PLUGIN = '''
from portula import hookimpl


def play_tea(player):
    """Tea for nobody in particular."""
    player.post("Our <b>manual</b>", "token_endpoint", grant_type="client_credentials", scope=player.require("leaves"))


def play_nothing(player):
    """Nothing, for it fails."""
    raise RuntimeError("the kettle is broken")


@hookimpl(optionalhook=True)
def portula_grant_trials(provider):
    return {"tea": (("client_credentials",), play_tea), "nothing": (("client_credentials",), play_nothing)}
'''


def made(folder, *, demo=True):
    """Return an app, its provider and its URL."""
    plugins = folder / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "tea.py").write_text(PLUGIN)
    config = folder / "config.py"
    config.write_text(CONFIGURATION.format(plugins=str(plugins)))
    url = f"http://127.0.0.1:{free_port()}"
    options = ServeOptions(
        config=str(config), data_dir=str(folder / "data"), creating=True, demo=demo, issuer=f"{url}/o"
    )
    app, provider = make_app(options)
    return SimpleNamespace(app=app, provider=provider, url=url)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A demo that serves."""
    found = made(tmp_path_factory.mktemp("demo"))
    with found.app.app_context():
        found.provider.hooks.ask(Plugin.portula_login).users.create("ann", PASSWORD)
    with serving(found.provider.wsgi(), int(found.url.rpartition(":")[2])):
        yield found


@pytest.fixture
def browser(site):
    with Browser(site.url) as found:
        yield found
    wait_for(lambda: clients(site) == [])


def wait_for(holds):
    ends_at = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def clients(site):
    with site.app.app_context():
        found = site.provider.storage.select(Application, limit=100)
    return [client.client_id for client in found if client.name == NAME]


def play(browser, grant, **typed):
    """Fill in the form of a grant, and return the page of the run."""
    browser.get(f"/o/playground/?grant={grant}")
    page = browser.submit("play", **typed)
    assert page.status_code == 200, page.text
    return page


def person_goes(browser, page, button="consent-allow", username="ann"):
    """Go where the page of a run sends the person, up to the page from which they answer."""
    (url,) = re.findall(r'<a href="([^"]*)">Go there', page.text)
    page = browser.get(unescape(url))
    if "device-continue" in page.text:
        page = browser.submit("device-continue")
    if "login-submit" in page.text:
        browser.sign_in(username, PASSWORD)
    return browser.submit(button)


def sections(page):
    return [unescape(title).partition(":")[0] for title in re.findall(r"<h2>(.*?)</h2>", page.text)]


def is_over(page):
    return "Refresh" not in page.text


# --- Where it is ---


def test_the_start_page_leads_to_each_grant(browser):
    (link,) = re.findall(r'<a href="([^"]*)">Play a client of each grant', browser.get("/").text)
    page = browser.get(link)
    listed = re.findall(r'href="[^"]*\?grant=(\w+)">(\w+)</a></dt><dd>([^<]*)', page.text)
    assert [name for name, shown, text in listed if name == shown and text.endswith(".")] == [
        *("authorization_code", "ciba", "client_credentials", "device", "nothing", "refresh_token", "tea"),
    ]
    for name, _, text in listed:
        assert text in browser.get(f"/o/playground/?grant={name}").text


def test_without_a_demo_there_is_nothing(tmp_path):
    site = made(tmp_path, demo=False)
    http = site.app.test_client()
    for path in ("/o/playground/", "/o/playground/1/", "/o/playground/1/callback"):
        assert http.get(path, base_url=site.url).status_code == 404
        assert http.post(path, base_url=site.url).status_code == 404
    assert "playground" not in http.get("/", base_url=site.url).text
    assert site.provider.hooks.collect(Plugin.portula_demo_links) == []
    with site.app.app_context():
        assert not any(
            "playground" in str(line) for line in site.provider.hooks.collect(Plugin.portula_demo).items()
        )


def test_the_start_prints_its_address_and_removes_what_the_last_one_left(tmp_path):
    site = made(tmp_path)
    with site.app.app_context():
        take(site.provider, ["client_credentials"], "")
        lines = site.provider.hooks.collect(Plugin.portula_demo)
    assert lines["Play each grant"] == f"{site.url}/o/playground/"
    assert clients(site) == []


# --- Runs ---


def test_a_program_of_its_own_is_played_at_once(site, browser):
    page = play(browser, "client_credentials", scope="read")
    assert sections(page) == ["RFC 8414 §3", "RFC 6749 §4.4.2"]
    assert is_over(page)
    assert "(dpop)" in page.text, "a step of a plugin is named with it"
    assert "access_token" in page.text
    assert "characters)" in page.text


@pytest.mark.parametrize(
    ("grant", "typed", "more"),
    [
        ("authorization_code", {}, []),
        ("authorization_code", {"scope": "openid read"}, ["OpenID Connect Core §5.3"]),
        ("refresh_token", {}, ["RFC 6749 §6"]),
    ],
)
def test_a_person_decides_and_comes_back_to_the_run(browser, grant, typed, more):
    page = play(browser, grant, **typed)
    assert not is_over(page)
    done = person_goes(browser, page)
    assert sections(done) == [
        *("RFC 8414 §3", "RFC 6749 §4.1.1, RFC 7636 §4.3", "RFC 6749 §4.1.3, RFC 7636 §4.5"),
        *more,
    ]
    assert done.url.path == page.url.path
    assert is_over(done)


def test_a_person_says_no(browser):
    done = person_goes(browser, play(browser, "authorization_code"), "consent-deny")
    assert "access_denied: the person, or a rule, says no (RFC 6749 §4.1.2.1)" in unescape(done.text)
    assert is_over(done)


def test_a_device_is_allowed_on_its_own_page(browser):
    page = play(browser, "device")
    assert "the person types" in page.text
    person_goes(browser, page)
    wait_for(lambda: is_over(browser.get(page.url.path)))
    assert "access_token" in browser.page.text
    assert sections(browser.page)[:2] == ["RFC 8414 §3", "RFC 8628 §3.1"]


def test_what_a_plugin_says_is_text(browser):
    page = play(browser, "tea", values="leaves=read\r\nmilk=no")
    assert "Our <b>manual</b>" in unescape(page.text)
    assert "<b>" not in page.text
    assert "access_token" in page.text


@pytest.mark.parametrize(
    ("grant", "typed", "said"),
    [
        ("tea", {}, "this grant needs a value: --set leaves="),
        ("tea", {"values": "leaves=unheard-of"}, "invalid_scope: a scope is unknown"),
        ("nothing", {}, "the log of the server says why"),
    ],
)
def test_a_run_that_fails_says_why(browser, caplog, grant, typed, said):
    page = play(browser, grant, **typed)
    assert said in unescape(page.text)
    assert is_over(page)
    assert ("could not be played" in caplog.text) == (grant == "nothing")


@pytest.mark.parametrize("typed", ["leaves", "=read", "a=b\nleaves"])
def test_values_that_are_none_begin_nothing(site, browser, typed):
    browser.get("/o/playground/?grant=tea")
    page = browser.submit("play", values=typed)
    assert page.status_code == 400
    assert "NAME=VALUE is needed" in page.text
    assert clients(site) == []


def test_a_grant_that_nobody_has(browser):
    assert browser.get("/o/playground/?grant=x").status_code == 404
    assert browser.get("/o/playground/?grant=x&grant=y").status_code == 400


# --- Whose it is ---


def test_a_form_of_nobodys_page_begins_nothing(site, browser):
    answer = browser.http.post("/o/playground/?grant=client_credentials", data={"scope": "read"})
    assert answer.status_code == 400
    assert clients(site) == []


def test_a_run_is_for_the_browser_that_began_it(site, browser):
    page = play(browser, "authorization_code")
    with Browser(site.url) as other:
        assert other.get(page.url.path).status_code == 404
        forged = f"{page.url.path}callback?code=x&state=y"
        assert other.get(forged).status_code == 404
    done = person_goes(browser, page)
    assert "access_token" in done.text
    assert browser.get(f"{page.url.path}callback?code=x&state=y").status_code == 404, "it is over"


def test_an_answer_to_another_request_is_refused(browser):
    page = play(browser, "authorization_code")
    done = browser.get(f"{page.url.path}callback?code=x&state=y")
    assert "the answer is not to this request" in done.text
    assert is_over(done)


@pytest.mark.parametrize("path", ["x/", "x/callback?code=x", "1/", "%00/", "%ff/callback", f"{'x' * 5000}/"])
def test_a_run_that_never_was(browser, path):
    assert browser.get(f"/o/playground/{path}").status_code == 404


def test_no_secret_is_kept_in_clear(site, browser):
    done = unescape(person_goes(browser, play(browser, "authorization_code")).text)
    with site.app.app_context():
        kept = [
            json.dumps(artifact.payload) for artifact in site.provider.storage.select(Artifact, limit=100)
        ]
    text = "\n".join(kept)
    assert "RFC 6749" in text
    shown = re.findall(r"([\w-]{12})… \((\d+) characters\)", done)
    assert len(shown) >= 3, "code, verifier and token"
    for start, length in shown:
        assert not re.search(rf"{re.escape(start)}[\w.-]{{{int(length) - 12}}}", text)


@pytest.mark.thorough
def test_each_process_of_a_server_shows_a_run(tmp_path):
    with running(tmp_path, "--demo", "--workers", "2") as server:
        Server(server.url, tmp_path / "demo", server.config).create_user("bob", PASSWORD)
        for _ in range(3):
            with Browser(server.url) as browser:
                assert "access_token" in play(browser, "client_credentials").text
                done = person_goes(browser, play(browser, "authorization_code"), username="bob")
                wait_for(lambda browser=browser, done=done: is_over(browser.get(done.url.path)))
                assert "access_token" in browser.page.text


# --- Bounds ---


def test_so_many_runs_at_once_and_no_more(site, browser, monkeypatch):
    waiting = [play(browser, "authorization_code") for _ in CLIENT_IDS]
    browser.get("/o/playground/?grant=client_credentials")
    refused = browser.submit("play")
    assert refused.status_code == 400
    assert "try again later" in refused.text
    with site.app.app_context():
        later = site.provider.now() + LIFE_SECONDS
        monkeypatch.setattr(site.provider, "_clock", lambda: later)
    assert clients(site) == sorted(CLIENT_IDS.values())
    assert "access_token" in play(browser, "client_credentials").text
    assert clients(site) == []
    wait_for(lambda: THREAD not in [thread.name for thread in threading.enumerate()])
    assert [browser.get(page.url.path).status_code for page in waiting] == [404] * len(waiting)


def test_a_person_who_never_comes_back_ends_the_run(site, browser, monkeypatch):
    monkeypatch.setattr(player_module, "PATIENCE_SECONDS", 0.2)
    page = play(browser, "authorization_code")
    wait_for(lambda: is_over(browser.get(page.url.path)))
    assert "nobody came back from the browser" in browser.page.text
    assert forms_of(browser.page.text) == []
