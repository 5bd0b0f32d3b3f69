"""The protocol: an exchange, its checks, what it issues, how it is answered; the seam to oauthlib. No Flask, no SQL."""
