"""The page about the room is enough: its configuration is read as it stands, and its resolver knows the job."""

import re
from pathlib import Path

import pytest
from security.driving import error_of

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rooms" / "jwt_bearer.md"


@pytest.fixture
def manual():
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    namespace = {"__name__": "manual"}
    for block in blocks:
        exec(block, namespace)
    return namespace


def test_the_job_of_the_page_gets_a_token_and_no_other(manual, make_house, make_job, issuer):
    ((_, trusted),) = manual["OAUTH2_PROVIDER"]["JWT_BEARER_TRUSTED_ISSUERS"].items()
    named = {name: value for name, value in trusted.items() if name not in ("jwks_uri", "clients", "scopes")}
    house = make_house(JWT_BEARER_SUBJECT_RESOLVER=manual["of_job"], trust=named)
    (job,) = manual["PEOPLE"]
    manual["PEOPLE"][job] = house.ann.sub
    party = make_job(house)

    def redeem(**claims):
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "scope": "read"}
        return house.door().token(party, assertion=issuer.sign(**claims), **form)

    assert redeem(sub=job).json["scope"] == "read"
    assert error_of(redeem(sub=job.replace("main", "other"))) == "invalid_grant"
