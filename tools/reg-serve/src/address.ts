import { badValue } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'

export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Reads `HOST:PORT` or `:PORT`, which is 127.0.0.1. Throws USAGE_BAD_VALUE, and CONFIG_UNSUPPORTED for what is not
 * loopback: without TLS and authentication nobody else may reach it.
 */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]*)):(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535) throw badValue(text, 'HOST:PORT, such as 127.0.0.1:5000')
  const host = bracketed ?? (plain === '' ? '127.0.0.1' : plain!)
  if (host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)) return { host, port }
  throw new CarryallError(
    'CONFIG_UNSUPPORTED',
    `Cannot listen on "${text}": only loopback addresses are served, as there is no TLS and no authentication`,
    {
      hint: 'Use 127.0.0.1 and reach it through a reverse proxy or "ssh -L" from elsewhere',
      subject: { kind: 'flag', name: '--address' },
      actual: host,
    },
  )
}
