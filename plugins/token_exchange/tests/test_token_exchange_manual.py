"""The policy of the manual does what the page says."""

import re
from pathlib import Path

import pytest
from security.driving import error_of
from support.exchanges import GRANT, MAIL, TYPE

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rooms" / "token_exchange.md"


@pytest.fixture
def policy():
    (block,) = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    namespace = {"__name__": "manual"}
    exec(block, namespace)
    return namespace["GatewayToMail"]


def test_the_gateway_reads_mail_and_does_nothing_else(make_house, policy):
    house = make_house(TOKEN_EXCHANGE_POLICY=policy)
    app = house.client()
    gateway = house.client(client_id="gateway", grant_types=(GRANT,), redirect_uris=())
    other = house.client(grant_types=(GRANT,), redirect_uris=())
    token = house.tokens(app, scope="read write")["access_token"]

    def ask(party=gateway, **form):
        given = {"subject_token": token, "subject_token_type": f"{TYPE}access_token", "resource": MAIL}
        return house.door().token(party, grant_type=GRANT, **{**given, "scope": "read", **form})

    assert ask().json["scope"] == "read"
    for wrong in ({"scope": "write"}, {"resource": None}, {"scope": None}, {"party": other}):
        assert error_of(ask(**wrong)) == "invalid_request"
