import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, isCarryallError } from '@carryall/errors'
import type { Environment } from '@carryall/http'
import { parseRegistriesConf, type RegistryEntry } from './registries-conf.ts'

export interface RegistriesConfOptions {
  readonly env: Environment
  /** The only file then, and it must be there. */
  readonly file?: string
  /** The system's own directory; /etc/containers if absent. */
  readonly system?: string
}

/**
 * Reads what podman and skopeo read: `file` alone, or $CONTAINERS_REGISTRIES_CONF, else the user's
 * ~/.config/containers/registries.conf, else the system's; then the drop-ins, `registries.conf.d/*.conf` by name, the user's
 * after the system's, which the user's own registries.conf shuts out. A later entry replaces one of the same prefix.
 * Throws INPUT_NOT_FOUND for a file that was named, PERMISSION_DENIED, and what `parseRegistriesConf` throws.
 */
export async function readRegistriesConf(options: RegistriesConfOptions): Promise<readonly RegistryEntry[]> {
  const { env, file, system = '/etc/containers' } = options
  const named = file ?? (env.CONTAINERS_REGISTRIES_CONF || undefined)
  const config = env.XDG_CONFIG_HOME || (env.HOME && join(env.HOME, '.config'))
  const user = config ? join(config, 'containers') : undefined
  const found: (readonly RegistryEntry[])[] = []
  let systemToo = true
  if (named !== undefined) found.push(await read(named, true))
  else {
    const own = user === undefined ? undefined : await read(join(user, 'registries.conf'), false)
    systemToo = own === undefined
    found.push(own ?? (await read(join(system, 'registries.conf'), false)) ?? [])
  }
  if (file === undefined) {
    const directories = [...(systemToo ? [system] : []), ...(user === undefined ? [] : [user])]
    for (const directory of directories)
      found.push(...(await readDropIns(join(directory, 'registries.conf.d'))))
  }
  return [...new Map(found.flat().map((entry) => [entry.prefix, entry])).values()]
}

async function readDropIns(directory: string): Promise<(readonly RegistryEntry[])[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw fromSystemError(error, `list ${directory}`, { subject: { kind: 'file', name: directory } })
  })
  const files = names.filter((name) => name.endsWith('.conf')).toSorted()
  return Promise.all(files.map((name) => read(join(directory, name), true)))
}

async function read(path: string, wanted: true): Promise<readonly RegistryEntry[]>
async function read(path: string, wanted: false): Promise<readonly RegistryEntry[] | undefined>
async function read(path: string, wanted: boolean): Promise<readonly RegistryEntry[] | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const ours = fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
    if (!wanted && isCarryallError(ours, 'INPUT_NOT_FOUND')) return undefined
    throw ours
  }
  return parseRegistriesConf(text, path)
}
