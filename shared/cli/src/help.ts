import type { AnyVerb, Command } from './command.ts'
import { ACTION_FLAGS, COMMON_FLAGS, DRY_RUN_FLAG } from './common-flags.ts'
import type { Flag, Flags } from './flags.ts'

const EXIT_STATUS: readonly (readonly [string, string])[] = [
  ['0', 'done, also where nothing was to do'],
  ['1', 'finished, some items failed; the document names them'],
  ['64', 'usage'],
  ['65', 'malformed input'],
  ['66', 'input not found, empty or refused'],
  ['69', 'server or helper program unavailable'],
  ['70', 'a bug; please report it'],
  ['71 73 74', 'limit of the system; output cannot be created; I/O error or disk full'],
  ['75', 'try again: lock held or rate limited'],
  ['76', 'the server broke the protocol'],
  ['77 78', 'not permitted; configuration'],
  ['80 81 82', 'signature or trust; gap, fork or rollback in a chain; digest or size mismatch'],
  ['83', 'incomplete: content still to be carried'],
  ['84', 'the destination differs and is not overwritten'],
  ['85', 'rolled back'],
  ['129 130 141 143', 'ended by SIGHUP, SIGINT, a closed pipe, SIGTERM'],
]

/** One line a verb, or that of one, as at the top of the help text and of a README. */
export function synopsis(command: Command, verb?: AnyVerb): string {
  return (verb === undefined ? command.verbs : [verb]).map((one) => synopsisOf(command, one)).join('\n')
}

/** The text of `tool -h`, or of `tool verb -h`: made of the same tables that the parser uses. Ends without a newline. */
export function helpText(command: Command, verb: AnyVerb | undefined = onlyVerb(command)): string {
  return verb === undefined ? toolHelp(command) : verbHelp(command, verb)
}

/** `--flag VALUE`, with its short form. */
function flagSynopsis(name: string, flag: Flag<unknown>): string {
  const long =
    flag.value === undefined
      ? `--${name}`
      : flag.optional
        ? `--${name}[=${flag.value}]`
        : `--${name} ${flag.value}`
  return flag.short === undefined ? long : `-${flag.short}, ${long}`
}

function onlyVerb(command: Command): AnyVerb | undefined {
  return command.verbs.length === 1 ? command.verbs[0] : undefined
}

function toolHelp(command: Command): string {
  return sections([
    ['', [`${command.name} - ${command.summary}`]],
    ['Synopsis', indent(synopsis(command).split('\n'))],
    ['Commands', columns(command.verbs.map((verb) => [verb.name, verb.summary]))],
    ['Flags of every command', flagLines({ ...COMMON_FLAGS, ...ACTION_FLAGS })],
    ['Exit status', columns(EXIT_STATUS)],
    ['', [`"${command.name} COMMAND -h" shows the flags and examples of a command.`]],
  ])
}

function verbHelp(command: Command, verb: AnyVerb): string {
  const own: Flags = { ...(verb.flags as Flags), ...(verb.effects ? { 'dry-run': DRY_RUN_FLAG } : {}) }
  return sections([
    ['', [`${title(command, verb)} - ${verb.name === '' ? command.summary : verb.summary}`]],
    ['Synopsis', indent([synopsisOf(command, verb)])],
    [
      'Reads',
      indent(
        verb.reads.length === 0 ? [] : [`${verb.reads.join(', ')} (JSON or YAML; a path, or - for stdin)`],
      ),
    ],
    ['Writes', indent(verb.writes.length === 0 ? [] : [`${verb.writes.join(', ')} on stdout`])],
    ['Flags', flagLines(own)],
    ['Flags of every command', flagLines({ ...COMMON_FLAGS, ...ACTION_FLAGS })],
    ['Exit status', columns(EXIT_STATUS)],
    ['Examples', verb.examples.flatMap(({ command: line, what }) => [`  # ${what}`, `  ${line}`])],
  ])
}

function title(command: Command, verb: AnyVerb): string {
  return verb.name === '' ? command.name : `${command.name} ${verb.name}`
}

function synopsisOf(command: Command, verb: AnyVerb): string {
  const required = Object.entries(verb.flags as Flags)
    .filter(([, flag]) => flag.required)
    .map(([name, flag]) => `${flag.short === undefined ? `--${name}` : `-${flag.short}`} ${flag.value}`)
  return [title(command, verb), ...required, '[FLAG...]', verb.operands.synopsis]
    .filter((part) => part !== '')
    .join(' ')
}

function flagLines(flags: Flags): string[] {
  return columns(
    Object.entries(flags).map(([name, flag]) => {
      const notes = [
        ...(flag.required ? ['required'] : []),
        ...(flag.repeat ? ['may be repeated'] : []),
        ...(flag.shownDefault === undefined ? [] : [`default: ${flag.shownDefault}`]),
        ...(flag.argvOnly ? ['command line only'] : []),
      ]
      return [
        flagSynopsis(name, flag),
        notes.length === 0 ? flag.help : `${flag.help} (${notes.join('; ')})`,
      ] as const
    }),
  )
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(28, Math.max(0, ...rows.map(([left]) => left.length)))
  return rows.flatMap(([left, right]) =>
    left.length > width
      ? [`  ${left}`, `  ${' '.repeat(width)}  ${right}`]
      : [`  ${left.padEnd(width)}  ${right}`],
  )
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

function sections(parts: readonly (readonly [string, readonly string[]])[]): string {
  return parts
    .filter(([, lines]) => lines.length > 0)
    .map(([heading, lines]) => [...(heading === '' ? [] : [`${heading}:`]), ...lines].join('\n'))
    .join('\n\n')
}
