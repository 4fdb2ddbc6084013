import type { Command } from './command.ts'
import { COMMON_FLAGS, type OutputFormat } from './common-flags.ts'
import type { Flags, FlagValues } from './flags.ts'
import type { Host } from './host.ts'
import { useColor } from './use-color.ts'
import type { ReportOptions } from './report-error.ts'
import { resolveFlags } from './resolve-flags.ts'

type Given = ReadonlyMap<string, readonly string[]>

/** How to report what goes wrong before all flags are known: by the command line and the environment as far as they are good. */
export function earlyReport(command: Command, host: Host, given: Given = scan(host.argv)): ReportOptions {
  const format = attempt({ 'log-format': COMMON_FLAGS['log-format'] }, host, given)?.['log-format'] ?? 'text'
  return {
    tool: command.name,
    version: command.version,
    format,
    verbose: given.has('verbose'),
    color: useColor(host, given.has('no-color')),
    now: () => host.now(),
  }
}

/** The format for a Failure in the same case. */
export function earlyFormat(host: Host, given: Given): OutputFormat | undefined {
  return attempt({ output: COMMON_FLAGS.output }, host, given)?.output
}

function attempt<F extends Flags>(flags: F, host: Host, given: Given): FlagValues<F> | undefined {
  try {
    return resolveFlags(flags, { given, env: host.env, settings: [] })
  } catch {
    // It is reported by whoever reads all flags
    return undefined
  }
}

function scan(argv: readonly string[]): Map<string, readonly string[]> {
  const at = argv.indexOf('--log-format')
  const attached = argv.find((word) => word.startsWith('--log-format='))
  const format = attached?.slice('--log-format='.length) ?? (at === -1 ? undefined : argv[at + 1])
  return new Map([
    ...(format === undefined ? [] : [['log-format', [format]] as const]),
    ...(argv.includes('-v') || argv.includes('--verbose') ? [['verbose', ['true']] as const] : []),
  ])
}
