"""Starts the provider that the clients beside it speak to: over http for people, and over https for certificates."""

import argparse
import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

FOLDER = Path(__file__).parent
DATA = FOLDER / "portula-data"
DEMO = DATA / "demo"  # where `--demo` has its database
PORTULA = [Path(sys.executable).with_name("portula"), "--config", FOLDER / "config.py"]


def make_certificates():
    """Make an authority, which signs a certificate for the server and one for a client; keys stand behind them."""
    DATA.mkdir(mode=0o700, exist_ok=True)
    authority = ec.generate_private_key(ec.SECP256R1())
    for name in ("authority", "localhost", "client"):
        key = authority if name == "authority" else ec.generate_private_key(ec.SECP256R1())
        pem = signed(authority, name, key).public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (DATA / f"{name}.pem").touch(mode=0o600)
        (DATA / f"{name}.pem").write_bytes(pem if key is authority else pem + private)


def signed(authority, name, key):
    issuer, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in ("authority", name))
    now, ca = dt.datetime.now(dt.UTC), key is authority
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(365))
    for extension in (
        x509.BasicConstraints(ca=ca, path_length=None),
        x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
        x509.SubjectAlternativeName([x509.DNSName(name)]),
    ):
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(authority, SHA256())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="8000")
    parser.add_argument("--tls-port", default="8443")
    given = parser.parse_args()
    os.environ["FLASK_OAUTH2_PROVIDER__MTLS_ENDPOINT_BASE_URL"] = f"https://localhost:{given.tls_port}"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    if not (DATA / "client.pem").exists():
        make_certificates()
    subprocess.run([*PORTULA, "--data-dir", DEMO, "init"], check=True)
    certificate = DATA / "localhost.pem"
    tls = ["--tls-cert", certificate, "--tls-key", certificate, "--tls-client-ca", DATA / "authority.pem"]
    issuer = f"http://127.0.0.1:{given.port}/o"
    servers = [
        subprocess.Popen([*PORTULA, "--data-dir", DATA, "serve", "--demo", "--port", given.port]),
        subprocess.Popen(
            [*PORTULA, "--data-dir", DEMO, "--issuer", issuer, "serve", "--port", given.tls_port, *tls],
            stdout=subprocess.DEVNULL,  # it would say the same again
        ),
    ]
    try:
        servers[0].wait()
    except KeyboardInterrupt:
        pass
    finally:
        for server in servers:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
