"""The rules of the house, each a function from the root of a checkout to the list of what breaks it."""
