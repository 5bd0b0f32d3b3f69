"""Records, the storage contract, keys, clients, events and errors: no Flask, no SQL, no plugins."""
