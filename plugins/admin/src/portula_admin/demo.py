"""The line of `portula serve --demo` with the address of the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_admin.settings import AdminSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_demo(provider: Provider) -> dict[str, str]:
    """Tell the address; the demo user may enter."""
    path = provider.settings(AdminSettings).ADMIN_PATH
    return {"Admin": f"{provider.root_of(provider.issuer)}{provider.mount}{path}/"}
