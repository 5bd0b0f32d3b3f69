"""The plugin host: discovery, tiers, hooks and call policies, settings, the lock file, checks."""
