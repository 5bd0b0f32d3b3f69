"""Whatever is sent as a token exchange: no failure of the server, and no token of it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.exchanges import GRANT, TYPE

KINDS = st.sampled_from(["access_token", "id_token", "jwt", "refresh_token"]).map(TYPE.__add__)
TEXT = st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=40)
JWT = st.from_regex(r"[A-Za-z0-9_-]{0,9}(\.[A-Za-z0-9_-]{0,9}){1,3}", fullmatch=True)
FORMS = st.fixed_dictionaries(
    {},
    optional={
        "subject_token": TEXT | JWT,
        "subject_token_type": KINDS | TEXT,
        "actor_token": TEXT | JWT,
        "actor_token_type": KINDS | TEXT,
        "requested_token_type": KINDS | TEXT,
        "audience": TEXT,
        "resource": TEXT,
        "scope": TEXT,
    },
)


@pytest.fixture
def strict(make_house):
    return make_house(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False})


def test_no_form_is_too_odd_to_be_refused(strict):
    party = strict.client(grant_types=(GRANT,), redirect_uris=())
    real = strict.tokens(strict.client())["access_token"]

    @settings(
        max_examples=2 * settings.default.max_examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(form=FORMS, known=st.booleans())
    def run(form, known):
        if known:
            form = {**form, "subject_token": real, "subject_token_type": f"{TYPE}access_token"}
        answer = strict.door().token(party, grant_type=GRANT, **form)
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 400:
            assert answer.json["error"] in ("invalid_request", "invalid_scope", "invalid_target")
        else:
            assert known

    run()
