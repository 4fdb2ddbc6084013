import { CarryallError } from '@carryall/errors'

/** For which references a mirror stands in: `pull-from-mirror`. */
export type MirrorUse = 'all' | 'digest-only' | 'tag-only'

/** A place that stands in for the names of an entry. */
export interface Mirror {
  readonly location: string
  readonly insecure: boolean
  readonly use: MirrorUse
}

/** One `[[registry]]` of a registries.conf. */
export interface RegistryEntry {
  readonly file: string
  /** `host[:port][/path]`, or `*.host`. */
  readonly prefix: string
  /** What stands in place of the prefix; '' to leave a name as it is. */
  readonly location: string
  readonly insecure: boolean
  readonly blocked: boolean
  readonly mirrors: readonly Mirror[]
}

const USES: readonly string[] = ['all', 'digest-only', 'tag-only'] satisfies MirrorUse[]

/**
 * The entries of a containers-registries.conf(5) in version 2. What is about short names is none of ours, and unknown keys
 * are let pass, as podman does. Throws CONFIG_INVALID with line or pointer, CONFIG_UNSUPPORTED for version 1.
 */
export async function parseRegistriesConf(text: string, file: string): Promise<readonly RegistryEntry[]> {
  const document = await parseToml(text, file)
  if (document['registries'] !== undefined) {
    throw new CarryallError('CONFIG_UNSUPPORTED', `${file} is a registries.conf of version 1`, {
      location: { file },
      hint: 'Write it in version 2, as [[registry]] tables; or give --registries-conf none',
    })
  }
  return tables(document['registry'], '#/registry', file).map((table, index) =>
    entryOf(table, `#/registry/${index}`, file),
  )
}

type Table = Readonly<Record<string, unknown>>

async function parseToml(text: string, file: string): Promise<Table> {
  const { parse, TomlError } = await import('smol-toml')
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const { line, column } = error
    throw new CarryallError('CONFIG_INVALID', `${file} is no TOML: ${error.message.split('\n', 1)[0]}`, {
      location: { file, line, column },
      hint: 'Correct it, or give --registries-conf none',
    })
  }
}

function entryOf(table: Table, pointer: string, file: string): RegistryEntry {
  const read = reader(table, pointer, file)
  const location = place(read.text('location'))
  const prefix = place(read.text('prefix')) || location
  if (!isPrefix(prefix)) throw invalid(file, `${pointer}/prefix`, 'is no host[:port][/path] and no *.host')
  if (location === '' && !prefix.startsWith('*.'))
    throw invalid(file, `${pointer}/location`, 'is missing: only a prefix of the form *.host needs none')
  const byDigest = read.flag('mirror-by-digest-only')
  return {
    file,
    prefix,
    location,
    insecure: read.flag('insecure'),
    blocked: read.flag('blocked'),
    mirrors: tables(table['mirror'], `${pointer}/mirror`, file).map((mirror, index) =>
      mirrorOf(mirror, byDigest, `${pointer}/mirror/${index}`, file),
    ),
  }
}

function mirrorOf(table: Table, byDigest: boolean, pointer: string, file: string): Mirror {
  const read = reader(table, pointer, file)
  const location = place(read.text('location'))
  if (!isPrefix(location) || location.startsWith('*.'))
    throw invalid(file, `${pointer}/location`, 'is no host[:port][/path]')
  const use = read.text('pull-from-mirror') || (byDigest ? 'digest-only' : 'all')
  if (!USES.includes(use)) throw invalid(file, `${pointer}/pull-from-mirror`, `is none of ${USES.join(', ')}`)
  return { location, insecure: read.flag('insecure'), use: use as MirrorUse }
}

/** Hosts are the same in upper and lower case, and a trailing slash means nothing. */
function place(text: string): string {
  const [host = '', ...path] = text.replace(/\/+$/, '').split('/')
  return [host.toLowerCase(), ...path].join('/')
}

function isPrefix(text: string): boolean {
  return /^\*\.[^/*:\s]+(?::\d+)?$/.test(text) || /^[^/*\s]+(?:\/[^/*\s]+)*$/.test(text)
}

function reader(table: Table, pointer: string, file: string) {
  return {
    text: (key: string): string => {
      const value = table[key] ?? ''
      if (typeof value !== 'string') throw invalid(file, `${pointer}/${key}`, 'is no text')
      return value
    },
    flag: (key: string): boolean => {
      const value = table[key] ?? false
      if (typeof value !== 'boolean') throw invalid(file, `${pointer}/${key}`, 'is neither true nor false')
      return value
    },
  }
}

function tables(value: unknown, pointer: string, file: string): readonly Table[] {
  if (value === undefined) return []
  const isTable = (one: unknown): one is Table =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
  if (Array.isArray(value) && value.every(isTable)) return value
  throw invalid(file, pointer, 'is no list of tables: it is written with two brackets')
}

function invalid(file: string, pointer: string, why: string): CarryallError {
  return new CarryallError('CONFIG_INVALID', `${file}: ${pointer} ${why}`, {
    pointer,
    location: { file },
    hint: 'Correct it, or give --registries-conf none',
  })
}
