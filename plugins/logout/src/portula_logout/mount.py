"""The blueprint of this room: what of it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from portula import Plugin
from portula.plugin import Mount, log_failure
from portula_logout import metadata
from portula_logout.check_session import add_check_session
from portula_logout.courier import courier_of
from portula_logout.endpoint import LOGOUT_STEPS, make_view

if TYPE_CHECKING:
    from portula import Provider


def mounts(provider: Provider) -> list[Mount]:
    """Return the blueprint, if there is anything in it."""
    blueprint = Blueprint(
        "logout",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/session/static",
    )
    page, back = metadata.rp_initiated(provider), metadata.back_channel(provider)
    watched = metadata.session_management(provider)
    if watched:
        add_check_session(blueprint, provider)
    if page:
        view = make_view(provider)
        for rule in ("/logout/", "/logout"):
            blueprint.add_url_rule(rule, "end_session", view, methods=["GET", "POST"], strict_slashes=True)
    if back:
        _look_out(blueprint, provider)
    return [Mount(blueprint, steps=(LOGOUT_STEPS,) if page else ())] if page or back or watched else []


def _look_out(blueprint: Blueprint, provider: Provider) -> None:
    """Let the courier look for what is left, after requests; what it lacks shows at start."""
    _, _, courier = (
        provider.hooks.ask(Plugin.portula_jose),
        provider.hooks.ask(Plugin.portula_fetcher),
        courier_of(provider),
    )
    if courier is None:
        return

    @blueprint.teardown_app_request
    def look(_: BaseException | None) -> None:
        if (request.endpoint or "").endswith(".static"):
            return  # a file is answered although the storage hangs
        try:
            courier.look()
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "looking for logout tokens failed")
