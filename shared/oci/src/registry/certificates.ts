import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkSecretFile } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'
import type { Environment, HostTls } from '@carryall/http'
import { isDockerHub } from './docker-hub.ts'
import type { HostSettings } from './host-settings.ts'

export interface CertificateOptions {
  readonly env: Environment
  /** A PEM file of authorities for every host. */
  readonly caFile?: string | undefined
  /** False takes any certificate: `--src-tls-verify=false`. */
  readonly verify?: boolean
  /** Authorities and the client certificate of single hosts; the certificate beats that of the directories. */
  readonly settings?: (host: string) => HostSettings
  /** Directories to look in instead of the usual ones. */
  readonly directories?: readonly string[]
}

/**
 * What TLS to a host needs, by the files of podman and docker: `<directory>/host[:port]/` with `*.crt` (authorities) and a
 * pair `*.cert`, `*.key` (client certificate); the first directory that has the host counts. For `createHttp({tls})`.
 * Throws INPUT_NOT_FOUND for a file that was named, CONFIG_INVALID, PERMISSION_DENIED, FILE_MODE_UNSAFE for a key that was
 * named and others may read.
 */
export function hostCertificates(options: CertificateOptions): (host: string) => Promise<HostTls> {
  const { env, caFile, verify } = options
  const directories = options.directories ?? [
    ...(env.HOME ? [join(env.HOME, '.config/containers/certs.d')] : []),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ]
  return async (host) => {
    const own = options.settings?.(host) ?? {}
    const named = [caFile, own.caFile].filter((file) => file !== undefined)
    const found = await firstDirectory(directories, host)
    return {
      ...(found ? await hostFiles(found.directory, found.names) : {}),
      ...(await clientOf(own)),
      ca: [
        ...(await Promise.all(named.map(read))),
        ...(found ? await authorities(found.directory, found.names) : []),
      ],
      ...(verify === undefined ? {} : { verify }),
    }
  }
}

async function clientOf({ clientCert, clientKey }: HostSettings): Promise<Pick<HostTls, 'cert' | 'key'>> {
  if (clientCert === undefined || clientKey === undefined) return {}
  await checkSecretFile(clientKey)
  return { cert: await read(clientCert), key: await read(clientKey) }
}

interface Found {
  readonly directory: string
  readonly names: readonly string[]
}

async function firstDirectory(directories: readonly string[], host: string): Promise<Found | undefined> {
  const hosts = isDockerHub(host) ? ['docker.io', host] : /:\d+$/.test(host) ? [host] : [host, `${host}:443`]
  for (const directory of directories.flatMap((each) => hosts.map((name) => join(each, name)))) {
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw fromSystemError(error, `list ${directory}`)
    })
    if (names) return { directory, names: names.toSorted() }
  }
  return undefined
}

function authorities(directory: string, names: readonly string[]): Promise<string[]> {
  return Promise.all(names.filter((name) => name.endsWith('.crt')).map((name) => read(join(directory, name))))
}

async function hostFiles(
  directory: string,
  names: readonly string[],
): Promise<Pick<HostTls, 'cert' | 'key'>> {
  const stems = (suffix: string) =>
    names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length))
  const [certs, keys] = [stems('.cert'), stems('.key')]
  const single = [
    ...certs.filter((name) => !keys.includes(name)),
    ...keys.filter((name) => !certs.includes(name)),
  ][0]
  if (single !== undefined) {
    const lost = certs.includes(single) ? 'key' : 'cert'
    throw new CarryallError(
      'CONFIG_INVALID',
      `Cannot use the client certificate in ${directory}: ${single}.${lost} is missing`,
      {
        subject: { kind: 'file', name: join(directory, `${single}.${lost}`) },
        hint: 'A client certificate needs two files, NAME.cert and NAME.key; authorities are named *.crt',
      },
    )
  }
  const [first] = certs
  if (first === undefined) return {}
  return {
    cert: await read(join(directory, `${first}.cert`)),
    key: await read(join(directory, `${first}.key`)),
  }
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  })
}
