"""The seam to oauthlib: messages in, answers out. No Flask, no SQL, no settings by name in here."""
