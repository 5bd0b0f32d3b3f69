"""The two marks of pluggy, for portula's own project name."""

import pluggy

hookspec = pluggy.HookspecMarker("portula")
"""Marks a function as the specification of a hook."""

hookimpl = pluggy.HookimplMarker("portula")
"""Marks a function as an implementation of a hook."""
