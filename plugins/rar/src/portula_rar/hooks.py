"""The hook of this room: types of authorization details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portula import Provider
from portula.plugin import HookClass, HookDeclarations, contribution
from portula_rar.definitions import AuthorizationDetailsType


class RarHooks(HookDeclarations):
    """Hooks of this room."""

    @contribution(HookClass.DECIDES)
    def portula_authorization_details_types(
        self, provider: Provider
    ) -> Mapping[str, AuthorizationDetailsType[Any]]:
        """Contribute types of authorization details, by the value of `type`.

        Example:
            class Cup(AuthorizationDetail):
                size: Literal["small", "large"]

            class Pour(AuthorizationDetailsType[Cup]):
                schema = Cup

                def describe(self, detail):
                    return ConsentItem(title="Pour tea", details=(("Cup", detail.size),))

                def narrower(self, details, granted):
                    return len(details) <= len(granted) and all(each in granted for each in details)

            class Room(Plugin):
                @hookimpl
                def portula_authorization_details_types(self, provider):
                    return {"pour": Pour()}
        """
        return {}
