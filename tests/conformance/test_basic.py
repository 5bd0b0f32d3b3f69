"""The modules of the basic plan: those that the plans hybrid, implicit and form-post run in their variants too."""

import secrets
from collections.abc import Callable

import httpx

from conformance.plans import module
from conformance.suite import checks, tokens
from conformance.suite.flows import Flow, Result, Variant
from conformance.suite.lab import Lab
from conformance.suite.pages import Browser

JOSE = "application/oauth-authz-req+jwt"
IMPLICIT_ONLY = "id_token"
"""The response type without an access token: its ID token holds the claims of scopes (Core §5.4)."""


@module("oidcc-server")
def test_oidcc_server(lab: Lab, name: str, variant: Variant) -> None:
    client = lab.register(variant) if variant.dynamic else lab.client(variant)
    flow = lab.flow(variant, client)
    checks.public_keys(lab.op.keys)
    result = flow.run()
    if "code" in variant.words:
        checks.unguessable(result.response["code"])
    for claims in filter(None, (result.front, result.back)):
        assert set(claims) <= checks.PROTOCOL_CLAIMS
    if variant.dynamic:
        assert lab.op.unregister(client).status_code == 204
        assert flow.error_page(flow.request())


# --- The ID token ---


@module("oidcc-idtoken-signature", "oidcc-idtoken-rs256")
def test_oidcc_idtoken_signature(lab: Lab, name: str, variant: Variant) -> None:
    asked = {} if name == "oidcc-idtoken-signature" else {"id_token_signed_response_alg": "RS256"}
    result = lab.flow(variant, **asked).run()
    for token in (result.response.get("id_token"), result.tokens.get("id_token")):
        if token:
            assert tokens.header_of(token)["alg"] == "RS256"
            assert tokens.header_of(token)["kid"] in {key["kid"] for key in lab.op.keys["keys"]}


@module("oidcc-idtoken-unsigned")
def test_oidcc_idtoken_unsigned(lab: Lab, name: str, variant: Variant) -> None:
    """The suite skips this where `none` is not advertised; then it has to be refused as well."""
    assert "none" not in lab.op.metadata["id_token_signing_alg_values_supported"]
    document = lab.registration(variant, id_token_signed_response_alg="none")
    refusal = checks.json_answer(lab.op.register(document), 400)
    assert refusal["error"] == "invalid_client_metadata"


# --- Userinfo ---


def _userinfo(lab: Lab, flow: Flow, ask: Callable[[str, str], httpx.Response]) -> None:
    result = flow.run()
    answer = ask(lab.op.metadata["userinfo_endpoint"], result.access_token)
    claims = checks.json_answer(answer, 200)
    checks.standard_claims(claims)
    for known in filter(None, (result.front, result.back)):
        assert claims["sub"] == known["sub"]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@module("oidcc-userinfo-get")
def test_oidcc_userinfo_get(lab: Lab, name: str, variant: Variant) -> None:
    _userinfo(lab, lab.flow(variant), lambda url, token: lab.op.http.get(url, headers=_bearer(token)))


@module("oidcc-userinfo-post-header")
def test_oidcc_userinfo_post_header(lab: Lab, name: str, variant: Variant) -> None:
    _userinfo(lab, lab.flow(variant), lambda url, token: lab.op.http.post(url, headers=_bearer(token)))


@module("oidcc-userinfo-post-body")
def test_oidcc_userinfo_post_body(lab: Lab, name: str, variant: Variant) -> None:
    _userinfo(lab, lab.flow(variant), lambda url, token: lab.op.http.post(url, data={"access_token": token}))


# --- The nonce ---


@module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
def test_oidcc_ensure_request_without_nonce_succeeds(lab: Lab, name: str, variant: Variant) -> None:
    result = lab.flow(variant).run(nonce=None)
    assert "nonce" not in result.id_token


