"""Names of modules, classes and functions say what they are or do; a bare past participle leaves that open."""

import ast
import re
from pathlib import Path

from house.files import at, python_files, room_folders, tree

_IRREGULAR = """
    begun bought brought built caught chosen done drawn found frozen given gone grown heard held hidden kept known
    left lost made meant met seen sent shown spoken sworn taken taught thrown told understood written
"""
_OTHER_WORDS = {
    "bed",
    "embed",
    "exceed",
    "feed",
    "need",
    "proceed",
    "red",
    "seed",
    "shed",
    "speed",
    "succeed",
}


def is_participle(name: str) -> bool:
    """Say whether a name is one past participle and nothing more; `PresentedToken` is none, nor is `__wrapped__`."""
    word = re.sub(r"(?<!^)(?=[A-Z])", "_", name.removeprefix("_")).lower()
    return word in _IRREGULAR.split() or (
        re.fullmatch("[a-z]+ed", word) is not None and word not in _OTHER_WORDS
    )


def names_say_what_they_are(root: Path) -> list[str]:
    """No module, class or function is named by a bare past participle; tests may name what they make as they like."""
    problems = []
    rooms = (f"plugins/{room.name}/src" for room in room_folders(root))
    for path in python_files(root, "core/src", "testing/src", *rooms):
        if is_participle(path.stem):
            problems.append(f"{at(path, root)}: the module is named by a participle")
        problems += [
            f"{at(path, root, node.lineno)}: {node.name} is a participle: name what it is, or what it does"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and is_participle(node.name)
        ]
    return problems
