"""The commands that tell who answers what: plugins, hooks, explain, settings, check."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portula.cli.profile_check import check_profile
from portula.host import lock
from portula.host.checks import Finding, Level
from portula.host.console import json_option, make_table, print_table
from portula.web import report

if TYPE_CHECKING:
    from portula.web.provider import Provider

_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.INFO: "cyan"}


def commands(provider: Provider) -> list[click.Command]:
    """Return the commands for one provider."""
    return [_plugins(provider), _hooks(provider), _explain(provider), _settings(provider), _check(provider)]


def _plugins(provider: Provider) -> click.Command:
    @click.group("plugins", invoke_without_command=True)
    @json_option
    @click.pass_context
    def plugins(context: click.Context, /, *, as_json: bool) -> None:
        """List the plugins that take part: where from, which hooks."""
        if context.invoked_subcommand is not None:
            return
        rows = report.plugins(provider)
        if as_json:
            click.echo(json.dumps(rows, indent=2))
            return
        table = make_table("Plugin", "Distribution", "Tier", "Status", "Hooks")
        for row in rows:
            names = " ".join(hook.removeprefix("portula_") for hook in row["hooks"])
            table.add_row(row["plugin"], _distribution(row), row["tier"], row["status"], names)
        print_table(table)

    @plugins.command("lock")
    @click.argument("path", required=False, type=click.Path(dir_okay=False))
    @json_option
    def write(path: str | None, *, as_json: bool) -> None:
        """Write the lock file: every installed plugin with version, files and hooks as they are now."""
        lines = provider.plugins.lockable()
        target = Path(path or provider.core_settings.PLUGINS_LOCK or lock.LOCK_FILE)
        try:
            lock.write(target, lines)
        except OSError as error:
            raise click.ClickException(f"{target}: {error.strerror}") from error
        if as_json:
            click.echo(json.dumps({"path": str(target), "plugins": lock.as_json(lines)}, indent=2))
        else:
            click.echo(f"{len(lines)} plugins locked in {target}")

    return plugins


def _hooks(provider: Provider) -> click.Command:
    @click.command("hooks")
    @json_option
    def hooks(*, as_json: bool) -> None:
        """List the hooks: kind, class, and who implements them, strongest first."""
        rows = report.hooks(provider)
        if as_json:
            click.echo(json.dumps(rows, indent=2))
            return
        table = make_table("Hook", "Kind", "Class", "Implemented by")
        for row in rows:
            names = " > ".join(entry["plugin"] for entry in row["implementations"])
            table.add_row(row["hook"], row["kind"], row["class"], names)
        print_table(table)

    return hooks


def _explain(provider: Provider) -> click.Command:
    @click.command("explain")
    @click.argument("name")
    @json_option
    def explain(name: str, *, as_json: bool) -> None:
        """Say who answers NAME: a setting, a hook or validator.METHOD.

        Of an endpoint its steps are shown, of a plugin its hooks, of a grant type, a response type, a member of client
        metadata and the like who contributes it.
        """
        try:
            facts = report.explain(provider, name)
        except report.UnknownName as error:
            raise click.ClickException(str(error)) from error
        if as_json:
            click.echo(json.dumps(facts, indent=2))
            return
        if "steps" in facts:
            _show_steps(facts["steps"])
            return
        table = Table(show_header=False, box=None, pad_edge=False)
        for label, text in _explanation_lines(facts):
            table.add_row(f"[bold]{label}[/bold]", escape(text))
        print_table(table)

    return explain


def _show_steps(steps: Sequence[dict[str, Any]]) -> None:
    table = make_table("", "Step", "By", "Only", "")
    for step in steps:
        by = (
            " ".join(filter(None, (step["by"]["distribution"], step["by"]["version"])))
            or step["by"]["plugin"]
        )
        table.add_row(str(step["number"]), step["name"], by, " ".join(step["only"]), step["doc"])
    print_table(table)


def _explanation_lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for contributed in facts.get("contributed", ()):
        by = _plugin_label(contributed["by"]) if contributed["by"] else "portula-core"
        lines += [("Name", contributed["name"]), ("Is", contributed["kind"]), ("Contributed by", by)]
        lines += [("Through", contributed["hook"])]
    if "plugin" in facts:
        row = facts["plugin"]
        lines = [("Plugin", row["plugin"]), ("Distribution", _distribution(row)), ("Tier", row["tier"])]
        hooks = [("Hook", hook) for hook in row["hooks"]]
        return [*lines, ("Status", row["status"]), *hooks]
    if "question" in facts:
        return [
            ("Question", facts["question"]),
            ("Answered by", facts["winner"]),
            *(("Outranked", name) for name in facts["outranked"]),
        ]
    if "setting" in facts:
        setting = facts["setting"]
        lines += [
            (name.capitalize(), str(setting[name])) for name in ("name", "value", "default", "source", "room")
        ]
        lines.append(("Meaning", setting["doc"]))
    if "hook" in facts:
        hook = facts["hook"]
        lines += [(name.capitalize(), str(hook[name])) for name in ("hook", "kind", "class")]
        if "slot" not in facts:
            lines += [("Implemented by", _plugin_label(entry)) for entry in hook["implementations"]]
    if "slot" in facts:
        slot = facts["slot"]
        lines += [
            ("Slot", slot["slot"]),
            ("Winner", _plugin_label(slot["winner"]) if slot["winner"] else "nobody"),
            ("Answer", slot["answer"]),
            ("Is the default", "yes" if slot["default"] else "no"),
            *(("Outranked", _plugin_label(entry)) for entry in slot["outranked"]),
        ]
    return lines


def _settings(provider: Provider) -> click.Command:
    @click.command("settings")
    @json_option
    def settings(*, as_json: bool) -> None:
        """List the settings: value, where it comes from, whose it is. Secrets are hidden."""
        rows = report.settings(provider)
        if as_json:
            click.echo(json.dumps(rows, indent=2))
            return
        table = make_table("Setting", "Value", "Source", "Room")
        for row in rows:
            table.add_row(row["name"], escape(row["value"]), row["source"], row["room"])
        print_table(table)

    return settings


def _check(provider: Provider) -> click.Command:
    @click.command("check")
    @json_option
    @click.option("--strict", is_flag=True, help="Fail on warnings too.")
    @click.option("--profile", help="Say instead what the server and each client lack for this profile.")
    def check(*, as_json: bool, strict: bool, profile: str | None) -> None:
        """Look for what could be safer. Fails when there is an error, or something is missing for a profile."""
        if profile is not None:
            raise SystemExit(check_profile(provider, profile, as_json=as_json))
        findings = report.findings(provider)
        if as_json:
            click.echo(json.dumps([_finding(finding) for finding in findings], indent=2))
        else:
            _show_findings(findings)
        failing = (Level.ERROR, Level.WARNING) if strict else (Level.ERROR,)
        raise SystemExit(any(finding.level in failing for finding in findings))

    return check


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "id": finding.id,
        "level": finding.level.value,
        "summary": finding.summary,
        "remedy": finding.remedy,
        "reference": finding.reference,
    }


def _show_findings(findings: Sequence[Finding]) -> None:
    console = Console()
    console.soft_wrap = not console.is_terminal  # a line stays one in a file or another program
    for finding in findings:
        colour = _COLOURS[finding.level]
        where = f"  ({finding.reference})" if finding.reference else ""
        console.print(f"[{colour}]{finding.level.value}[/] [bold]{finding.id}[/]{where}")
        console.print(f"  {finding.summary}\n  {finding.remedy}", markup=False)
    if not findings:
        console.print("[green]Nothing was found.[/]")


def _plugin_label(entry: dict[str, Any]) -> str:
    return " ".join(part for part in (entry["plugin"], f"({_distribution(entry)}, {entry['tier']})") if part)


def _distribution(entry: dict[str, Any]) -> str:
    return f"{entry['distribution']} {entry['version']}" if entry["distribution"] else "-"
