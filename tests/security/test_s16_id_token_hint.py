"""S16: id_token_hint is a parameter of OpenID Connect; its room completes this line.

What holds without it: a hint, whoever it names, signs nobody in, and the code stands for the person at the browser.
"""

import base64
import json

import pytest

from security.driving import answered, pkce


def unsigned(subject):
    """Return what an attacker can make: an ID token with alg none."""
    parts = ({"alg": "none"}, {"iss": "https://id.example/o", "sub": subject, "aud": "client"})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


@pytest.fixture(params=["unsigned", "rubbish", "long", "empty parts"])
def hint(house, request):
    return {
        "unsigned": unsigned(house.ann.sub),
        "rubbish": "é",
        "long": "A" * 4096,
        "empty parts": "..",
    }[request.param]


@pytest.mark.parametrize("prompt", [None, "none"])
def test_a_hint_signs_nobody_in(house, browser, hint, prompt):
    client = house.client(skip_authorization=True)
    challenge = pkce()[1]
    response = browser.ask(
        client, id_token_hint=hint, prompt=prompt, code_challenge=challenge, code_challenge_method="S256"
    )
    assert response.status_code == 302
    assert "code=" not in response.location


def test_a_hint_does_not_change_whom_the_code_stands_for(house, browser, door, client, hint):
    person = house.user()
    verifier, challenge = pkce()
    response = browser.authorize(
        client, username=person.username, code_challenge=challenge, id_token_hint=hint
    )
    tokens = door.redeem(client, answered(response)["code"], verifier).json
    assert door.introspect(client, tokens["access_token"]).json["sub"] == person.sub
