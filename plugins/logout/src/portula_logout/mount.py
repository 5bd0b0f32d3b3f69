"""The blueprint of this room: what of it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from portula import Plugin
from portula.plugin import Mount
from portula_logout import metadata
from portula_logout.check_session import add_check_session
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
    page, watched = metadata.rp_initiated(provider), metadata.session_management(provider)
    if watched:
        add_check_session(blueprint, provider)
    if page:
        view = make_view(provider)
        for rule in ("/logout/", "/logout"):
            blueprint.add_url_rule(rule, "end_session", view, methods=["GET", "POST"], strict_slashes=True)
    if metadata.back_channel(provider):
        _ = provider.hooks.ask(Plugin.portula_jose)  # what it lacks shows at start
    return [Mount(blueprint, steps=(LOGOUT_STEPS,) if page else ())] if page or watched else []
