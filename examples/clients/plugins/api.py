"""The API that the clients call, and the type of payments that a person can allow."""

from typing import Annotated

from flask import Blueprint
from pydantic import Field

from portula import hookimpl
from portula.plugin import ConsentItem, Mount
from portula_rar import AuthorizationDetail, AuthorizationDetailsType
from portula_resource_server import current_token, require_oauth

blueprint = Blueprint("api", __name__)


@blueprint.post("/payments")
@require_oauth("read")
def pay():
    return {
        "client": current_token.client_id,
        "allowed": current_token.claims.get("authorization_details", []),
    }


class Payment(AuthorizationDetail):
    amount: Annotated[str, Field(pattern=r"^[0-9]{1,6}\.[0-9]{2} EUR$")]
    creditor: Annotated[str, Field(min_length=1, max_length=70)]


class Payments(AuthorizationDetailsType[Payment]):
    schema = Payment

    def describe(self, detail):
        return ConsentItem(
            title="Make a payment", details=(("Amount", detail.amount), ("To", detail.creditor))
        )

    def narrower(self, details, granted):
        return len(details) <= len(granted) and all(each in granted for each in details)


@hookimpl
def portula_blueprints(provider):
    return [Mount(blueprint, at="root")]


@hookimpl
def portula_authorization_details_types(provider):
    return {"payment": Payments()}
