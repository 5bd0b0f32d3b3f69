"""The modules for request objects without a signature once more, against a provider that allows them."""

import secrets
from collections.abc import Callable

import pytest

from conformance.suite import tokens
from conformance.suite.flows import Variant
from conformance.suite.lab import Lab

pytestmark = pytest.mark.xdist_group("conformance-unsigned")  # one worker starts that server

VARIANTS = [Variant(response_type, dynamic=True) for response_type in ("code", "code id_token token")]


@pytest.fixture(scope="module")
def allowing(make_lab: Callable[..., Lab]) -> Lab:
    """A server with the one setting more."""
    lab = make_lab(static=False, UNSIGNED_REQUEST_OBJECTS_ALLOWED=True)
    assert "none" in lab.op.metadata["request_object_signing_alg_values_supported"]
    return lab


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_oidcc_unsigned_request_object_supported_correctly(allowing: Lab, variant: Variant) -> None:
    flow = allowing.flow(variant)
    asked = flow.request()
    claims = {**asked, "iss": asked["client_id"], "aud": allowing.op.issuer}
    outside = {name: asked[name] for name in ("client_id", "scope", "response_type")}
    sent = {**outside, "request": tokens.unsigned(claims)}
    flow.finish(flow.authorized(sent, flow.send(sent), asked))


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_oidcc_ensure_request_object_with_redirect_uri(allowing: Lab, variant: Variant) -> None:
    flow = allowing.flow(variant)
    asked = flow.request()
    bad = f"{asked['redirect_uri']}/{secrets.token_hex(5)}"
    sent = {**asked, "redirect_uri": bad, "request": tokens.unsigned(asked)}
    flow.finish(flow.authorized(sent, flow.send(sent), asked))


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_oidcc_request_uri_unsigned_supported_correctly(allowing: Lab, variant: Variant) -> None:
    place = allowing.suite.publish("request.jwt", "", "application/oauth-authz-req+jwt")
    flow = allowing.flow(variant, allowing.register(variant, request_uris=[place]))
    asked = flow.request()
    allowing.suite.publish_again(place, tokens.unsigned(asked), "application/oauth-authz-req+jwt")
    sent = {name: asked[name] for name in ("client_id", "scope", "response_type")} | {"request_uri": place}
    flow.finish(flow.authorized(sent, flow.send(sent), asked))
    assert allowing.suite.heard(place)
