import { CarryallError, registerSecret } from '@carryall/errors'
import type { HeaderValues, HttpClient } from '@carryall/http'
import type { Credential } from '@carryall/oci'
import { hubTokenSchema } from '@carryall/schemas'
import type { ApiOptions } from './api-client.ts'

const MAX_ANSWER = 64 * 1024

/** The token that Docker Hub gives for a user and a password, asked for when it is first needed and after a 401. Throws AUTH_DENIED, API_PROTOCOL. */
export function hubLogin(
  http: HttpClient,
  base: URL,
  credential: Credential,
): Pick<ApiOptions, 'headers' | 'renew'> {
  if (!('password' in credential)) return {}
  let token: Promise<HeaderValues> | undefined
  return {
    headers: () => (token ??= login(http, base, credential.username, credential.password)),
    renew: () => {
      token = undefined
      return true
    },
  }
}

async function login(http: HttpClient, base: URL, identifier: string, secret: string): Promise<HeaderValues> {
  const answer = await http.request({
    method: 'POST',
    url: new URL('/v2/auth/token', base),
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ identifier, secret })),
    secretBody: true,
    idempotent: true,
  })
  const subject = { kind: 'host', name: base.host } as const
  if (answer.status !== 200) {
    await answer.dump()
    throw new CarryallError('AUTH_DENIED', `${base.host} does not let ${identifier} in: ${answer.status}`, {
      subject,
      actual: answer.status,
      hint: `Log in again with "skopeo login docker.io", or log out to list what is public`,
    })
  }
  const parsed = hubTokenSchema.safeParse(jsonOf(await answer.bytes(MAX_ANSWER)))
  // Anything else could add a header of its own.
  if (!parsed.success || !/^[\x21-\x7e]+$/.test(parsed.data.access_token))
    throw new CarryallError('API_PROTOCOL', `${base.host} answers a login with no token`, { subject })
  registerSecret(parsed.data.access_token)
  return { authorization: `Bearer ${parsed.data.access_token}` }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
