import { CarryallError } from '@carryall/errors'

/** What stands between a server and those who can reach it. */
export interface Exposure {
  /** Only this machine can connect. */
  readonly loopback: boolean
  readonly tls: boolean
  /** There is a password file. */
  readonly logins: boolean
  readonly anonymousPull: boolean
  readonly anonymousPush: boolean
  readonly allowPlainHttp: boolean
}

/**
 * Why pushes are refused under an address; undefined where they are taken. Off loopback a push needs a login, and a login
 * needs TLS; whoever wants it otherwise has to say so. Throws USAGE_CONFLICT for what contradicts itself, and
 * NET_PLAIN_HTTP_REFUSED where passwords would cross a network in the clear.
 */
export function refusedPushes(exposure: Exposure): string | undefined {
  const { loopback, tls, logins, anonymousPush } = exposure
  refuseContradictions(exposure)
  if (loopback) return undefined
  if (logins && !tls && !exposure.allowPlainHttp) {
    throw new CarryallError(
      'NET_PLAIN_HTTP_REFUSED',
      'Refused to ask for passwords over plain http on an address that is not loopback',
      {
        hint: 'Give --tls-cert and --tls-key; or --allow-plain-http where a proxy in front of it speaks TLS',
        subject: { kind: 'flag', name: '--htpasswd' },
      },
    )
  }
  return logins || anonymousPush
    ? undefined
    : 'This registry takes no pushes: it can be reached from elsewhere and knows no logins'
}

function refuseContradictions({ logins, anonymousPull, anonymousPush, allowPlainHttp, tls }: Exposure): void {
  if (anonymousPush && logins)
    throw conflict(
      '--anonymous-push',
      '--htpasswd',
      'Leave one of them out: who has to log in is not anonymous',
    )
  if (anonymousPull && !logins)
    throw conflict('--anonymous-pull', 'no --htpasswd', 'Without --htpasswd nobody has to log in')
  if (allowPlainHttp && (tls || !logins))
    throw conflict(
      '--allow-plain-http',
      tls ? '--tls-cert' : 'no --htpasswd',
      'It is for --htpasswd without TLS only',
    )
}

function conflict(flag: string, other: string, hint: string): CarryallError {
  return new CarryallError('USAGE_CONFLICT', `Cannot use ${flag} with ${other}`, {
    hint,
    subject: { kind: 'flag', name: flag },
  })
}
