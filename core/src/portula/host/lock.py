"""The lock file of plugins: which distributions may take part, at which version, with which files (attack S74)."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import marshal
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portula.model.errors import ConfigError, nearest

if TYPE_CHECKING:
    import importlib_metadata

LOCK_VERSION = 1
LOCK_FILE = "portula.lock.json"
"""Where `portula plugins lock` writes when neither PLUGINS_LOCK nor a path says otherwise."""

_MODULES = frozenset((*SOURCE_SUFFIXES, *BYTECODE_SUFFIXES, *EXTENSION_SUFFIXES, ".so"))
_CACHE = "__pycache__"
_HEADER_BYTES = 16
_BY_TIME = b"\0\0\0\0"
"""Flags of a compiled file that Python runs if time and size of its source are those it notes (PEP 552)."""


class PluginRefused(ConfigError):
    """A plugin is not in the lock file, or is not what the lock file says."""


@dataclass(frozen=True, slots=True)
class LockedPlugin:
    """One line of the lock file."""

    name: str
    distribution: str
    version: str
    digest: str
    """SHA-256 over names and contents of the installed files."""
    hooks: tuple[str, ...]


class LockFile:
    """What a lock file allows."""

    def __init__(self, path: Path, plugins: Mapping[str, LockedPlugin], trusted: Sequence[str]) -> None:
        """Take the lines by plugin name, and PLUGINS_TRUSTED."""
        self.path = path
        self.plugins = plugins
        self.trusted = frozenset(trusted)

    @classmethod
    def read(cls, path: Path, trusted: Sequence[str]) -> LockFile:
        """Read a lock file.

        Raises:
            ConfigError: it is missing, or is not one of ours.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            lines = {LOCK_VERSION: data["plugins"]}[data["version"]]
            plugins = {
                line["name"]: LockedPlugin(**{**line, "hooks": tuple(line["hooks"])}) for line in lines
            }
        except OSError as error:
            raise ConfigError(
                f"PLUGINS_LOCK: {str(path)!r}: {error.strerror}; write it with `portula plugins lock`"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"PLUGINS_LOCK: {str(path)!r} is not a lock file of version {LOCK_VERSION}; "
                "write it anew with `portula plugins lock`"
            ) from error
        unknown = [name for name in trusted if name not in plugins]
        if unknown:
            raise ConfigError(
                *(
                    f"PLUGINS_TRUSTED: {name!r} is not in the lock file{nearest(name, plugins)}"
                    for name in unknown
                )
            )
        return cls(path, plugins, trusted)

    def problem(self, name: str, distribution: str, version: str, digest: str) -> str | None:
        """Say why a plugin may not take part, before any of its code runs; None when it may."""
        line = self.plugins.get(name)
        if line is None:
            return "is not in the lock file; look at it, then run `portula plugins lock`"
        if (line.distribution, line.version) != (distribution, version):
            return f"is locked as {line.distribution} {line.version}; look at it, then run `portula plugins lock`"
        if line.digest != digest:
            return "has other files than the lock file says; reinstall it, or look at it and lock again"
        return None

    def check_hooks(self, name: str, hooks: Sequence[str], needing_trust: Sequence[str]) -> str | None:
        """Say why a loaded plugin may not stay: new hooks, or hooks that decide or see secrets without trust."""
        new = sorted(set(hooks) - set(self.plugins[name].hooks))
        if new:
            return f"answers hooks that are not locked: {', '.join(new)}; look at it, then lock again"
        if needing_trust and name not in self.trusted:
            return (
                f"decides or sees secrets ({', '.join(sorted(needing_trust))}); "
                f"name it in PLUGINS_TRUSTED if you trust it: PLUGINS_TRUSTED = [{name!r}]"
            )
        return None


def write(path: Path, plugins: Iterable[LockedPlugin]) -> None:
    """Write a lock file, its lines by name."""
    lines = as_json(sorted(plugins, key=lambda plugin: plugin.name))
    path.write_text(
        json.dumps({"version": LOCK_VERSION, "plugins": lines}, indent=2) + "\n", encoding="utf-8"
    )


