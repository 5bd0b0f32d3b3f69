"""The display that a player prints to: the terminal, or another object with these methods."""

from __future__ import annotations

import io
import webbrowser
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from portula_playground.callback import Callback


class Answers(Protocol):
    """An address to which the browser comes back with an authorization response."""

    @property
    def url(self) -> str:
        """The redirect URI."""
        ...

    def wait(self, seconds: float) -> dict[str, str]:
        """Return the parameters with which the browser comes.

        Raises:
            ClickException: it does not come in time.
        """
        ...


class Display(Protocol):
    """Shows what a player does."""

    def title(self, section: str, steps: str) -> None:
        """Show what explains the next message, and the steps that answer it; empty where they are not known."""
        ...

    def message(self, line: str, members: Mapping[str, str]) -> None:
        """Show a request or an answer, with its members."""
        ...

    def say(self, text: str) -> None:
        """Show what the person has to know."""
        ...

    def visit(self, url: str, *, qr: bool) -> None:
        """Send the person to a page; with `qr` the address may be shown as a code to scan too."""
        ...

    def answers(self) -> AbstractContextManager[Answers]:
        """Return an address for one authorization response."""
        ...


@dataclass(kw_only=True)
class Terminal:
    """Prints on the terminal, and opens the browser."""

    browser: bool = True
    """Whether the browser is opened; the address is printed in any case."""
    console: Console = field(default_factory=Console)

    def title(self, section: str, steps: str) -> None:
        """Print them."""
        self.console.print(f"\n[bold]{escape(section)}[/bold]", soft_wrap=True)
        if steps:
            self.console.print(f"  [dim]steps {escape(steps)}[/dim]", soft_wrap=True)

    def message(self, line: str, members: Mapping[str, str]) -> None:
        """Print it."""
        self.console.print(f"  {escape(line)}", soft_wrap=True)
        for name, text in members.items():
            self.console.print(f"      {escape(name)} = {escape(text)}", soft_wrap=True)

    def say(self, text: str) -> None:
        """Print it."""
        self.console.print(f"  {escape(text)}")

    def visit(self, url: str, *, qr: bool) -> None:
        """Print the address and open the browser."""
        self.console.print(f"  open {escape(url)}", soft_wrap=True)
        if qr:
            import qrcode

            code, drawn = qrcode.QRCode(border=2), io.StringIO()
            code.add_data(url)
            code.print_ascii(out=drawn, invert=True)
            self.console.print(drawn.getvalue(), highlight=False, markup=False)
        if self.browser:
            webbrowser.open(url)

    def answers(self) -> Callback:
        """Listen on loopback."""
        return Callback()
