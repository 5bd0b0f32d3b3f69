"""`portula …` for the stand-alone provider and `flask portula …` for an embedded one.

The commands beside `serve` come from the rooms; each runs inside the app's context.
"""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from flask.cli import ScriptInfo
from rich.console import Console
from rich.markup import escape

from portula.cli import authoring, reports
from portula.cli.folder import NoProviderThere, files_of_a_provider
from portula.cli.serve import PreparedServer, ServeOptions, make_app, open_standard_input, prepare
from portula.flow.deliver_command import deliver_command
from portula.host import console
from portula.host.commands import HOST_COMMANDS, SchemaGroup, in_an_app
from portula.host.declarations import HostHooks
from portula.host.logs import configure_logging
from portula.host.modes import lock_file_ignored, storage_check_deferred, third_party_plugins
from portula.model.errors import ConfigError, StorageDown, nearest
from portula.model.sources import Tier
from portula.web.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMMON = ("--config", "--data-dir", "--database-url", "--database-url-file", "--issuer", "--only")
"""Options that say which provider is meant; they may stand before or behind the command."""

_PASSING = "portula.passing"
"""Marks a click context in which commands are only listed."""

_WORDS = "portula.words"
"""Key of a click context that holds the name of the command that runs and what stands behind it."""

WITHOUT_FOLDER = ("hooks", "explain")
"""Commands that answer of a provider as it would be, where none is in the data folder."""

FLAGS = ("--no-plugins", "--database-url-stdin")
"""Those of them that take no value."""


class RoomCommands(click.Group):
    """A group that finds the commands of rooms through their hook."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Begin a command; what the terminal has no character for is written as an escape from here on."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().make_context(info_name, args, parent, **extra)

    def provider(self, context: click.Context) -> Provider:
        """Return the provider whose commands these are; its storage may be behind its schema."""
        raise NotImplementedError

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, of rooms too unless the configuration is invalid."""
        ctx.meta[_PASSING] = True
        try:
            rooms = self._rooms(ctx)
        except click.ClickException as error:
            click.echo(f"Only the commands of core are listed: {error.message}\n", err=True)
            rooms = {}
        return sorted({*super().list_commands(ctx), *rooms})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        return super().get_command(ctx, cmd_name) or self._rooms(ctx).get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words name; one of a room runs in the app's context, once its storage is ready."""
        ctx.meta[_WORDS] = args
        if args[0][:1].isalnum() and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            known = [*self.commands, *self._rooms(ctx)]
            ctx.fail(f"No such command {args[0]!r}{nearest(args[0], known)}")
        name, command, rest = super().resolve_command(ctx, args)
        if name not in self.commands:
            provider = self.provider(ctx)
            ctx.with_resource(provider.app.app_context())
            needs_storage = name not in HOST_COMMANDS and not isinstance(command, SchemaGroup)
            if needs_storage and not _looking(ctx):
                try:
                    provider.check_storage()
                except ConfigError as error:
                    raise click_error(error) from error
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a storage that goes down meanwhile is told in words."""
        try:
            return super().invoke(ctx)
        except StorageDown as error:
            raise click_error(error) from error

    def _rooms(self, ctx: click.Context) -> dict[str, click.Command]:
        return commands_of(self.provider(ctx))


class StandAlone(RoomCommands):
    """The commands of the provider in the data folder."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Bring the common options to the front, wherever they stand."""
        return super().parse_args(ctx, in_front(args))

    def provider(self, context: click.Context) -> Provider:
        """Make the provider that the common options name, once."""
        if "portula" not in context.meta:
            try:
                context.meta["portula"] = self._make_provider(context)
            except ConfigError as error:
                raise click_error(error) from error
        provider: Provider = context.meta["portula"]
        return provider

    def _make_provider(self, context: click.Context) -> Provider:
        options = replace(options_of(context.params), passing=_looking(context))
        with storage_check_deferred(), lock_file_ignored(_locks(context)):
            try:
                return make_app(options)[1]
            except NoProviderThere as error:
                provider, name = make_app(replace(options, passing=True))[1], _words(context)[0]
                if name in WITHOUT_FOLDER:
                    click.echo(f"Shown is a provider as it would be made now: {error}", err=True)
                elif name in commands_of(provider):  # any other is unknown, which is said first
                    raise
                return provider


