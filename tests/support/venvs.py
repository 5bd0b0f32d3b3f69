"""Throw-away venvs: what the tests run on is borrowed from the venv they run in, only the plugins are installed."""

import json
import os
import re
import secrets
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.wheel import WheelBuilder

from support.server import free_port, stop, wait_until_up

SETTINGS = {"PASSWORD_HASH_PROFILE": "testing", "CLIENT_SECRET_HASH_PROFILE": "testing"}


def build(folder: Path, into: Path) -> Path:
    """Build the wheel of a distribution."""
    return Path(next(iter(WheelBuilder(str(folder)).build(directory=str(into), versions=["standard"]))))


class Venv:
    """A venv with `portula` in it and some wheels."""

    def __init__(self, folder: Path, *wheels: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
        ours = sysconfig.get_path("purelib")
        (self.packages,) = folder.glob("lib/python*/site-packages")
        (self.packages / "borrowed.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
        script = (Path(sys.executable).parent / "portula").read_text()
        self.program = self.bin / "portula"
        self.program.write_text(re.sub(r"\A#!.*", f"#!{self.bin / 'python'}", script))
        self.program.chmod(0o755)
        if wheels:
            self.install(*wheels)

    def install(self, *wheels: Path) -> None:
        """Install wheels as pip does, with nothing fetched."""
        options = ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", "--no-compile"]
        pip = [sys.executable, "-m", "pip", "--python", self.bin / "python", "install", *options]
        subprocess.run([*pip, *wheels], check=True, timeout=120)

    def environment(self, **more: str) -> dict[str, str]:
        """What its programs run in; tables are as wide as they need to be."""
        path = f"{self.bin}{os.pathsep}{os.environ.get('PATH', '')}"
        return {**os.environ, "PYTHONPATH": "", "COLUMNS": "300", "PATH": path, **more}

    def deployment(self, folder: Path, **settings: Any) -> "Deployment":
        """Return a data folder with these settings."""
        return Deployment(self, folder, settings)


class Deployment:
    """A data folder, its configuration, and the programs that work on it."""

    def __init__(self, venv: Venv, folder: Path, settings: dict[str, Any]) -> None:
        self.venv, self.folder = venv, folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "secret_key").write_text(secrets.token_urlsafe(48))
        self.config = folder / "config.py"
        self.log = folder / "log"
        self.configure(**settings)

    def configure(self, **settings: Any) -> None:
        """Write the settings anew."""
        self.settings = settings
        self.config.write_text(f"OAUTH2_PROVIDER = { ({**SETTINGS, **settings})!r}\n")

    def command(self, *arguments: str) -> list[str]:
        common = ["--data-dir", str(self.folder), "--config", str(self.config)]
        return [str(self.venv.program), *common, *arguments]

    def try_(
        self, *arguments: str, typed: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `portula …`, whatever comes of it; `typed` is its standard input."""
        return subprocess.run(
            self.command(*arguments),
            input=typed,
            capture_output=True,
            check=False,
            cwd=self.folder,
            env=self.venv.environment(**environment),
            text=True,
            timeout=60,
        )

    def text(self, *arguments: str, **environment: str) -> str:
        """Run `portula …` and return what it prints."""
        done = self.try_(*arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str, **environment: str) -> Any:
        """Run `portula … --json`."""
        return json.loads(self.text(*arguments, "--json", **environment))

    def json_of_check(self) -> Any:
        """Run `portula check --json`, which fails when there is an error."""
        return json.loads(self.try_("check", "--json").stdout)

    def refusal(self, *arguments: str, **environment: str) -> str:
        """Run `portula …`, which must fail; return what it says of the configuration."""
        done = self.try_(*(arguments or ("plugins",)), **environment)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
        head, _, findings = done.stderr.partition("\n")
        assert head == "Error: invalid configuration:", done.stderr
        return "\n".join(line.removeprefix("  ") for line in findings.splitlines())

    def wait_for_log(self, *texts: str) -> None:
        """Return when the log of a server that runs holds all of these; a thread of it writes after the answer."""
        end = time.monotonic() + 10
        while (
            missing := [text for text in texts if text not in self.log.read_text()]
        ) and time.monotonic() < end:
            time.sleep(0.01)
        assert not missing, f"not logged: {missing}\n{self.log.read_text()}"

    @contextmanager
    def serving(self, *options: str) -> Iterator[str]:
        """Run `portula serve`; give its URL."""
        port = free_port()
        with self.log.open("w") as log:
            process = subprocess.Popen(
                self.command("serve", "--port", str(port), "--allow-errors", *options),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self.folder,
                env=self.venv.environment(),
            )
            try:
                wait_until_up(process, f"http://127.0.0.1:{port}")
                yield f"http://127.0.0.1:{port}"
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.log.read_text()}") from error
            finally:
                stop(process)


def lines_of(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the rows of `portula plugins --json` by plugin."""
    return {row["plugin"]: row for row in rows}
