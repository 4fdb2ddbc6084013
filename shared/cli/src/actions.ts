import { CarryallError } from '@carryall/errors'
import type { Command } from './command.ts'
import { ACTION_FLAGS, COMMON_FLAGS } from './common-flags.ts'
import { helpText } from './help.ts'
import type { Host } from './host.ts'
import type { Parsed } from './parse-argv.ts'
import { resolveFlags } from './resolve-flags.ts'
import { serializer } from './serialize.ts'

/**
 * The text for `-h`, `--version` or `--schema`; undefined if none was given. Environment and settings have no say, and but
 * for --schema (and YAML) no schema is loaded. Throws USAGE_BAD_VALUE for a kind that this tool does not know.
 */
export async function actionText(
  command: Command,
  { given, verb }: Parsed,
  host: Host,
): Promise<string | undefined> {
  const sources = { given, env: {}, settings: [] }
  const { help, version, schema } = resolveFlags(ACTION_FLAGS, sources)
  if (help) return `${helpText(command, verb)}\n`
  if (version) {
    const { output } = resolveFlags({ output: COMMON_FLAGS.output }, sources)
    if (output === undefined || output === 'table') return `${command.name} ${command.version}\n`
    const print = await serializer(output === 'yaml' ? 'yaml' : 'compact')
    return print({ document: { name: command.name, version: command.version, node: host.node } }, 0)
  }
  return schema === undefined ? undefined : schemaText(command, schema)
}

/** Document kinds of a tool: what it reads and writes, and what every tool does. */
function kindsOf(command: Command): readonly string[] {
  const own = command.verbs.flatMap((verb) => [...verb.reads, ...verb.writes])
  return [...new Set([...own.toSorted(), 'Failure', 'Settings'])]
}

async function schemaText(command: Command, kind: string): Promise<string> {
  const kinds = kindsOf(command)
  if (kind === '') return kinds.map((one) => `${one}\n`).join('')
  const { jsonSchema, toPrettyJson } = await import('@carryall/schemas')
  const schema = kinds.includes(kind) ? jsonSchema(kind) : undefined
  if (schema === undefined) {
    throw new CarryallError('USAGE_BAD_VALUE', `Unknown document kind "${kind}"`, {
      expected: kinds.join(', '),
      actual: kind,
      hint: `${command.name} knows ${kinds.join(', ')}`,
    })
  }
  return `${toPrettyJson(schema)}\n`
}
