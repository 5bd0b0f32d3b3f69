// A client made of the MCP TypeScript SDK as it comes: finds the provider, signs in, and uses a tool. Run by its test, which
// reads where the browser is sent, and writes where it comes back.

import { createInterface } from 'node:readline/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const [url, document] = process.argv.slice(2)
const redirectUrl = 'http://localhost:9999/callback'
const kept = {}
const provider = {
  redirectUrl,
  clientMetadata: { client_name: 'SDK', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
  ...(document ? { clientMetadataUrl: document } : {}),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens },
  redirectToAuthorization: (address) => { console.log(`visit ${address}`) },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier },
  codeVerifier: () => kept.verifier,
}
const connect = async () => {
  const client = new Client({ name: 'sdk', version: '1.0' })
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { authProvider: provider })
  try {
    await client.connect(transport)
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    return [null, transport]
  }
  return [client, transport]
}

const [, first] = await connect()
const back = await createInterface({ input: process.stdin }).question('')
await first.finishAuth(new URL(back).searchParams.get('code'))
const [client] = await connect()
const { tools } = await client.listTools()
const said = await client.callTool({ name: 'whoami', arguments: {} })
console.log(JSON.stringify({
  tools: tools.map((tool) => tool.name),
  whoami: said.content[0].text,
  client_id: kept.client.client_id,
  scope: kept.tokens.scope,
}))
process.exit(0)
