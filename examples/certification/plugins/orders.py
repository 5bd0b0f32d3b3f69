"""The API that the FAPI plans call with their access tokens: /orders, for the scope `read`; and details of orders."""

from flask import Blueprint

from portula import hookimpl
from portula.plugin import ConsentItem, Mount
from portula_rar import AuthorizationDetail, AuthorizationDetailsType
from portula_resource_server import current_token, require_oauth

blueprint = Blueprint("orders", __name__)


class Order(AuthorizationDetail):
    number: str


class Orders(AuthorizationDetailsType[Order]):
    """Single orders (RFC 9396)."""

    schema = Order

    def describe(self, detail):
        return ConsentItem(title="See an order", details=(("Number", detail.number),))

    def narrower(self, details, granted):
        return all(detail in granted for detail in details)


@blueprint.get("/orders")
@require_oauth("read")
def orders():
    details = current_token.claims.get("authorization_details", [])
    return {"orders": details, "of": current_token.subject}


@hookimpl
def portula_authorization_details_types(provider):
    return {"order": Orders()}


@hookimpl
def portula_blueprints(provider):
    return [Mount(blueprint, at="root")]