def digest_of_entry_point(entry_point: importlib_metadata.EntryPoint) -> str:
    """Return the digest of what the distribution of an entry point installed, without importing it.

    The files are those of its top-level packages and modules, and of the one that the entry point names, so that an
    editable installation has a digest as well.
    """
    places: set[Path] = set()
    for top in {entry_point.module.partition(".")[0], *_top_level_names(entry_point.dist)}:
        try:
            spec = importlib.util.find_spec(top)
        except ValueError:  # a module without a specification, which no installation leaves behind
            continue
        if spec is not None and spec.submodule_search_locations:
            places.update(Path(place) for place in spec.submodule_search_locations)
        elif spec is not None and spec.origin:
            places.add(Path(spec.origin))
    return digest_of_files(sorted(places | _path_files(entry_point.dist)))


def digest_of_plugin_file(path: Path) -> str:
    """Return the digest of a file of PLUGINS_DIR, with the folders and modules beside it that it may load."""
    beside = [
        other
        for other in sorted(path.parent.iterdir())
        if other.is_dir() or (other.suffix in _MODULES and other.suffix not in SOURCE_SUFFIXES)
    ]
    return digest_of_files([path, *beside])


def startup_files() -> list[str]:
    """Return the names of `.pth` files that run code when Python starts, before a lock file is read (`site`)."""
    found = set()
    for folder in map(Path, filter(None, sys.path)):
        for path in folder.glob("*.pth") if folder.is_dir() else ():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            if any(line.startswith(("import ", "import\t")) for line in lines):
                found.add(path.name)
    return sorted(found)


def _path_files(distribution: Any) -> set[Path]:
    """Return the `.pth` files that a distribution installed: Python runs them whenever it starts."""
    files = getattr(distribution, "files", None) or ()
    located = (Path(file.locate()) for file in files if file.suffix == ".pth")
    return {path for path in located if path.is_file()}


def _top_level_names(distribution: Any) -> Iterator[str]:
    """Yield the import names that a distribution's list of files begins with."""
    for path in getattr(distribution, "files", None) or ():
        name = path.parts[0].partition(".")[0]
        if name.isidentifier() and name != _CACHE and (len(path.parts) > 1 or path.suffix in _MODULES):
            yield name


def digest_of_files(places: Sequence[Path]) -> str:
    """Return the SHA-256 over the files at or below these places: relative name, length, content."""
    total = hashlib.sha256()
    for place in places:
        for path in [place] if place.is_file() else sorted(_files_below(place)):
            content = path.read_bytes() + _mismatched_bytecode(path)
            name = f"{place.name}/{'' if path == place else path.relative_to(place).as_posix()}"
            total.update(f"{name}\0{len(content)}\0".encode())
            total.update(content)
    return total.hexdigest()


def _files_below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the files below a folder, those behind symbolic links too: Python imports through them."""
    real = folder.resolve()
    if real in above:
        return  # a link to somewhere above
    for path in folder.iterdir():
        if path.is_dir():
            yield from _files_below(path, above | {real})
        elif folder.name != _CACHE and path.is_file():  # what an import made is found beside its source
            yield path


def _mismatched_bytecode(source: Path) -> bytes:
    """Return the compiled file that Python would run in place of a source, if it was made of something else."""
    if source.suffix not in SOURCE_SUFFIXES:
        return b""
    try:
        compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
    except (OSError, NotImplementedError):
        return b""
    header, status = compiled[:_HEADER_BYTES], source.stat()
    noted = struct.pack("<II", int(status.st_mtime) & 0xFFFF_FFFF, status.st_size & 0xFFFF_FFFF)
    if header[:4] != importlib.util.MAGIC_NUMBER or (header[4:8] == _BY_TIME and header[8:] != noted):
        return b""  # Python compiles anew
    return b"" if _is_compiled_from(source, compiled[_HEADER_BYTES:]) else compiled


def _is_compiled_from(source: Path, code: bytes) -> bool:
    """Say whether compiling a source gives this code; two contents are compared once a process."""
    content = source.read_bytes()
    pair = hashlib.sha256(content).digest(), hashlib.sha256(code).digest()
    if pair not in _matching_digests:
        try:
            made = compile(content, str(source), "exec", dont_inherit=True)
            same = marshal.loads(code) == made  # noqa: S302 - only compared
        except (EOFError, SyntaxError, TypeError, ValueError):
            same = False
        if not same:
            return False
        _matching_digests.add(pair)
    return True


_matching_digests: set[tuple[bytes, bytes]] = set()
"""Digests of sources, each with that of the code that compiling it gives."""


def as_json(plugins: Iterable[LockedPlugin]) -> list[dict[str, Any]]:
    """Return the lines of a lock file as JSON has them."""
    return [asdict(plugin) for plugin in plugins]
