import { resolve } from 'node:path'
import { CarryallError, registerSecret } from '@carryall/errors'
import type { Context } from './command.ts'
import type { FlagValues } from './flags.ts'
import { readSecret } from './read-secret.ts'
import {
  type connectionFlags,
  prefixOf,
  type Side,
  type SideValues,
  tokenVariable,
} from './registry-flags.ts'

/** What the flags say about one registry: who we are there. */
export interface HostAccess {
  readonly username?: string
  readonly password?: string
  readonly passwordFile?: string
  readonly clientCert?: string
  readonly clientKey?: string
  readonly apiToken?: string
  readonly apiTokenFile?: string
}

/** What `connectStores` takes, as far as flags say it. */
export interface RegistryAccess {
  readonly env: Context['env']
  readonly userAgent: string
  readonly signal: AbortSignal
  readonly authfile: string | undefined
  readonly caFile: string | undefined
  readonly tlsVerify: boolean
  readonly plainHttp: readonly string[]
  readonly allowedRealms: readonly string[]
  readonly retry: {
    readonly times?: number
    readonly delayMs?: number
    readonly onRetry: (retry: { readonly error: Error; readonly delayMs: number }) => void
  }
  /** By `host[:port]`. */
  readonly hosts: Readonly<Record<string, HostAccess>>
  /** Where mirrors are named: this file, or the usual ones; absent where none are used. */
  readonly mirrors?: { readonly file?: string }
  /** For what only -v shows. */
  readonly debug: (message: string) => void
  readonly warn: (message: string) => void
}

type ConnectionValues = Partial<FlagValues<typeof connectionFlags>>

/**
 * Turns the values of `registryFlags(side)` and `connectionFlags` into what `connectStores` takes. `hosts` are the registries
 * that are named on this side: a user, a client certificate and an API token are for the only one, and refused where there
 * are others. The password is asked for here, or read from stdin. Only what is read, `src` and `''`, comes from mirrors.
 * Throws USAGE_CONFLICT, USAGE_MISSING_OPERAND where no terminal is there to ask at, INPUT_EMPTY, INTERRUPTED.
 */
export async function registryAccess<S extends Side>(
  context: Context,
  flags: SideValues<S> & ConnectionValues,
  side: S,
  hosts: readonly string[],
): Promise<RegistryAccess> {
  const own = ownValues(flags, side)
  const { times, delay } = { times: flags['retry-times'], delay: flags['retry-delay'] }
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(context.cwd, file))
  return {
    env: context.env,
    userAgent: `${context.tool.name}/${context.tool.version}`,
    signal: context.signal,
    authfile: path(own.authfile ?? flags.authfile),
    caFile: path(own['ca-file']),
    tlsVerify: own['tls-verify'] ?? true,
    plainHttp: flags['plain-http'] ?? [],
    allowedRealms: flags['allow-realm'] ?? [],
    retry: {
      ...(times === undefined ? {} : { times }),
      ...(delay === undefined ? {} : { delayMs: delay * 1000 }),
      onRetry: ({ error, delayMs }) => context.log.debug(`Trying again in ${delayMs} ms: ${error.message}`),
    },
    hosts: await hostAccess(context, own, side, hosts),
    ...mirrorsOf(context, flags['registries-conf'], side),
    debug: (message) => context.log.debug(message),
    warn: (message) => context.log.warn(message),
  }
}

type Own = SideValues<''>

function ownValues(flags: object, side: Side): Own {
  const prefix = prefixOf(side)
  return Object.fromEntries(
    Object.entries(flags)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  ) as Own
}

function mirrorsOf({ cwd }: Context, file: string | undefined, side: Side): Pick<RegistryAccess, 'mirrors'> {
  if (side === 'dest' || file === 'none') return {}
  return { mirrors: file === undefined ? {} : { file: resolve(cwd, file) } }
}

/** Who we are at the only registry of this side; nothing where no flag says it. */
async function hostAccess(
  context: Context,
  own: Own,
  side: Side,
  hosts: readonly string[],
): Promise<Readonly<Record<string, HostAccess>>> {
  const flag = (name: string): string => `--${prefixOf(side)}${name}`
  const token = context.env[tokenVariable(side)] || undefined
  if (token !== undefined) registerSecret(token)
  const { username, cert, key, 'password-file': passwordFile, 'password-stdin': stdin } = own
  const tokenFile = own['api-token-file']
  if (username === undefined && (passwordFile !== undefined || stdin === true))
    throw new CarryallError('USAGE_CONFLICT', `A password needs a user: ${flag('username')} NAME is missing`)
  if (passwordFile !== undefined && stdin === true)
    throw new CarryallError(
      'USAGE_CONFLICT',
      `${flag('password-file')} and ${flag('password-stdin')} exclude each other`,
    )
  if ((cert === undefined) !== (key === undefined))
    throw new CarryallError('USAGE_CONFLICT', `${flag('cert')} and ${flag('key')} belong together`)
  const given = [
    ...(username === undefined ? [] : [flag('username')]),
    ...(cert === undefined ? [] : [flag('cert')]),
    ...(tokenFile === undefined ? [] : [flag('api-token-file')]),
  ]
  const [host, ...others] = new Set(hosts)
  if (given.length > 0 && (host === undefined || others.length > 0)) throw ambiguous(given, hosts)
  if (host === undefined || others.length > 0) return {}
  const path = (file: string) => resolve(context.cwd, file)
  const access: HostAccess = {
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined ? {} : { passwordFile: path(passwordFile) }),
    ...(username === undefined || passwordFile !== undefined
      ? {}
      : { password: await readSecret(context, `Password of ${username} at ${host}`, stdin === true) }),
    ...(cert === undefined || key === undefined ? {} : { clientCert: path(cert), clientKey: path(key) }),
    ...(tokenFile === undefined
      ? token === undefined
        ? {}
        : { apiToken: token }
      : { apiTokenFile: path(tokenFile) }),
  }
  return { [host]: access }
}

function ambiguous(given: readonly string[], hosts: readonly string[]): CarryallError {
  const which = hosts.length === 0 ? 'none is named' : `${[...new Set(hosts)].join(', ')} are named`
  return new CarryallError('USAGE_CONFLICT', `${given.join(', ')} is for one registry; ${which}`, {
    hint: 'Keep what several registries want in an authfile and in certs.d',
  })
}
