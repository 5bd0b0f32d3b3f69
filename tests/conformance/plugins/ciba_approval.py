"""Decides in the name of a person what the suite wants to be decided, at its `automated_ciba_approval_url`.

Whoever can ask for something can allow it here: this is for tests alone.
"""

from flask import Blueprint, request

from portula import hookimpl
from portula.plugin import AuthenticatedUser, Mount
from portula_ciba import decide
from portula_ciba.requests import of_client


@hookimpl
def portula_blueprints(provider):
    def approve():
        asked = of_client(provider, request.args["auth_req_id"])
        person = AuthenticatedUser(asked.payload["subject"], "certa", auth_time=provider.now(), amr=("pwd",))
        decide(provider, person, asked.digest, allowed=request.args["action"] == "allow")
        return {}

    blueprint = Blueprint("ciba_approval", __name__)
    blueprint.add_url_rule("/approve", "approve", approve, methods=["POST"])
    return [Mount(blueprint, at="root")]
