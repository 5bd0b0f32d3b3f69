"""The Flask extension, its endpoints and pages, the issuer of a request, CORS and proxies."""
