"""Clients of the provider that `server.py` starts, one for each room: `python clients.py par`."""

import argparse
from functools import partial
from pathlib import Path

import httpx
from oauth_client import Client, console

API, FILES = "https://api.example/", "https://files.example/"
DATA = Path(__file__).parent / "portula-data"
REQUEST = "RFC 6749 §4.1.1, RFC 7636 §4.3: the browser brings the request"
TOKEN_FOR_ITSELF = {"grant_type": "client_credentials", "scope": "read"}
ITSELF = "RFC 6749 §4.4.2, RFC 7523 §2.2: a token for the client itself, which signs who it is"


def par(new):
    """Requests that come before the browser, which carries a reference only."""
    client = new(require_pushed_authorization_requests=True)
    title = "RFC 9126 §2.1: the client pushes its request"
    pushed = client.post(title, "pushed_authorization_request_endpoint", client.request(), 201).json()
    reference = {"request_uri": pushed["request_uri"]}
    answer = client.authorize("RFC 9126 §4: the browser brings the reference", reference)
    client.call_api(client.redeem(answer)["access_token"])


def jar(new):
    """Requests that nobody changes on their way through the browser."""
    client = new(require_signed_request_object=True, request_object_signing_alg="ES256")
    signed = {"request": client.request_object(client.request())}
    answer = client.authorize("RFC 9101 §5.1: the request is a JWT of the client", signed)
    client.call_api(client.redeem(answer)["access_token"])


def jarm(new):
    """Answers of which the client sees that they are whole, and meant for it."""
    client = new(authorization_signed_response_alg="RS256", response_modes=["jwt"])
    answer = client.authorize("JARM §2.3: the answer is to be a JWT", client.request(response_mode="jwt"))
    title = "JARM §2.4: the client verifies the answer by the published keys"
    answer = client.verified(title, answer["response"], client.client_id)
    client.call_api(client.redeem(answer)["access_token"])


def dpop(new):
    """Tokens bound to a key: whoever steals one cannot use it."""
    client = new(dpop_bound_access_tokens=True)
    answer = client.authorize(REQUEST, client.request())
    proof = client.proof("POST", client.endpoint("token_endpoint"))
    token = client.redeem(answer, "RFC 9449 §5: the code becomes a bound token", proof)["access_token"]
    client.call_api(token, "RFC 9449 §7.1: the token and a proof at the API", proven=True)
    client.call_api(token, "RFC 9449 §7.2: without a proof it is refused", 401)


def rar(new):
    """A person allows one payment, which no scope can say."""
    client = new(authorization_details_types=["payment"])
    payment = '[{"type": "payment", "amount": "12.50 EUR", "creditor": "Tea house"}]'
    request = client.request(authorization_details=payment)
    answer = client.authorize("RFC 9396 §3: the request says which payment", request)
    tokens = client.redeem(answer, "RFC 9396 §7: the answer says what was allowed")
    client.call_api(tokens["access_token"])


def resource(new):
    """Tokens for one API, which others refuse."""
    client = new()
    request = client.request(resource=[API, FILES])
    answer = client.authorize("RFC 8707 §2.1: the request names two APIs", request)
    tokens = client.redeem(answer, "RFC 8707 §2.2: a token for the first", resource=API)
    client.call_api(tokens["access_token"])
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "resource": FILES}
    title = "RFC 8707 §2.2: a token for the second"
    token = client.post(title, "token_endpoint", form).json()["access_token"]
    client.call_api(token, "RFC 8707 §3: the first refuses it", 401)


def jwt(new):
    """Access tokens that an API verifies by itself."""
    client = new(jwt_access_token=True)
    form = TOKEN_FOR_ITSELF | {"resource": API}
    token = client.post(ITSELF, "token_endpoint", form).json()["access_token"]
    client.verified("RFC 9068 §4: an API verifies the token by the published keys", token, API, "at+jwt")
    client.call_api(token)


def introspection(new):
    """What the server says of a token, signed."""
    client = new(introspection_signed_response_alg="RS256")
    token = client.post(ITSELF, "token_endpoint", TOKEN_FOR_ITSELF).json()["access_token"]
    accept = {"Accept": "application/token-introspection+jwt"}
    title = "RFC 9701 §4: the client wants a JWT for an answer"
    answer = client.post(title, "introspection_endpoint", {"token": token}, headers=accept).text
    title, typ = "RFC 9701 §5: it verifies the answer by the published keys", "token-introspection+jwt"
    client.verified(title, answer, client.client_id, typ)


def mtls(new):
    """Clients that are known by a certificate, and tokens bound to it."""
    client = new(
        certificate=DATA / "client.pem",
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_subject_dn="CN=client",
        tls_client_certificate_bound_access_tokens=True,
    )
    title = "RFC 8705 §2.1: the client shows its certificate, and sends no secret"
    token = client.post(title, "token_endpoint", TOKEN_FOR_ITSELF).json()["access_token"]
    form = {"token": token}
    client.post("RFC 8705 §3.2: `cnf` says what it is bound to", "introspection_endpoint", form)
    client.call_api(token, "RFC 8705 §3: the token and the certificate at the API")
    client.certificate = None  # and so it goes to the server that asks for none
    client.call_api(token, "RFC 8705 §3: without a certificate it is refused", 401)


ROOMS = {room.__name__: room for room in (par, jar, jarm, dpop, rar, resource, jwt, introspection, mtls)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    parser.add_argument("--no-browser", action="store_true", help="Print addresses, and open none.")
    given = parser.parse_args()
    authority = DATA / "authority.pem"
    try:
        ROOMS[given.room](partial(Client, given.server, browser=not given.no_browser, authority=authority))
    except (FileNotFoundError, httpx.ConnectError):
        parser.exit(1, f"There is no provider at {given.server}: start one by `python server.py`.\n")
    console.print("\n[green]It went well.[/green]")
