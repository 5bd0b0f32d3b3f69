"""The mark of pluggy, for portula's own project name."""

import pluggy

hookimpl = pluggy.HookimplMarker("portula")
"""Marks a function as an implementation of a hook, where it is no method of a class that derives from `Plugin`."""
