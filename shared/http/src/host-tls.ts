import { CarryallError } from '@carryall/errors'

/** What TLS to one host needs beyond the machine's own roots. All are PEM texts. */
export interface HostTls {
  /** Authorities trusted in addition to those of the machine. */
  readonly ca?: readonly string[]
  /** Client certificate and its key. */
  readonly cert?: string
  readonly key?: string
  /** False takes any certificate and, without credentials, plain http. */
  readonly verify?: boolean
}

/** Options for `tls.connect`; the context is made once per host, as parsing some 150 roots takes 30 ms. */
export async function tlsConnectOptions(tls: HostTls, host: string): Promise<object> {
  const { createSecureContext } = await import('node:tls')
  const client = {
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  }
  const verify = tls.verify !== false
  try {
    const ca = verify ? { ca: [...(await machineRoots()), ...(tls.ca ?? [])] } : {}
    return { secureContext: createSecureContext({ ...ca, ...client }), rejectUnauthorized: verify }
  } catch (error) {
    throw new CarryallError(
      'CONFIG_INVALID',
      `Cannot use the certificates given for ${host}: ${(error as Error).message}`,
      {
        hint: `Check the PEM files of ${host}: *.crt are authorities, *.cert and *.key a client certificate and its key`,
        subject: { kind: 'host', name: host },
        cause: error,
      },
    )
  }
}

let roots: readonly string[] | undefined

// The system's store is what the site administers; Node's own list only stands in where there is none.
async function machineRoots(): Promise<readonly string[]> {
  if (roots === undefined) {
    const { getCACertificates } = await import('node:tls')
    const system = getCACertificates('system')
    roots = [
      ...new Set(
        system.length > 0 ? [...system, ...getCACertificates('extra')] : getCACertificates('default'),
      ),
    ]
  }
  return roots
}
