"""In an app factory: a provider made before its apps, data that comes later, commands that mend the storage."""

import json

import click
import pytest
from click.testing import CliRunner
from flask import Flask, current_app
from flask.cli import FlaskGroup
from flask_sqlalchemy import SQLAlchemy
from hosting import KEY, ROOMS, Memory, NobodyHere, deployment, make_app

import portula_oauth2
from portula import ConfigError, Provider, hookimpl
from portula.cli.main import main
from portula.plugin import Application, Finding, Level, ScopesBackend, current_provider
from portula_testing.memory import MemoryStore
from portula_testing.plugins import MovableClock

METADATA = "/o/.well-known/oauth-authorization-server"


def unbound(*plugins, **given):
    return Provider(plugins=deployment(*plugins), discover=False, **given)


def factory(provider):
    """Return an app factory, as Flask's manual has it: the extension is made once, apps again and again."""

    def create_app():
        app = make_app(OIDC_ISS_ENDPOINT="https://id.example/o")
        provider.init_app(app)
        return app

    return create_app


def token(app, secret):
    given = {"grant_type": "client_credentials", "client_id": "machine", "client_secret": secret}
    return app.test_client().post("/o/token/", data=given).status_code


def new_client(provider):
    return provider.clients.create(Application(client_id="machine", grant_types=("client_credentials",)))[1]


# --- One provider, several apps ---


def test_a_factory_may_be_called_again_and_each_app_has_state_of_its_own():
    provider = unbound()
    first, second = [factory(provider)() for _ in range(2)]
    with first.app_context():
        secret = new_client(provider)
        assert provider.clients.find("machine")
    with second.app_context():
        assert provider.clients.find("machine") is None
    assert (token(first, secret), token(second, secret)) == (200, 401)


def test_in_an_app_context_it_stands_for_the_provider_of_that_app_and_elsewhere_for_the_latest():
    provider = unbound()
    apps = [factory(provider)() for _ in range(2)]
    for app in apps:
        with app.app_context():
            assert provider.app is app
            assert current_provider().app is app
            assert provider.backend is current_provider().backend
    assert provider.app is apps[1]
    with Flask("another").app_context():
        assert provider.app is apps[1]
    assert isinstance(provider, Provider)


def test_two_of_them_in_one_app_are_told_apart():
    app = make_app()
    north, south = (unbound(name=name) for name in ("north", "south"))
    for provider in (north, south):
        app.config["OAUTH2_PROVIDER"] = {"MOUNT_PATH": f"/{id(provider)}"}
        provider.init_app(app)
    with app.app_context():
        assert (north.name, south.name) == ("north", "south")


def test_before_it_has_an_app_it_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"call init_app\(app\) first"):
        _ = unbound().clients


def test_an_app_takes_it_once():
    provider, app = unbound(), make_app()
    provider.init_app(app)
    with pytest.raises(
        ConfigError, match="the app has a provider named 'portula'; give this one another name"
    ):
        provider.init_app(app)


def test_one_that_was_made_with_an_app_says_how_several_are_done():
    provider = Provider(make_app(), plugins=deployment(), discover=False)
    with pytest.raises(
        ConfigError, match=r"make it without one, Provider\(\), and call init_app for each app"
    ):
        provider.init_app(make_app())


# --- Data that is not there at start ---


class ScopesOfATable(ScopesBackend):
    """A scopes backend as an app writes it, on a model of Flask-SQLAlchemy."""

    def __init__(self):
        self.db = SQLAlchemy()
        self.Scope = type(
            "Scope",
            (self.db.Model,),
            {"__tablename__": "scope", "name": self.db.Column(self.db.String(50), primary_key=True)},
        )

    def get_all_scopes(self):
        return {scope.name: scope.name for scope in self.db.session.scalars(self.db.select(self.Scope))}

    def get_default_scopes(self, application=None, request=None, *args, **kwargs):
        return []

    @hookimpl
    def portula_scopes_backend(self, provider):
        assert current_app  # start has an app context
        return self


@pytest.fixture
def shop():
    """Return an app with such a backend, whose table is not made yet, the backend, and the provider's clock."""
    app = Flask("shop")
    app.config.update(TESTING=True, SECRET_KEY=KEY, SQLALCHEMY_DATABASE_URI="sqlite://", OAUTH2_PROVIDER={})
    scopes, clock = ScopesOfATable(), MovableClock()

    class Clock:
        @hookimpl
        def portula_clock(self, provider):
            return clock

    scopes.db.init_app(app)
    rooms = [room for room in ROOMS if room.__name__ != "portula_scopes_settings"]
    Provider(app, plugins=deployment(scopes, Clock(), rooms=rooms), discover=False)
    yield app, scopes, clock
    with app.app_context():
        scopes.db.engine.dispose()


def advertised(app):
    response = app.test_client().get(METADATA)
    assert response.status_code == 200
    return response.json.get("scopes_supported")


