// openid-client: discovery, registration with private_key_jwt, code flow with PKCE and nonce, userinfo, refresh,
// introspection, revocation, sign-out.

import * as client from 'openid-client'
import { check, done, keyPair, metadata, told, visit } from './told.mjs'

const { key, kid, jwks } = await keyPair()
const config = await client.dynamicClientRegistration(
  new URL(told.issuer),
  { ...metadata, jwks },
  client.PrivateKeyJwt({ key, kid }),
)
client.enableNonRepudiationChecks(config)

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const landed = await visit(
  client.buildAuthorizationUrl(config, {
    redirect_uri: told.callback,
    scope: 'openid email offline_access',
    prompt: 'consent',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }),
)
const first = await client.authorizationCodeGrant(config, landed, {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
  maxAge: 3600,
})
const { sub } = first.claims()
const userinfo = await client.fetchUserInfo(config, first.access_token, sub)

const second = await client.refreshTokenGrant(config, first.refresh_token)
check(second.access_token !== first.access_token, 'the access token is another')
check(second.claims().sub === sub, 'the ID token of a refresh is about the same person')

const known = await client.tokenIntrospection(config, second.access_token)
check(known.active && known.sub === sub, 'the new access token is active')
await client.tokenRevocation(config, second.access_token)
const gone = await client.tokenIntrospection(config, second.access_token)
check(!gone.active, 'a revoked token is not active')

const state = client.randomState()
const out = await visit(
  client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: told.postLogout,
    id_token_hint: first.id_token,
    state,
  }),
)
check(out.searchParams.get('state') === state, 'the state comes back from signing out')
done({ sub, email: userinfo.email })
