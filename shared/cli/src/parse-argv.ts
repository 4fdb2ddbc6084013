import { CarryallError } from '@carryall/errors'
import { cac } from 'cac'
import type { AnyVerb, Command } from './command.ts'
import { ACTION_FLAGS, flagsOf, flagsOfTool } from './common-flags.ts'
import { protectArgv, protectedName, unknownFlag, unprotect } from './protect-argv.ts'
import { suggest } from './suggest.ts'

export interface Parsed {
  /** Undefined where the command line names none, which only an action such as --version makes good. */
  readonly verb: AnyVerb | undefined
  /** The texts of each flag that was given, exactly as they were. */
  readonly given: ReadonlyMap<string, readonly string[]>
  readonly operands: readonly string[]
}

/**
 * Parses a command line with cac. Throws USAGE_UNKNOWN_COMMAND, USAGE_UNKNOWN_FLAG, USAGE_BAD_VALUE,
 * USAGE_MISSING_OPERAND and USAGE_EXTRA_OPERAND with the nearest suggestion.
 */
export async function parseArgv(command: Command, argv: readonly string[]): Promise<Parsed> {
  const table = flagsOfTool(command)
  const names = command.verbs.map((verb) => verb.name).filter((name) => name !== '')
  const words = await protectArgv(argv, table, names)

  const cli = cac(command.name)
  for (const name of Object.keys(table)) cli.option(`--${protectedName(name)} <text>`, '')
  for (const verb of command.verbs) cli.command(`${verb.name} [...operands]`.trim(), verb.summary)
  // cac looks at what follows the program and the script, and says nothing about a command that it does not know
  cli.parse(['', command.name, ...words], { run: false })

  const verb = command.verbs.find((candidate) => candidate.name === cli.matchedCommand?.name)
  const operands = cli.args.map(unprotect)
  const given = new Map<string, readonly string[]>()
  for (const name of Object.keys(table)) {
    const texts: unknown = cli.options[protectedName(name)]
    if (texts !== undefined)
      given.set(
        name,
        [texts].flat().map((one) => unprotect(String(one))),
      )
  }
  if (Object.keys(ACTION_FLAGS).some((name) => given.has(name))) return { verb, given, operands }
  if (verb === undefined) throw await noVerb(names, operands[0])
  await checkFlags(verb, given)
  checkOperands(verb, operands)
  return { verb, given, operands }
}

async function noVerb(names: readonly string[], word: string | undefined): Promise<CarryallError> {
  const list = `Commands: ${names.join(', ')}`
  if (word === undefined)
    return new CarryallError('USAGE_MISSING_OPERAND', 'No command given', { hint: list })
  return new CarryallError(
    'USAGE_UNKNOWN_COMMAND',
    `Unknown command "${word}"`,
    await suggest(word, names, list),
  )
}

async function checkFlags(verb: AnyVerb, given: Parsed['given']): Promise<void> {
  const known = Object.keys(flagsOf(verb))
  for (const name of given.keys()) if (!known.includes(name)) throw await unknownFlag(name, known)
}

function checkOperands({ operands: { synopsis, min, max } }: AnyVerb, operands: readonly string[]): void {
  if (operands.length < min) {
    throw new CarryallError(
      'USAGE_MISSING_OPERAND',
      `${operands.length} of at least ${min} operands given; wanted: ${synopsis}`,
    )
  }
  if (operands.length > max) {
    throw new CarryallError(
      'USAGE_EXTRA_OPERAND',
      `Unexpected operand "${operands[max]}"; wanted: ${synopsis || 'none'}`,
      {
        hint: 'Quote names that hold spaces; a flag needs its dashes',
      },
    )
  }
}
