"""The command line: serve, reports, and the scaffold of new plugins."""
