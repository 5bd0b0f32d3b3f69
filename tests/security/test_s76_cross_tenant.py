"""S76: nothing that one provider gave counts at another in the same app, on the same storage, under the same keys."""

import pytest
from support.browser import forms_of
from support.tenants import HOST, PASSWORD, Browser, Two

from portula import Plugin
from portula.plugin import AccessToken, Application, Artifact
from security.driving import basic, error_of


@pytest.fixture(
    scope="module",
    params=[(store, keys) for store in ("memory", "sqlite") for keys in ("own keys", "same keys")],
    ids=" ".join,
)
def two(request, tmp_path_factory):
    store, keys = request.param
    folder = tmp_path_factory.mktemp("two") if store == "sqlite" else None
    made = Two(folder=folder, same_keys=keys == "same keys")
    yield made
    made.close()


@pytest.fixture(params=["north to south", "south to north"])
def pair(two, request):
    """The provider that gives, and the other."""
    return (two.north, two.south) if request.param == "north to south" else (two.south, two.north)


@pytest.fixture
def client(pair):
    """A client that can authenticate at both: the secret that a person chose is kept without any key."""
    return pair[0].client(chosen_secret="a secret that a person chose, long enough")


def test_the_client_is_one_of_both(pair, client):
    for tenant in pair:
        assert tenant.post("token/", client, grant_type="client_credentials").status_code == 200


def test_a_code(two, pair, client):
    ours, other = pair
    code, verifier = Browser(two).code(ours, client)
    assert error_of(other.redeem(client, code, verifier)) == "invalid_grant"
    assert ours.redeem(client, code, verifier).status_code == 200


def test_an_access_token(pair, client):
    ours, other = pair
    token = ours.tokens(client)["access_token"]
    assert not other.is_active(client, token)
    assert other.resource(token).status_code == 401
    assert other.provider.validator.find_live_access_token(token) is None
    assert ours.is_active(client, token)
    assert ours.resource(token).status_code == 200


def test_an_access_token_of_the_client_itself(pair, client):
    ours, other = pair
    token = ours.post("token/", client, grant_type="client_credentials", scope="read").json["access_token"]
    assert not other.is_active(client, token)
    assert other.resource(token).status_code == 401
    assert ours.resource(token).status_code == 200


def test_a_refresh_token(pair, client):
    ours, other = pair
    token = ours.tokens(client)["refresh_token"]
    assert error_of(other.refresh(client, token)) == "invalid_grant"
    assert not other.is_active(client, token)
    assert ours.refresh(client, token).status_code == 200


def test_revoking_at_the_other_ends_nothing(pair, client):
    ours, other = pair
    tokens = ours.tokens(client)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert other.post("revoke_token/", client, token=token).status_code == 200
        assert ours.is_active(client, token)


def test_a_session_cookie(two, pair):
    ours, other = pair
    browser = Browser(two)
    browser.sign_in(ours)
    assert browser.is_signed_in(ours)
    assert not browser.is_signed_in(other)
    browser.plant(f"{other.name}_session", browser.cookie(f"{ours.name}_session"))
    browser.plant(f"{other.name}_browser", browser.cookie(f"{ours.name}_browser"))
    assert not browser.is_signed_in(other)
    assert browser.is_signed_in(ours)


def test_two_sessions_in_one_browser_are_two_people(two, pair):
    ours, other = pair
    browser = Browser(two)
    browser.sign_in(ours, "ann")
    browser.sign_in(other, "bob")
    assert "ann" in browser.get(f"/{ours.name}/accounts/").text
    assert "bob" in browser.get(f"/{other.name}/accounts/").text
    logout = f"/{ours.name}/accounts/logout/"
    browser.post(logout, forms_of(browser.get(logout).text)[0].fields)
    assert not browser.is_signed_in(ours)
    assert browser.is_signed_in(other)


def test_ending_all_sessions_of_a_person_at_one(two, pair):
    ours, other = pair
    browser = Browser(two)
    browser.sign_in(ours)
    browser.sign_in(other)
    with two.app.app_context():
        assert ours.provider.hooks.ask(Plugin.portula_sessions).end_all(two.ann.sub) >= 1
    assert not browser.is_signed_in(ours)
    assert browser.is_signed_in(other)


def test_a_consent(two, pair, client):
    ours, other = pair
    browser = Browser(two)
    browser.code(ours, client)
    browser.sign_in(other)
    auto = {"approval_prompt": "auto"}
    assert "ask" in browser.ask(other, client, **auto).text
    application = ours.provider.storage.find(Application, client_id=client.client_id)
    remembered = [
        tenant.provider.hooks.ask(Plugin.portula_consent).recall(application, two.ann.sub) for tenant in pair
    ]
    assert remembered == [{"read"}, frozenset()]
    assert client.client_id not in browser.get(f"/{other.name}/authorized_tokens/").text


