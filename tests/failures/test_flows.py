"""Whatever call of a flow fails: nothing is half done, nobody is told a wrong thing, and trying again succeeds."""

import pytest

from failures.flows import FLOWS
from portula_testing.failures import crossings, failing

TELLING = {
    "client credentials": ("portula_client_authenticated of portula_admin", "glitch"),
    "code": (
        (
            "store.apply Artifact interaction, Artifact consent, Authorization, Grant, Artifact, "
            "Artifact session-client, Artifact session"
        ),
        "glitch",
    ),
    "hybrid": ("slot jose.sign", "outage"),
    "encrypted tokens": ("slot jose.encrypt", "outage"),
    "encrypted response": ("slot jose.encrypt", "outage"),
    "encrypted request": ("slot jose.decrypt", "outage"),
    "pairwise": ("portula_token_response of Bystander", "glitch"),
    "JWT access token": ("slot jose.sign", "outage"),
    "guarded view": ("slot login.find", "outage"),
    "key rotation": ("store.apply Artifact signing-key", "glitch"),
    "login": ("store.select Artifact", "outage"),
    "logout": (
        "store.apply Artifact session, Artifact, Artifact logout-token, Authorization, RefreshToken",
        "glitch",
    ),
    "denial": ("store.apply Artifact interaction", "outage"),
    "second visit": ("slot login.current", "outage"),
    "admin: secret": ("slot login.find", "outage"),
}
"""Calls whose failure did harm once. Of other flows it is the last write: all is made then, and nothing kept."""


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_telling_call_fails(flow):
    """One call a flow; every one fails below."""
    labels = crossings(flow)
    writes = [label for label in labels if label.startswith("store.apply")]
    label, fault = TELLING.get(flow.name, ([*labels, *writes][-1], "outage"))
    assert failing(flow, label, fault=fault) == []


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow.name in TELLING], ids=lambda flow: flow.name)
def test_the_answer_of_the_last_write_is_lost(flow):
    """Of the other flows too, where every call fails."""
    writes = [label for label in crossings(flow) if label.startswith(("store.commit", "store.apply"))]
    for label in writes[-1:]:
        assert failing(flow, label, fault="lost") == []


@pytest.mark.thorough
def test_every_call_fails(flow, call):
    assert failing(flow, call) == []
