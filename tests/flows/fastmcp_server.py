"""A server made of fastmcp as it comes, whose users sign in at a provider elsewhere. Run by its test."""

import sys

from fastmcp import FastMCP
from fastmcp.server.auth.oidc_proxy import OIDCProxy
from fastmcp.server.dependencies import get_access_token

issuer, port, client_id, secret = sys.argv[1:]
own = f"http://127.0.0.1:{port}"
auth = OIDCProxy(
    config_url=f"{issuer}/.well-known/openid-configuration",
    client_id=client_id,
    client_secret=secret,
    base_url=own,
    audience=f"{own}/mcp",
    required_scopes=["openid"],
    require_authorization_consent=False,
)
server = FastMCP("a server", auth=auth)


@server.tool
def clock() -> str:
    """Tell the time."""
    return "tea time"


@server.tool
def whoami() -> str:
    """Tell whom the provider's token is about."""
    return str(get_access_token().claims["sub"])


server.run(transport="http", host="127.0.0.1", port=int(port), show_banner=False)
