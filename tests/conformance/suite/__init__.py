"""A relying party that knows nothing of portula's code: a browser without JavaScript, keys, flows and checks."""
