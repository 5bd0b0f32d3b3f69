"""The certification plans: which modules run in which variants, and what makes a test one of a module."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from conformance.suite.flows import Variant

HYBRID = ("code id_token", "code token", "code id_token token")
IMPLICIT = ("id_token", "id_token token")

COMMON = (
    "oidcc-server",
    "oidcc-response-type-missing",
    "oidcc-idtoken-signature",
    "oidcc-userinfo-get",
    "oidcc-userinfo-post-header",
    "oidcc-userinfo-post-body",
    "oidcc-scope-profile",
    "oidcc-scope-email",
    "oidcc-scope-address",
    "oidcc-scope-phone",
    "oidcc-scope-all",
    "oidcc-alternate-happy-flow",
    "oidcc-display-page",
    "oidcc-display-popup",
    "oidcc-ui-locales",
    "oidcc-claims-locales",
    "oidcc-login-hint",
    "oidcc-prompt-login",
    "oidcc-prompt-none-not-logged-in",
    "oidcc-prompt-none-logged-in",
    "oidcc-max-age-1",
    "oidcc-max-age-10000",
    "oidcc-ensure-request-with-unknown-parameter-succeeds",
    "oidcc-id-token-hint",
    "oidcc-ensure-request-with-acr-values-succeeds",
    "oidcc-ensure-registered-redirect-uri",
    "oidcc-ensure-post-request-succeeds",
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    "oidcc-claims-essential",
    "oidcc-ensure-request-object-with-redirect-uri",
)
"""Modules of the basic, the hybrid and the implicit plan."""

WITH_CODE = (
    "oidcc-codereuse",
    "oidcc-codereuse-30seconds",
    "oidcc-server-client-secret-post",
    "oidcc-refresh-token",
    "oidcc-ensure-request-with-valid-pkce-succeeds",
)
WITHOUT_NONCE = "oidcc-ensure-request-without-nonce-succeeds-for-code-flow"
NONCE_NEEDED = "oidcc-ensure-request-without-nonce-fails"
BASIC = (*COMMON, *WITH_CODE, WITHOUT_NONCE, "oidcc-idtoken-unsigned")
DYNAMIC_CLIENTS_ONLY = frozenset(
    {
        "oidcc-idtoken-signature",
        "oidcc-idtoken-unsigned",
        "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    }
)
USERINFO = ("oidcc-userinfo-get", "oidcc-userinfo-post-header", "oidcc-userinfo-post-body")

DISCOVERY = "oidcc-discovery-endpoint-verification"
DYNAMIC = (
    "oidcc-idtoken-rs256",
    "oidcc-idtoken-unsigned",
    "oidcc-userinfo-rs256",
    "oidcc-ensure-redirect-uri-in-authorization-request",
    "oidcc-redirect-uri-query-OK",
    "oidcc-redirect-uri-query-mismatch",
    "oidcc-redirect-uri-query-added",
    "oidcc-redirect-uri-regfrag",
    DISCOVERY,
    "oidcc-server",
    "oidcc-registration-logo-uri",
    "oidcc-registration-policy-uri",
    "oidcc-registration-tos-uri",
    "oidcc-registration-jwks-uri",
    "oidcc-registration-sector-uri",
    "oidcc-registration-sector-bad",
    "oidcc-server-rotate-keys",
    "oidcc-refresh-token-rp-key-rotation",
    "oidcc-request-uri-unsigned",
    "oidcc-request-uri-signed-rs256",
    "oidcc-ensure-request-object-with-redirect-uri",
    "oidcc-refresh-token",
    "oidcc-ensure-client-assertion-with-iss-aud-succeeds",
)
OF_THE_PROVIDER = frozenset({DISCOVERY, "oidcc-server-rotate-keys"})
"""Modules in which no client has a part."""

THIRD_PARTY = ("oidcc-3rd_party-init-login", "oidcc-3rd_party-init-login-nohttps")
RP_INITIATED = (
    "oidcc-rp-initiated-logout-discovery-endpoint-verification",
    "oidcc-rp-initiated-logout",
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    "oidcc-rp-initiated-logout-bad-id-token-hint",
    "oidcc-rp-initiated-logout-no-id-token-hint",
    "oidcc-rp-initiated-logout-no-params",
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-no-state",
    "oidcc-rp-initiated-logout-only-state",
)
BACK_CHANNEL = (
    "oidcc-backchannel-logout-discovery-endpoint-verification",
    "oidcc-backchannel-rp-initiated-logout",
)
FRONT_CHANNEL = (
    "oidcc-frontchannel-logout-discovery-endpoint-verification",
    "oidcc-frontchannel-rp-initiated-logout",
)
SESSION = (
    "oidcc-session-management-discovery-endpoint-verification",
    "oidcc-session-management-rp-initiated-logout",
)


@dataclass(frozen=True)
class Entry:
    """Modules of a plan in one variant."""

    plan: str
    modules: tuple[str, ...]
    variant: Any
    marks: tuple[pytest.MarkDecorator, ...] = ()

    @property
    def id(self) -> str:
        """How the ids of its tests end."""
        return f"{self.plan}-{self.variant}"


def _entries() -> Iterator[Entry]:
    for form_post in (False, True):
        prefix = "formpost-" if form_post else ""
        for dynamic in (False, True):
            variant = Variant("code", form_post, dynamic=dynamic)
            yield Entry(f"{prefix}basic", BASIC, variant)
        for response_type in HYBRID:
            nonce = NONCE_NEEDED if "id_token" in response_type else WITHOUT_NONCE
            modules = (*COMMON, *WITH_CODE, nonce)
            yield Entry(f"{prefix}hybrid", modules, Variant(response_type, form_post, dynamic=True))
        for response_type in IMPLICIT:
            modules = (*COMMON, NONCE_NEEDED)
            if response_type == "id_token":
                modules = tuple(name for name in modules if name not in USERINFO)
            yield Entry(f"{prefix}implicit", modules, Variant(response_type, form_post, dynamic=True))
    for response_type in (HYBRID[0], IMPLICIT[1]):
        static = Variant(response_type, dynamic=False)
        yield Entry(f"{'hybrid' if 'code' in response_type else 'implicit'}", ("oidcc-server",), static)
    yield Entry("config", (DISCOVERY,), Variant())
    key_jwt = Variant("code", auth="private_key_jwt", dynamic=True)
    yield Entry("dynamic", DYNAMIC, key_jwt)
    modules = tuple(name for name in DYNAMIC if name not in OF_THE_PROVIDER)
    yield Entry("dynamic", modules, replace(key_jwt, response_type="code id_token token"))
    yield Entry("3rdparty-init-login", THIRD_PARTY, Variant(dynamic=True))
    for dynamic in (False, True):
        yield Entry("rp-initiated-logout", RP_INITIATED, Variant(dynamic=dynamic))
    for plan, modules in (
        ("backchannel-rp-initiated-logout", BACK_CHANNEL),
        ("frontchannel-rp-initiated-logout", FRONT_CHANNEL),
        ("session-management", SESSION),
    ):
        yield Entry(plan, modules, Variant(dynamic=True))


ENTRIES = [
    Entry(
        entry.plan,
        tuple(name for name in entry.modules if entry.variant.dynamic or name not in DYNAMIC_CLIENTS_ONLY),
        entry.variant,
    )
    for entry in _entries()
]


class Modules:
    """The modules of plans, each of which a test is for."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Take what the plans consist of."""
        self._entries, self._written = entries, set[str]()

    def __call__(self, *names: str) -> Callable[[Any], Any]:
        """Make a test that of modules: it runs for each plan and variant that has one of them."""
        self._written.update(names)
        cases = [
            pytest.param(
                name, entry.variant, id=f"{name}-{entry.id}", marks=[pytest.mark.thorough, *entry.marks]
            )
            for name in names
            for entry in self._entries
            if name in entry.modules
        ]
        assert cases, names
        return pytest.mark.parametrize(("name", "variant"), cases)

    def unwritten(self) -> set[str]:
        """Return the modules of the plans that no test is for."""
        return {name for entry in self._entries for name in entry.modules} - self._written


module = Modules(ENTRIES)
