"""Whatever call of a flow fails: nothing is half done, nobody is told a wrong thing, and trying again succeeds."""

import pytest

from failures.flows import FLOWS
from portula_testing.failures import crossings, failing

_SIGN_OUT = (
    "tokens are revoked in a plan of their own, before the login, which may be anybody's, ends the session"
)

KNOWN_FAULTS = {
    # Keys that could not be fetched are not asked for again within CLIENT_JWKS_REFETCH_SECONDS; so long the client's
    # assertions are answered invalid_client, as if they were wrong, and not 503.
    ("client keys", "slot fetcher.get"): "a fetch that failed is taken for a key that is not there",
    # A person whose sign-out fails half-way is still signed in, and the apps have lost their tokens.
    ("logout", "slot login.sign_out"): _SIGN_OUT,
    ("logout", "slot sessions.end"): _SIGN_OUT,
    ("logout", "store.find Artifact (3)"): _SIGN_OUT,
    ("logout", "portula_record_session_end of Bystander"): _SIGN_OUT,
    ("logout", "portula_record_session_end of portula_logout"): _SIGN_OUT,
    ("logout", "store.select Artifact"): _SIGN_OUT,
    ("logout", "store.select Application"): _SIGN_OUT,
    ("logout", "store.select Artifact (2)"): _SIGN_OUT,
    ("logout", "store.apply Artifact session, Artifact, Artifact logout-token"): _SIGN_OUT,
}
"""What still goes wrong: name of the flow and label of the call, and why. What is mended goes, none is added."""

TELLING = {
    "client credentials": ("portula_client_authenticated of portula_admin", "glitch"),
    "code": (
        "store.apply Artifact interaction, Artifact consent, Authorization, Grant, Artifact session-client",
        "glitch",
    ),
    "hybrid": ("slot jose.sign", "outage"),
    "pairwise": ("portula_token_response of Bystander", "glitch"),
    "guarded view": ("slot login.find", "outage"),
    "key rotation": ("store.apply Artifact signing-key", "glitch"),
    "login": ("store.select Artifact", "outage"),
    "logout": ("store.apply Authorization, RefreshToken", "glitch"),
    "denial": ("store.apply Artifact interaction", "outage"),
    "second visit": ("slot login.current", "outage"),
    "admin: secret": ("slot login.find", "outage"),
}
"""Calls whose failure did harm once. Of other flows it is the last write: all is made then, and nothing kept."""


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_telling_call_fails(flow):
    """One call a flow; `thorough` has every one."""
    labels = crossings(flow)
    writes = [label for label in labels if label.startswith("store.apply")]
    label, fault = TELLING.get(flow.name, ([*labels, *writes][-1], "outage"))
    assert failing(flow, label, fault=fault) == []


@pytest.mark.thorough
def test_every_call_fails(flow, call):
    problems = failing(flow, call)
    cause = KNOWN_FAULTS.get((flow.name, call))
    assert bool(problems) == (cause is not None), problems or f"mended: {cause}"


@pytest.mark.thorough
def test_every_known_fault_is_of_a_call_that_is_made():
    made = {(flow.name, label) for flow in FLOWS for label in crossings(flow)}
    assert KNOWN_FAULTS.keys() <= made
