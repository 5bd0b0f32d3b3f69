"""Templates follow the tiers, and the manual says what each is given."""

import re
import sys
from pathlib import Path

import flask
import pytest
from hosting import Memory, deployment, discovering, make_app, make_provider
from jinja2 import Environment, meta, nodes

from portula import Plugin, Provider
from portula.errors import ConfigError
from portula.plugin import Mount

ROOT = Path(__file__).resolve().parents[1]
LOGIN = "portula_accounts/login.html"
TIERS = ["installed", "directory", "deployment", "app", "setting"]
FOLDERS = [ROOT / "core/src/portula/web/templates", *ROOT.glob("plugins/*/src/*/templates")]
SHIPPED = {path.relative_to(folder).as_posix(): path for folder in FOLDERS for path in folder.rglob("*.html")}
FLASK = {"url_for", "dict", "namespace"}
"""Names that Flask and Jinja give to every template."""

PLUGIN = """
from __future__ import annotations
from dataclasses import dataclass
from flask import Blueprint
from portula import hookimpl
from portula.plugin import Mount

@dataclass
class Look:
    folder: str = "templates"

@hookimpl
def portula_blueprints(provider):
    return [Mount(Blueprint("{name}", __name__, template_folder=Look().folder))]
"""


def write(folder, text, name=LOGIN):
    """Write a template into a folder, and return the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder


def login_page(provider):
    """Return the text of the login page."""
    return provider.app.test_client().get("/accounts/login/").text


class Look(Plugin):
    """A plugin that brings templates and nothing else."""

    def __init__(self, folder, name="given"):
        self.folder = folder
        self.name = name

    def portula_blueprints(self, provider):
        return [Mount(flask.Blueprint(self.name, __name__, template_folder=str(self.folder)))]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that puts a distribution with a template on the import path."""
    name = f"templates_of_a_shop_{tmp_path.name.replace('-', '_')}"

    def put():
        info = tmp_path / "site" / f"{name}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[portula]\nzzz = {name}\n")
        (tmp_path / "site" / f"{name}.py").write_text(PLUGIN.format(name="zzz"))
        write(tmp_path / "site" / "templates", "installed")
        monkeypatch.syspath_prepend(tmp_path / "site")

    yield put
    sys.modules.pop(name, None)


@pytest.mark.parametrize("strongest", range(len(TIERS) + 1))
def test_the_template_of_the_strongest_tier_is_taken(installed, tmp_path, strongest):
    present = TIERS[:strongest]
    settings, plugins = {"STORAGE": "memory"}, [Memory()]
    app = make_app()
    if "installed" in present:
        installed()
    if "directory" in present:
        folder = tmp_path / "plugins"
        write(folder / "templates", "directory")
        (folder / "yyy.py").write_text(PLUGIN.format(name="yyy"))
        settings["PLUGINS_DIR"] = str(folder)
    if "deployment" in present:
        plugins.append(Look(write(tmp_path / "given", "deployment")))
    if "app" in present:
        app.template_folder = str(write(tmp_path / "app", "app"))
    if "setting" in present:
        settings["TEMPLATES_DIR"] = str(write(tmp_path / "set", "setting"))
    page = login_page(Provider(app, plugins=plugins, settings=settings))
    assert page == present[-1] if present else "<h1>Sign in</h1>" in page


def test_what_every_page_extends_follows_the_tiers_too(tmp_path):
    base = "<title>{{ brand }}</title>{% block content %}{% endblock %}"
    folder = write(tmp_path, base, "portula/base.html")
    provider = discovering(Look(folder), PROVIDER_NAME="Tea")
    for path in ("/accounts/login/", "/o/authorize/"):
        page = provider.app.test_client().get(path).text
        assert page.startswith("<title>Tea</title>")
        assert "<h1>" in page


def manuals(language, word):
    """Return the block of the page of the manual that has a word."""
    page = (ROOT / "docs/templates.md").read_text(encoding="utf-8")
    (block,) = [
        each
        for each in re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        if word in each
    ]
    return block


