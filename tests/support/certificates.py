"""Certificates of clients, as good and as bad ones are made, and the header of a proxy that passes them on."""

import base64
import datetime as dt
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from portula_testing.jws import public_members

HEADER = "X-Client-Certificate"
BEHIND_PROXY = {"TRUSTED_PROXIES": 1, "CLIENT_CERTIFICATE_HEADER": HEADER}
"""Settings under which the header is believed."""

KINDS = {"dns": x509.DNSName, "uri": x509.UniformResourceIdentifier, "email": x509.RFC822Name}
DAY = 24 * 60 * 60


def shown(der):
    """Return the header by which a proxy passes a certificate on (RFC 9440 §2.1)."""
    return {HEADER: f":{base64.b64encode(der).decode()}:"}


class Issuer:
    """An authority, at a time; without `parent` its certificate is its own."""

    def __init__(self, name="the authority", now=1_700_000_000, parent=None):
        self.now = now
        self.name = x509.Name.from_rfc4514_string(f"CN={name}")
        self.key = ec.generate_private_key(ec.SECP256R1())
        signer = parent or self
        self.der = signer.sign(self.key, subject=f"CN={name}", ca=True)

    @property
    def pem(self):
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM)

    def write(self, folder):
        path = folder / "authorities.pem"
        path.write_bytes(self.pem)
        return str(path)

    def sign(self, key, subject, ca=False, begins=-DAY, ends=DAY, uses=None, signs=True, **names):
        """Return the certificate of a key (DER); names are alternative ones by kind, an address by `ip`."""
        given = [ip_address(value) if kind == "ip" else value for kind, value in names.items()]
        alternative = [
            x509.IPAddress(value) if kind == "ip" else KINDS[kind](value)
            for kind, value in zip(names, given, strict=True)
        ]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name.from_rfc4514_string(subject))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(dt.datetime.fromtimestamp(self.now + begins, dt.UTC))
            .not_valid_after(dt.datetime.fromtimestamp(self.now + ends, dt.UTC))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not signs:
            usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), True)
            usage |= dict.fromkeys(("digital_signature", "key_agreement", "key_cert_sign"), False)
            usage |= dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False)
            builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        if uses is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if alternative:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def client(self, subject="CN=the client,O=Acme", **given):
        """Return the certificate of a new key."""
        return self.sign(ec.generate_private_key(ec.SECP256R1()), subject, **given)


def self_signed(now=1_700_000_000, **given):
    """Return a certificate that is its own issuer's, and its JWK Set (RFC 8705 §2.2.2)."""
    own = Issuer("a client by itself", now)
    der = own.sign(own.key, "CN=a client by itself", **given)
    jwk = {**public_members(own.key.public_key()), "x5c": [base64.b64encode(der).decode()]}
    return der, {"keys": [jwk]}


FOR_SERVERS = (ExtendedKeyUsageOID.SERVER_AUTH,)
FOR_CLIENTS = (ExtendedKeyUsageOID.CLIENT_AUTH,)
