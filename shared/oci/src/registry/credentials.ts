import { join } from 'node:path'
import { geteuid } from 'node:process'
import { CarryallError } from '@carryall/errors'
import type { Environment } from '@carryall/http'
import { type AuthFile, type Credential, hostKey, readAuthFile } from './auth-file.ts'

/** Who we are at which registry. */
export interface Credentials {
  /** The credential for a repository of `host[:port]`: the most specific key of the first file that has one. */
  find(host: string, repository?: string): Credential | undefined
  /** For a hint: which files were looked at, and a credential helper that is configured there but not run. */
  describe(host: string): string
}

export interface CredentialOptions {
  /** `--authfile`: the only file then, and it must be there. */
  readonly authfile?: string
  readonly env: Environment
}

/**
 * Reads the files that podman, skopeo and docker log in to, in their order: `authfile`, else $REGISTRY_AUTH_FILE, else
 * ${XDG_RUNTIME_DIR}/containers/auth.json (/run/containers/UID/auth.json without it), ${XDG_CONFIG_HOME}/containers/auth.json,
 * ${DOCKER_CONFIG}/config.json (~/.docker). Throws INPUT_NOT_FOUND, AUTH_FILE_INVALID, FILE_MODE_UNSAFE, PERMISSION_DENIED.
 */
export async function loadCredentials({ authfile, env }: CredentialOptions): Promise<Credentials> {
  const named = authfile ?? (env.REGISTRY_AUTH_FILE || undefined)
  const paths = named === undefined ? usualPaths(env) : [named]
  const files: AuthFile[] = []
  for (const path of paths) {
    const file = await readAuthFile(path)
    if (file) files.push(file)
    else if (named !== undefined) throw missing(named)
  }
  return credentials(files, paths)
}

/** No credentials at all: every registry is asked anonymously. */
export const ANONYMOUS: Credentials = credentials([], [])

function credentials(files: readonly AuthFile[], paths: readonly string[]): Credentials {
  return {
    find: (host, repository) => {
      const keys = keysFor(host, repository)
      for (const { entries } of files) for (const key of keys) if (entries.has(key)) return entries.get(key)
      return undefined
    },
    describe: (host) => {
      const looked = paths.length === 0 ? 'No file was looked at' : `Looked in ${paths.join(', ')}`
      const helper = files.map(({ helpers }) => helpers.get(hostKey(host)) ?? helpers.get('*')).find(Boolean)
      return helper === undefined
        ? looked
        : `${looked}; the credential helper "${helper}" named there is not used`
    },
  }
}

function keysFor(host: string, repository: string | undefined): readonly string[] {
  const parts = repository?.split('/') ?? []
  return [...parts.keys(), parts.length]
    .toReversed()
    .map((count) => [hostKey(host), ...parts.slice(0, count)].join('/'))
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

function missing(path: string): CarryallError {
  return new CarryallError('INPUT_NOT_FOUND', `Cannot read the credentials in ${path}: it does not exist`, {
    subject: { kind: 'file', name: path },
    hint: `Write it with "skopeo login --authfile ${path} HOST"`,
  })
}
