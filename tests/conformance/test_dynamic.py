"""The modules of the dynamic plan, and of third-party-initiated login."""

import secrets
from dataclasses import replace
from typing import Any

from support.children import wait_until

from conformance.plans import module
from conformance.suite import checks, tokens
from conformance.suite.flows import Flow, Variant
from conformance.suite.lab import Lab
from conformance.suite.pages import Browser, Page
from conformance.suite.parties import Client

# --- Redirect URIs ---


@module("oidcc-ensure-redirect-uri-in-authorization-request")
def test_oidcc_ensure_redirect_uri_in_authorization_request(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant, redirect_uris=[lab.suite.callback, f"{lab.suite.callback}?foo=bar"])
    flow.error_page(flow.request(redirect_uri=None))


@module("oidcc-redirect-uri-query-OK")
def test_oidcc_redirect_uri_query_ok(lab: Lab, name: str, variant: Variant) -> None:
    result = lab.flow(variant, redirect_uris=[f"{lab.suite.callback}?foo=bar"]).run()
    assert result.request["redirect_uri"].endswith("?foo=bar")


@module("oidcc-redirect-uri-query-mismatch")
def test_oidcc_redirect_uri_query_mismatch(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant, redirect_uris=[f"{lab.suite.callback}?foo=bar"])
    flow.error_page(flow.request(redirect_uri=f"{lab.suite.callback}?bar=foo"))


