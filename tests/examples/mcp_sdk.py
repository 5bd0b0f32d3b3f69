"""A client made of the MCP Python SDK as it comes: finds the provider, signs in, and uses a tool.

Run by its test, which reads where the browser is sent, and writes where it comes back.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata


class Kept:
    """What the SDK keeps."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def go(address):
    sys.stdout.write(f"visit {address}\n")
    sys.stdout.flush()


async def come_back():
    query = parse_qs(urlsplit(await asyncio.to_thread(input)).query)
    return AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss")})


async def main(url, document=None):
    kept = Kept()
    metadata = OAuthClientMetadata(
        client_name="SDK", redirect_uris=["http://localhost:9999/callback"], token_endpoint_auth_method="none"
    )
    auth = OAuthClientProvider(
        f"{url}/mcp",
        metadata,
        kept,
        go,
        come_back,
        client_metadata_url=document,
    )
    async with (
        httpx2.AsyncClient(auth=auth, timeout=30) as http,
        streamable_http_client(f"{url}/mcp", http_client=http) as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        said = (await session.call_tool("whoami", {})).content[0].text
    info = {"tools": tools, "whoami": said, "client_id": kept.client.client_id, "scope": kept.tokens.scope}
    sys.stdout.write(json.dumps(info))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
