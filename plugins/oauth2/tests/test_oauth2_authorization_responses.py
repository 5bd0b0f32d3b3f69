"""Authorization requests and what comes back of them (RFC 6749 §4.1, RFC 9207)."""

import io
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from support.browser import forms_of

from portula import hookimpl
from portula.plugin import ResponseType

ISSUER = "https://id.example/o"
CALLBACK = "https://client.example/cb"


@pytest.fixture
def client(world):
    return world.client()


# --- response_mode ---


@pytest.mark.parametrize("mode", [None, "query"])
def test_a_code_comes_back_in_the_query(world, client, mode):
    location = urlsplit(world.authorize(client, response_mode=mode).location)
    assert set(parse_qs(location.query)) == {"code", "state", "iss"}
    assert location.fragment == ""


def test_a_code_comes_back_in_the_fragment(world, client):
    response = world.authorize(client, response_mode="fragment")
    location = urlsplit(response.location)
    assert response.status_code == 302
    assert set(parse_qs(location.fragment)) == {"code", "state", "iss"}
    assert location.query == ""


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
def test_an_answer_comes_back_in_a_form(world, client, button):
    response = world.authorize(client, button, response_mode="form_post", state='"><b>&amp;')
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert response.headers["Cache-Control"] == "no-store"
    (form,) = forms_of(response.text)
    assert (form.action, form.method) == (CALLBACK, "post")
    assert form.fields["state"] == '"><b>&amp;'
    assert form.fields["iss"] == ISSUER
    expected = {"code"} if button == "consent-allow" else {"error", "error_description"}
    assert set(form.fields) == {"state", "iss"} | expected


@pytest.mark.parametrize("mode", ["tea", "Query", "query fragment"])
def test_an_unknown_response_mode_is_an_invalid_request(world, sent, client, mode):
    answer = sent(world.ask(client, response_mode=mode))
    assert (answer["error"], answer["iss"], answer["state"]) == ("invalid_request", ISSUER, "the state")


@pytest.mark.parametrize("mode", ["fragment", "form_post"])
def test_errors_keep_to_the_mode_that_was_asked_for(world, client, mode):
    response = world.ask(client, response_mode=mode, scope="unheard-of")
    if mode == "fragment":
        answer = {name: values[0] for name, values in parse_qs(urlsplit(response.location).fragment).items()}
    else:
        answer = forms_of(response.text)[0].fields
    assert (answer["error"], answer["iss"], answer["state"]) == ("invalid_scope", ISSUER, "the state")


# --- response_type and state ---


@pytest.mark.parametrize(
    "words", ["token", "id_token", "code token", "token code", "code code", "none", "CODE"]
)
def test_a_response_type_that_nobody_contributes_is_unsupported(world, sent, client, words):
    answer = sent(world.ask(client, response_type=words))
    assert (answer["error"], answer["iss"], answer["state"]) == (
        "unsupported_response_type",
        ISSUER,
        "the state",
    )


def test_a_missing_response_type_is_an_invalid_request(world, sent, client):
    assert sent(world.ask(client, response_type=None))["error"] == "invalid_request"


def test_the_words_of_a_response_type_have_no_order(make, sent):
    class Pair:
        @hookimpl
        def portula_response_types(self, provider):
            class Both(ResponseType):
                def judge(self, exchange):
                    """Let everybody pass."""

                def parameters(self, exchange):
                    return {"words": exchange.response_type}

            return {"coffee tea": Both}

    world = make(Pair())
    client = world.client()
    for words in ("tea coffee", "coffee tea"):
        assert sent(world.authorize(client, response_type=words))["words"] == "coffee tea"


@pytest.mark.parametrize("state", ["-._~" * 32, "a b+c&d=e%20", "é☕", "x" * 128])
def test_the_state_is_echoed_as_it_came(world, sent, client, state):
    assert sent(world.authorize(client, state=state))["state"] == state
    assert sent(world.ask(client, state=state, scope="unheard-of"))["state"] == state


def test_without_a_state_none_comes_back(world, sent, client):
    assert set(sent(world.authorize(client, state=None))) == {"code", "iss"}


# --- Yes, no, and skipping ---


def test_a_person_may_say_no(world, sent, client):
    answer = sent(world.authorize(client, "consent-deny"))
    assert answer.pop("error_description")
    assert answer == {"error": "access_denied", "state": "the state", "iss": ISSUER}
    assert world.host.heard == []


def test_a_yes_is_told_to_listeners(world, client):
    world.authorize(client, scope="read write")
    (event,) = world.host.heard
    assert (event.client_id, event.subject, event.scopes) == (client.client_id, "1", ("read", "write"))


def test_a_client_may_skip_the_question(world, sent):
    client = world.client(skip_authorization=True)
    answer = sent(world.ask(client))
    assert set(answer) == {"code", "state", "iss"}
    world.host.here = False
    assert world.ask(client).location.startswith("/login?next=")


def test_who_is_not_signed_in_comes_back_to_the_very_same_request(world, sent, client):
    world.host.here = False
    response = world.ask(client, state="a b&c")
    target = response.location.removeprefix("/login?next=")
    assert response.status_code == 302
    assert target.startswith("/o/authorize/?")
    world.host.here = True
    assert sent(world.answer(world.get(target)))["state"] == "a b&c"


# --- A request by POST ---


def test_a_request_by_post_is_answered_303_and_goes_on_by_get(world, sent, client, pkce):
    verifier, challenge = pkce()
    form = world.asked(client, code_challenge=challenge, code_challenge_method="S256")
    kept = world.post("/o/authorize/", form)
    assert kept.status_code == 303
    assert client.client_id not in kept.location
    answer = sent(world.answer(world.get(kept.location)))
    assert (answer["state"], answer["iss"]) == ("the state", ISSUER)
    assert world.redeem(client, answer["code"], verifier).status_code == 200


def test_a_request_by_post_that_is_wrong_goes_back_to_the_client(world, sent, client):
    answer = sent(world.post("/o/authorize/", world.asked(client, response_type="tea")))
    assert (answer["error"], answer["state"]) == ("unsupported_response_type", "the state")


def test_a_kept_request_waits_ten_minutes(world, client, pkce):
    form = world.asked(client, code_challenge=pkce()[1], code_challenge_method="S256")
    target = world.post("/o/authorize/", form).location
    world.later(599)
    assert world.get(target).status_code == 200
    world.later(1)
    assert world.get(target).status_code == 400


def test_both_spellings_of_the_path_answer(world, client):
    for path in ("/o/authorize", "/o/authorize/"):
        response = world.get(path, query_string=world.asked(client))
        assert response.status_code == 302
        assert response.location.startswith(CALLBACK)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_by_post_that_is_too_large_is_refused_and_never_cut(make, chunked):
    world = make(MAX_BODY_BYTES=2048)
    client = world.client(redirect_uris=(CALLBACK, f"{CALLBACK}2"))
    form = world.asked(client, response_type="tea", redirect_uri=None, padding="x" * 2048)
    body = (urlencode(form) + f"&redirect_uri={CALLBACK}").encode()
    for kept, status in ((body[-1:] + body, 400), (urlencode(world.asked(client)).encode(), 302)):
        keywords = {"input_stream": io.BytesIO(kept), "content_type": "application/x-www-form-urlencoded"}
        length = {} if chunked else {"CONTENT_LENGTH": str(len(kept))}
        terminated = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {}
        response = world.post("/o/authorize/", environ_overrides={**length, **terminated}, **keywords)
        assert response.status_code == status
        assert ("too large" in response.text) is (status == 400)
