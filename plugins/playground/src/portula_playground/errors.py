"""Meanings of error codes."""

MEANINGS = {
    "access_denied": "the person, or a rule, says no (RFC 6749 §4.1.2.1)",
    "authorization_pending": "the person has not answered yet (RFC 8628 §3.5)",
    "expired_token": "the person took too long (RFC 8628 §3.5)",
    "insufficient_scope": "the token lacks a scope that the API needs (RFC 6750 §3.1)",
    "interaction_required": "somebody has to sit at the browser (OpenID Connect Core §3.1.2.6)",
    "invalid_client": "the client is unknown, disabled, or does not prove who it is (RFC 6749 §5.2)",
    "invalid_dpop_proof": "the proof of the key is missing or wrong (RFC 9449 §5)",
    "invalid_grant": "what is redeemed is unknown, used, expired, or another client's (RFC 6749 §5.2)",
    "invalid_request": "a parameter is missing, malformed, or sent twice (RFC 6749 §5.2)",
    "invalid_scope": "a scope is unknown, or not for this client (RFC 6749 §5.2)",
    "invalid_target": "the resource or audience is not known, or not allowed (RFC 8707 §2)",
    "invalid_token": "the token is unknown, expired, revoked, or for another server (RFC 6750 §3.1)",
    "server_error": "the provider failed; its log says why (RFC 6749 §4.1.2.1)",
    "slow_down": "the client asks too often (RFC 8628 §3.5)",
    "temporarily_unavailable": "the provider cannot now; try again (RFC 6749 §4.1.2.1)",
    "unauthorized_client": "the client is not registered for this grant type (RFC 6749 §5.2)",
    "unsupported_grant_type": "no plugin that is installed has this grant type (RFC 6749 §5.2)",
    "unsupported_response_type": "no plugin that is installed has this response type (RFC 6749 §4.1.2.1)",
}
"""Error code to what it means, with the section that defines it."""
