import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import type { Settings } from '@carryall/schemas'
import type { Command } from './command.ts'
import { ACTION_FLAGS, COMMON_FLAGS, flagsOfTool } from './common-flags.ts'
import type { Flag } from './flags.ts'
import type { Host } from './host.ts'
import { suggest } from './suggest.ts'

type Value = string | number | boolean | readonly string[]

/** Flag values of one part of a settings file, and where they are. */
export interface Layer {
  readonly file: string
  /** JSON pointer of the part. */
  readonly pointer: string
  readonly values: Readonly<Record<string, Value>>
}

/**
 * Reads the settings files, strongest layer first: `file` alone if it is given, else the user's, then the system's; in
 * each the tool's own part before the common one. Without a file no schema is loaded. Throws INPUT_NOT_FOUND for `file`,
 * else CONFIG_INVALID naming the place: unknown flags, and those that are taken from the command line only.
 */
export async function readSettings(
  command: Command,
  host: Host,
  file: string | undefined,
): Promise<readonly Layer[]> {
  if (file !== undefined)
    return layers(command, resolve(host.cwd, file), await read(resolve(host.cwd, file), true))
  const config = host.env['XDG_CONFIG_HOME'] || join(host.env['HOME'] || homedir(), '.config')
  const found: Layer[] = []
  for (const path of [join(config, 'carryall', 'settings.yaml'), join(host.etc, 'settings.yaml')]) {
    found.push(...(await layers(command, path, await read(path, false))))
  }
  return found
}

async function read(path: string, wanted: boolean): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const ours = fromSystemError(error, `read settings ${path}`, { subject: { kind: 'file', name: path } })
    if (!wanted && isCarryallError(ours, 'INPUT_NOT_FOUND')) return undefined
    throw ours
  }
}

async function layers(command: Command, file: string, bytes: Buffer | undefined): Promise<Layer[]> {
  if (bytes === undefined) return []
  const settings = await parse(bytes, file)
  const own = { file, pointer: `#/tools/${command.name}`, values: settings.tools?.[command.name] ?? {} }
  const common = { file, pointer: '#/common', values: settings.common ?? {} }
  await check(own, omitActions(flagsOfTool(command)))
  await check(common, COMMON_FLAGS)
  return [own, common]
}

async function parse(bytes: Buffer, file: string): Promise<Settings> {
  const { parseKind, readDocuments, settingsKind } = await import('@carryall/schemas')
  try {
    const [document, ...more] = readDocuments(bytes, file)
    if (more.length > 0)
      throw new CarryallError('CONFIG_INVALID', `${file} holds ${more.length + 1} documents; one is wanted`)
    return parseKind(settingsKind, document, file)
  } catch (error) {
    if (!isCarryallError(error)) throw error
    throw new CarryallError('CONFIG_INVALID', error.message, { location: { file }, ...error.details })
  }
}

async function check(
  { file, pointer, values }: Layer,
  known: Readonly<Record<string, Flag<unknown>>>,
): Promise<void> {
  for (const name of Object.keys(values)) {
    const details = { pointer: `${pointer}/${name}`, location: { file } }
    const flag = Object.hasOwn(known, name) ? known[name] : undefined
    if (flag === undefined) {
      const hint = await suggest(
        name,
        Object.keys(known),
        pointer === '#/common' ? 'Only flags that every tool has go there' : 'Use -h for the list of flags',
      )
      throw new CarryallError('CONFIG_INVALID', `Unknown flag "${name}" in ${file}`, { ...details, ...hint })
    }
    if (flag.argvOnly) throw commandLineOnly(name, `${file} ${pointer}/${name}`, details)
  }
}

/** CONFIG_INVALID for a flag that weakens a check or overwrites and was found in `place`. */
export function commandLineOnly(name: string, place: string, details: object = {}): CarryallError {
  return new CarryallError(
    'CONFIG_INVALID',
    `Refused --${name} from ${place}: it is taken from the command line only`,
    {
      subject: { kind: 'flag', name: `--${name}` },
      ...details,
      hint: 'Remove it there and give it with the command that needs it',
    },
  )
}

function omitActions(
  flags: Readonly<Record<string, Flag<unknown>>>,
): Readonly<Record<string, Flag<unknown>>> {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !Object.hasOwn(ACTION_FLAGS, name)))
}
