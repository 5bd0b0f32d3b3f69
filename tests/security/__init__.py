"""A file for each attack the provider refuses; every proof goes through the public door, which is HTTP."""
