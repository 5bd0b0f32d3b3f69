"""The data folder: secret key, database and issuer, readable to nobody but their owner."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from stat import S_IMODE
from typing import IO

from portula.model.errors import ConfigError
from portula.model.keys import MIN_SECRET_KEY_BYTES

ISSUER_FILE = "issuer"
CONFIG_FILE = "config_path"
SECRET_KEY_FILE = "secret_key"
DATABASE_FILE = "portula.sqlite3"
DEMO_FOLDER = "demo"
LOCK_FILE = "running"

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
OTHERS = 0o077
"""What group and others may do."""

_OURS = frozenset(
    {
        ISSUER_FILE,
        CONFIG_FILE,
        SECRET_KEY_FILE,
        DEMO_FOLDER,
        LOCK_FILE,
        *(f"{DATABASE_FILE}{ending}" for ending in ("", "-wal", "-shm", "-journal")),
    }
)


class NoProviderThere(ConfigError):
    """A command that makes no provider is asked to work on a folder that holds none."""

    def __init__(self, folder: Path) -> None:
        """Name the folder, and the commands that help."""
        demo = folder / DEMO_FOLDER
        there = f"; that of the demo is --data-dir {demo}" if files_of_a_provider(demo) else ""
        super().__init__(
            f"no provider in {folder}; make one there with `portula init`, or say where it is with --data-dir{there}"
        )


def files_of_a_provider(folder: Path) -> set[str]:
    """Return which of the files that make a provider are in this folder: the secret key, the database."""
    return {name for name in (SECRET_KEY_FILE, DATABASE_FILE) if (folder / name).is_file()}


def refuse_file(folder: Path) -> None:
    """Refuse a data folder that is a file, or lies below one.

    Raises:
        ConfigError: names the file.
    """
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise ConfigError(
                f"--data-dir {folder}: {path} is a file; name a folder, which is made if need be"
            )


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone can read, or see that the one that is there is such a folder.

    One that others can read is closed to them if nothing but ours is in it.

    Raises:
        ConfigError: others can read it and it holds more than ours, or it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        mode = S_IMODE(folder.stat().st_mode)
        if mode & OTHERS and os.name == "posix":
            if not _OURS.issuperset(path.name for path in folder.iterdir()):
                raise ConfigError(
                    f"--data-dir {folder}: others can read it (mode {mode:04o}); run `chmod 700 {folder}`"
                )
            folder.chmod(PRIVATE_FOLDER)
    except OSError as error:
        raise ConfigError(f"--data-dir {folder}: {error.strerror}") from error


def lock_demo(folder: Path) -> IO[str]:
    """Take a demo's folder for as long as the file that is returned is open, here or in a fork.

    Raises:
        ConfigError: a demo runs on it; another would make its password and its secret anew.
    """
    import fcntl  # POSIX, as `serve` is

    path = folder / LOCK_FILE
    write_once(path, "")
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ConfigError(
            f"--demo: another demo runs on {folder}, and its password and secret would no longer count; "
            "stop it, or give this one a folder of its own with --data-dir"
        ) from error
    return file


def secret_key(folder: Path, *, create: bool, beside_database: bool = True) -> str:
    """Return the key of the data folder, making it when it is not there yet and `create` says so.

    None is made beside a database: under a new key nothing that the database holds would be found.

    Args:
        folder: the data folder.
        create: whether to make one.
        beside_database: whether the database of the folder is the one that the key is for.

    Raises:
        NoProviderThere: there is none, and none is to be made.
        ConfigError: it cannot be read or made, or the database is there without it.
    """
    path, database = folder / SECRET_KEY_FILE, folder / DATABASE_FILE
    try:
        # The database first: whoever makes both at this moment makes the key before it.
        if beside_database and database.is_file() and not path.is_file():
            raise ConfigError(
                f"{path}: missing, and {database.name} beside it cannot be used without it; restore it from the "
                "back-up, or set SECRET_KEYS if the key was there, or move the database away to begin anew"
            )
        if create:
            write_once(path, secrets.token_urlsafe(48))
        elif not path.is_file():
            raise NoProviderThere(folder)
        if S_IMODE(path.stat().st_mode) & OTHERS:
            path.chmod(PRIVATE_FILE)
        key = path.read_text(errors="replace").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(key.encode()) < MIN_SECRET_KEY_BYTES:
        raise ConfigError(
            f"{path}: it holds fewer than {MIN_SECRET_KEY_BYTES} bytes; restore it from the back-up, or, where "
            "nothing is kept under it yet, remove it and run `portula init`"
        )
    return key


def change_of_issuer(folder: Path, issuer: str) -> str | None:
    """Say what another issuer than that of the last start means for what is kept; None where it is the same."""
    path = folder / ISSUER_FILE
    former = path.read_text().strip() if path.is_file() else ""
    if former in ("", issuer):
        return None
    return (
        f"The issuer was {former} at the last start and is {issuer or 'made of each request'} now: codes, tokens, "
        "sessions, consents and signing keys of before are not found under it. To go on with them, serve with "
        f"--issuer {former}."
    )


def keep_issuer(folder: Path, issuer: str) -> None:
    """Leave the issuer to the commands beside the server."""
    _keep(folder / ISSUER_FILE, issuer)


def keep_config(folder: Path, config: Path) -> None:
    """Leave to later commands that the provider of a folder has a configuration file.

    Raises:
        ConfigError: that file has the place where its path is kept.
    """
    path = folder / CONFIG_FILE
    if config == path.resolve():
        raise ConfigError(
            f"the path of the configuration file is kept in {path}: give that file another name"
        )
    _keep(path, str(config))


def refuse_without_config(folder: Path) -> None:
    """Refuse to work on a provider without its configuration file: without it the database may be another.

    Raises:
        ConfigError: the last start, or `portula init`, was told one.
    """
    path = folder / CONFIG_FILE
    if path.exists():
        raise ConfigError(
            f"the provider in {folder} was made or started with --config {_path_in(path)}; "
            f"say so here too, or remove {path} if it has no configuration file any more"
        )


def _path_in(file: Path) -> str:
    """Return the path that a file holds, and nothing of what is no path of ours: that may be a secret."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        lines = []
    return lines[0] if len(lines) == 1 and Path(lines[0]).is_absolute() else "FILE"


def _keep(path: Path, text: str) -> None:
    write_once(path, "")
    path.chmod(PRIVATE_FILE)
    path.write_text(f"{text}\n")


def write_once(path: Path, text: str) -> None:
    """Write a private file unless it is there already; of two processes at once, one does."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