def test_pages_stand_in_the_frame_of_the_application_as_the_manual_has_it(tmp_path):
    app = make_app(
        TEMPLATES_DIR=str(write(tmp_path, manuals("html+jinja", '"base.html"'), "portula/base.html"))
    )
    frame = (
        "<title>{% block title %}Tea{% endblock %}</title>{% block head %}<link href=tea.css>{% endblock %}"
        "<nav>Tea</nav>{% block main %}{% block content %}{% endblock %}{% endblock %}"
    )
    app.register_blueprint(
        flask.Blueprint("tea", __name__, template_folder=str(write(tmp_path / "tea", frame, "base.html")))
    )
    exec(manuals("py", "after_request"), {"app": app})
    Provider(app, plugins=deployment(), discover=False)
    answer = app.test_client().get("/o/authorize/")
    assert re.search(
        r"<link href=tea.css>\s*<link .*portula\.css.*<nav>Tea</nav>\s*<article", answer.text, re.DOTALL
    )
    policy = answer.headers["Content-Security-Policy"]
    assert "style-src 'self' https://cdn.example.com;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "Content-Security-Policy" not in app.test_client().get("/nowhere").headers


def test_a_page_in_another_language_says_which(tmp_path):
    text = '{% extends "portula/base.html" %}{% block language %}de{% endblock %}{% block content %}Nein{% endblock %}'
    folder = write(tmp_path, text, "portula/error.html")
    page = make_provider(TEMPLATES_DIR=str(folder)).app.test_client().get("/o/authorize/").text
    assert '<html lang="de">' in page
    assert "Nein" in page


def test_providers_of_one_app_have_templates_of_their_own(tmp_path):
    app = make_app()
    for name in ("first", "second"):
        settings = {
            "STORAGE": "memory",
            "MOUNT_PATH": f"/{name}",
            "TEMPLATES_DIR": str(write(tmp_path / name, name, "portula/error.html")),
        }
        Provider(app, plugins=deployment(), discover=False, settings=settings, name=name)
    for name in ("first", "second"):
        assert app.test_client().get(f"/{name}/authorize/").text == name


def test_a_template_of_ours_may_include_one_of_another_blueprint_of_the_app(tmp_path):
    app = make_app()
    folder = write(tmp_path / "shop", "the shop", "shop/nav.html")
    app.register_blueprint(flask.Blueprint("shop", __name__, template_folder=str(folder)))
    settings = {
        "STORAGE": "memory",
        "TEMPLATES_DIR": str(write(tmp_path, "{% include 'shop/nav.html' %}", "portula/error.html")),
    }
    Provider(app, plugins=deployment(), discover=False, settings=settings)
    assert app.test_client().get("/o/authorize/").text == "the shop"


def test_filters_of_the_app_are_there(tmp_path):
    settings = {"TEMPLATES_DIR": str(write(tmp_path, "{{ 'tea' | shout }}", "portula/error.html"))}
    provider = make_provider(**settings)
    provider.app.add_template_filter(str.upper, "shout")
    assert provider.app.test_client().get("/o/authorize/").text == "TEA"


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"TEMPLATES_DIR: .*nowhere' is not a folder"):
        make_provider(TEMPLATES_DIR=str(tmp_path / "nowhere"))


# --- The manual ---


def variables(name):
    """Return the variables that a template takes from the page, without those of the template that it extends."""
    tree = Environment(autoescape=True).parse(SHIPPED[name].read_text(encoding="utf-8"))
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    imported = {name for line in tree.find_all(nodes.FromImport) for name in line.names}
    parents = [line.template.value for line in tree.find_all(nodes.Extends)]
    inherited = {name for parent in parents for name in variables(parent)}
    return meta.find_undeclared_variables(tree) - FLASK - macros - imported - inherited


def documented():
    """Return the variables that the manual names, for each template and, under no name, for all of them."""
    page = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    found = {}
    name = ""
    for line in page.splitlines():
        if heading := re.match(r"### `(.+)`$", line):
            name = heading[1]
            found[name] = set()
        elif row := re.match(r"\| (`.+?`) \|", line):
            found.setdefault(name, set()).update(re.findall(r"`(\w+)`", row[1]))
    return found


def test_the_manual_names_every_template_with_its_variables():
    manual = documented()
    everywhere = manual.pop("")
    taken = {name: variables(name) - everywhere for name in SHIPPED}
    assert manual == taken
    assert everywhere == {"brand", "status", "portula_static"}