def test_a_backend_whose_table_is_not_made_stops_no_start(shop, caplog):
    app, scopes, clock = shop
    assert advertised(app) is None
    assert "scopes_supported fails: OperationalError" in caplog.text
    with app.app_context():
        scopes.db.create_all()
        scopes.db.session.add(scopes.Scope(name="tea"))
        scopes.db.session.commit()
    clock.advance(31)
    assert "tea" in advertised(app)


def test_documents_follow_the_data_and_stay_while_it_is_away(shop):
    app, scopes, clock = shop
    with app.app_context():
        scopes.db.create_all()
    for name in ("tea", "cake"):
        with app.app_context():
            scopes.db.session.add(scopes.Scope(name=name))
            scopes.db.session.commit()
        clock.advance(31)
        assert name in advertised(app)
    tag = app.test_client().get(METADATA).headers["ETag"]
    with app.app_context():
        scopes.db.drop_all()
    clock.advance(31)
    assert {"tea", "cake"} <= set(advertised(app))
    assert app.test_client().get(METADATA, headers={"If-None-Match": tag}).status_code == 304


def test_a_member_that_depends_on_data_is_asked_for_no_oftener_than_stated():
    calls = []

    class Counting:
        @hookimpl
        def portula_metadata(self, provider):
            return {"shops_supported": lambda: [str(calls.append(1) or len(calls))]}

    app = make_app()
    Provider(app, plugins=deployment(Counting(), rooms=[portula_oauth2, *ROOMS[1:]]), discover=False)
    for _ in range(5):
        app.test_client().get(METADATA)
    assert len(calls) == 1


# --- Commands ---


class Behind(Memory):
    """A store whose schema is behind."""

    @hookimpl
    def portula_stores(self, provider):
        class Store(MemoryStore):
            def ready(self):
                raise ConfigError("DATABASE: the schema is behind; run `portula db upgrade`")

        return {"memory": Store}


@pytest.fixture
def flask():
    """Return a function that runs `flask …` on an app whose storage is behind its schema."""

    def create_app():
        app = make_app()

        @app.cli.command("upgrade")
        def upgrade():
            click.echo("upgraded")

        Provider(app, plugins=[*ROOMS, Behind(), NobodyHere()], discover=False)
        return app

    def run(*words):
        return CliRunner().invoke(FlaskGroup(create_app=create_app), words)

    return run


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("upgrade",), "upgraded"),
        (("routes",), "/o/token/"),
        (("portula", "check", "--json"), "core.storage"),
    ],
)
def test_a_schema_that_is_behind_stops_no_command_that_may_mend_it(flask, caplog, words, shown):
    done = flask(*words)
    assert shown in done.output, done.output
    assert done.exit_code in ((0, 1) if "check" in words else (0,)), done.exception
    assert "check" in words or "the schema is behind" in caplog.text


def test_the_server_does_not_start_on_it(flask):
    done = flask("run", "--port", "0")
    assert "the schema is behind" in str(done.exception or done.output)
    assert done.exit_code != 0


def test_neither_does_an_app():
    with pytest.raises(ConfigError, match="the schema is behind; run `flask portula db upgrade`"):
        Provider(make_app(), plugins=[*ROOMS, Behind(), NobodyHere()], discover=False)


def test_a_provider_by_itself_has_commands_without_flask():
    with pytest.raises(ConfigError, match="the schema is behind; run `portula db upgrade`"):
        Provider(make_app(), plugins=[*ROOMS, Behind(), NobodyHere()], discover=False, stand_alone=True)


class Advice:
    """A check, and a command that fails, each of which names a command."""

    @hookimpl
    def portula_checks(self, provider):
        where = "see the log of the night before last, on the shelf behind the kettle, under the lid."
        return [
            Finding("shop.tea", Level.INFO, "`portula tea` is old.", "Run `portula tea new`."),
            Finding(
                "shop.kettle",
                Level.INFO,
                f"It is cold and has been so for some time now; {where}",
                "Boil it.",
            ),
        ]

    @hookimpl
    def portula_commands(self, provider):
        @click.command()
        def tea():
            raise click.ClickException("see `portula tea new`")

        return [tea]


def test_checks_and_commands_of_an_app_name_commands_as_they_are_typed_there():
    def create_app():
        app = make_app()
        Provider(app, plugins=[*ROOMS, Memory(), NobodyHere(), Advice()], discover=False)
        return app

    def run(*words):
        return CliRunner().invoke(FlaskGroup(create_app=create_app), ["portula", *words]).output

    (found,) = [each for each in json.loads(run("check", "--json")) if each["id"] == "shop.tea"]
    assert (found["summary"], found["remedy"]) == (
        "`flask portula tea` is old.",
        "Run `flask portula tea new`.",
    )
    assert "see the log of the night before last, on the shelf behind the kettle, under the lid.\n" in run(
        "check"
    )
    assert run("tea") == "Error: see `flask portula tea new`\n"


def test_a_provider_by_itself_that_lacks_an_answer_says_what_the_command_of_an_app_is(tmp_path, monkeypatch):
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__PLUGINS_BLOCKED", '["accounts"]')
    done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "db", "upgrade"])
    assert done.exit_code == 1
    assert "slot 'login': nothing answers" in done.stderr
    assert "for the one in a Flask application it is `flask portula`" in done.stderr
