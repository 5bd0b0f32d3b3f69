"""The settings and the policy of the manual do what the page says."""

import re
from pathlib import Path

from security.driving import error_of
from security.house import House
from support.exchanges import GRANT as EXCHANGE
from support.exchanges import TYPE
from support.foreign_issuers import GRANT as JWT_BEARER
from support.foreign_issuers import ForeignIssuer
from support.id_jag import TOKEN_TYPE, TYP

from portula_testing.jws import taken_apart

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rooms" / "id_jag.md"
CHAT, IDP = "https://chat.example/", "https://acme.idp.example"


def blocks():
    """Return what the code of the page defines, block by block."""
    text = PAGE.read_text(encoding="utf-8")
    for code in re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        namespace = {"__name__": "manual"}
        exec(code, namespace)
        yield namespace


def test_the_wiki_reads_in_the_chat_and_does_nothing_else():
    giving, policy, taking = blocks()
    settings = {**giving["OAUTH2_PROVIDER"], "TOKEN_EXCHANGE_POLICY": policy["WikiToChat"]}
    house = House(**settings)
    house.client(client_id="chat")
    grants = ("authorization_code", EXCHANGE)
    wiki, other = house.client(client_id="wiki", grant_types=grants), house.client(grant_types=grants)

    def ask(party=wiki, **form):
        given = {
            "requested_token_type": TOKEN_TYPE,
            "subject_token": house.tokens(party, scope="openid")["id_token"],
            "subject_token_type": f"{TYPE}id_token",
            "audience": CHAT,
            "scope": "chat.read",
            **form,
        }
        return house.door().token(party, grant_type=EXCHANGE, **given)

    claims = taken_apart(ask(resource="https://api.chat.example/").json["access_token"])[1]
    assert (claims["aud"], claims["client_id"]) == (CHAT, "f53f191f9311af35")
    assert error_of(ask(scope="chat.write")) == "invalid_request"
    assert error_of(ask(authorization_details='[{"type": "x"}]')) == "invalid_request"
    assert error_of(ask(other)) == "invalid_request"

    issuer = ForeignIssuer(lambda: chat.clock.time, IDP)
    trusted = dict(taking["OAUTH2_PROVIDER"]["JWT_BEARER_TRUSTED_ISSUERS"][IDP])
    trusted["jwks"] = issuer.key.jwks if trusted.pop("jwks_uri") else None
    known = {"chat.read": "Read", "chat.history": "Look back"}
    chat = House(
        **{
            **taking["OAUTH2_PROVIDER"],
            "JWT_BEARER_TRUSTED_ISSUERS": {IDP: trusted},
            "JWT_BEARER_SUBJECT_RESOLVER": lambda *_: chat.ann.sub,
            "SCOPES": known,
        }
    )
    party = chat.client(grant_types=(JWT_BEARER,), redirect_uris=())
    assertion = issuer.sign(typ=TYP, client_id=party.client_id, scope="chat.read")
    assert chat.door().token(party, grant_type=JWT_BEARER, assertion=assertion).json["scope"] == "chat.read"
    assert (
        error_of(chat.door().token(party, grant_type=JWT_BEARER, assertion=issuer.sign())) == "invalid_grant"
    )