@module("oidcc-ensure-request-without-nonce-fails")
def test_oidcc_ensure_request_without_nonce_fails(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    flow.refused(flow.request(nonce=None), "invalid_request")


# --- Scopes and claims ---


@module(*(f"oidcc-scope-{name}" for name in ("profile", "email", "address", "phone", "all")))
def test_oidcc_scope(lab: Lab, name: str, variant: Variant) -> None:
    scope = name.removeprefix("oidcc-scope-")
    scopes = list(checks.SCOPE_CLAIMS) if scope == "all" else [scope]
    assert set(scopes) <= set(lab.op.metadata["scopes_supported"])
    result = lab.flow(variant).run(scope=" ".join(["openid", *scopes]))
    wanted = {claim for one in scopes for claim in checks.SCOPE_CLAIMS[one]}
    if variant.response_type == IMPLICIT_ONLY:
        assert wanted <= set(result.front)
        checks.standard_claims(result.front)
        return
    assert wanted <= set(result.claims)
    assert set(result.claims) == wanted | {"sub"}, "claims that nobody asked for"
    for claims in filter(None, (result.front, result.back)):
        assert set(claims) <= checks.PROTOCOL_CLAIMS


@module("oidcc-claims-essential")
def test_oidcc_claims_essential(lab: Lab, name: str, variant: Variant) -> None:
    place = "id_token" if variant.response_type == IMPLICIT_ONLY else "userinfo"
    result = lab.flow(variant).run(claims=f'{{"{place}": {{"name": {{"essential": true}}}}}}')
    found = result.front if place == "id_token" else result.claims
    assert isinstance(found["name"], str)


@module("oidcc-alternate-happy-flow")
def test_oidcc_alternate_happy_flow(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    sent = flow.request(scope="email openid")
    backwards = dict(reversed(list(sent.items())))
    result = flow.finish(flow.authorized(backwards, flow.send(backwards), backwards))
    if variant.response_type != IMPLICIT_ONLY:
        assert "email" in result.claims


# --- Parameters that must do no harm ---


@module(
    "oidcc-display-page",
    "oidcc-display-popup",
    "oidcc-ui-locales",
    "oidcc-claims-locales",
    "oidcc-ensure-request-with-unknown-parameter-succeeds",
)
def test_oidcc_parameters_that_cause_no_error(lab: Lab, name: str, variant: Variant) -> None:
    parameters = {
        "oidcc-display-page": {"display": "page"},
        "oidcc-display-popup": {"display": "popup"},
        "oidcc-ui-locales": {"ui_locales": "se"},
        "oidcc-claims-locales": {"claims_locales": "se"},
        "oidcc-ensure-request-with-unknown-parameter-succeeds": {"extra": "foobar"},
    }
    result = lab.flow(variant).run(**parameters[name])
    assert "extra" not in result.response


@module("oidcc-login-hint")
def test_oidcc_login_hint(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    result = lab.flow(variant, browser=browser).run(login_hint="certa@localhost")
    assert result.signed_in


@module("oidcc-ensure-post-request-succeeds")
def test_oidcc_ensure_post_request_succeeds(lab: Lab, name: str, variant: Variant) -> None:
    lab.flow(variant).run(post=True)


@module("oidcc-ensure-request-with-acr-values-succeeds")
def test_oidcc_ensure_request_with_acr_values_succeeds(lab: Lab, name: str, variant: Variant) -> None:
    values = lab.op.metadata.get("acr_values_supported", ["1", "2"])
    result = lab.flow(variant).run(acr_values=" ".join(values))
    for claims in filter(None, (result.front, result.back)):
        assert claims["acr"] in values


@module("oidcc-ensure-request-with-valid-pkce-succeeds")
def test_oidcc_ensure_request_with_valid_pkce_succeeds(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 Appendix B
    sent = flow.request(code_challenge=challenge, code_challenge_method="S256")
    result = flow.authorized(sent, flow.send(sent), sent)
    flow.redeem(result, code_verifier=verifier)
    flow.claims_of(result.access_token, result)


# --- Signing in, again or not at all ---


def _same_session(first: Result, second: Result) -> None:
    assert not second.pages, "a page was shown"
    assert second.id_token["sub"] == first.id_token["sub"]
    assert second.id_token["auth_time"] == first.id_token["auth_time"]


@module("oidcc-prompt-login")
def test_oidcc_prompt_login(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    flow = lab.flow(variant, browser=browser)
    first = flow.run()
    lab.op.clock.pass_by(1)
    second = flow.run(prompt="login")
    assert second.signed_in
    assert second.id_token["sub"] == first.id_token["sub"]
    assert second.id_token["auth_time"] > first.id_token["auth_time"]


@module("oidcc-prompt-none-not-logged-in")
def test_oidcc_prompt_none_not_logged_in(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    flow = lab.flow(variant, browser=browser)
    state = (secrets.token_urlsafe(93) + "-._~")[:128].ljust(128, "~")
    flow.refused(flow.request(prompt="none", state=state), *checks.UI_ERRORS)
    assert not browser.seen


@module("oidcc-prompt-none-logged-in")
def test_oidcc_prompt_none_logged_in(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    first = flow.run()
    lab.op.clock.pass_by(1)
    _same_session(first, flow.run(prompt="none"))


@module("oidcc-id-token-hint")
def test_oidcc_id_token_hint(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    first = flow.run()
    _same_session(first, flow.run(prompt="none", id_token_hint=first.raw_id_token))


@module("oidcc-max-age-1")
def test_oidcc_max_age_1(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    flow = lab.flow(variant, browser=browser)
    first = flow.run()
    lab.op.clock.pass_by(2)
    second = flow.run(max_age="1")
    assert second.signed_in
    assert second.id_token["auth_time"] > first.id_token["auth_time"]
    assert abs(second.id_token["auth_time"] - lab.op.clock.now()) <= checks.SKEW_SECONDS


@module("oidcc-max-age-10000")
def test_oidcc_max_age_10000(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    flow = lab.flow(variant, browser=browser)
    first = flow.run()
    second = flow.run(max_age="10000")
    assert not second.signed_in
    assert second.id_token["sub"] == first.id_token["sub"]
    assert second.id_token["auth_time"] == first.id_token["auth_time"]


# --- Codes and clients ---


def _used_again(lab: Lab, flow: Flow, after: float) -> None:
    result = flow.run()
    lab.op.clock.pass_by(after)
    again = lab.op.post(
        "token_endpoint",
        flow.client,
        grant_type="authorization_code",
        code=result.response["code"],
        redirect_uri=result.request["redirect_uri"],
    )
    checks.token_error(again, "invalid_grant")
    dead = lab.op.userinfo(result.tokens["access_token"])
    assert dead.status_code == 401
    assert 'error="invalid_token"' in dead.headers["www-authenticate"]


@module("oidcc-codereuse")
def test_oidcc_codereuse(lab: Lab, name: str, variant: Variant) -> None:
    _used_again(lab, lab.flow(variant), after=0)


@module("oidcc-codereuse-30seconds")
def test_oidcc_codereuse_30seconds(lab: Lab, name: str, variant: Variant) -> None:
    _used_again(lab, lab.flow(variant), after=30)


@module("oidcc-server-client-secret-post")
def test_oidcc_server_client_secret_post(lab: Lab, name: str, variant: Variant) -> None:
    assert "client_secret_post" in lab.op.metadata["token_endpoint_auth_methods_supported"]
    posting = Variant(variant.response_type, variant.form_post, "client_secret_post", dynamic=variant.dynamic)
    lab.flow(posting).run()


@module("oidcc-refresh-token")
def test_oidcc_refresh_token(lab: Lab, name: str, variant: Variant) -> None:
    assert "refresh_token" in lab.op.metadata["grant_types_supported"]
    grants = {"grant_types": [*lab.registration(variant)["grant_types"], "refresh_token"]}
    clients = [lab.client(variant, number, **(grants if variant.dynamic else {})) for number in (0, 1)]
    assert clients[0].client_id != clients[1].client_id
    for number, client in enumerate(clients):
        flow = lab.flow(variant, client)
        first = flow.run(scope="openid offline_access", prompt="consent")
        assert "consent-allow" in first.pages
        kept = _refreshed(lab, flow, first, scope="openid offline_access" if number == 0 else None)
    other = lab.op.post("token_endpoint", clients[0], grant_type="refresh_token", refresh_token=kept)
    checks.token_error(other, "invalid_grant")


def _refreshed(lab: Lab, flow: Flow, first: Result, scope: str | None = None) -> str:
    """Use a refresh token; check what comes, and return the refresh token that counts from then on (Core §12.2)."""
    lab.op.clock.pass_by(1)
    form = {"grant_type": "refresh_token", "refresh_token": first.tokens["refresh_token"]}
    document = flow.token_response(
        lab.op.post("token_endpoint", flow.client, **form, **({"scope": scope} if scope else {}))
    )
    assert document["access_token"] != first.tokens["access_token"]
    kept = document.get("refresh_token", first.tokens["refresh_token"])
    checks.bearer_token(kept)
    claims = lab.op.verified(document["id_token"])
    checks.id_token(claims, issuer=lab.op.issuer, client_id=flow.client.client_id, now=lab.op.clock.now())
    for member in ("iss", "sub", "aud", "auth_time", "azp"):
        assert claims.get(member) == first.back.get(member), member
    assert claims["iat"] > first.back["iat"]
    assert claims.get("nonce", first.back["nonce"]) == first.back["nonce"]
    flow.claims_of(document["access_token"], first)
    return kept


# --- Requests that cannot be answered ---


@module("oidcc-response-type-missing")
def test_oidcc_response_type_missing(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    flow.refused(flow.request(response_type=None), "invalid_request", "unsupported_response_type")


@module("oidcc-ensure-registered-redirect-uri")
def test_oidcc_ensure_registered_redirect_uri(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    flow.error_page(flow.request(redirect_uri=f"{lab.suite.callback}/{secrets.token_hex(5)}"))


# --- Request objects ---


@module("oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported")
def test_oidcc_unsigned_request_object(lab: Lab, name: str, variant: Variant) -> None:
    assert "none" in lab.op.metadata["request_object_signing_alg_values_supported"]
    flow = lab.flow(variant)
    asked = flow.request()
    claims = {**asked, "iss": asked["client_id"], "aud": lab.op.issuer}
    outside = {name: asked[name] for name in ("client_id", "scope", "response_type")}
    sent = {**outside, "request": tokens.unsigned(claims)}
    flow.finish(flow.authorized(sent, flow.send(sent), asked))


@module("oidcc-ensure-request-object-with-redirect-uri")
def test_oidcc_ensure_request_object_with_redirect_uri(lab: Lab, name: str, variant: Variant) -> None:
    """What is inside the request object counts."""
    flow = lab.flow(variant)
    inside = flow.request()
    bad = f"{inside['redirect_uri']}/{secrets.token_hex(5)}"
    claims = {**inside, "iss": inside["client_id"], "aud": lab.op.issuer}
    objects = [tokens.unsigned(claims)]
    if variant.dynamic:  # a client with keys
        objects.append(tokens.sign(claims, lab.key))
    for request in objects:
        sent = {**inside, "redirect_uri": bad, "request": request}
        flow.finish(flow.authorized(sent, flow.send(sent), inside))


@module(
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", "oidcc-request-uri-unsigned"
)
def test_oidcc_request_uri_unsigned(lab: Lab, name: str, variant: Variant) -> None:
    place = lab.suite.publish("request.jwt", "", JOSE)
    flow = lab.flow(variant, lab.register(variant, request_uris=[place]))
    asked = flow.request()
    lab.suite.publish_again(place, tokens.unsigned(asked), JOSE)
    outside = {name: asked[name] for name in ("client_id", "scope", "response_type")}
    sent = {**outside, "request_uri": place}
    flow.finish(flow.authorized(sent, flow.send(sent), asked))
    assert lab.suite.heard(place)
