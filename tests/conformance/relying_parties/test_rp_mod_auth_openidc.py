"""Debian's mod_auth_openidc under an apache2 of the test's own: it protects a folder, and people sign in and out."""

import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conformance.suite.lab import Lab
from conformance.suite.pages import Browser, Page
from support.server import free_port, stop, wait_until_up

from portula_testing.tls import Authority

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("relying-parties")]

MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """
ServerRoot "{place}"
ServerName localhost
Listen 127.0.0.1:{port} https
PidFile "{place}/pid"
ErrorLog "{place}/error.log"
DefaultRuntimeDir "{place}"
{modules}
User www-data
Group www-data
DocumentRoot "{place}/htdocs"
SSLEngine on
SSLCertificateFile "{certificate}"
SSLCertificateKeyFile "{key}"
SSLSessionCache none

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCCABundlePath "{place}/authority.pem"
OIDCClientID {client_id}
OIDCClientSecret {secret}
OIDCRedirectURI {origin}/private/callback
OIDCCryptoPassphrase "{secret}"
OIDCScope "openid email profile"
OIDCPKCEMethod S256
OIDCResponseType "code"
OIDCPassClaimsAs environment
OIDCDefaultLoggedOutURL {origin}/left.txt

<Directory "{place}/htdocs">
    Require all granted
</Directory>
<Location /private>
    AuthType openid-connect
    Require claim email:certa@example.com
    Header set X-Person "%{{OIDC_CLAIM_name}}e"
    Header set X-Subject "%{{REMOTE_USER}}s"
</Location>
"""
NEEDED = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "headers",
    "socache_shmcb",
    "ssl",
    "auth_openidc",
)


@dataclass(frozen=True)
class Apache:
    """A running apache2."""

    origin: str
    log: Path


@pytest.fixture
def apache(lab: Lab, authority: Authority, trust: ssl.SSLContext) -> Iterator[Apache]:
    """An apache2 whose folder /private needs a login at the provider."""
    port = free_port()
    origin = f"https://localhost:{port}"
    place = Path(tempfile.mkdtemp(prefix="portula-apache-"))  # one that its own user may enter
    place.chmod(0o755)
    (place / "htdocs" / "private").mkdir(parents=True)
    (place / "htdocs" / "private" / "page.txt").write_text("only for Certa")
    (place / "htdocs" / "left.txt").write_text("signed out")
    authority.write(place)
    certificate, key = authority.issue(place)
    made = lab.create_client(
        *("confidential", "authorization-code"),
        *(
            "--redirect-uris",
            f"{origin}/private/callback",
            "--post-logout-redirect-uris",
            f"{origin}/left.txt",
        ),
    )
    modules = "\n".join(f'LoadModule {name}_module "{MODULES}/mod_{name}.so"' for name in NEEDED)
    text = CONFIGURATION.format(
        place=place,
        port=port,
        modules=modules,
        certificate=certificate,
        key=key,
        issuer=lab.op.issuer,
        origin=origin,
        client_id=made.client_id,
        secret=made.secret,
    )
    (place / "apache.conf").write_text(text)
    process = subprocess.Popen(
        [os.environ["PORTULA_TEST_APACHE"], "-f", str(place / "apache.conf"), "-DFOREGROUND"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until_up(process, f"{origin}/left.txt", verify=trust)
        yield Apache(origin, place / "error.log")
    finally:
        stop(process)
        shutil.rmtree(place)


def test_mod_auth_openidc_protects_a_folder_and_signs_out(
    lab: Lab, apache: Apache, trust: ssl.SSLContext
) -> None:
    with Browser("https://nowhere.invalid", trust) as browser:
        page = lab.person.go_through(browser, browser.open(f"{apache.origin}/private/page.txt"))
        assert isinstance(page, Page)
        assert (page.status, page.text) == (200, "only for Certa"), apache.log.read_text()
        assert page.url == f"{apache.origin}/private/page.txt"
        assert page.headers["x-person"] == "Certa Fied"
        assert page.headers["x-subject"]

        leaving = browser.open(f"{apache.origin}/private/callback?logout={apache.origin}/left.txt")
        assert isinstance(leaving, Page)
        if "logout-confirm" in leaving.buttons:
            leaving = browser.press(leaving, "logout-confirm")
        assert isinstance(leaving, Page)

        assert leaving.text == "signed out"

        again = browser.open(f"{apache.origin}/private/page.txt")
        assert isinstance(again, Page)
        assert "login-submit" in again.buttons
