"""What tests of signing keys ask of a provider's answer to the slot `jose`."""

import json

from portula.plugin import Artifact, Message
from portula_testing.jws import taken_apart


def published(jose, use="sig"):
    keys = json.loads(jose.publish(Message("GET", "/")).body)["keys"]
    return [key for key in keys if key["use"] == use]


def kid_of(jose, algorithm="RS256"):
    """The name of the key that signs now."""
    return taken_apart(jose.sign({}, typ="JWT", algorithm=algorithm))[0]["kid"]


def kids(jose, use="sig"):
    return [key["kid"] for key in published(jose, use)]


def states(jose, algorithm="RS256"):
    return [placed.state.value for placed in jose.ring.placed_keys() if placed.stored.algorithm == algorithm]


def artifacts(jose):
    return jose._provider.storage.select(Artifact)