@module("oidcc-redirect-uri-query-added")
def test_oidcc_redirect_uri_query_added(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    flow.error_page(flow.request(redirect_uri=f"{lab.suite.callback}?foo=bar"))


@module("oidcc-redirect-uri-regfrag")
def test_oidcc_redirect_uri_regfrag(lab: Lab, name: str, variant: Variant) -> None:
    document = lab.registration(variant, redirect_uris=[f"{lab.suite.callback}#foobar"])
    refusal = checks.json_answer(lab.op.register(document), 400)
    assert refusal["error"] in ("invalid_redirect_uri", "invalid_client_metadata")


# --- What people see of a client ---


def _login_page(lab: Lab, variant: Variant, browser: Browser, **metadata: str) -> Page:
    flow = lab.flow(variant, browser=browser, **metadata)
    endpoint = lab.op.metadata["authorization_endpoint"]
    query = "&".join(f"{name}={value}" for name, value in flow.request().items())
    page = browser.open(f"{endpoint}?{query}")
    assert isinstance(page, Page)
    assert "login-submit" in page.buttons
    return page


@module("oidcc-registration-logo-uri")
def test_oidcc_registration_logo_uri(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    page = _login_page(lab, variant, browser, logo_uri=f"{lab.suite.origin}/images/logo.png")
    assert f'src="{lab.suite.origin}/images/logo.png"' in page.text
    assert "img-src 'self' https:" in page.headers["content-security-policy"]


@module("oidcc-registration-policy-uri")
def test_oidcc_registration_policy_uri(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    page = _login_page(lab, variant, browser, policy_uri=f"{lab.suite.origin}/policy")
    assert f'href="{lab.suite.origin}/policy"' in page.text


@module("oidcc-registration-tos-uri")
def test_oidcc_registration_tos_uri(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    page = _login_page(lab, variant, browser, tos_uri=f"{lab.suite.origin}/tos")
    assert f'href="{lab.suite.origin}/tos"' in page.text


# --- Keys of clients and of the provider ---


def _with_jwks_uri(lab: Lab, variant: Variant, **metadata: Any) -> tuple[Client, str]:
    key = tokens.new_key(secrets.token_hex(4))
    place = lab.suite.publish("jwks", tokens.public_set(key))
    client = lab.register(variant, jwks=None, jwks_uri=place, **metadata)
    return replace(client, key=key), place


@module("oidcc-registration-jwks-uri")
def test_oidcc_registration_jwks_uri(lab: Lab, name: str, variant: Variant) -> None:
    client, place = _with_jwks_uri(lab, variant)
    lab.flow(variant, client).run()
    assert lab.suite.heard(place)


@module("oidcc-refresh-token-rp-key-rotation")
def test_oidcc_refresh_token_rp_key_rotation(lab: Lab, name: str, variant: Variant) -> None:
    """Between the two the suite waits for `server.jwks_refresh_delay` seconds, from 1 to 60."""
    grants = [*lab.registration(variant)["grant_types"], "refresh_token"]
    client, place = _with_jwks_uri(lab, variant, grant_types=grants)
    flow = lab.flow(variant, client)
    first = flow.run(scope="openid offline_access", prompt="consent")
    client.key = tokens.new_key(secrets.token_hex(4))
    lab.suite.publish_again(place, tokens.public_set(client.key))
    lab.op.clock.pass_by(10)
    refreshed = lab.op.post(
        "token_endpoint", client, grant_type="refresh_token", refresh_token=first.tokens["refresh_token"]
    )
    document = flow.token_response(refreshed)
    assert lab.op.verified(document["id_token"])["sub"] == first.back["sub"]
    assert len(lab.suite.heard(place)) == 2
    flow.claims_of(document["access_token"], first)


@module("oidcc-server-rotate-keys")
def test_oidcc_server_rotate_keys(lab: Lab, name: str, variant: Variant) -> None:
    before = lab.op.keys
    lab.command("keys", "rotate", "--algorithm", "RS256")
    lab.op.clock.pass_by(6)  # a worker reads the keys again every five seconds
    old = {key["kid"] for key in before["keys"]}
    wait_until(lambda: old < {key["kid"] for key in lab.op.keys["keys"]})
    checks.public_keys(lab.op.keys)
    lab.flow(variant).run()


@module("oidcc-ensure-client-assertion-with-iss-aud-succeeds")
def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(lab: Lab, name: str, variant: Variant) -> None:
    flow = lab.flow(variant)
    sent = flow.request()
    result = flow.authorized(sent, flow.send(sent), sent)
    form = {"code": result.response["code"], "redirect_uri": sent["redirect_uri"]}
    answer = lab.op.post(
        "token_endpoint", flow.client, lab.op.issuer, grant_type="authorization_code", **form
    )
    result.tokens = flow.token_response(answer)
    flow.claims_of(result.access_token, result)


# --- Signed answers and requests ---


@module("oidcc-userinfo-rs256")
def test_oidcc_userinfo_rs256(lab: Lab, name: str, variant: Variant) -> None:
    assert "RS256" in lab.op.metadata["userinfo_signing_alg_values_supported"]
    flow = _SignedUserinfo(**vars(lab.flow(variant, userinfo_signed_response_alg="RS256")))
    result = flow.run()
    assert result.claims["iss"] == lab.op.issuer
    assert result.claims["aud"] in (flow.client.client_id, [flow.client.client_id])
    assert result.claims["sub"] == result.id_token["sub"]
    assert "nonce" not in result.claims


class _SignedUserinfo(Flow):
    """A flow of a client that gets userinfo as a JWT."""

    def claims_of(self, access_token: str, result: Any) -> dict[str, Any]:
        answer = self.op.userinfo(access_token)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/jwt"
        assert tokens.header_of(answer.text)["alg"] == "RS256"
        result.claims = self.op.verified(answer.text)
        checks.standard_claims(result.claims)
        return result.claims


@module("oidcc-request-uri-signed-rs256")
def test_oidcc_request_uri_signed_rs256(lab: Lab, name: str, variant: Variant) -> None:
    assert lab.op.metadata["request_uri_parameter_supported"] is True
    assert "RS256" in lab.op.metadata["request_object_signing_alg_values_supported"]
    place = lab.suite.publish("request.jwt", "")
    client = lab.register(variant, request_uris=[place], request_object_signing_alg="RS256")
    flow = lab.flow(variant, client)
    asked = flow.request()
    claims = {**asked, "iss": client.client_id, "aud": lab.op.issuer}
    lab.suite.publish_again(place, tokens.sign(claims, lab.key), "application/oauth-authz-req+jwt")
    outside = {name: asked[name] for name in ("client_id", "scope", "response_type")}
    sent = {**outside, "request_uri": place}
    flow.finish(flow.authorized(sent, flow.send(sent), asked))
    assert lab.suite.heard(place)


# --- Sector identifiers ---


@module("oidcc-registration-sector-uri")
def test_oidcc_registration_sector_uri(lab: Lab, name: str, variant: Variant) -> None:
    place = lab.suite.publish("sector.json", [lab.suite.callback])
    lab.flow(variant, lab.register(variant, sector_identifier_uri=place, subject_type="pairwise")).run()
    lab.register(variant, sector_identifier_uri=place)


@module("oidcc-registration-sector-bad")
def test_oidcc_registration_sector_bad(lab: Lab, name: str, variant: Variant) -> None:
    place = lab.suite.publish("sector.json", [f"{lab.suite.callback}/other"])
    refusal = lab.op.register(lab.registration(variant, sector_identifier_uri=place))
    assert checks.json_answer(refusal, 400)["error"] == "invalid_client_metadata"
    assert lab.suite.heard(place)


# --- Third-party-initiated login ---


@module("oidcc-3rd_party-init-login")
def test_oidcc_3rd_party_init_login(lab: Lab, name: str, variant: Variant) -> None:
    place = f"{lab.suite.base}/login"
    client = lab.register(variant, initiate_login_uri=place)
    token = client.registered["registration_access_token"]
    read = lab.op.http.get(
        client.registered["registration_client_uri"], headers={"Authorization": f"Bearer {token}"}
    )
    assert checks.json_answer(read, 200)["initiate_login_uri"] == place


@module("oidcc-3rd_party-init-login-nohttps")
def test_oidcc_3rd_party_init_login_nohttps(lab: Lab, name: str, variant: Variant) -> None:
    plain = f"{lab.suite.base}/login".replace("https:", "http:")
    refusal = lab.op.register(lab.registration(variant, initiate_login_uri=plain))
    assert checks.json_answer(refusal, 400)["error"] == "invalid_client_metadata"
