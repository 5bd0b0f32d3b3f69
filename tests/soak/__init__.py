"""Providers that serve while their processes and storages are killed, and a ledger of what they acknowledged."""
