"""How a client proves itself at the machine endpoints (RFC 6749 §2.3)."""

import base64
from urllib.parse import quote_plus

import pytest

from portula import Plugin
from portula.plugin import Application

ODD_SECRET = "a secret+with%20odd & characters: 100%"
GRANT = {"grant_type": "client_credentials"}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture(params=["/o/token/", "/o/revoke_token/"])
def path(request):
    return request.param


def test_basic_is_read_form_encoded_and_raw(world, path):
    client = world.client(secret=ODD_SECRET)
    form = {**GRANT, "token": "x"}
    for user, password in (
        (quote_plus(client.client_id), quote_plus(ODD_SECRET)),
        (client.client_id, ODD_SECRET),
    ):
        assert world.post(path, form, basic(user, password)).status_code == 200
    assert world.post(path, form, basic(client.client_id, ODD_SECRET[1:])).status_code == 401


def test_a_client_id_with_odd_characters_is_read_form_encoded(world):
    client_id = "https://client.example/app?x=%41"
    application = Application(client_id=client_id, grant_types=("client_credentials",))
    _, secret = world.provider.clients.create(application)
    assert world.post("/o/token/", GRANT, basic(quote_plus(client_id), secret)).status_code == 200


def test_the_secret_may_stand_in_the_body(world, path):
    client = world.client(secret=ODD_SECRET)
    form = {**GRANT, "token": "x", "client_id": client.client_id, "client_secret": ODD_SECRET}
    assert world.post(path, form).status_code == 200
    assert world.post(path, {**form, "client_secret": ODD_SECRET[:-1]}).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic bm8tY29sb24=",
        "Bearer abc",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    ],
)
def test_a_malformed_header_is_no_proof(world, refused, path, header):
    response = world.post(path, {**GRANT, "token": "x"}, {"Authorization": header})
    assert refused(response, 401) == "invalid_client"
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


def test_two_ways_at_once_are_refused(world, refused, path):
    client = world.client()
    form = {**GRANT, "token": "x", "client_id": client.client_id, "client_secret": client.secret}
    assert refused(world.post(path, form, client.headers)) == "invalid_request"


def test_a_public_client_names_itself_in_the_body_or_as_a_basic_user_without_a_password(world, path):
    client = world.public()
    code, verifier = world.code(client)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": "https://client.example/cb",
        "token": "x",
    }
    assert world.post(path, form, basic(client.client_id, "")).status_code == 200
    code, verifier = world.code(client)
    named = {**form, "code": code, "code_verifier": verifier, "client_id": client.client_id}
    assert world.post(path, named).status_code == 200


def test_a_confidential_client_cannot_do_without_its_secret(world, refused, path):
    client = world.client()
    named = {**GRANT, "token": "x", "client_id": client.client_id}
    for form, headers in ((named, {}), ({**GRANT, "token": "x"}, basic(client.client_id, ""))):
        assert refused(world.post(path, form, headers), 401) == "invalid_client"


def test_a_public_client_has_no_secret_to_be_right(world, refused, path):
    client = world.public()
    form = {**GRANT, "token": "x"}
    assert refused(world.post(path, form, basic(client.client_id, "anything")), 401) == "invalid_client"


@pytest.mark.parametrize("registered", ["client_secret_basic", "client_secret_post"])
def test_token_endpoint_auth_method_is_kept_to(world, path, registered):
    client = world.client(token_endpoint_auth_method=registered)
    form = {**GRANT, "token": "x"}
    by_basic = world.post(path, form, client.headers).status_code
    posted = {**form, "client_id": client.client_id, "client_secret": client.secret}
    by_post = world.post(path, posted).status_code
    assert {"client_secret_basic": by_basic, "client_secret_post": by_post} == {
        "client_secret_basic": 200 if registered == "client_secret_basic" else 401,
        "client_secret_post": 200 if registered == "client_secret_post" else 401,
    }


def test_another_clients_client_id_in_the_body_is_refused(world, refused, path):
    client, other, public = world.client(), world.client(), world.public()
    for foreign in (other.client_id, public.client_id, "nobody"):
        form = {**GRANT, "token": "x", "client_id": foreign}
        assert refused(world.post(path, form, client.headers), 401) == "invalid_client"
    own = {**GRANT, "token": "x", "client_id": client.client_id}
    assert world.post(path, own, client.headers).status_code == 200


def test_a_public_client_cannot_name_itself_twice_and_differently(world, refused):
    one, two = world.public(), world.public()
    form = {"token": "x", "client_id": two.client_id}
    response = world.post("/o/revoke_token/", form, basic(one.client_id, ""))
    assert refused(response, 401) == "invalid_client"


def test_a_secret_that_is_being_replaced_has_two_live_values(world):
    client = world.client()
    known = world.provider.storage.find(Application, client_id=client.client_id)
    fresh = "the next secret of this client, of forty characters"
    hashes = (*known.secret_hashes, world.provider.hooks.ask(Plugin.portula_secret_hasher).hash_chosen(fresh))
    world.change(client, secret_hashes=hashes)
    for secret in (client.secret, fresh):
        assert world.post("/o/token/", GRANT, basic(client.client_id, secret)).status_code == 200


def test_a_disabled_client_is_no_client(world, refused, path):
    client = world.client()
    world.change(client, disabled=True)
    assert refused(world.post(path, {**GRANT, "token": "x"}, client.headers), 401) == "invalid_client"
