"""Names of token exchange, and a policy that does what a test says."""

from portula_token_exchange import TokenExchangePolicy

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
API, MAIL = "https://api.example/v1", "https://mail.example/"


class Policy(TokenExchangePolicy):
    """Allows what a test says."""

    def __init__(self):
        self.delegates, self.impersonates, self.requests = True, False, []

    def may_delegate(self, request):
        self.requests.append(request)
        return self.delegates() if callable(self.delegates) else self.delegates

    def may_impersonate(self, request):
        return self.impersonates


def own_token(house, party):
    """Return a token of a client itself."""
    return house.door().token(party, grant_type="client_credentials").json["access_token"]
