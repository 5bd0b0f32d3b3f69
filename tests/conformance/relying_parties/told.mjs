// What the test tells a script, and the way from there into the browser that the test drives.

import { createInterface } from 'node:readline'
import { Agent, fetch as undiciFetch } from 'undici'

export const told = JSON.parse(process.argv[2])

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** Let the test open an address; return the one at which its browser ended. */
export async function visit(url) {
  console.log(JSON.stringify({ visit: url.href }))
  return new URL((await lines.next()).value)
}

/** Say what came of it all, and end. */
export function done(result) {
  console.log(JSON.stringify({ done: result }))
  process.exit(0)
}

/** Demand something. */
export function check(truth, what) {
  if (!truth) throw new Error(what)
}

/** A key pair for private_key_jwt, and its public part as client metadata has it. */
export async function keyPair() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const kid = crypto.randomUUID()
  return { key: privateKey, kid, jwks: { keys: [{ kty, crv, x, y, kid, use: 'sig', alg: 'ES256' }] } }
}

/** Client metadata that both scripts register. */
export const metadata = {
  client_name: 'A relying party',
  redirect_uris: [told.callback],
  post_logout_redirect_uris: [told.postLogout],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'private_key_jwt',
}

/** The key that the test has registered for this client, for signatures. */
export async function signingKey() {
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' }
  return { key: await crypto.subtle.importKey('jwk', told.jwk, algorithm, false, ['sign']), kid: told.jwk.kid }
}

const dispatcher = told.certificate && new Agent({ connect: { ...told.certificate, ca: told.ca } })

/** Fetch as the client, with its certificate if it has one. */
export const fetchAs = (url, options) => (dispatcher ? undiciFetch(url, { ...options, dispatcher }) : fetch(url, options))
