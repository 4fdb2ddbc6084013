import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Context, Log, Outcome } from '@carryall/cli'
import { commitFile, removeTree } from '@carryall/durable'
import { CarryallError, errorObject, isCarryallError } from '@carryall/errors'
import { parseAddress, resolveAddress } from './address.ts'
import { refusedPushes } from './exposure.ts'
import { followFiles } from './follow-files.ts'
import { openServed, type Opened } from './io.ts'
import { loadCertificate, type CertificateFiles } from './load-certificate.ts'
import { readHtpasswd } from './login/htpasswd.ts'
import { Logins } from './login/logins.ts'
import { serve, type Served } from './serve.ts'

export interface ServeFlags {
  readonly address: string
  readonly 'read-only': boolean
  readonly htpasswd: string | undefined
  readonly 'anonymous-pull': boolean
  readonly 'anonymous-push': boolean
  readonly 'tls-cert': string | undefined
  readonly 'tls-key': string | undefined
  readonly 'allow-plain-http': boolean
  readonly 'port-file': string | undefined
}

/** Serves until a signal comes, then ends with that signal's exit code and no document. */
export async function runServer(
  context: Context,
  flags: ServeFlags,
  [operand = '.']: readonly string[],
): Promise<Outcome> {
  const { log, signal, cwd, tool, waitSeconds } = context
  const files = certificateFiles(flags, cwd)
  const { loopback, ...address } = await resolveAddress(parseAddress(flags.address))
  const refused = refusedPushes({
    loopback,
    tls: files !== undefined,
    logins: flags.htpasswd !== undefined,
    anonymousPull: flags['anonymous-pull'],
    anonymousPush: flags['anonymous-push'],
    allowPlainHttp: flags['allow-plain-http'],
  })
  const readOnly = flags['read-only'] || (refused ?? false)
  const logins = flags.htpasswd === undefined ? undefined : await openLogins(resolve(cwd, flags.htpasswd))
  const certificate = files && (await loadCertificate(files))

  await using held = new AsyncDisposableStack()
  const directory = resolve(cwd, operand)
  const holder = `${tool.name} ${tool.version}`
  const opened = await openServed(directory, {
    write: readOnly === false,
    waitSeconds,
    holder,
    signal,
  }).catch((error: unknown) => {
    throw isCarryallError(error, 'INPUT_NOT_FOUND') && refused !== undefined && !flags['read-only']
      ? nothingToServe(directory, error)
      : error
  })
  held.defer(() => opened.close())
  const server = await serve(opened.store, {
    ...address,
    readOnly,
    anonymousPull: flags['anonymous-pull'],
    ...(certificate && { certificate }),
    ...(logins && { logins: logins.judge }),
    onServed: (served) => report(log, served),
  })
  held.defer(() => server.close())
  const follow = async <T>(paths: readonly string[], load: () => Promise<T>, use: (value: T) => void) =>
    held.defer(await followFiles({ paths, load, use, failed: (error) => warnUnchanged(log, error) }))
  if (files) await follow([files.cert, files.key], () => loadCertificate(files), server.useCertificate)
  if (logins) await follow([logins.path], logins.read, (users) => logins.judge.replace(users))

  if (flags['port-file'] !== undefined) {
    const portFile = resolve(cwd, flags['port-file'])
    held.defer(() => removeTree(portFile))
    await commitFile(portFile, `${server.port}\n`)
  }
  const { port, url } = server
  log.info(`Serving ${whatOf(opened.kind, readOnly !== false, directory)} at ${url}`, {
    port,
    kind: opened.kind,
  })
  if (refused !== undefined && !flags['read-only'] && opened.kind === 'layout')
    log.warn('Pushes are refused here: give --htpasswd with --tls-cert and --tls-key, or --anonymous-push')
  if (!signal.aborted) await once(signal, 'abort')
  return { items: [], ...(isCarryallError(signal.reason) ? { exit: signal.reason.exit } : {}) }
}

/** Throws USAGE_CONFLICT for one of the two alone. */
function certificateFiles(flags: ServeFlags, cwd: string): CertificateFiles | undefined {
  const { 'tls-cert': cert, 'tls-key': key } = flags
  if (cert !== undefined && key !== undefined) return { cert: resolve(cwd, cert), key: resolve(cwd, key) }
  if (cert === undefined && key === undefined) return undefined
  throw new CarryallError('USAGE_CONFLICT', 'Cannot use one of --tls-cert and --tls-key without the other', {
    hint: 'Give both: the certificate, followed by those of its authorities, and its key',
    subject: { kind: 'flag', name: cert === undefined ? '--tls-cert' : '--tls-key' },
  })
}

async function openLogins(path: string) {
  const read = () => readHtpasswd(path)
  return { path, read, judge: new Logins(await read()) }
}

function whatOf(kind: Opened['kind'], pullsOnly: boolean, path: string): string {
  if (kind === 'content') return `the sequences in ${path}`
  if (kind === 'archive') return `the OCI archive ${path}`
  return `the OCI layout ${path}${pullsOnly ? ' for pulls only' : ''}`
}

function nothingToServe(directory: string, cause: unknown): CarryallError {
  return new CarryallError(
    'CONFIG_UNSUPPORTED',
    `Cannot serve "${directory}": there is nothing to pull in it, and pushes are refused on this address`,
    {
      hint: 'Give --htpasswd with --tls-cert and --tls-key, or --anonymous-push',
      subject: { kind: 'flag', name: '--address' },
      cause,
    },
  )
}

function warnUnchanged(log: Log, error: unknown): void {
  const { message, code } = errorObject(error)
  log.warn(`${message}; what was read before stays in use`, { code })
}

function report(log: Log, served: Served): void {
  const { method, path, status, milliseconds, client, user, loginRefused, error } = served
  const who = { client, ...(user === undefined ? {} : { user }) }
  if (error !== undefined)
    log.warn(`${method} ${path} failed: ${errorObject(error).message}`, { status, ...who })
  if (loginRefused) log.warn(`A login from ${client} was refused`, { status, client })
  log.debug(`${method} ${path} ${status}`, { milliseconds: Math.round(milliseconds), ...who })
}
