"""Commands of `portula` in this process, which has imported already what takes most of the time of one of its own."""

from collections.abc import Mapping

from click.testing import CliRunner

from portula.cli import main as cli


def run_command(*words: str, text: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run `portula …`, which has to succeed, and return what it prints; `text` is its standard input."""
    with (
        CliRunner(env=env).isolation(input=text) as (output, _errors, both),
        cli.main.make_context("portula", list(words)) as context,
    ):
        try:
            cli.main.invoke(context)
        except SystemExit as end:
            assert not end.code, both.getvalue().decode()  # noqa: PT017 - what it printed says why
        finally:
            provider = context.meta.get("portula")
            for store in provider.stores.values() if provider else ():
                getattr(store, "close", bool)()
    return output.getvalue().decode()
