"""A client that manages grants, and a house in which it does."""

import json

from security.driving import bearer

from support.details import TYPES

API, FILES = "https://api.example/", "https://files.example/"
MANAGED = {
    "GRANT_MANAGEMENT_ENABLED": True,
    "AUTHORIZATION_DETAILS_TYPES": TYPES,
    "AUTHORIZATION_DETAILS_MAX_BYTES": 65536,
    "PROTECTED_RESOURCES": {API: {}, FILES: {}},
    "SCOPES": {"read": "Read", "write": "Write", "share": "Share"},
    "REQUEST_APPROVAL_PROMPT": "auto",
}


class Managed:
    """A client with the steps that its tests take, over HTTP."""

    def __init__(self, world, browser=None, **fields):
        self.world = world
        fields.setdefault("metadata", {"authorization_details_types": list(TYPES)})
        self.party = world.client(**fields)
        self.browser = browser or world.browser()

    @property
    def door(self):
        return self.world.door()

    def code(self, action="create", grant_id=None, browser=None, **parameters):
        """Let the person allow a request, and return code and verifier."""
        named = {"grant_management_action": action, "grant_id": grant_id, **parameters}
        return (browser or self.browser).code(self.party, **named)

    def redeem(self, code, **parameters):
        return self.door.redeem(self.party, *code, **parameters)

    def tokens(self, action="create", grant_id=None, **parameters):
        """Go the whole way; return the members of the token response."""
        answer = self.redeem(self.code(action, grant_id, **parameters))
        assert answer.status_code == 200, answer.text
        return answer.json

    def refresh(self, tokens, **parameters):
        return self.door.refresh(self.party, tokens["refresh_token"], **parameters)

    def own_token(self, scope="grant_management_query grant_management_revoke", **parameters):
        """Return an access token of the client itself."""
        answer = self.door.token(self.party, grant_type="client_credentials", scope=scope, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json["access_token"]

    def call(self, grant_id, method="GET", token=None, **keywords):
        headers = bearer(self.own_token() if token is None else token)
        return self.door.open(f"/o/grants/{grant_id}", method=method, headers=headers, **keywords)

    def query(self, grant_id):
        """Return what the grant holds."""
        answer = self.call(grant_id)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json

    def active(self, *tokens):
        """Say of each token whether it is active."""
        return [self.door.is_active(self.party, token) for token in tokens]

    def is_known(self, grant_id):
        return self.call(grant_id).status_code == 200


def details(*objects):
    return json.dumps(objects)
