"""Every hook core calls, in the order it fires: the table of contents of the product.

A plugin is any object or module with functions of these names marked `@hookimpl`. Slots, contributions, vetoes,
enrichments, outboxes and events are told apart in `portula.host.hooks`, which also keeps each kind's promise.
"""

from portula.host.hookspecs import models, mounting, requests, startup

SPECIFICATIONS = (startup, models, mounting, requests)
"""The modules whose marked functions are the hooks, start-up first."""

__all__ = ["SPECIFICATIONS"]
