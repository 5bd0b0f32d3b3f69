// openid-client: the device flow (RFC 8628), with ID token, userinfo and refresh.

import * as client from 'openid-client'
import { check, done, told, visit } from './told.mjs'

const config = await client.discovery(new URL(told.issuer), told.device, undefined, client.None())
client.enableNonRepudiationChecks(config)

const asked = await client.initiateDeviceAuthorization(config, { scope: 'openid email offline_access' })
check(/^[A-Z]{4}-[A-Z]{4}$/.test(asked.user_code), 'the code can be typed')
await visit(new URL(asked.verification_uri_complete))
const first = await client.pollDeviceAuthorizationGrant(config, { ...asked, interval: 1 })
const { sub } = first.claims()
const userinfo = await client.fetchUserInfo(config, first.access_token, sub)

const second = await client.refreshTokenGrant(config, first.refresh_token)
check(second.claims().sub === sub, 'the ID token of a refresh is about the same person')
done({ sub, email: userinfo.email })
