"""The API that the FAPI plans call with their access tokens: /orders, for the scope `read`."""

from flask import Blueprint

from portula import hookimpl
from portula.plugin import Mount
from portula_resource_server import current_token, require_oauth

blueprint = Blueprint("orders", __name__)


@blueprint.get("/orders")
@require_oauth("read")
def orders():
    return {"orders": [], "of": current_token.subject}


@hookimpl
def portula_blueprints(provider):
    return [Mount(blueprint, at="root")]
