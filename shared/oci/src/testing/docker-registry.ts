import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { makeCertificates, type TestCertificates } from '@carryall/http/testing'

const run = promisify(execFile)

export interface DockerRegistryOptions {
  /** Basic authentication by an htpasswd file. */
  readonly auth?: { readonly username: string; readonly password: string }
  /** Bearer authentication by a token server that signs with the key of a certificate (a PEM file). */
  readonly token?: {
    readonly realm: string
    readonly service: string
    readonly issuer: string
    readonly rootcertbundle: string
  }
  /** Serves https with a certificate of a test authority; `clients` wants a client certificate, too. */
  readonly tls?: boolean | 'clients'
  /** Where its content lives; a fresh directory that goes with `stop` if absent. */
  readonly storage?: string
  /** A fixed port, to start again where another one ran; a free one if absent. */
  readonly port?: number
  /** Allows DELETE; true if absent. */
  readonly delete?: boolean
  /** Answers every write with 405. */
  readonly readOnly?: boolean
  /** Largest page of the catalog; 1000 if absent. */
  readonly catalogMax?: number
  /** Makes up a secret of its own at each start, so that no upload session outlives it. */
  readonly ownSecret?: boolean
  /** Upload locations are paths. */
  readonly relativeUrls?: boolean
}

/** One line of the access log. */
export interface ServedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
}

/** A running docker-registry. `await using registry = await startDockerRegistry()` stops it with its scope. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string
  readonly pid: number
  readonly storage: string
  readonly certificates: TestCertificates | undefined
  /** What it has served until now, in order. */
  requests(): readonly ServedRequest[]
  /** Ends the process (SIGKILL by default: nothing in it needs a goodbye) and removes what was made for it. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/**
 * Starts Debian's docker-registry 2.8 on 127.0.0.1, without TLS and authentication unless asked for, and resolves when
 * it listens. The process dies with the thread that started it, whatever happens to that.
 */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-registry-'))
  const storage = options.storage ?? join(directory, 'data')
  await mkdir(storage, { recursive: true })
  const certificates = options.tls ? await makeCertificates(directory) : undefined
  const configuration = join(directory, 'config.json')
  await writeFile(configuration, JSON.stringify(await configure(options, directory, storage, certificates)))
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'docker-registry', 'serve', configuration], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const served: ServedRequest[] = []
  createInterface(child.stdout!).on('line', (line) => {
    const [, method, path, status] = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d{3}) /.exec(line) ?? []
    if (method && path && status) served.push({ method, path, status: Number(status) })
  })
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    await end(child, signal)
    await rm(directory, { recursive: true, force: true })
  }
  const port = await listening(child).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    host: `127.0.0.1:${port}`,
    port,
    url: `${certificates ? 'https' : 'http'}://127.0.0.1:${port}`,
    pid: child.pid!,
    storage,
    certificates,
    requests: () => served,
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
}

async function configure(
  options: DockerRegistryOptions,
  directory: string,
  storage: string,
  certificates: TestCertificates | undefined,
): Promise<object> {
  const { cert, key, ca } = certificates ?? {}
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: options.delete ?? true },
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: options.readOnly ?? false } },
    },
    ...(options.catalogMax ? { catalog: { maxentries: options.catalogMax } } : {}),
    ...(options.token ? { auth: { token: options.token } } : {}),
    ...(options.auth
      ? { auth: { htpasswd: { realm: 'test', path: await htpasswd(directory, options.auth) } } }
      : {}),
    http: {
      addr: `127.0.0.1:${options.port ?? 0}`,
      // A fixed secret keeps upload sessions across a restart, as a real installation does.
      ...(options.ownSecret ? {} : { secret: 'carryall-test' }),
      relativeurls: options.relativeUrls ?? false,
      ...(certificates
        ? { tls: { certificate: cert, key, ...(options.tls === 'clients' ? { clientcas: [ca] } : {}) } }
        : {}),
    },
  }
}

async function htpasswd(
  directory: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<string> {
  const path = join(directory, 'htpasswd')
  const { stdout } = await run('htpasswd', ['-nbB', '-C', '4', username, password])
  await writeFile(path, stdout)
  return path
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const log: string[] = []
    createInterface(child.stderr!).on('line', (line) => {
      if (log.length < 50) log.push(line)
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port) resolve(Number(port))
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`docker-registry did not start:\n${log.join('\n')}`)))
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}
