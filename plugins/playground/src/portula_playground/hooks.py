"""The hook of this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portula import Provider
from portula.plugin import HookClass, HookDeclarations, contribution

PlayedGrant = tuple[Sequence[str], Callable[[Any], Any]]
"""The grant types that the client is registered for, and what plays it: a function of a `Player`, whose docstring
says in a line what it shows."""


class PlaygroundHooks(HookDeclarations):
    """Hooks of this room."""

    @contribution(HookClass.OBSERVES)
    def portula_grant_trials(self, provider: Provider) -> Mapping[str, PlayedGrant]:
        """Contribute how a client of a grant is played by `portula try`, under the name that people type.

        Example:
            def play_voucher(player):
                '''A voucher becomes a token.'''
                player.post("Our manual", "token_endpoint", grant_type="voucher", voucher=player.require("voucher"))

            class Room(Plugin):
                def portula_grant_trials(self, provider):
                    return {"voucher": (("voucher",), play_voucher)}
        """
        return {}
