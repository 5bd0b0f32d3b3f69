"""The list of defaults: the one place in core where rooms are named."""

DEFAULT_ROOMS: dict[str, str] = {
    "accounts": "portula-accounts",
    "admin": "portula-admin",
    "cleanup": "portula-cleanup",
    "client_assertion": "portula-client-assertion",
    "consent": "portula-consent",
    "dcr": "portula-dcr",
    "fetch": "portula-fetch",
    "generators": "portula-generators",
    "import_dot": "portula-import-dot",
    "introspection": "portula-introspection",
    "jose": "portula-jose",
    "logout": "portula-logout",
    "oauth2": "portula-oauth2",
    "oidc": "portula-oidc",
    "resource_server": "portula-resource-server",
    "scopes_settings": "portula-scopes-settings",
    "sessions": "portula-sessions",
    "storage_sql": "portula-storage-sql",
}
"""Entry-point name of each room of ours and the distribution it comes from: the weakest tier."""

SLOT_REMEDIES: dict[str, str] = {
    "access_token_generator": "portula-generators",
    "backend_class": "portula-oauth2",
    "client_id_generator": "portula-generators",
    "client_secret_generator": "portula-generators",
    "consent": "portula-consent",
    "fetcher": "portula-fetch",
    "jose": "portula-jose",
    "login": "portula-accounts, or give Provider(plugins=[…]) a plugin with portula_login",
    "refresh_token_generator": "portula-generators",
    "scopes_backend": "portula-scopes-settings",
    "secret_hasher": "portula-generators",
    "server_class": "portula-oauth2",
    "sessions": "portula-sessions",
    "store": "portula-storage-sql",
}
"""What to install when a slot has no answer."""
