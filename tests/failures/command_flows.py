"""What is done from the command line."""

import json

from failures.houses import House
from portula import Plugin
from portula.plugin import AccessToken, Artifact
from portula_testing import jws
from portula_testing.provider import token_for


class KeyRotation(House):
    """The key that signs is followed by another one."""

    name = "key rotation"

    def prepare(self):
        self.client("client_credentials")

    def run(self):
        done = self.command("keys", "rotate", "--algorithm", "ES256", "--now")
        assert done.exit_code == 0, done.output

    def check(self):
        kept = [artifact.digest for artifact in self.storage.select(Artifact) if "key" in artifact.kind]
        self.one(kept[1:])
        token = self.provider.hooks.ask(Plugin.portula_jose).sign({}, typ="JWT", algorithm="ES256")
        return kept, jws.taken_apart(token)[0]["kid"]


class Cleaning(House):
    """Expired records are deleted."""

    name = "cleartokens"
    may_change = frozenset({"AccessToken"})  # each batch stands for itself

    def prepare(self):
        self.client("client_credentials")
        for scope in ("read", "write", "read write"):
            token_for(self.provider, None, scope, expires_in=10)
        self.clock.advance(24 * 3600 * 400)

    def run(self):
        done = self.command("cleartokens", "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["complete"]

    def check(self):
        assert self.storage.select(AccessToken) == []
