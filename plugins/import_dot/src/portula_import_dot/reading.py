"""Reading a Django settings module without running it.

What is written out is evaluated: literals, names bound to them, `timedelta(…)`, marked translations and simple sums.
Anything else, and what stands under a condition, is told by its line.
"""

from __future__ import annotations

import ast
import runpy
import sys
import tokenize
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from portula.errors import PortulaError

DICTIONARY = "OAUTH2_PROVIDER"
_TRANSLATIONS = ("_", "gettext", "gettext_lazy", "gettext_noop", "ugettext", "ugettext_lazy")
_OUTSIDE = "USE_TZ"
_LAZY = "django.utils.functional"
"""Module of the class of `gettext_lazy(…)`."""


class UnreadableFile(PortulaError):
    """The file is no Python, or running it failed."""


@dataclass(frozen=True, slots=True)
class GivenSetting:
    """One setting as the file gives it."""

    name: str
    line: int | None
    value: Any = field(default=None, repr=False)
    unread: str = ""
    """What stands there instead of a value that could be read; empty when it was read."""


def is_ours(name: str) -> bool:
    """Say whether a name outside the dictionary is one that django-oauth-toolkit reads."""
    return name == _OUTSIDE or (name.startswith(f"{DICTIONARY}_") and name.endswith("_MODEL"))


