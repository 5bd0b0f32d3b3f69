// oauth4webapi: the same as openid-client, request by request.

import * as oauth from 'oauth4webapi'
import { check, done, keyPair, metadata, told, visit } from './told.mjs'

const issuer = new URL(told.issuer)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc' }))

const { key, kid, jwks } = await keyPair()
const client = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(as, { ...metadata, jwks }),
)
const clientAuth = oauth.PrivateKeyJwt({ key, kid })

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
const request = new URL(as.authorization_endpoint)
for (const [name, value] of Object.entries({
  client_id: client.client_id,
  redirect_uri: told.callback,
  response_type: 'code',
  scope: 'openid email offline_access',
  prompt: 'consent',
  state,
  nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})) {
  request.searchParams.set(name, value)
}
const parameters = oauth.validateAuthResponse(as, client, await visit(request), state)
const redeemed = await oauth.authorizationCodeGrantRequest(as, client, clientAuth, parameters, told.callback, verifier)
const first = await oauth.processAuthorizationCodeResponse(as, client, redeemed, {
  expectedNonce: nonce,
  requireIdToken: true,
})
await oauth.validateApplicationLevelSignature(as, redeemed)
const { sub } = oauth.getValidatedIdTokenClaims(first)

const userinfo = await oauth.processUserInfoResponse(
  as,
  client,
  sub,
  await oauth.userInfoRequest(as, client, first.access_token),
)

const refreshing = await oauth.refreshTokenGrantRequest(as, client, clientAuth, first.refresh_token)
const second = await oauth.processRefreshTokenResponse(as, client, refreshing)
await oauth.validateApplicationLevelSignature(as, refreshing)
check(second.access_token !== first.access_token, 'the access token is another')

const introspect = async (token) =>
  oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, clientAuth, token))
check((await introspect(second.access_token)).active, 'the new access token is active')
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, clientAuth, second.access_token))
check(!(await introspect(second.access_token)).active, 'a revoked token is not active')

const leaving = new URL(as.end_session_endpoint)
leaving.searchParams.set('id_token_hint', first.id_token)
leaving.searchParams.set('post_logout_redirect_uri', told.postLogout)
const out = await visit(leaving)
check(out.href === told.postLogout, 'signing out leads back')
done({ sub, email: userinfo.email })
