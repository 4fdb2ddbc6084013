import { join } from 'node:path'
import { geteuid } from 'node:process'
import { readSecretFile } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'
import type { Environment } from '@carryall/http'
import { type AuthFile, type Credential, hostKey, readAuthFile } from './auth-file.ts'
import { askHelper } from './credential-helper.ts'
import type { HostSettings } from './host-settings.ts'

/** Who we are at which registry. */
export interface Credentials {
  /**
   * The credential for a repository of `host[:port]`: what its settings say, else the first file that has one: the helper
   * for the host, the most specific key, the helper for all. Throws what `askHelper` throws.
   */
  find(host: string, repository?: string): Promise<Credential | undefined>
  /** For a hint: where was looked. */
  describe(host: string): string
}

export interface CredentialOptions {
  /** `--authfile`: the only file then, and it must be there. */
  readonly authfile?: string | undefined
  readonly env: Environment
  /** What is said about single registries. */
  readonly settings?: (host: string) => HostSettings
  readonly signal?: AbortSignal
}

/**
 * Reads the files that podman, skopeo and docker log in to, in their order: `authfile`, else $REGISTRY_AUTH_FILE, else
 * ${XDG_RUNTIME_DIR}/containers/auth.json (/run/containers/UID/auth.json without it), ${XDG_CONFIG_HOME}/containers/auth.json,
 * ${DOCKER_CONFIG}/config.json (~/.docker). Throws INPUT_NOT_FOUND, AUTH_FILE_INVALID, FILE_MODE_UNSAFE, PERMISSION_DENIED.
 */
export async function loadCredentials(options: CredentialOptions): Promise<Credentials> {
  const named = options.authfile ?? (options.env.REGISTRY_AUTH_FILE || undefined)
  const common = named === undefined ? await readUsual(options.env) : await readNamed(named)
  const single = new Map<string, Promise<Files>>()
  const logins = new Map<string, Promise<Credential | undefined>>()
  const helper = onceForEach(options)

  const loginAt = (host: string) => {
    const known = logins.get(host) ?? login(options.settings?.(host) ?? {})
    logins.set(host, known)
    return known
  }

  const filesOf = (host: string): Promise<Files> | Files => {
    const own = options.settings?.(host).authfile
    if (own === undefined) return common
    const read = single.get(own) ?? readNamed(own)
    single.set(own, read)
    return read
  }
  return {
    find: async (host, repository) => {
      const given = await loginAt(host)
      if (given !== undefined) return given
      for (const file of (await filesOf(host)).files) {
        const found = await inFile(file, { host, repository, helper })
        if (found !== undefined) return found
      }
      return undefined
    },
    describe: (host) => {
      const { username, authfile } = options.settings?.(host) ?? {}
      if (username !== undefined) return `The user is "${username}", as it was given`
      const { files, paths } = authfile === undefined ? common : { files: [], paths: [authfile] }
      const looked = paths.length === 0 ? 'No file was looked at' : `Looked in ${paths.join(', ')}`
      const asked = files.map(({ helpers }) => helpers.get(hostKey(host)) ?? helpers.get('*')).find(Boolean)
      return asked === undefined ? looked : `${looked}, and asked docker-credential-${asked}`
    },
  }
}

/** No credentials at all: every registry is asked anonymously. */
export const ANONYMOUS: Credentials = {
  find: async () => undefined,
  describe: () => 'No file was looked at',
}

interface Files {
  readonly files: readonly AuthFile[]
  readonly paths: readonly string[]
}

type Helper = (name: string, host: string, file: string) => Promise<Credential | undefined>

interface Wanted {
  readonly host: string
  readonly repository: string | undefined
  readonly helper: Helper
}

async function login({ username, password, passwordFile }: HostSettings): Promise<Credential | undefined> {
  if (username === undefined) return undefined
  if (password !== undefined) return { username, password }
  return passwordFile === undefined ? undefined : { username, password: await readSecretFile(passwordFile) }
}

async function inFile(
  { path, entries, helpers }: AuthFile,
  { host, repository, helper }: Wanted,
): Promise<Credential | undefined> {
  const own = helpers.get(hostKey(host))
  const found = own === undefined ? undefined : await helper(own, host, path)
  if (found !== undefined) return found
  for (const key of keysFor(host, repository)) if (entries.has(key)) return entries.get(key)
  const general = helpers.get('*')
  return general === undefined || own !== undefined ? undefined : helper(general, host, path)
}

/** A helper may be slow, or ask its user to unlock something: it is run once for each registry, however that ends. */
function onceForEach(options: CredentialOptions): Helper {
  const asked = new Map<string, Promise<Credential | undefined>>()
  const { env, signal } = options
  return (name, host, file) => {
    const key = JSON.stringify([name, hostKey(host)])
    const answer =
      asked.get(key) ?? askHelper(name, host, { file, env, ...(signal === undefined ? {} : { signal }) })
    asked.set(key, answer)
    return answer
  }
}

function keysFor(host: string, repository: string | undefined): readonly string[] {
  const parts = repository?.split('/') ?? []
  return [...parts.keys(), parts.length]
    .toReversed()
    .map((count) => [hostKey(host), ...parts.slice(0, count)].join('/'))
}

async function readNamed(path: string): Promise<Files> {
  const file = await readAuthFile(path)
  if (file !== undefined) return { files: [file], paths: [path] }
  throw new CarryallError('INPUT_NOT_FOUND', `Cannot read the credentials in ${path}: it does not exist`, {
    subject: { kind: 'file', name: path },
    hint: `Write it with "skopeo login --authfile ${path} HOST"`,
  })
}

async function readUsual(env: Environment): Promise<Files> {
  const paths = usualPaths(env)
  const files = await Promise.all(paths.map((path) => readAuthFile(path)))
  return { files: files.filter((file) => file !== undefined), paths }
}

function usualPaths(env: Environment): readonly string[] {
  const home = env.HOME
  const config = env.XDG_CONFIG_HOME || (home && join(home, '.config'))
  const docker = env.DOCKER_CONFIG || (home && join(home, '.docker'))
  const runtime = env.XDG_RUNTIME_DIR
    ? join(env.XDG_RUNTIME_DIR, 'containers')
    : `/run/containers/${geteuid?.() ?? 0}`
  return [
    join(runtime, 'auth.json'),
    ...(config ? [join(config, 'containers', 'auth.json')] : []),
    ...(docker ? [join(docker, 'config.json')] : []),
  ]
}