class AppCommands(RoomCommands):
    """The commands of the provider in a Flask app."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error names others as they are typed here."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if type(error) is not click.ClickException:  # one of how a command is typed names none
                raise
            raise click.ClickException(in_an_app(error.message)) from error

    def provider(self, context: click.Context) -> Provider:
        """Load the app and return its provider."""
        try:
            only = options_of(context.params).only
            with storage_check_deferred(), third_party_plugins(only), lock_file_ignored(_locks(context)):
                app = context.ensure_object(ScriptInfo).load_app()
        except ConfigError as error:
            raise click_error(error) from error
        providers: dict[str, Provider] = app.extensions.get("portula", {})
        if not providers:
            raise click.ClickException("this app has no Provider; call Provider(app) first")
        return next(iter(providers.values()))


def commands_of(provider: Provider) -> dict[str, click.Command]:
    """Return the commands for one provider, of rooms too, by name."""
    with provider.app.app_context():
        try:
            rooms = provider.hooks.collect(HostHooks.portula_commands)
        except ConfigError as error:
            raise click_error(error) from error
        own = [deliver_command(provider)] if provider.deliveries.kinds else []
        return {str(command.name): command for command in (*reports.commands(provider), *own, *rooms)}


def _words(context: click.Context) -> list[str]:
    """Return the name of the command that runs and what stands behind it."""
    words: list[str] = context.meta.get(_WORDS, [])
    return words


def _looking(context: click.Context) -> bool:
    """Say whether commands are only listed, or one of them is asked what it does."""
    return _PASSING in context.meta or "--help" in _words(context)


def _locks(context: click.Context) -> bool:
    """Say whether the command is `plugins lock`: it writes the lock file, so the one there is does not bind it."""
    return _words(context)[:2] == ["plugins", "lock"]


def in_front(args: Sequence[str]) -> list[str]:
    """Return the arguments with the common options first."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in COMMON:
            following = next(waiting, None)
            front += [argument] if following is None else [argument, following]
        elif argument in FLAGS or argument.startswith(tuple(f"{name}=" for name in COMMON)):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def options_of(parameters: Mapping[str, Any]) -> ServeOptions:
    """Return the options that were given on the command line."""
    given = {name: value for name, value in parameters.items() if value is not None}
    only, none = tuple(given.pop("only", ())), given.pop("no_plugins", False)
    url = console.pop_secret(given, "database_url")
    return ServeOptions(**given, database_url=url, only=() if none else only or None)


def click_error(error: ConfigError) -> click.ClickException:
    """Return a start-up error as the command line says it."""
    if isinstance(error, NoProviderThere):
        return click.ClickException(str(error))
    lines = "\n".join(f"  {line}" for line in error.findings)
    return click.ClickException(f"invalid configuration:\n{lines}")


