"""The FAPI plans: which modules run in which variants (suite 5.2.4)."""

from collections.abc import Iterator

import pytest

from conformance.plans import Entry, Modules
from conformance.suite.fapi import CIBA, FAPI1, KEY_JWT, MS, SP, FapiVariant

FAPI2_PREFIX, FAPI1_PREFIX = "fapi2-security-profile-final-", "fapi1-advanced-final-"
CIBA_PREFIX = "fapi-ciba-id1-"


def _named(prefix: str, text: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{name}" for name in text.split())


SECURITY_PROFILE = _named(
    FAPI2_PREFIX,
    """
    discovery-end-point-verification happy-flow user-rejects-authentication
    ensure-authorization-request-without-state-success ensure-authorization-request-without-nonce-success
    ensure-authorization-request-with-64-char-nonce-success ensure-authorization-request-with-long-nonce
    ensure-authorization-request-with-long-state ensure-other-scope-order-succeeds
    test-claims-parameter-identity-claims access-token-type-header-case-sensitivity check-dpop-proof-nbf-exp
    ensure-dpopproof-with-iat-10seconds-before-succeeds ensure-dpopproof-with-iat-10seconds-after-succeeds
    ensure-dpopproof-at-par-endpoint-binding-success ensure-mismatched-dpop-jkt-fails
    ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt ensure-token-endpoint-fails-with-mismatched-dpop-jkt
    ensure-token-endpoint-fails-with-expired-auth-code ensure-dpop-auth-code-binding-success
    ensure-different-nonce-inside-and-outside-request-object
    ensure-different-state-inside-and-outside-request-object
    state-only-outside-request-object-not-used ensure-request-object-without-redirect-uri-fails
    ensure-registered-redirect-uri plain-fapi-tolerate-unregistered-redirect-uri
    ensure-unsigned-authorization-request-without-using-par-fails ensure-redirect-uri-in-authorization-request
    ensure-response-type-code-idtoken-fails ensure-response-type-token-fails ensure-client-id-in-token-endpoint
    ensure-holder-of-key-required ensure-authorization-code-is-bound-to-client
    attempt-reuse-authorization-code-after-one-second ensure-signed-client-assertion-with-RS256-fails
    ensure-client-assertion-in-token-endpoint ensure-client-assertion-with-exp-is-5-minutes-in-past-fails
    ensure-client-assertion-with-wrong-aud-fails ensure-client-assertion-with-no-sub-fails dpop-negative-tests
    refresh-token par-ensure-reused-request-uri-prior-to-auth-completion-succeeds par-attempt-reuse-request_uri
    par-attempt-to-use-expired-request_uri par-attempt-to-use-request_uri-for-different-client
    par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted
    par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails
    par-authorization-request-containing-request_uri-form-param par-attempt-invalid-http-method
    par-ensure-pkce-required ensure-pkce-code-verifier-required incorrect-pkce-code-verifier-rejected
    par-plain-pkce-rejected par-without-duplicate-parameters par-test-array-as-audience-fails
    par-test-par-endpoint-url-as-audience-fails par-test-token-endpoint-url-as-audience-fails
    """,
)
MESSAGE_SIGNING = _named(
    FAPI2_PREFIX,
    """
    ensure-request-object-with-multiple-aud-succeeds
    ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted ensure-request-object-without-exp-fails
    ensure-request-object-without-nbf-fails ensure-request-object-with-bad-aud-fails
    ensure-request-object-with-exp-over-60-fails ensure-request-object-with-nbf-over-60-fails
    ensure-request-object-signature-algorithm-is-not-none ensure-request-object-with-invalid-signature-fails
    ensure-expired-request-object-fails ensure-signed-request-object-with-RS256-fails
    ensure-matching-key-in-authorization-request ensure-unsigned-request-at-par-endpoint-fails
    par-authorization-request-containing-request_uri
    """,
)
"""What the plan for message signing has besides; it runs those of the security profile with signed requests too."""

ADVANCED = (
    FAPI1_PREFIX.removesuffix("-"),
    *_named(
        FAPI1_PREFIX,
        """
        discovery-end-point-verification user-rejects-authentication
        ensure-authorization-request-without-state-success
        ensure-authorization-request-without-request-object-fails ensure-valid-pkce-succeeds
        ensure-other-scope-order-succeeds access-token-type-header-case-sensitivity ensure-response-mode-query
        ensure-different-nonce-inside-and-outside-request-object ensure-registered-redirect-uri
        ensure-request-object-with-multiple-aud-succeeds ensure-request-object-with-long-nonce
        ensure-request-object-with-64-char-nonce-success ensure-request-object-with-long-state
        ensure-request-object-without-exp-fails ensure-request-object-without-nbf-fails
        ensure-request-object-without-scope-fails ensure-request-object-without-nonce-fails
        ensure-request-object-without-redirect-uri-fails ensure-request-object-with-bad-aud-fails
        ensure-request-object-with-exp-over-60-fails ensure-request-object-with-nbf-over-60-fails
        ensure-request-object-signature-algorithm-is-not-none ensure-request-object-with-invalid-signature-fails
        state-only-outside-request-object-not-used ensure-expired-request-object-fails
        ensure-signed-request-object-with-RS256-fails ensure-matching-key-in-authorization-request
        ensure-redirect-uri-in-authorization-request ensure-response-type-code-fails
        ensure-client-id-in-token-endpoint ensure-mtls-holder-of-key-required
        ensure-authorization-code-is-bound-to-client attempt-reuse-authorisation-code-after-one-second
        ensure-signed-client-assertion-with-RS256-fails ensure-client-assertion-in-token-endpoint
        ensure-client-assertion-with-exp-is-5-minutes-in-past-fails ensure-client-assertion-with-wrong-aud-fails
        ensure-client-assertion-with-no-sub-fails ensure-client-assertion-with-wrong-iss-fails
        ensure-client-assertion-with-wrong-sub-fails ensure-client-assertion-with-iss-aud-succeeds refresh-token
        par-ensure-reused-request-uri-prior-to-auth-completion-succeeds par-attempt-reuse-request_uri
        par-attempt-to-use-expired-request_uri par-attempt-to-use-request_uri-for-different-client
        par-test-pushed-authorization-url-as-audience-for-client-JWT-assertion
        par-token-endpoint-url-as-audience-for-client-JWT-assertion
        test-array-as-audience-for-client-JWT-assertion par-ensure-client-assertion-with-wrong-aud-fails
        par-ensure-client-assertion-with-wrong-iss-fails par-ensure-client-assertion-with-wrong-sub-fails
        par-authorization-request-containing-request_uri-form-param
        par-authorization-request-containing-request_uri par-attempt-invalid-http-method
        par-attempt-invalid-redirect_uri par-ensure-pkce-required ensure-pkce-code-verifier-required
        incorrect-pkce-code-verifier-rejected par-plain-pkce-rejected
        par-pushed-authorization-url-as-audience-in-request-object par-without-duplicate-parameters
        """,
    ),
)
ELSEWHERE = (
    CIBA_PREFIX.removesuffix("-"),
    *_named(
        CIBA_PREFIX,
        """
        discovery-end-point-verification user-rejects-authentication multiple-call-to-token-endpoint
        auth-req-id-expired ensure-authorization-request-with-binding-message-succeeds
        ensure-authorization-request-with-potentially-bad-binding-message
        ensure-authorization-request-with-multiple-hints-fails ensure-other-scope-order-succeeds
        ensure-requested-expiry-as-string-succeeds ensure-request-object-missing-aud-fails
        ensure-request-object-bad-aud-fails ensure-request-object-missing-iss-fails
        ensure-request-object-bad-iss-fails ensure-request-object-missing-exp-fails
        ensure-request-object-expired-exp-fails ensure-request-object-exp-is-70-minutes-in-future-fails
        ensure-request-object-missing-iat-fails ensure-request-object-missing-nbf-fails
        ensure-request-object-nbf-is-10-minutes-in-future-fails
        ensure-request-object-nbf-is-70-minutes-in-past-fails ensure-request-object-missing-jti-fails
        ensure-request-object-signature-algorithm-is-none-fails
        ensure-request-object-signature-algorithm-is-bad-fails
        ensure-request-object-signature-algorithm-is-RS256-fails
        ensure-request-object-signed-by-other-client-fails
        ensure-wrong-auth-req-id-in-token-endpoint-request
        ensure-different-client-id-and-issuer-in-backchannel-authorization-request
        ensure-wrong-client-id-in-token-endpoint-request
        ensure-wrong-client-id-in-backchannel-authorization-request
        ensure-without-client-assertion-in-token-endpoint-request
        ensure-without-client-assertion-in-backchannel-authorization-request
        ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails
        ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails
        ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds
        ping-backchannel-notification-endpoint-response-has-body
        ping-backchannel-notification-endpoint-response-401
        ping-backchannel-notification-endpoint-response-403
        ping-backchannel-notification-endpoint-return-redirect-request
        ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry
        ensure-unsigned-backchannel-authorization-request-fails refresh-token
        ensure-mtls-holder-of-key-required
        """,
    ),
)
"""What the plan has for people who are asked elsewhere."""
WITHOUT_PERSON = _named(
    FAPI2_PREFIX,
    """
    discovery-end-point-verification happy-flow access-token-type-header-case-sensitivity check-dpop-proof-nbf-exp
    ensure-dpopproof-with-iat-10seconds-before-succeeds ensure-dpopproof-with-iat-10seconds-after-succeeds
    ensure-client-id-in-token-endpoint ensure-holder-of-key-required
    ensure-signed-client-assertion-with-RS256-fails ensure-client-assertion-in-token-endpoint
    ensure-client-assertion-with-exp-is-5-minutes-in-past-fails ensure-client-assertion-with-wrong-aud-fails
    ensure-client-assertion-with-no-sub-fails dpop-negative-tests
    """,
)
"""What the plan for client credentials has of the security profile's."""


BY_ASSERTION = ("client-assertion", "JWT-assertion", "as-audience-fails")
BY_PROOF = ("dpop",)
WITH_NONCE = ("nonce", "claims-parameter")
OF_PUSHED = ("par-", "pkce-code-verifier")
BY_VALUE = ("ensure-valid-pkce-succeeds",)
OF_PLAIN_RESPONSES = ("ensure-response-mode-query", "ensure-response-type-code-fails")
BY_CLIENT_ID = ("client-id",)
OF_PING = ("ping-",)
"""Words in the names of modules that run in some variants alone."""
MIXED = tuple(
    f"{FAPI2_PREFIX}{name}"
    for name in (
        "discovery-end-point-verification",
        "happy-flow",
        "ensure-holder-of-key-required",
        "refresh-token",
    )
)
"""What differs where clients authenticate in one way and are bound in the other, speak OAuth alone, or name
authorization details."""
RAR = [
    FapiVariant(plan, KEY_JWT, "dpop", jarm=plan == MS, openid=openid, rar=True)
    for plan in (SP, MS)
    for openid in (True, False)
]
AT_AUTHORIZE = tuple(
    name for name in ADVANCED if "request-object" in name or name == FAPI1_PREFIX.removesuffix("-")
)
"""What differs where clients that show certificates bring their request objects to the authorization endpoint."""


def _of(modules: tuple[str, ...], prefix: str, variant: FapiVariant) -> tuple[str, ...]:
    """Return those modules that run in a variant."""
    missing = [
        *(BY_ASSERTION if variant.auth == "mtls" else ()),
        *(BY_PROOF if variant.bound == "mtls" else ()),
        *(() if variant.openid else WITH_NONCE),
        *(BY_VALUE if variant.pushes else OF_PUSHED),
        *(OF_PLAIN_RESPONSES if variant.jarm else ()),
    ]
    short = {name: name.removeprefix(prefix) for name in modules}
    return tuple(name for name in modules if not any(_has(short[name], words) for words in missing))


def _has(name: str, words: str) -> bool:
    return name.startswith(words) if words in ("par-", "ping-") else words in name


def _elsewhere(variant: FapiVariant) -> tuple[str, ...]:
    """Return those modules of FAPI-CIBA that run in a variant."""
    missing = [
        *(BY_ASSERTION if variant.auth == "mtls" else BY_CLIENT_ID),
        *(() if variant.mode == "ping" else OF_PING),
    ]
    short = {name: name.removeprefix(CIBA_PREFIX) for name in ELSEWHERE}
    return tuple(name for name in ELSEWHERE if not any(_has(short[name], words) for words in missing))


def _entries() -> Iterator[Entry]:
    """Yield every module in at least two variants, where it has more than one."""
    for plan, by_key, by_certificate in (
        (SP, SECURITY_PROFILE, SECURITY_PROFILE),
        (MS, (*MESSAGE_SIGNING, *SECURITY_PROFILE), (*MESSAGE_SIGNING, *MIXED)),
    ):
        for auth, bound, modules in ((KEY_JWT, "dpop", by_key), ("mtls", "mtls", by_certificate)):
            variant = FapiVariant(plan, auth, bound, jarm=plan == MS)
            yield _entry(plan, _of(modules, FAPI2_PREFIX, variant), variant)
        for auth, bound, openid in (
            (KEY_JWT, "mtls", True),
            ("mtls", "dpop", True),
            (KEY_JWT, "dpop", False),
        ):
            variant = FapiVariant(plan, auth, bound, jarm=plan == MS, openid=openid)
            yield _entry(plan, MIXED, variant)
    for variant in RAR:
        yield _entry(variant.plan, MIXED, variant)
    for auth, bound in ((KEY_JWT, "dpop"), ("mtls", "mtls")):
        variant = FapiVariant(SP, auth, bound, openid=False, credentials=True)
        yield _entry(SP, _of(WITHOUT_PERSON, FAPI2_PREFIX, variant), variant)
    for auth, request, jarm, modules in (
        (KEY_JWT, "by_value", False, ADVANCED),
        (KEY_JWT, "pushed", True, ADVANCED),
        ("mtls", "pushed", False, ADVANCED),
        ("mtls", "by_value", False, AT_AUTHORIZE),
    ):
        variant = FapiVariant(FAPI1, auth, "mtls", request, jarm)
        yield _entry(FAPI1, _of(modules, FAPI1_PREFIX, variant), variant)
    for auth in (KEY_JWT, "mtls"):
        for mode in ("poll", "ping"):
            variant = FapiVariant(CIBA, auth, mode=mode)
            yield _entry(CIBA, _elsewhere(variant), variant)


def _entry(plan: str, modules: tuple[str, ...], variant: FapiVariant) -> Entry:
    """Return an entry whose tests share one server."""
    return Entry(plan, modules, variant, (pytest.mark.xdist_group(f"conformance-{plan}"),))


def both(*names: str) -> tuple[str, ...]:
    """Return the names of modules that both FAPI 2.0 and FAPI 1.0 have."""
    return tuple(f"{prefix}{name}" for name in names for prefix in (FAPI2_PREFIX, FAPI1_PREFIX))


def fapi2(*names: str) -> tuple[str, ...]:
    """Return the names of modules of FAPI 2.0."""
    return tuple(f"{FAPI2_PREFIX}{name}" for name in names)


def fapi1(*names: str) -> tuple[str, ...]:
    """Return the names of modules of FAPI 1.0."""
    return tuple(f"{FAPI1_PREFIX}{name}" for name in names)


def ciba(*names: str) -> tuple[str, ...]:
    """Return the names of modules of FAPI-CIBA."""
    return tuple(f"{CIBA_PREFIX}{name}" for name in names)


ENTRIES = list(_entries())
module = Modules(ENTRIES)
