"""An issuer whose assertions are trusted: its keys, and what it says."""

import itertools

from portula_testing.jws import TokenKey

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FOREIGN = "https://ci.example"
OURS = "https://id.example/o"

_numbers = itertools.count()


class ForeignIssuer:
    """Signs assertions at the time of a clock."""

    def __init__(self, now, name=FOREIGN, algorithm="ES256"):
        self.now, self.name, self.key = now, name, TokenKey(algorithm)

    def claims(self, **changes):
        """Return the claims of a good assertion; None takes one out."""
        now = self.now()
        given = {
            "iss": self.name,
            "sub": "repo:octo/tea:ref:refs/heads/main",
            "aud": OURS,
            "jti": f"jti {next(_numbers)}",
            "iat": now,
            "exp": now + 120,
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def sign(self, *, typ="JWT", key=None, **changes):
        return (key or self.key).sign(self.claims(**changes), typ=typ)
