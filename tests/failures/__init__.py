"""Flows through all rooms, each of whose calls to hooks, slots and the store fails once."""
