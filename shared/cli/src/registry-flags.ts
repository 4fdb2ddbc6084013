import { integer, list, seconds, text, toggle } from './flag-makers.ts'
import type { Flag } from './flags.ts'

/** Whose registries a flag is about; `''` where a tool knows only one side. */
export type Side = 'src' | 'dest' | ''

type Table = ReturnType<typeof sideTable>
type Named<S extends Side, K extends string> = S extends '' ? K : `${S}-${K}`

/** The flags of one side, by their full names. */
export type SideFlags<S extends Side> = {
  readonly [K in keyof Table as Named<S, K>]: Table[K]
}

/** Their values; a tool may leave out what means nothing to it. */
export type SideValues<S extends Side> = {
  readonly [K in keyof Table as Named<S, K>]?: Table[K] extends Flag<infer T> ? T : never
}

/**
 * Who we are at the registries of one side, and whom we trust there: `--src-authfile`, `--src-ca-file` …; without a prefix for
 * `''`. To be spread into the flags of a verb, and turned into what a connection takes by `registryAccess`.
 */
export function registryFlags<const S extends Side>(side: S): SideFlags<S> {
  const prefix = prefixOf(side)
  return Object.fromEntries(
    Object.entries(sideTable(side)).map(([name, flag]) => [prefix + name, flag]),
  ) as SideFlags<S>
}

/** How registries are spoken to, on any side. */
export const connectionFlags = {
  authfile: text('FILE', 'credentials', { shownDefault: "podman's and docker's files" }),
  'registries-conf': text('FILE|none', "mirrors to read from, as in podman's registries.conf", {
    shownDefault: "podman's files",
  }),
  'plain-http': list('HOST', 'speak plain http to this host', { argvOnly: true }),
  'allow-realm': list('HOST', 'send credentials to this token server, too', { argvOnly: true }),
  'retry-times': integer('N', 'how often a request is repeated', { max: 100, shownDefault: '5' }),
  'retry-delay': seconds('TIME', 'wait between attempts; 0 is exponential', { shownDefault: '0' }),
} as const

export function prefixOf(side: Side): string {
  return side === '' ? '' : `${side}-`
}

/** The variable that may hold the token itself, which no flag takes. */
export function tokenVariable(side: Side): string {
  return `CARRYALL_${prefixOf(side).toUpperCase().replace('-', '_')}API_TOKEN`
}

function sideTable(side: Side) {
  return {
    authfile:
      side === '' ? connectionFlags.authfile : text('FILE', 'credentials', { shownDefault: '--authfile' }),
    'ca-file': text('FILE', 'PEM file of authorities to trust as well'),
    cert: text('FILE', 'PEM file of a client certificate'),
    key: text('FILE', 'PEM file of its key'),
    'tls-verify': toggle('check certificates; false also tries plain http', {
      absent: true,
      argvOnly: true,
    }),
    username: text('NAME', 'user to log in as; the password is asked for'),
    'password-file': text('FILE', 'its first line is the password; mode 0600'),
    'password-stdin': toggle('read the password from stdin'),
    'api-token-file': text(
      'FILE',
      `token for the API of Quay or GitLab, mode 0600; or the token in ${tokenVariable(side)}`,
    ),
  } as const
}
