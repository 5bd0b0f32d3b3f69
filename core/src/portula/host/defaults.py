"""The list of defaults: the one place in core where rooms are named."""

DEFAULT_ROOMS: dict[str, str] = {
    "accounts": "portula-accounts",
    "admin": "portula-admin",
    "cleanup": "portula-cleanup",
    "client_assertion": "portula-client-assertion",
    "consent": "portula-consent",
    "dcr": "portula-dcr",
    "dpop": "portula-dpop",
    "fetch": "portula-fetch",
    "generators": "portula-generators",
    "import_dot": "portula-import-dot",
    "introspection": "portula-introspection",
    "jar": "portula-jar",
    "jarm": "portula-jarm",
    "jose": "portula-jose",
    "logout": "portula-logout",
    "mtls": "portula-mtls",
    "oauth2": "portula-oauth2",
    "oidc": "portula-oidc",
    "par": "portula-par",
    "resource_indicators": "portula-resource-indicators",
    "resource_server": "portula-resource-server",
    "scopes_settings": "portula-scopes-settings",
    "sessions": "portula-sessions",
    "storage_sql": "portula-storage-sql",
}
"""Entry-point name of each room of ours and the distribution it comes from: the weakest tier."""
