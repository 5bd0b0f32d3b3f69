"""Makes what the clients of a FAPI plan need: keys, certificates, metadata, and a configuration of the suite a variant.

Takes CERTIFICATION_DIR and CERTIFICATION_PLAN as examples/certification_fapi.py does, writes into that folder, and
prints the commands that make the clients.
"""

import datetime as dt
import json
import os
import shlex
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from jwcrypto.jwk import JWK

TEMPLATE = Path(__file__).with_name("suite_fapi.json")
ALGORITHM = "PS256"
FAPI2 = [(auth, bound) for auth in ("private_key_jwt", "mtls") for bound in ("dpop", "mtls")]
FAPI1 = [
    (auth, request, response)
    for auth in ("private_key_jwt", "mtls")
    for request in ("by_value", "pushed")
    for response in ("plain_response", "jarm")
]
CIBA = [(auth, mode) for auth in ("private_key_jwt", "mtls") for mode in ("poll", "ping")]
VARIANTS = {
    "fapi2-security-profile": FAPI2,
    "fapi2-message-signing": FAPI2,
    "fapi1-advanced": FAPI1,
    "fapi-ciba": CIBA,
}

ON_A_PAGE = (
    "par-attempt-to-use-expired-request_uri",
    "par-attempt-to-use-request_uri-for-different-client",
    "ensure-registered-redirect-uri",
    "ensure-redirect-uri-in-authorization-request",
    "ensure-expired-request-object-fails",
    "ensure-matching-key-in-authorization-request",
    "ensure-signed-request-object-with-RS256-fails",
    "ensure-request-object-signature-algorithm-is-not-none",
    "ensure-request-object-with-bad-aud-fails",
    "ensure-request-object-with-exp-over-60-fails",
    "ensure-request-object-with-invalid-signature-fails",
    "ensure-request-object-with-nbf-over-60-fails",
    "ensure-request-object-without-exp-fails",
    "ensure-request-object-without-nbf-fails",
    "ensure-request-object-without-nonce-fails",
    "ensure-request-object-without-redirect-uri-fails",
    "ensure-request-object-without-scope-fails",
)
"""Modules that end on an error page, of which the suite takes a screenshot; what is pushed is refused before."""

BOUND = {"dpop": "dpop_bound_access_tokens", "mtls": "tls_client_certificate_bound_access_tokens"}


def metadata_of(plan, variant, number, key, callback):
    """Return the metadata of a client (RFC 7591 §2)."""
    signs = plan in ("fapi2-message-signing", "fapi1-advanced")
    jarm = "jarm" in variant or plan == "fapi2-message-signing"
    mtls, hybrid = variant[0] == "mtls", "plain_response" in variant
    return {
        "jwks": {"keys": [key.export_public(as_dict=True)]},
        "token_endpoint_auth_method": "tls_client_auth" if mtls else "private_key_jwt",
        **({"authorization_details_types": ["order"]} if VARIANTS[plan] is FAPI2 else {}),
        BOUND[variant[1] if VARIANTS[plan] is FAPI2 else "mtls"]: True,
        "id_token_signed_response_alg": ALGORITHM,
        **({"tls_client_auth_subject_dn": f"CN=client {number}"} if mtls else {}),
        **({} if mtls else {"token_endpoint_auth_signing_alg": ALGORITHM}),
        **({"request_object_signing_alg": ALGORITHM} if signs else {}),
        **(backchannel_metadata_of(variant[1], callback) if plan == "fapi-ciba" else {}),
        **({"authorization_signed_response_alg": ALGORITHM, "response_modes": ["jwt"]} if jarm else {}),
        **({"response_modes": ["fragment"]} if hybrid else {}),  # which `code` alone would not have
    }


def backchannel_metadata_of(mode, callback):
    """Return the metadata of a client that asks for people who are elsewhere (CIBA Core §4)."""
    told_at = callback.replace("/callback", "/ciba-notification-endpoint")
    return {
        "backchannel_authentication_request_signing_alg": ALGORITHM,
        "backchannel_token_delivery_mode": mode,
        **({"backchannel_client_notification_endpoint": told_at} if mode == "ping" else {}),
    }


