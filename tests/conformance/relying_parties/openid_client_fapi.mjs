// openid-client as FAPI 2.0 has it: pushed requests, signed ones where the server wants that, tokens bound to a key (DPoP)
// or to a certificate (mTLS), responses as signed JWTs (JARM), clients by private_key_jwt or by certificate.

import * as client from 'openid-client'
import { check, done, fetchAs, signingKey, told, visit } from './told.mjs'

const key = await signingKey()
const config = await client.discovery(
  new URL(told.issuer),
  told.clientId,
  {
    id_token_signed_response_alg: 'PS256',
    ...(told.jarm ? { authorization_signed_response_alg: 'PS256' } : {}),
    require_pushed_authorization_requests: true,
  },
  told.auth === 'mtls' ? client.TlsClientAuth() : client.PrivateKeyJwt(key),
  { [client.customFetch]: fetchAs },
)
config[client.customFetch] = fetchAs
client.enableNonRepudiationChecks(config)
if (told.jarm) client.useJwtResponseMode(config)
const proving = told.bound === 'dpop' ? { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) } : {}

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const asked = new URLSearchParams({
  redirect_uri: told.callback,
  scope: 'openid read',
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
})
const signed = told.signed ? (await client.buildAuthorizationUrlWithJAR(config, asked, key)).searchParams : asked
const pushed = await client.buildAuthorizationUrlWithPAR(config, signed, proving)
check(pushed.searchParams.get('request_uri').startsWith('urn:'), 'the request was pushed')

const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
const first = await client.authorizationCodeGrant(config, await visit(pushed), checks, undefined, proving)
check(first.token_type === (told.bound === 'dpop' ? 'dpop' : 'bearer'), `${first.token_type} is the type of the token`)
const second = await client.refreshTokenGrant(config, first.refresh_token, undefined, proving)

const call = (token, options) =>
  client.fetchProtectedResource(config, token, new URL(told.resource), 'GET', null, undefined, options)
const { of } = await (await call(second.access_token, proving)).json()
check(of === first.claims().sub, 'the API knows the person')
const stolen = await fetch(told.resource, { headers: { authorization: `Bearer ${second.access_token}` } })
check(stolen.status === 401, 'the token alone opens nothing')
done({ sub: of })
