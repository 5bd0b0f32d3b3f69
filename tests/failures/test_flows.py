"""Whatever call of a flow fails: nothing is half done, nobody is told a wrong thing, and trying again succeeds."""

import pytest

from failures.flows import FLOWS
from portula_testing.failures import crossings, failing

KNOWN_FAULTS = {
    # Keys that could not be fetched are not asked for again within CLIENT_JWKS_REFETCH_SECONDS; so long the client's
    # assertions are answered invalid_client, as if they were wrong, and not 503.
    ("client keys", "slot fetcher.get"): "a fetch that failed is taken for a key that is not there",
}
"""What still goes wrong: name of the flow and label of the call, and why. What is mended goes, none is added."""

TELLING = {
    "client credentials": ("portula_client_authenticated of portula_admin", "glitch"),
    "code": ("store.apply Artifact Authorization Grant", "glitch"),
    "hybrid": ("slot jose.sign", "outage"),
    "pairwise": ("portula_token_response of Bystander", "glitch"),
    "guarded view": ("slot login.find", "outage"),
    "key rotation": ("store.select Artifact (2)", "glitch"),
    "login": ("store.select Artifact", "outage"),
    "logout": ("store.apply Artifact Authorization RefreshToken", "glitch"),
    "denial": ("store.add Artifact interaction", "outage"),
    "second visit": ("slot login.current", "outage"),
    "admin: secret": ("slot login.find", "outage"),
}
"""Calls whose failure did harm once. Of other flows it is the last write: all is made then, and nothing kept."""


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_telling_call_fails(flow):
    """One call a flow; `thorough` has every one."""
    labels = crossings(flow)
    writes = [label for label in labels if label.startswith(("store.commit", "store.apply"))]
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
