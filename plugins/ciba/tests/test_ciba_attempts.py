"""The limit on wrong attempts, where judging one takes longer than its place is held."""

import pytest

from portula.plugin import Artifact, Quota
from portula_ciba.attempts import ATTEMPT, JUDGED_WITHIN_SECONDS, WINDOW_SECONDS, attempt
from portula_testing.provider import MovableClock, make_provider


@pytest.mark.parametrize("purged", [False, True])
def test_a_wrong_attempt_that_is_judged_slowly_ends_as_what_it_is(purged):
    clock = MovableClock(1_700_000_000)
    provider = make_provider(clock=clock)
    with attempt(provider, Quota(provider, ATTEMPT, "user", 1), "Too many.") as judged:
        clock.advance(JUDGED_WITHIN_SECONDS + 1)
        if purged:
            assert provider.storage.purge(Artifact, now=provider.now(), limit=10) == 1
        judged.wrong = True
    ends = [kept.expires_at for kept in provider.storage.select(Artifact)]
    assert ends == ([] if purged else [provider.now() + WINDOW_SECONDS])
