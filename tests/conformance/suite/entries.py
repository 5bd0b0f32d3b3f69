"""Does what the `browser` entries of examples/certification/suite.json say, in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.suite.lab import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conformance.suite.lab import Lab

CONFIGURATION = ROOT / "examples" / "certification" / "suite.json"


@dataclass
class Entries:
    """The entries that are in force for a module, with the addresses and the person of this run."""

    browser: list[dict[str, Any]]
    shots: list[str] = field(default_factory=list)
    """The texts of the pages of which a screenshot was taken, in order."""

    @classmethod
    def of(cls, lab: Lab, module: str = "") -> Entries:
        """Read the configuration for the server of a lab; the override for `module` counts if there is one."""
        text = CONFIGURATION.read_text(encoding="utf-8")
        text = text.replace("https://localhost:8000", lab.op.issuer.removesuffix("/o"))
        text = text.replace('"certa"', json.dumps(lab.person.username))
        document = json.loads(text.replace("THE PASSWORD OF certa", lab.person.password))
        return cls(document["override"].get(module, document)["browser"])

    def visit(self, page: Page, url: str) -> None:
        """Open an address, and do the tasks of the first entry that is for it."""
        entry = next(entry for entry in self.browser if _matches(entry["match"], url))
        page.goto(url, wait_until="networkidle")
        for task in entry["tasks"]:
            if _matches(task["match"], page.url):
                for command in task.get("commands", []):
                    self._do(page, *command)
                    page.wait_for_load_state("networkidle")
            else:
                assert task.get("optional"), f"{task['task']}: at {page.url}"

    def _do(self, page: Page, verb: str, kind: str, target: str, *rest: Any) -> None:
        element = {"id": f"#{target}", "name": f"[name={target}]", "xpath": f"xpath={target}"}.get(kind, "")
        if verb == "text":
            page.fill(element, rest[0])
        elif verb == "click":
            page.click(element)
        else:
            assert verb == "wait", verb
            seconds, text, shot = (*rest, None, None)[:3]
            if kind == "contains":
                page.wait_for_url(re.compile(re.escape(target)), timeout=seconds * 1000)
                return
            page.wait_for_selector(element, state="attached", timeout=seconds * 1000)
            if text is not None:
                page.get_by_text(re.compile(text)).first.wait_for(timeout=seconds * 1000)
            if shot is not None:
                self.shots.append(text or "")


def _matches(pattern: str, url: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), url) is not None
