"""S25: a theft that was recognized is not forgotten because the storage could not write it down."""

import pytest

from portula.errors import StorageDown
from portula.plugin import Authorization, ChangeAll


@pytest.fixture
def house(make_house):
    return make_house(REFRESH_TOKEN_GRACE_PERIOD_SECONDS=0)


@pytest.fixture
def break_storage(house, monkeypatch):
    """Return the function after which plans that revoke are refused, until it is told otherwise."""
    storage = house.provider.storage
    apply = storage.apply

    def broken(plan):
        bulk = [part for part in plan.parts if isinstance(part, ChangeAll)]
        if any(part.cls is Authorization and "revoked_at" in part.values for part in bulk):
            raise StorageDown("the storage does not answer")
        return apply(plan)

    def switch(*, off):
        monkeypatch.setattr(storage, "apply", broken if off else apply)

    return switch


def of_a_code(house, door, party):
    """Replay a code; return the tokens that it bought, and what the replay was answered."""
    code, verifier = house.browser().code(party, scope="read")
    tokens = door.redeem(party, code, verifier).json
    return tokens, door.redeem(party, code, verifier).status_code


def of_a_refresh_token(house, door, party):
    stolen = house.tokens(party, scope="read")["refresh_token"]
    tokens = door.refresh(party, stolen).json
    return tokens, door.refresh(party, stolen).status_code


@pytest.mark.parametrize("replay", [of_a_code, of_a_refresh_token])
def test_what_grew_from_it_is_refused_until_the_revocation_stands(house, kind, replay, break_storage):
    door, party, other = house.door(kind), house.client(), house.client()
    break_storage(off=True)
    tokens, status = replay(house, door, party)
    assert status >= 400
    for _ in range(2):
        assert not door.is_active(party, tokens["access_token"])
        assert not door.is_active(party, tokens["refresh_token"])
        assert door.refresh(party, tokens["refresh_token"]).status_code == 400
    assert house.provider.storage.select(Authorization)[0].revoked_at is None
    break_storage(off=False)
    assert door.refresh(party, tokens["refresh_token"]).status_code == 400
    assert house.provider.storage.select(Authorization)[0].revoked_at is not None
    assert house.provider.due_revocations == set()
    assert door.is_active(other, house.tokens(other, scope="read")["access_token"])
