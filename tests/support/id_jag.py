"""An identity provider and an authorization server that takes its assertions, each in an app of its own."""

from security.driving import ISSUER, Door, Party
from security.house import House

from support.elsewhere import KEYS, Web
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE, Policy
from support.foreign_issuers import GRANT as JWT_BEARER

TOKEN_TYPE = f"{TYPE}id-jag"
PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag"
TYP = "oauth-id-jag+jwt"
CHAT_HOST = "https://chat.example"
CHAT = f"{CHAT_HOST}/o"
FILES = "https://api.chat.example/files"


class AssertingPolicy(Policy):
    """Allows assertions, as a test says, and keeps what it was asked."""

    def __init__(self):
        super().__init__()
        self.asserts = True

    def may_assert(self, request):
        self.requests.append(request)
        return self.asserts(request) if callable(self.asserts) else self.asserts


def giving(policy, **settings):
    """Return settings of an identity provider."""
    return {
        "OIDC_ENABLED": True,
        "TOKEN_EXCHANGE_POLICY": policy,
        "TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES": [TOKEN_TYPE],
        "ID_JAG_AUDIENCES": {CHAT: {"client_ids": {"wiki": "wiki-there"}}},
        **settings,
    }


def taking(resolver, issuers, **settings):
    """Return settings of a server that trusts issuers, each with what it is trusted with besides."""
    return {
        "OIDC_ISS_ENDPOINT": CHAT,
        "JWT_BEARER_GRANT_ENABLED": True,
        "JWT_BEARER_TRUSTED_ISSUERS": {name: {"types": [TYP], **trust} for name, trust in issuers.items()},
        "JWT_BEARER_SUBJECT_RESOLVER": resolver,
        **settings,
    }


class Chain:
    """Both, with an app that is a client of both; a test changes `people`, who is who at the second."""

    def __init__(self, *plugins, idp=None, chat=None, trust=None):
        self.policy, self.people = AssertingPolicy(), {}
        self.idp = House(*plugins, **giving(self.policy, **(idp or {})))
        self.web = Web(self.idp.door())
        trusted = {ISSUER: {"jwks_uri": KEYS, **(trust or {})}}
        given = taking(self.who, trusted, PLUGINS_CHOICE={"fetcher": "Web"}, **(chat or {}))
        self.chat = House(self.web, **given)
        self.people[ISSUER, self.idp.ann.sub] = self.chat.ann.sub
        self.here = self.idp.client(
            client_id="wiki", grant_types=("authorization_code", "refresh_token", EXCHANGE)
        )
        self.there = self.chat.client(client_id="wiki-there", grant_types=(JWT_BEARER,), redirect_uris=())
        self.door, self.chat_door = self.idp.door(), Door(self.chat.app, CHAT_HOST)

    def who(self, claims, client, request):
        return self.people.get((claims["iss"], claims["sub"]))

    def id_token(self, party: Party | None = None, **asked):
        return self.idp.tokens(party or self.here, scope="openid read", **asked)["id_token"]

    def ask(self, token=None, party=None, headers=None, **form):
        """Ask the identity provider for an assertion."""
        party = party or self.here
        given = {
            "subject_token": token or self.id_token(),
            "subject_token_type": f"{TYPE}id_token",
            "requested_token_type": TOKEN_TYPE,
            "audience": CHAT,
            "scope": "read",
            **form,
        }
        return self.door.token(party, {**party.auth, **(headers or {})}, grant_type=EXCHANGE, **given)

    def assertion(self, **asked):
        """Return an assertion."""
        answer = self.ask(**asked)
        assert answer.status_code == 200, answer.text
        return answer.json["access_token"]

    def redeem(self, assertion, party=None, headers=None, **form):
        """Redeem an assertion at the other server."""
        party = party or self.there
        headers = {**party.auth, **(headers or {})}
        return self.chat_door.token(party, headers, grant_type=JWT_BEARER, assertion=assertion, **form)