def _plugin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that set installed plugins aside, for finding a culprit."""
    none = click.option(
        "--no-plugins", is_flag=True, help="Set aside every installed plugin that is not ours."
    )
    only = click.option("--only", multiple=True, metavar="NAME", help="… except this one; may be repeated.")
    return none(only(command))


@click.group(cls=StandAlone)
@click.option("--config", type=click.Path(exists=True, dir_okay=False), help="Python file of Flask settings.")
@click.option(
    "--data-dir", metavar="DIR", help="Folder of the key and the database; ./portula-data by default."
)
@click.option("--database-url", metavar="URL", help="SQLAlchemy URL of the database.")
@console.secret_options("database-url")
@click.option("--issuer", metavar="URL", help="The provider's own URL, e.g. https://id.example.com/o.")
@_plugin_options
@click.version_option(package_name="portula-core", prog_name="portula")
def main(**_common: Any) -> None:
    """An OAuth 2.x authorization server in which every behaviour is a plugin."""


main.add_command(authoring.plugin)


@main.command()
@click.pass_context
def init(context: click.Context, /) -> None:
    """Make the data folder: a secret key, and a database unless --database-url names one."""
    given = context.parent.params if context.parent else {}
    options = replace(options_of(given), creating=True)
    known = files_of_a_provider(options.folder)
    try:
        with storage_check_deferred():
            _, provider = make_app(options)
    except ConfigError as error:
        raise click_error(error) from error
    try:
        provider.check_storage()
    except ConfigError as error:
        click.echo(f"Warning: {error}", err=True)
    made = files_of_a_provider(options.folder) - known
    if made and known:
        click.echo(f"Made {', '.join(sorted(made))} beside {', '.join(sorted(known))} in {options.folder}")
    else:
        click.echo(f"{'There is a provider already' if known else 'Made a provider'} in {options.folder}")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes.")
@click.option("--trusted-proxies", type=click.IntRange(0, 16), help="Reverse proxies in front.")
@click.option(
    "--tls-cert", type=click.Path(exists=True, dir_okay=False), help="PEM file of the certificate chain."
)
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), help="PEM file of its private key.")
@click.option(
    "--tls-client-ca",
    type=click.Path(exists=True, dir_okay=False),
    help="PEM file of the authorities whose certificates clients may show; none is asked for without it.",
)
@click.option(
    "--body-timeout",
    type=click.FloatRange(1, 600),
    metavar="SECONDS",
    help="Time for the body of a request to come; 10 by default.",
)
@click.option(
    "--stop-timeout",
    type=click.FloatRange(3, 600),
    metavar="SECONDS",
    help="Time to answer what was begun when told to stop; 9 by default.",
)
@click.option(
    "--hang-timeout",
    type=click.FloatRange(2, 3600),
    metavar="SECONDS",
    help="Time after which a process that answers nothing is replaced; 60 by default.",
)
@click.option("--access-log", is_flag=True, help="Log a line for each request.")
@click.option("--allow-errors", is_flag=True, help="Serve although `portula check` finds errors.")
@click.option("--demo", is_flag=True, help="Make a demo user and a demo client, in a database of their own.")
@click.pass_context
def serve(context: click.Context, /, **own: Any) -> None:
    """Run the provider."""
    open_standard_input()
    given = {**(context.parent.params if context.parent else {}), **own, "serving": True, "creating": True}
    try:
        prepared = prepare(options_of(given))
        configure_logging(prepared.provider.core_settings, whole_process=True)
    except ConfigError as error:
        raise click_error(error) from error
    from portula.cli.worker import run  # uvicorn may be missing, which `prepare` tells of

    _announce(prepared)
    run(prepared)


def _announce(prepared: PreparedServer) -> None:
    provider, options = prepared.provider, prepared.options
    rows = {
        "Server": provider.root_of(provider.issuer) if provider.issuer else f"port {options.port}",
        "Issuer": provider.issuer or "as OIDC_ISS_ENDPOINT says for each request",
        "Data": str(options.folder),
        **_third_parties(provider),
        **prepared.demo,
    }
    console = Console(highlight=False, soft_wrap=True)  # never a table: a narrow one would cut the secret off
    width = max(map(len, rows))
    for label, text in rows.items():
        console.print(f"[bold]{label:<{width}}[/bold]  {escape(text)}")
    if prepared.demo:
        console.print("The demo's password and secret are new at every start and shown only here.")
    for warning in prepared.warnings:
        click.echo(f"Warning: {warning}", err=True)
    console.print("Stop with Ctrl-C.")


def _third_parties(provider: Provider) -> dict[str, str]:
    """Say which plugins take part that do not come with portula: none replaces anything in silence (attack S74)."""
    found = [source for source in provider.plugins.sources.values() if source.tier is Tier.INSTALLED]
    named = [f"{source.name} ({source.distribution} {source.version})" for source in found]
    return {"Plugins": ", ".join(sorted(named))} if named else {}


@click.group("portula", cls=AppCommands)
@_plugin_options
def flask_group(**_common: Any) -> None:
    """Commands of the OAuth provider in this app."""


flask_group.add_command(authoring.plugin)
