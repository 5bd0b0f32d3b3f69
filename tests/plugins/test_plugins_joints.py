"""Each joint of core takes a feature in one folder: small distributions that are no part of portula, over HTTP."""

import hashlib
import hmac
import json
import queue
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from security.driving import s256
from support.browser import Browser
from support.venvs import lines_of

from portula_testing import jws
from portula_testing.tls import Authority, HttpsServer, Reply

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-joints")]

DISTS = Path(__file__).parent / "dists"
ROOMS_INSTEAD = ["device", "jarm", "jwt_access_tokens", "par", "rar"]
"""Rooms of ours that do what spikes do."""
SPIKES = ("spike_cimd", "spike_device", "spike_jarm", "spike_jwt", "spike_par", "spike_rar", "spike_webhook")
CALLBACK = "http://127.0.0.1:9/cb"
VERIFIER = "v" * 43
PASSWORD = "a long password of hers"


@pytest.fixture(scope="module")
def venv(make_venv):
    return make_venv(*SPIKES)


@pytest.fixture(scope="module")
def deployment(venv, tmp_path_factory):
    deployment = venv.deployment(tmp_path_factory.mktemp("joints"), PLUGINS_BLOCKED=ROOMS_INSTEAD)
    deployment.try_("createuser", "ada", "--password-stdin", "--json", typed=PASSWORD)
    return deployment


@pytest.fixture(scope="module")
def client(deployment):
    return deployment.json(
        "createapplication", "confidential", "authorization-code", "--redirect-uris", CALLBACK
    )


@pytest.fixture(scope="module")
def url(deployment, client):
    with deployment.serving() as url:
        yield url


@pytest.fixture
def browser(url):
    with Browser(url) as browser:
        yield browser


@pytest.fixture
def parameters(client):
    return {
        "response_type": "code",
        "client_id": client["client_id"],
        "scope": "openid",
        "state": "the state",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }


def test_each_spike_is_a_file_of_under_a_hundred_lines(deployment):
    rows = lines_of(deployment.json("plugins"))
    for name in SPIKES:
        assert rows[name]["status"] == "active"
        (path,) = (DISTS / name).glob("*.py")
        assert len(path.read_text().splitlines()) < 100


def answer(response):
    """Return the parameters that a redirect carries."""
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def refused_on_a_page(response):
    """Say whether a reference is refused where nobody knows a redirect URI."""
    return response.status_code == 400 and "invalid_request_uri" in response.text


def decide(browser, sent, button="consent-allow"):
    """Send an authorization request, sign in, and answer the page."""
    browser.get(f"/o/authorize/?{urlencode(sent)}")
    browser.sign_in("ada", PASSWORD)
    return browser.submit(button)


def verified(url, token):
    """Return header and claims of a token that the provider signed."""
    (key,) = [
        key
        for key in httpx.get(f"{url}/o/.well-known/jwks.json").json()["keys"]
        if key["kid"] == jws.taken_apart(token)[0]["kid"]
    ]
    return jws.verify_token(token, key)


# --- Request resolvers, with what ends their source in the plan of the answer ---


def push(url, client, **parameters):
    return httpx.post(f"{url}/o/par/", auth=(client["client_id"], client["client_secret"]), data=parameters)


@pytest.fixture
def pushed(url, client, parameters):
    answer = push(url, client, **parameters)
    assert answer.status_code == 201
    return {"client_id": client["client_id"], "request_uri": answer.json()["request_uri"]}


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
def test_a_pushed_request_is_answered_once_allowed_or_denied(browser, pushed, button):
    sent = answer(decide(browser, pushed, button))
    assert sent["state"] == "the state"
    assert ("code" in sent) == (button == "consent-allow")
    assert refused_on_a_page(browser.get(f"/o/authorize/?{urlencode(pushed)}"))


def test_two_pages_of_one_pushed_request_give_one_answer(browser, pushed):
    browser.get(f"/o/authorize/?{urlencode(pushed)}")
    first = browser.sign_in("ada", PASSWORD)
    browser.get(f"/o/authorize/?{urlencode(pushed)}")
    assert "code" in answer(browser.submit("consent-allow"))
    browser.page = first
    assert answer(browser.submit("consent-allow"))["error"] == "invalid_request_uri"


def test_a_pushed_request_is_its_clients_alone(deployment, browser, pushed):
    other = deployment.json(
        "createapplication", "confidential", "authorization-code", "--redirect-uris", CALLBACK
    )
    refused = browser.get(f"/o/authorize/?{urlencode({**pushed, 'client_id': other['client_id']})}")
    assert refused_on_a_page(refused)


