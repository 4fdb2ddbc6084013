import { open } from 'node:fs/promises'
import { checkSecretMode } from '@carryall/durable'
import { CarryallError, fromSystemError, registerSecret } from '@carryall/errors'
import { isDockerHub } from './docker-hub.ts'

/** A user and password, or an OAuth2 refresh token. */
export type Credential =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }

/** What one file says, by normalised key: `host[:port]` or `host/namespace[/repository]`. */
export interface AuthFile {
  readonly path: string
  readonly entries: ReadonlyMap<string, Credential>
  /** Names of credential helpers by host, `*` for the one that all others are kept in. */
  readonly helpers: ReadonlyMap<string, string>
}

const MAX_BYTES = 1024 * 1024

/**
 * Reads a docker `config.json` or containers `auth.json`; undefined where there is none. Throws AUTH_FILE_INVALID,
 * FILE_MODE_UNSAFE (`checkSecretMode`, only where the file holds secrets), PERMISSION_DENIED.
 */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  })
  if (handle === undefined) return undefined
  try {
    const status = await handle.stat()
    if (!status.isFile() || status.size > MAX_BYTES)
      throw invalid(path, '#', `not a file of at most ${MAX_BYTES} bytes`)
    const file = parse(path, await handle.readFile('utf8'))
    if (file.entries.size > 0) checkSecretMode(path, status)
    return file
  } finally {
    await handle.close()
  }
}

function parse(path: string, text: string): AuthFile {
  const document = object(path, '#', parseJson(path, text))
  const entries = new Map<string, Credential>()
  for (const [key, value] of Object.entries(object(path, '#/auths', document.auths ?? {}))) {
    const pointer = `#/auths/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const credential = toCredential(path, pointer, object(path, pointer, value))
    if (credential) entries.set(normalise(key), credential)
  }
  const helpers = new Map<string, string>()
  for (const [host, helper] of Object.entries(object(path, '#/credHelpers', document.credHelpers ?? {}))) {
    if (typeof helper === 'string') helpers.set(normalise(host), helper)
  }
  if (typeof document.credsStore === 'string' && document.credsStore !== '')
    helpers.set('*', document.credsStore)
  return { path, entries, helpers }
}

function toCredential(path: string, pointer: string, entry: Record<string, unknown>): Credential | undefined {
  const { auth, identitytoken, username, password } = entry
  const pair = typeof auth === 'string' && auth !== '' ? decode(path, pointer, auth) : { username, password }
  const token = identitytoken || (pair.username === '<token>' ? pair.password : undefined)
  if (typeof token === 'string' && token !== '') {
    registerSecret(token)
    return { identityToken: token }
  }
  if (typeof pair.username !== 'string' || typeof pair.password !== 'string' || pair.username === '')
    return undefined
  registerSecret(pair.password)
  return { username: pair.username, password: pair.password }
}

function decode(
  path: string,
  pointer: string,
  auth: string,
): { readonly username: string; readonly password: string } {
  registerSecret(auth)
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = text.indexOf(':')
  if (colon < 1) throw invalid(path, `${pointer}/auth`, 'not the base64 of "user:password"')
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Docker writes `https://index.docker.io/v1/`, others a host with or without a scheme or a path. */
function normalise(key: string): string {
  const url = /^https?:\/\/([^/]+)/i.exec(key)
  const bare = (url?.[1] ?? key).replace(/\/+$/, '')
  const [host = '', ...path] = bare.split('/')
  const rest = isDockerHub(host) && /^v[12]$/.test(path[0] ?? '') ? [] : path
  return [hostKey(host), ...rest].join('/')
}

/** The name under which a host's entries are kept. */
export function hostKey(host: string): string {
  return isDockerHub(host) ? 'docker.io' : host.toLowerCase()
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which holds secrets.
    throw invalid(path, '#', 'not JSON')
  }
}

function object(path: string, pointer: string, value: unknown): Record<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value))
    return value as Record<string, unknown>
  throw invalid(path, pointer, 'not an object')
}

function invalid(path: string, pointer: string, why: string): CarryallError {
  return new CarryallError(
    'AUTH_FILE_INVALID',
    `Cannot use the credentials in ${path}: ${pointer} is ${why}`,
    {
      subject: { kind: 'file', name: path },
      pointer,
      hint: `Repair ${path}, or write it again with "skopeo login --authfile ${path} HOST"`,
    },
  )
}
