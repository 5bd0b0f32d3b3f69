"""Settings of the provider that `server.py` starts. What is not said here has its default."""

from pathlib import Path

FOLDER = Path(__file__).parent
API, FILES = "https://api.example/", "https://files.example/"

OAUTH2_PROVIDER = {
    # Clients register themselves, whoever starts them: for a demonstration only.
    "DCR_ENABLED": True,
    "DCR_REGISTRATION_MODE": "open",
    "DCR_ALLOWED_GRANT_TYPES": ("authorization_code", "client_credentials", "refresh_token"),
    "DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR": None,
    # The API of plugins/api.py, which is the first of the servers that tokens can be for.
    "PLUGINS_DIR": str(FOLDER / "plugins"),
    "PROTECTED_RESOURCES": {API: {}, FILES: {}},
    "RESOURCE_SERVER_AUDIENCES": (API,),
    # Whose certificates count. Where they are shown, MTLS_ENDPOINT_BASE_URL, is set by server.py.
    "MTLS_ENABLED": True,
    "MTLS_TRUSTED_CAS": str(FOLDER / "portula-data" / "authority.pem"),
}
