"""A type of authorization details: transfers up to a sum, until a person takes it back (RFC 9396)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import override

from portula import hookimpl
from portula.plugin import ConsentItem, Exchange
from portula_rar import AuthorizationDetailsType, CommonDetail


class Transfers(CommonDetail):
    """What a client may send: `identifier` is the account, `sum` the most that it may move, in whole euros."""

    identifier: Annotated[str, Field(pattern=r"^[A-Z0-9]{5,34}$")]
    sum: Annotated[int, Field(gt=0, le=1000)]


class TransfersType(AuthorizationDetailsType[Transfers]):
    """Transfers from an account."""

    schema = Transfers
    may_be_remembered = True

    @override
    def problem(self, detail: Transfers, exchange: Exchange) -> str | None:
        return "transfers have neither actions nor data" if detail.actions or detail.datatypes else None

    @override
    def describe(self, detail: Transfers) -> ConsentItem:
        where = (("At", ", ".join(detail.locations)),) if detail.locations else ()
        facts = (("From", detail.identifier), ("At most", f"{detail.sum} EUR"), *where)
        return ConsentItem(title="Move your money", details=facts)

    @override
    def narrower(self, details: Sequence[Transfers], granted: Sequence[Transfers]) -> bool:
        accounts = {each.identifier for each in details}
        return all(self._sum(details, each) <= self._sum(granted, each) for each in accounts)

    def _sum(self, details: Sequence[Transfers], account: str) -> int:
        return sum(each.sum for each in details if each.identifier == account)


@hookimpl
def portula_authorization_details_types(provider: object) -> Mapping[str, AuthorizationDetailsType[Any]]:
    return {"transfers": TransfersType()}
