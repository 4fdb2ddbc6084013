import { CarryallError, isCarryallError } from '@carryall/errors'
import type { Flag, Flags, FlagValues } from './flags.ts'
import { commandLineOnly, type Layer } from './settings.ts'

/** Where flags come from, strongest first. */
export interface Sources {
  readonly given: ReadonlyMap<string, readonly string[]>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly settings: readonly Layer[]
}

interface Found {
  readonly texts: readonly string[]
  readonly place: string
  readonly details: object
  /** A bad value on the command line is usage, anywhere else configuration. */
  readonly code: 'USAGE_BAD_VALUE' | 'CONFIG_INVALID'
}

/**
 * Values of all `flags`: command line, then `CARRYALL_<FLAG>`, then settings, then default. An empty variable counts as
 * not set. Throws USAGE_BAD_VALUE, USAGE_MISSING_OPERAND, or CONFIG_INVALID naming the variable or the file.
 */
export function resolveFlags<F extends Flags>(flags: F, sources: Sources): FlagValues<F> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, valueOf(name, flag, sources)]),
  ) as FlagValues<F>
}

/** What was given on the command line of flags that weaken a check or overwrite: `force`, `plain-http=host`. */
export function overridesOf(flags: Flags, given: Sources['given']): readonly string[] {
  return Object.entries(flags).flatMap(([name, flag]) => {
    const texts = given.get(name)
    if (!flag.argvOnly || texts === undefined || flag.parse(texts) === flag.absent) return []
    return texts.map((text) => (flag.value === undefined && text === 'true' ? name : `${name}=${text}`))
  })
}

/** `CARRYALL_STATE_DIR` for `state-dir`. */
export function variableOf(flag: string): string {
  return `CARRYALL_${flag.toUpperCase().replaceAll('-', '_')}`
}

function valueOf(name: string, flag: Flag<unknown>, sources: Sources): unknown {
  if (flag.argvOnly && sources.env[variableOf(name)])
    throw commandLineOnly(name, `environment variable ${variableOf(name)}`)
  const found =
    fromArgv(name, sources) ?? fromEnvironment(name, flag, sources) ?? fromSettings(name, flag, sources)
  if (found === undefined) {
    if (!flag.required) return flag.absent
    throw new CarryallError('USAGE_MISSING_OPERAND', `Flag --${name} ${flag.value} is missing`, {
      subject: { kind: 'flag', name: `--${name}` },
    })
  }
  try {
    return flag.parse(found.texts)
  } catch (error) {
    if (!isCarryallError(error, 'USAGE_BAD_VALUE')) throw error
    const { expected, actual } = error.details
    const message =
      expected === undefined
        ? `${found.place}: ${error.message}`
        : `Cannot use "${actual}" for ${found.place}: ${expected} is wanted`
    throw new CarryallError(found.code, message, {
      subject: { kind: 'flag', name: `--${name}` },
      ...error.details,
      ...found.details,
    })
  }
}

function fromArgv(name: string, { given }: Sources): Found | undefined {
  const texts = given.get(name)
  return texts && { texts, place: `--${name}`, details: {}, code: 'USAGE_BAD_VALUE' }
}

function fromEnvironment(name: string, flag: Flag<unknown>, { env }: Sources): Found | undefined {
  const text = env[variableOf(name)]
  if (!text) return undefined
  return {
    texts: flag.repeat ? text.split(',') : [text],
    place: `environment variable ${variableOf(name)}`,
    details: {},
    code: 'CONFIG_INVALID',
  }
}

function fromSettings(name: string, flag: Flag<unknown>, { settings }: Sources): Found | undefined {
  const layer = settings.find(({ values }) => Object.hasOwn(values, name))
  if (layer === undefined) return undefined
  const value = layer.values[name]!
  const place = `${layer.file} ${layer.pointer}/${name}`
  const details = { pointer: `${layer.pointer}/${name}`, location: { file: layer.file } }
  if (typeof value === 'number' && !flag.numeric) {
    // YAML has made 1.1 of 1.10 by now, so the text that was written is lost
    throw new CarryallError('CONFIG_INVALID', `${place} is a number; text is wanted`, {
      ...details,
      hint: 'Write it in quotes',
    })
  }
  if (Array.isArray(value) && !flag.repeat)
    throw new CarryallError('CONFIG_INVALID', `${place} is a list; one value is wanted`, details)
  return { texts: Array.isArray(value) ? value : [String(value)], place, details, code: 'CONFIG_INVALID' }
}