def document_of(plan, variant, issuer):
    """Return the configuration of a variant, as far as it is not about single clients."""
    host = issuer.removesuffix("/o")
    document = json.loads(TEMPLATE.read_text().replace("https://localhost:8000", host))
    document["description"] += f", {plan}, {', '.join(variant)}"
    if plan == "fapi-ciba":
        del document["browser"], document["override"]
        document["automated_ciba_approval_url"] = (
            f"{host}/approve?auth_req_id={{auth_req_id}}&action={{action}}"
        )
        for client in ("client", "client2"):
            document[client] |= {"hint_type": "login_hint", "hint_value": "certa"}
        document["client2"]["acr_value"] = "1"
    else:
        document["override"] = overrides_of(plan, document["override"])
    return document


def words_of(plan, variant, callback, number):
    """Return the words that make a client, without its id and its metadata."""
    if plan == "fapi-ciba":
        return ["confidential", "urn:openid:params:grant-type:ciba", "refresh-token"]
    grants = ["authorization-code", "refresh-token", "client-credentials"]
    grants += ["implicit"] if "plain_response" in variant else []
    uris = callback if number == 1 else f"{callback} {callback}?dummy1=lorem&dummy2=ipsum"
    pkce = ["--no-require-pkce"] if "by_value" in variant else []
    return ["confidential", *grants, *pkce, "--redirect-uris", uris]


def overrides_of(plan, template):
    """Return what the suite's browser does for single modules: by their names, the last for all that end on a page."""
    prefix = f"{'fapi1-advanced' if plan == 'fapi1-advanced' else 'fapi2-security-profile'}-final-"
    *named, page = template.items()
    return {f"{prefix}{name}": entry for name, entry in [*named, *((name, page[1]) for name in ON_A_PAGE)]}


def prepare(folder, plan, issuer, callback):
    """Write the files of a plan, and return the words of the commands that make its clients."""
    authority = Authority(folder)
    keys = [JWK.generate(kty="RSA", size=2048, use="sig", alg=ALGORITHM, kid=f"{n}") for n in (1, 2)]
    certificates = [authority.issue(f"client {number}") for number in (1, 2)]
    commands = []
    for variant in VARIANTS[plan]:
        name, document = "-".join(variant), document_of(plan, variant, issuer)
        for number, (key, certificate) in enumerate(zip(keys, certificates, strict=True), 1):
            at = "" if number == 1 else "2"
            document[f"client{at}"] |= {
                "client_id": f"{name}-{number}",
                "jwks": {"keys": [key.export_private(as_dict=True)]},
            }
            document[f"mtls{at}"] = {**certificate, "ca": authority.pem}
            place = folder / f"{name}-{number}.json"
            place.write_text(json.dumps(metadata_of(plan, variant, number, key, callback), indent=1))
            words = ["createapplication", *words_of(plan, variant, callback, number)]
            commands.append([*words, "--client-id", f"{name}-{number}", "--metadata", f"@{place}"])
        suite = folder / f"suite-{name}.json"
        suite.touch(mode=0o600)
        suite.write_text(json.dumps(document, indent=2))
    return commands


class Authority:
    """Who signs the certificates of clients; `portula serve --tls-client-ca` is given `clients.pem`."""

    def __init__(self, folder):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.pem = self._sign("clients", self._key, ca=True)
        (folder / "clients.pem").write_text(self.pem)

    def issue(self, name):
        """Return a certificate and its key, as the suite's configuration has them."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {"cert": self._sign(name, key, ca=False), "key": pem}

    def _sign(self, name, key, *, ca):
        now = dt.datetime.now(dt.UTC)
        day = dt.timedelta(days=1)
        named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, "clients")]
        certificate = x509.CertificateBuilder(named[1], named[0], key.public_key())
        certificate = (
            certificate.serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + 30 * day)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        return certificate.sign(self._key, SHA256()).public_bytes(Encoding.PEM).decode()


if __name__ == "__main__":
    for command in prepare(
        Path(os.environ.get("CERTIFICATION_DIR", "certification")),
        os.environ.get("CERTIFICATION_PLAN", "fapi2-security-profile"),
        "https://localhost:8000/o",
        "https://localhost.emobix.co.uk:8443/test/a/portula/callback",
    ):
        print(shlex.join(["portula", *command]))