def test_what_is_pushed_is_judged_at_once(url, client, parameters):
    refused = push(url, client, **{**parameters, "scope": "nothing-of-ours"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    refused = push(url, client, **{**parameters, "redirect_uri": "https://evil.example/"})
    assert refused.status_code == 400


# --- Response modes ---


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
def test_an_answer_is_signed_success_and_error_alike(browser, url, client, parameters, button):
    sent = answer(decide(browser, {**parameters, "response_mode": "query.jwt"}, button))
    assert set(sent) == {"response"}
    claims = verified(url, sent["response"])[1]
    assert (claims["aud"], claims["state"]) == (client["client_id"], "the state")
    assert ("code" in claims) == (button == "consent-allow")


def test_modes_are_published(url):
    document = httpx.get(f"{url}/.well-known/oauth-authorization-server/o").json()
    assert document["response_modes_supported"] == [
        "form_post",
        "form_post.jwt",
        "fragment",
        "fragment.jwt",
        "query",
        "query.jwt",
    ]


# --- Token formats ---


@pytest.mark.parametrize("form", ["jwt", None])
def test_a_client_gets_access_tokens_in_its_format(deployment, url, form):
    metadata = json.dumps({"access_token_format": form} if form else {})
    party = deployment.json("createapplication", "confidential", "client-credentials", "--metadata", metadata)
    auth = (party["client_id"], party["client_secret"])
    token = httpx.post(f"{url}/o/token/", auth=auth, data={"grant_type": "client_credentials"}).json()
    facts = httpx.post(f"{url}/o/introspect/", auth=auth, data={"token": token["access_token"]}).json()
    assert facts["active"] is True
    assert (token["access_token"].count(".") == 2) == (form == "jwt")
    if form:
        header, claims = verified(url, token["access_token"])
        assert header["typ"] == "at+jwt"
        assert (claims["sub"], claims["exp"]) == (party["client_id"], facts["exp"])


# --- Consent items ---

PAYMENT = [{"type": "payment", "sum": "12 EUR", "to": "<b>Tea shop</b>"}]


@pytest.fixture
def payment(parameters):
    return {**parameters, "authorization_details": json.dumps(PAYMENT)}


def test_a_person_is_asked_about_what_a_plugin_adds_each_time(browser, url, client, payment):
    browser.get(f"/o/authorize/?{urlencode(payment)}")
    browser.sign_in("ada", PASSWORD)
    for _ in range(2):
        page = browser.get(f"/o/authorize/?{urlencode(payment)}")
        assert "Make a payment" in page.text
        assert "12 EUR" in page.text
        assert "&lt;b&gt;Tea shop&lt;/b&gt;" in page.text
        sent = answer(browser.submit("consent-allow"))
        assert "code" in sent
    auth = (client["client_id"], client["client_secret"])
    form = {"grant_type": "authorization_code", "code": sent["code"], "code_verifier": VERIFIER}
    token = httpx.post(f"{url}/o/token/", auth=auth, data=form).json()
    assert token["authorization_details"] == PAYMENT
    facts = httpx.post(f"{url}/o/introspect/", auth=auth, data={"token": token["access_token"]}).json()
    assert (facts["active"], facts["authorization_details"]) == (True, PAYMENT)


@pytest.mark.parametrize("details", ["tea", "{}", "[1]", '[{"type": "tea"}]', '[{"type": "payment"}]'])
def test_details_of_no_known_form_are_refused(browser, parameters, details):
    sent = {**parameters, "authorization_details": details}
    refused = answer(browser.get(f"/o/authorize/?{urlencode(sent)}"))
    assert refused["error"] == "invalid_authorization_details"


# --- Client sources ---

DOCUMENT = {
    "client_id": "https://app.example/client.json",
    "client_name": "An app by its document",
    "redirect_uris": [CALLBACK],
}


@pytest.fixture
def documents(deployment):
    folder = deployment.folder / "documents"
    folder.mkdir(exist_ok=True)
    (folder / "app.example.json").write_text(json.dumps(DOCUMENT))
    return folder


def test_a_client_by_its_document_gets_tokens_that_end_with_it(browser, url, client, parameters, documents):
    sent = {**parameters, "client_id": DOCUMENT["client_id"]}
    browser.get(f"/o/authorize/?{urlencode(sent)}")
    assert "An app by its document" in browser.sign_in("ada", PASSWORD).text
    code = answer(browser.submit("consent-allow"))["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    form |= {"client_id": DOCUMENT["client_id"], "redirect_uri": CALLBACK}
    token = httpx.post(f"{url}/o/token/", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{url}/o/userinfo/", headers=headers).status_code == 200
    assert "An app by its document" in browser.get("/o/authorized_tokens/").text
    (documents / "app.example.json").unlink()
    assert httpx.get(f"{url}/o/userinfo/", headers=headers).status_code == 401
    refused = browser.get(f"/o/authorize/?{urlencode(sent)}")
    assert refused.status_code == 400


@pytest.mark.parametrize("client_id", ["https://other.example/client.json", "https://app.example/other.json"])
def test_a_document_that_is_not_there_or_names_another_is_no_client(
    browser, parameters, documents, client_id
):
    refused = browser.get(f"/o/authorize/?{urlencode({**parameters, 'client_id': client_id})}")
    assert refused.status_code == 400


# --- A grant type with a page, ID and refresh tokens ---

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def device(deployment):
    return deployment.json("createapplication", "confidential", DEVICE, "refresh-token")


@pytest.fixture
def poll(url, device):
    def post(**form):
        return httpx.post(f"{url}/o/token/", auth=(device["client_id"], device["client_secret"]), data=form)

    return post


@pytest.fixture
def begun(url, device):
    auth = (device["client_id"], device["client_secret"])
    return httpx.post(f"{url}/o/device_authorization/", auth=auth, data={"scope": "openid"}).json()


def test_a_device_gets_all_tokens_once_its_person_has_allowed_it(browser, url, poll, begun):
    form = {"grant_type": DEVICE, "device_code": begun["device_code"]}
    assert poll(**form).json()["error"] == "authorization_pending"
    browser.get(f"/o/device/?user_code={begun['user_code']}")
    browser.sign_in("ada", PASSWORD)
    assert browser.submit("consent-allow").text == "You can go back to your device."
    tokens = poll(**form).json()
    claims = verified(url, tokens["id_token"])[1]
    again = poll(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert verified(url, again["id_token"])[1]["sub"] == claims["sub"]
    assert poll(**form).json()["error"] == "invalid_grant"


def test_a_device_that_is_denied_gets_nothing(browser, poll, begun):
    browser.get(f"/o/device/?user_code={begun['user_code']}")
    browser.sign_in("ada", PASSWORD)
    browser.submit("consent-deny")
    assert poll(grant_type=DEVICE, device_code=begun["device_code"]).json()["error"] == "access_denied"


# --- Deliveries ---

SECRET = "of the receiver"


class Receiver:
    """A server that is told of events: down, until it is up."""

    def __init__(self):
        self.status, self.events = 503, queue.Queue()

    def __call__(self, asked):
        self.events.put(asked)
        return Reply(self.status)

    def event(self):
        """Return what arrives next, which has to be signed."""
        asked = self.events.get(timeout=30)
        signature = hmac.new(SECRET.encode(), asked.body, hashlib.sha256).hexdigest()
        assert asked.headers["webhook-signature"] == signature
        event = json.loads(asked.body)
        assert asked.headers["webhook-id"] == event["id"]
        return event


@pytest.mark.thorough
def test_a_webhook_survives_a_receiver_that_is_down_and_a_restart(venv, tmp_path):
    authority, receiver = Authority(), Receiver()
    settings = {
        "OIDC_ISS_ENDPOINT": "http://127.0.0.1:9/o",  # the same after a restart, whose port is another
        "WEBHOOK_SECRET": SECRET,
        "FETCH_CA_BUNDLE": str(authority.write(tmp_path)),
        "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost"],
        "PLUGINS_BLOCKED": ROOMS_INSTEAD,
    }
    with HttpsServer(authority, tmp_path) as server:
        server.routes["/hook"] = receiver
        settings["WEBHOOK_URL"] = f"{server.url}/hook"
        deployment = venv.deployment(tmp_path / "hooked", **settings, DELIVERY_THREADS=0)
        party = deployment.json("createapplication", "confidential", "client-credentials")

        def issue(url):
            auth = (party["client_id"], party["client_secret"])
            form = {"grant_type": "client_credentials"}
            assert httpx.post(f"{url}/o/token/", auth=auth, data=form).status_code == 200

        with deployment.serving() as url:
            issue(url)
        tally = deployment.json("deliver")
        assert (tally["delivered"], tally["failed"]) == (0, 1)
        first = receiver.event()
        assert (first["type"], first["client_id"]) == ("token_issued", party["client_id"])
        receiver.status = 204
        deployment.configure(**settings)
        with deployment.serving() as url:
            httpx.get(f"{url}/accounts/login/")
            assert receiver.event() == first
            issue(url)
            assert receiver.event()["id"] != first["id"]
