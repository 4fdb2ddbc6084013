import { oneOf, seconds, text, toggle } from './flag-makers.ts'
import type { AnyVerb, Command } from './command.ts'
import type { Flag, Flags, FlagValues } from './flags.ts'

const OUTPUT_FORMATS = ['json', 'yaml', 'ndjson', 'table'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

/** The flags of every tool (specification: The pipe). */
export const COMMON_FLAGS = {
  output: oneOf(OUTPUT_FORMATS, 'format of the documents on stdout', {
    short: 'o',
    shownDefault: 'table on a terminal, else json',
  }),
  quiet: toggle('only warnings and errors on stderr', { short: 'q' }),
  verbose: toggle('more on stderr', { short: 'v' }),
  'log-format': oneOf(['text', 'json'], 'format of the messages on stderr', { absent: 'text' }),
  progress: oneOf(['auto', 'plain', 'json', 'none'], 'progress on stderr', { absent: 'auto' }),
  'no-color': toggle('no colours; NO_COLOR and FORCE_COLOR are honoured'),
  settings: text('FILE', 'defaults for flags', {
    shownDefault: '/etc/carryall/settings.yaml, then ~/.config/carryall/settings.yaml',
  }),
  'state-dir': text('DIR', 'where the tool keeps its state', {
    shownDefault: 'root: /var/lib/carryall, else ~/.local/state/carryall',
  }),
  wait: seconds('SECONDS', 'how long to wait for a lock', { absent: 0 }),
  result: text('FILE', 'write the document to a file as well'),
}

export type CommonValues = FlagValues<typeof COMMON_FLAGS>

/** Of verbs with effects. */
export const DRY_RUN_FLAG = toggle('say what would be done and do nothing', { short: 'n' })

/** Flags that replace the verb: given on the command line only. */
export const ACTION_FLAGS = {
  schema: { ...text('KIND', 'print the JSON Schema of a document kind'), optional: true },
  version: toggle('print the version'),
  help: toggle('print this text', { short: 'h' }),
}

/** Every flag that a verb takes but for the actions, common ones last. */
export function flagsOf(verb: AnyVerb): Flags {
  return { ...(verb.flags as Flags), ...(verb.effects ? { 'dry-run': DRY_RUN_FLAG } : {}), ...COMMON_FLAGS }
}

/** Flags of all verbs of a tool and the actions: enough to know which take a value before the verb is known. */
export function flagsOfTool(command: Command): Readonly<Record<string, Flag<unknown>>> {
  const all: Record<string, Flag<unknown>> = { ...COMMON_FLAGS, ...ACTION_FLAGS }
  for (const verb of command.verbs) Object.assign(all, flagsOf(verb))
  return all
}
