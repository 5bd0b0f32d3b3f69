"""A Django project with django-oauth-toolkit and nothing else.

    dot_app.py FOLDER PORT URL HASHER

migrates, makes what is kept, and prints the site as JSON. HASHER is Django's way to keep client secrets.
"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import include, path
from servers.load import REDIRECT_URI

PATHS = {
    "authorize": "/o/authorize/",
    "token": "/o/token/",
    "introspect": "/o/introspect/",
    "revoke": "/o/revoke_token/",
    "userinfo": "/o/userinfo/",
    "discovery": "/o/.well-known/openid-configuration",
    "jwks": "/o/.well-known/jwks.json",
}
PROJECT: dict[str, Any] = {
    "ALLOWED_HOSTS": ["127.0.0.1"],
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "USE_TZ": True,
}

urlpatterns: list[Any] = []


def database(url: str) -> dict[str, Any]:
    """Return where it is, as Django is told."""
    address = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.path.strip("/"),
        "USER": address.username,
        "PASSWORD": address.password,
        "HOST": address.hostname,
        "PORT": address.port,
        "CONN_MAX_AGE": None,  # connections stay open, as portula's do
    }


def configure(folder: str, url: str, hasher: str) -> dict[str, Any]:
    """Set Django up; return what is kept."""
    kept: dict[str, Any] = json.loads(Path(folder, "kept.json").read_text(encoding="utf-8"))
    settings.configure(
        **PROJECT,
        SECRET_KEY=kept["key"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": database(url)},
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{hasher}"],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": kept["pem"],
            "SCOPES": {"openid": "Who you are", "read": "Read", "introspection": "Ask about tokens"},
            "ROTATE_REFRESH_TOKEN": True,
            "PKCE_REQUIRED": True,
        },
    )
    django.setup(set_prefix=False)
    urlpatterns[:] = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]
    return kept


def make(folder: str, url: str, hasher: str) -> Any:
    """Return the WSGI application."""
    configure(folder, url, hasher)
    return WSGIHandler()


def main(folder: str, port: str, url: str, hasher: str) -> None:
    """Prepare."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kept = {"key": secrets.token_urlsafe(32), "pem": private.decode()}
    Path(folder, "kept.json").write_text(json.dumps(kept), encoding="utf-8")
    configure(folder, url, hasher)
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create(username="ann")
    parties = {
        name: (secrets.token_urlsafe(24), secrets.token_urlsafe(32))
        for name in ("service", "app", "asking", "api")
    }
    for name, (client_id, secret) in parties.items():
        grant = "client-credentials" if name == "service" else "authorization-code"  # a client has one grant
        get_application_model().objects.create(
            name=name,
            client_id=client_id,
            client_secret=secret,
            client_type="confidential",
            authorization_grant_type=grant,
            redirect_uris=REDIRECT_URI,
            skip_authorization=name != "asking",
            algorithm="RS256",
        )
    browser = Client()
    browser.force_login(user)
    cookie = browser.cookies["sessionid"].value
    site = {**PATHS, **parties, "asking": parties["asking"][0], "issuer": f"http://127.0.0.1:{port}/o"}
    print(json.dumps({**site, "cookie": f"sessionid={cookie}"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
