"""Types of authorization details that tests ask for: payments, as the manual has them, and accounts."""

from typing import Literal

from test_manual import run

from portula.plugin import ConsentItem
from portula_rar import AuthorizationDetailsType, CommonDetail

PaymentInitiation = run("docs/rooms/rar.md", "PaymentInitiation")

BANK = "https://bank.example/payments"
PAYMENT = {
    "type": "payment_initiation",
    "locations": [BANK],
    "instructedAmount": {"currency": "EUR", "amount": "123.50"},
    "creditorName": "Merchant A",
    "creditorAccount": {"iban": "DE02100100109307118603"},
    "remittanceInformationUnstructured": "Ref Number Merchant",
}
ACCOUNTS = {"type": "account_information", "actions": ["read_balances", "list_accounts"]}
OF_CLIENT = {"type": "statistics", "datatypes": ["sums"]}


class Accounts(CommonDetail):
    actions: tuple[Literal["list_accounts", "read_balances"], ...]


class AccountInformation(AuthorizationDetailsType[Accounts]):
    """Accounts, of which the bank says which; people need not be asked twice."""

    schema = Accounts
    may_be_remembered = True
    chosen = "DE40100100103307118608"
    """The account that tokens are for; None to leave it out."""
    also = ()
    """Actions that a type at fault adds."""

    def problem(self, detail, exchange):
        return "no such account" if detail.identifier == "nobody's" else None

    def describe(self, detail):
        facts = (("May", ", ".join(detail.actions)), ("Account", detail.identifier or "the one you choose"))
        return ConsentItem(title="See your accounts", details=facts)

    def narrower(self, details, granted):
        actions = {action for each in granted for action in each.actions}
        named = {each.identifier for each in granted}
        return all(
            actions.issuperset(each.actions) and (None in named or each.identifier in named)
            for each in details
        )

    def enrich(self, detail, exchange):
        if self.chosen is None or detail.identifier is not None:
            return detail
        changes = {"identifier": self.chosen, "actions": (*detail.actions, *self.also)}
        return detail.model_copy(update=changes)


class Statistics(AuthorizationDetailsType[CommonDetail]):
    """What a client may have for itself."""

    schema = CommonDetail
    for_clients = True

    def describe(self, detail):
        return ConsentItem(title="See sums")

    def narrower(self, details, granted):
        return all(each in granted for each in details)


TYPES = {
    "payment_initiation": PaymentInitiation,
    "account_information": AccountInformation,
    "statistics": Statistics,
}
