"""What clients and browsers do that push an authorization request first (RFC 9126)."""

from security.driving import PASSWORD, s256

VERIFIER = "v" * 43


def pushed(world, party, *, auth=None, headers=None, **changes):
    """Push an authorization request, and return the answer; a parameter that is None is left out."""
    form = {
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "openid read",
        "state": "the state",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    form = {name: value for name, value in form.items() if value is not None}
    proof = party.auth if auth is None else auth
    return world.door().post("/o/par/", form, {**proof, **(headers or {})})


def reference(world, party, **changes):
    """Push a request, and return what the browser brings of it."""
    answer = pushed(world, party, **changes)
    assert answer.status_code == 201, answer.text
    return {"client_id": party.client_id, "request_uri": answer.json["request_uri"]}


def bring(browser, brought, **beside):
    """Bring a reference to the authorization endpoint."""
    return browser.get("/o/authorize/", query_string={**brought, **beside})


def to_login(browser, brought):
    """Go as far as the login page."""
    answer = bring(browser, brought)
    assert answer.status_code == 302, answer.text
    return browser.get(answer.location)


def to_page(browser, brought):
    """Go as far as the consent page, signing in on the way."""
    login = to_login(browser, brought)
    signed_in = browser.submit(login, "login-submit", username="ann", password=PASSWORD)
    return browser.get(signed_in.location)


def refused_on_page(response, error="invalid_request_uri"):
    """Say whether an error is told on a page alone."""
    return response.status_code == 400 and "Location" not in response.headers and error in response.text
