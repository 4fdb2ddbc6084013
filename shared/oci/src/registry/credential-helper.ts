import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { CarryallError, escapeControls, isCarryallError, registerSecret } from '@carryall/errors'
import type { Environment } from '@carryall/http'
import type { Credential } from './auth-file.ts'
import { isDockerHub } from './docker-hub.ts'

const NAME = /^[A-Za-z0-9_-]+$/
const NONE = /credentials not found/i
const TIMEOUT_MS = 30_000
const PASSED_ON = /^(?:HOME|PATH|DOCKER_CONFIG|XDG_[A-Z_]+|DBUS_SESSION_BUS_ADDRESS)$/

export interface HelperOptions {
  /** The file that names the helper. */
  readonly file: string
  readonly env: Environment
  readonly signal?: AbortSignal
}

/**
 * Asks `docker-credential-<helper>` for the credential of a registry (docker-credential-helpers: `get`), found by the
 * caller's PATH; undefined where it has none. It is given the host on stdin and of the environment what it needs to find its
 * own store. Throws AUTH_FILE_INVALID for a name that cannot be one, EXEC_NOT_FOUND, EXEC_FAILED with the exit code as
 * `actual`, EXEC_TIMEOUT after 30 s, LOGIN_FAILED for an answer that is none, the signal's reason.
 */
export async function askHelper(
  helper: string,
  host: string,
  options: HelperOptions,
): Promise<Credential | undefined> {
  if (!NAME.test(helper))
    throw new CarryallError(
      'AUTH_FILE_INVALID',
      `Cannot use the credential helper ${JSON.stringify(helper.slice(0, 100))} named in ${options.file}`,
      {
        subject: { kind: 'file', name: options.file },
        hint: 'The name of a helper has letters, digits, "_" and "-": it is what follows "docker-credential-"',
      },
    )
  const program = `docker-credential-${helper}`
  const hint = `${options.file} names it for ${host}; run "echo ${host} | ${program} get" to see what it says`
  const answer = await run(program, serverOf(host), options).catch((error: unknown) => {
    if (!isCarryallError(error)) throw error
    throw new CarryallError(error.code, `${error.message}; it is asked who we are at ${host}`, {
      ...error.details,
      hint: error.code === 'EXEC_NOT_FOUND' ? `Install it, or take it out of ${options.file}` : hint,
    })
  })
  if (answer.exitCode === 0) return parse(answer.stdout, { program, host, hint })
  const said = answer.stdout.toString('utf8').trim()
  if (NONE.test(said)) return undefined
  throw new CarryallError(
    'EXEC_FAILED',
    `${program} failed with exit ${answer.exitCode} when it was asked for ${host}: ${message(said)}`,
    { subject: { kind: 'program', name: program }, actual: answer.exitCode, hint },
  )
}

async function run(program: string, server: string, { env, signal }: HelperOptions) {
  const { run: runProgram } = await import('@carryall/exec')
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => PASSED_ON.test(entry[0]) && entry[1] !== undefined,
  )
  return runProgram(await findOnPath(program, env.PATH), ['get'], {
    env: Object.fromEntries(kept),
    stdin: server,
    timeoutMs: TIMEOUT_MS,
    // It tells on stdout why it failed.
    okExits: [0, 1],
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Helpers are often installed by users for themselves, so PATH counts; the bare name leaves it to the usual places. */
async function findOnPath(program: string, path = ''): Promise<string> {
  for (const directory of path.split(':').filter((entry) => isAbsolute(entry))) {
    const file = join(directory, program)
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return file
  }
  return program
}

function parse(
  stdout: Buffer,
  { program, host, hint }: { readonly program: string; readonly host: string; readonly hint: string },
): Credential | undefined {
  let fields: { Username?: unknown; Secret?: unknown } | null
  try {
    fields = JSON.parse(stdout.toString('utf8')) as typeof fields
  } catch {
    fields = null
  }
  const { Username: username, Secret: secret } = fields ?? {}
  if (typeof username !== 'string' || typeof secret !== 'string')
    // What it wrote instead is not shown: it may hold the secret.
    throw new CarryallError(
      'LOGIN_FAILED',
      `${program} gives no credential for ${host}: no user or no secret`,
      {
        subject: { kind: 'program', name: program },
        hint,
      },
    )
  if (secret === '') return undefined
  registerSecret(secret)
  return username === '<token>' ? { identityToken: secret } : { username, password: secret }
}

/** Docker Hub is kept under the address that docker logs in to. */
function serverOf(host: string): string {
  return isDockerHub(host) ? 'https://index.docker.io/v1/' : host
}

function message(said: string): string {
  const first = escapeControls(said.split('\n', 1)[0]!).slice(0, 200)
  return first === '' || first.includes('"Secret"') ? 'it does not say why' : first
}