def test_an_interaction(two, pair, client):
    """Nor may the page of one be answered at the other."""
    ours, other = pair
    browser = Browser(two)
    browser.sign_in(other)
    browser.sign_in(ours)
    form = browser.consent_form(ours, client)
    named = {"interaction": form["interaction"]}
    assert browser.get(f"/{other.name}/authorize/", query_string=named).status_code == 400
    assert browser.post(f"/{other.name}/authorize/", form).status_code == 400
    assert browser.get(f"/{ours.name}/authorize/", query_string=named).status_code == 200
    assert browser.post(f"/{ours.name}/authorize/", form).status_code == 302


def test_a_csrf_token(two, pair):
    """Even when a browser has the same identifier at both."""
    ours, other = pair
    browser = Browser(two)
    page = f"/{ours.name}/accounts/login/"
    (form,) = forms_of(browser.get(page).text)
    browser.plant(f"{other.name}_browser", browser.cookie(f"{ours.name}_browser"))
    typed = {**form.fields, "username": "ann", "password": PASSWORD}
    answer = browser.post(f"/{other.name}/accounts/login/", typed)
    assert answer.status_code == 400
    assert not browser.is_signed_in(other)
    assert browser.post(page, typed).status_code == 302


def test_failed_sign_ins_at_one_lock_nobody_out_of_the_other(two, pair):
    ours, other = pair
    two.clock.advance(3600)
    browser = Browser(two)
    page = f"/{ours.name}/accounts/login/"
    for _ in range(6):
        (form,) = forms_of(browser.get(page).text)
        answer = browser.post(page, {**form.fields, "username": "bob", "password": "wrong password"})
    assert answer.status_code == 429
    browser.sign_in(other, "bob")
    two.clock.advance(3600)


def test_nothing_stored_by_one_is_found_by_the_other(two, pair, client):
    """Each digest of the one is made under a key of its own, so that no two could ever meet."""
    ours, other = pair
    tokens = ours.tokens(client)
    found = [
        tenant.provider.storage.find(
            AccessToken, digest=tenant.provider.keys.digests("access token", tokens["access_token"])
        )
        for tenant in pair
    ]
    assert [record is not None for record in found] == [True, False]
    for purpose in ("session", "consent", "interaction", "authorization code", "refresh token", "csrf"):
        digests = {str(tenant.provider.keys.digests(purpose, "the same")) for tenant in pair}
        assert len(digests) == 2, purpose
        sealed = ours.provider.keys.seal(purpose, "the same")
        assert ours.provider.keys.unseal(purpose, sealed) == "the same"
        assert other.provider.keys.unseal(purpose, sealed) is None
    assert ours.provider.storage.select(Artifact, limit=1) != []


# --- What a shared storage does share: docs/security.md says so ---


def test_a_generated_client_secret_goes_with_the_secret_keys(two, pair):
    ours, other = pair
    party = ours.client()
    same = two.north.provider.core_settings.SECRET_KEYS == two.south.provider.core_settings.SECRET_KEYS
    expected = 200 if same else 401
    assert ours.post("token/", party, grant_type="client_credentials").status_code == 200
    assert other.post("token/", party, grant_type="client_credentials").status_code == expected


def test_who_is_disabled_is_disabled_at_both(two, pair, client):
    ours, other = pair
    person = ours.users.create(f"person-{client.client_id}", PASSWORD)
    token = other.tokens(client, person.username)["access_token"]
    assert other.resource(token).status_code == 200
    with two.app.test_request_context(base_url=HOST):
        ours.users.disable(person)
    assert other.resource(token).status_code == 401


def test_access_taken_back_at_one_is_taken_back_at_both(two, pair, client):
    """Tokens know their person and their client, not their issuer: the mistake is on the safe side."""
    ours, other = pair
    token = other.tokens(client)["access_token"]
    ours.provider.hooks.ask(Plugin.portula_consent).memory.withdraw(two.ann.sub, client.client_id)
    assert other.resource(token).status_code == 401


def test_a_wrong_secret_is_refused_at_both(two, pair, client):
    for tenant in pair:
        headers = basic(client.client_id, "a wrong secret, and long enough to be one")
        answer = two.http.post(
            f"/{tenant.name}/token/",
            data={"grant_type": "client_credentials"},
            headers=headers,
            base_url=HOST,
        )
        assert error_of(answer, 401) == "invalid_client"
