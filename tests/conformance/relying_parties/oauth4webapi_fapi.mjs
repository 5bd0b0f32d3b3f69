// oauth4webapi as FAPI 2.0 has it, request by request: PAR, private_key_jwt, DPoP, and JARM where the server wants that.

import * as oauth from 'oauth4webapi'
import { check, done, fetchAs, signingKey, told, visit } from './told.mjs'

const options = { [oauth.customFetch]: fetchAs }
const issuer = new URL(told.issuer)
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oidc' }),
)
const client = {
  client_id: told.clientId,
  id_token_signed_response_alg: 'PS256',
  ...(told.jarm ? { authorization_signed_response_alg: 'PS256' } : {}),
}
const key = await signingKey()
const clientAuth = oauth.PrivateKeyJwt(key)
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
let asked = new URLSearchParams({
  client_id: told.clientId,
  redirect_uri: told.callback,
  response_type: 'code',
  scope: 'openid read',
  state,
  nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  ...(told.jarm ? { response_mode: 'jwt' } : {}),
})
if (told.signed) {
  asked = new URLSearchParams({ request: await oauth.issueRequestObject(as, client, asked, key) })
}
const pushing = await oauth.pushedAuthorizationRequest(as, client, clientAuth, asked, { ...options, DPoP })
const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushing)

const request = new URL(as.authorization_endpoint)
request.searchParams.set('client_id', told.clientId)
request.searchParams.set('request_uri', request_uri)
const landed = await visit(request)
const validate = told.jarm ? oauth.validateJwtAuthResponse : oauth.validateAuthResponse
const parameters = await validate(as, client, landed, state)
const redeeming = await oauth.authorizationCodeGrantRequest(
  as,
  client,
  clientAuth,
  parameters,
  told.callback,
  verifier,
  { ...options, DPoP },
)
const tokens = await oauth.processAuthorizationCodeResponse(as, client, redeeming, {
  expectedNonce: nonce,
  requireIdToken: true,
})
await oauth.validateApplicationLevelSignature(as, redeeming)

const url = new URL(told.resource)
const answer = await oauth.protectedResourceRequest(tokens.access_token, 'GET', url, undefined, null, { ...options, DPoP })
const { of } = await answer.json()
check(of === oauth.getValidatedIdTokenClaims(tokens).sub, 'the API knows the person')
const stolen = await fetch(url, { headers: { authorization: `Bearer ${tokens.access_token}` } })
check(stolen.status === 401, 'the token alone opens nothing')
done({ sub: of })