@contextmanager
def modules_of_the_project() -> Iterator[None]:
    """Find modules in the working folder first, as `python manage.py` does."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def run(path: Path) -> list[GivenSetting]:
    """Run the file and return what it sets.

    Raises:
        UnreadableFile: it failed.
    """
    try:
        names = runpy.run_path(str(path))
    except (Exception, SystemExit) as error:
        raise UnreadableFile(f"{path} failed: {type(error).__name__}: {error}") from error
    settings = names.get(DICTIONARY, {})
    if not isinstance(settings, Mapping):
        raise UnreadableFile(f"{path}: {DICTIONARY} is no dictionary")
    outside = {name: value for name, value in names.items() if is_ours(name)}
    return [
        GivenSetting(str(name), None, _as_texts(value)) for name, value in {**outside, **settings}.items()
    ]


def _as_texts(value: Any) -> Any:
    """Return a value in which translations that wait for a language are the texts in the file."""
    if isinstance(value, dict):
        return {_as_texts(key): _as_texts(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_as_texts, value))
    if type(value).__module__ != _LAZY:
        return value
    try:
        settings = import_module("django.conf").settings
        if not settings.configured:
            settings.configure(USE_I18N=False)
        return str(value)
    except Exception:  # noqa: BLE001 - it waits for more than a language, such as an address
        return value


def read(path: Path) -> list[GivenSetting]:
    """Return what the file sets, as far as that can be told without running it.

    Raises:
        UnreadableFile: it is no Python.
    """
    try:
        with tokenize.open(path) as file:
            module = ast.parse(file.read(), filename=str(path))
        reader = _Reader()
        reader.read(module)
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        raise UnreadableFile(f"{path} is no Python that can be read: {error}") from error
    return list(reader.found.values())


class _Unread(Exception):
    def __init__(self, node: ast.AST) -> None:
        super().__init__(_describe(node))
        self.line: int | None = getattr(node, "lineno", None)


class _Reader:
    """Goes through the statements of a module in order."""

    def __init__(self) -> None:
        self.found: dict[str, GivenSetting] = {}
        self._names: dict[str, Any] = {}

    def read(self, module: ast.Module) -> None:
        for statement in module.body:
            target, value = _assignment(statement)
            if isinstance(target, ast.Name) and value is not None:
                self._assign(target.id, value, grows=isinstance(statement, ast.AugAssign))
            elif _is_item(target) and isinstance(target, ast.Subscript) and value is not None:
                self._item(target.slice, value)
            elif isinstance(statement, ast.Expr) and _is_update(statement.value):
                call = statement.value
                assert isinstance(call, ast.Call)  # noqa: S101 - _is_update has looked
                for argument in call.args:
                    self._dictionary(argument)
                for keyword in call.keywords:
                    self._keyword(keyword)
            elif isinstance(statement, ast.ImportFrom) and any(name.name == "*" for name in statement.names):
                self._unread(f"from {'.' * statement.level}{statement.module or ''} import *", statement)
            elif not isinstance(statement, ast.Import | ast.ImportFrom):
                self._conditional(statement)

    def _assign(self, name: str, value: ast.expr, *, grows: bool) -> None:
        if name == DICTIONARY:
            if not grows:
                self.found = {key: given for key, given in self.found.items() if is_ours(key) or given.unread}
            self._dictionary(value)
            return
        self._names.pop(name, None)
        try:
            known = self._evaluate(value)
        except _Unread as unread:
            if is_ours(name):
                self.found[name] = GivenSetting(name, value.lineno, unread=str(unread))
            return
        if not grows:
            self._names[name] = known
        if is_ours(name):
            self.found[name] = GivenSetting(name, value.lineno, known)

    def _dictionary(self, node: ast.expr) -> None:
        """Read a dictionary of settings, each for itself, so that one that cannot be read spoils no other."""
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is None:
                    self._dictionary(value)
                else:
                    self._item(key, value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            for argument in node.args:
                self._dictionary(argument)
            for keyword in node.keywords:
                self._keyword(keyword)
        else:
            try:
                known = self._evaluate(node)
            except _Unread as unread:
                self._unread(str(unread), node)
                return
            for name, value in known.items() if isinstance(known, dict) else ():
                self.found[str(name)] = GivenSetting(str(name), node.lineno, value)

    def _keyword(self, keyword: ast.keyword) -> None:
        if keyword.arg is None:
            self._dictionary(keyword.value)
        else:
            self._item(ast.Constant(keyword.arg), keyword.value)

    def _item(self, key: ast.expr, node: ast.expr) -> None:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            self._unread(f"a setting whose name is {_describe(key)}", node)
            return
        try:
            self.found[key.value] = GivenSetting(key.value, node.lineno, self._evaluate(node))
        except _Unread as unread:
            self.found[key.value] = GivenSetting(key.value, unread.line or node.lineno, unread=str(unread))

    def _conditional(self, statement: ast.stmt) -> None:
        """Tell of every setting that is assigned somewhere inside: which value holds is not known."""
        what = f"it depends on what `{_keyword_of(statement)}` in line {statement.lineno} decides"
        for node in ast.walk(statement):
            target, value = _assignment(node)
            if isinstance(target, ast.Name):
                self._names.pop(target.id, None)
                if target.id == DICTIONARY or is_ours(target.id):
                    for name in _named_in(value) if target.id == DICTIONARY else [target.id]:
                        self.found[name] = GivenSetting(name, getattr(node, "lineno", None), unread=what)
            elif (
                _is_item(target)
                and isinstance(target, ast.Subscript)
                and isinstance(target.slice, ast.Constant)
            ):
                name = str(target.slice.value)
                self.found[name] = GivenSetting(name, getattr(node, "lineno", None), unread=what)
            elif _is_update(node):
                self._unread(f"{DICTIONARY}.update(…), {what}", node)

    def _unread(self, what: str, node: ast.AST) -> None:
        line = getattr(node, "lineno", None)
        self.found[f"line {line}"] = GivenSetting("", line, unread=what)

    def _evaluate(self, node: ast.expr) -> Any:
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, MemoryError):
            pass
        if isinstance(node, ast.Name) and node.id in self._names:
            return self._names[node.id]
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return type(_EMPTY[type(node)])(self._evaluate(element) for element in node.elts)
        if isinstance(node, ast.Dict) and None not in node.keys:
            return {
                self._evaluate(key): self._evaluate(value)
                for key, value in zip(node.keys, node.values, strict=True)
                if key is not None
            }
        if isinstance(node, ast.BinOp):
            return self._calculate(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise _Unread(node)

    def _calculate(self, node: ast.BinOp) -> Any:
        left, right = self._evaluate(node.left), self._evaluate(node.right)
        numbers = all(isinstance(value, int | float | timedelta) for value in (left, right))
        try:
            if isinstance(node.op, ast.Add) and (numbers or type(left) is type(right)):
                return left + right
            if isinstance(node.op, ast.Mult) and numbers:
                return left * right
            if isinstance(node.op, ast.Sub) and numbers:
                return left - right
        except (TypeError, OverflowError):
            pass
        raise _Unread(node)

    def _call(self, node: ast.Call) -> Any:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _TRANSLATIONS and len(node.args) == 1 and not node.keywords:
            return self._evaluate(node.args[0])
        if name == "timedelta" and all(keyword.arg for keyword in node.keywords):
            amounts = [self._evaluate(argument) for argument in node.args]
            named = {str(keyword.arg): self._evaluate(keyword.value) for keyword in node.keywords}
            try:
                return timedelta(*amounts, **named)
            except (TypeError, OverflowError):
                pass
        raise _Unread(node)


_EMPTY: dict[type[ast.AST], Any] = {ast.List: [], ast.Tuple: (), ast.Set: set()}


def _assignment(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return node.targets[0], node.value
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return node.target, node.value
    return None, None


def _is_item(node: ast.AST | None) -> bool:
    """Recognize `OAUTH2_PROVIDER[…]`."""
    return (
        isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == DICTIONARY
    )


def _is_update(node: ast.AST) -> bool:
    """Recognize `OAUTH2_PROVIDER.update(…)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "update"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == DICTIONARY
    )


def _named_in(node: ast.expr | None) -> Iterator[str]:
    for key in node.keys if isinstance(node, ast.Dict) else ():
        if isinstance(key, ast.Constant):
            yield str(key.value)


def _keyword_of(statement: ast.stmt) -> str:
    return type(statement).__name__.lower().removesuffix("def")


def _describe(node: ast.AST) -> str:
    """Say what stands there, without its arguments and texts: they may hold a secret."""
    if isinstance(node, ast.Call):
        return f"{_describe(node.func)}(…)"
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_describe(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        return f"{_describe(node.value)}[…]"
    return "a lambda" if isinstance(node, ast.Lambda) else f"an expression ({type(node).__name__})"
