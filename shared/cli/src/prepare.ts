import { resolve } from 'node:path'
import { askSecret } from './ask-secret.ts'
import type { AnyVerb, Command, Context } from './command.ts'
import { COMMON_FLAGS, DRY_RUN_FLAG, type CommonValues } from './common-flags.ts'
import { createClock } from './clock.ts'
import { createLog } from './create-log.ts'
import { createProgress, type ProgressDisplay } from './create-progress.ts'
import type { FlagValues, Flags } from './flags.ts'
import type { Host } from './host.ts'
import { receive } from './input.ts'
import type { Lines } from './messages.ts'
import type { OutputOptions } from './output.ts'
import type { Parsed } from './parse-argv.ts'
import type { ReportOptions } from './report-error.ts'
import { overridesOf, resolveFlags } from './resolve-flags.ts'
import { openResultFile } from './result-file.ts'
import { readSettings } from './settings.ts'
import { stateDirectory } from './state-dir.ts'
import type { Stdout } from './stdout.ts'
import { useColor } from './use-color.ts'

/** A verb with everything that it needs, ready to run. */
export interface Prepared {
  readonly verb: AnyVerb
  readonly context: Context
  readonly flags: FlagValues<Flags>
  readonly operands: readonly string[]
  readonly progress: ProgressDisplay
  readonly output: OutputOptions
  readonly report: ReportOptions
}

/** Finds the value of every flag and builds the verb's context of them. Throws before anything is done: 64, 66, 73, 78. */
export async function prepare(
  command: Command,
  host: Host,
  verb: AnyVerb,
  { given, operands }: Parsed,
  streams: { readonly stdout: Stdout; readonly lines: Lines; readonly signal: AbortSignal },
): Promise<Prepared> {
  const bare = resolveFlags({ settings: COMMON_FLAGS.settings }, { given, env: host.env, settings: [] })
  const settings = await readSettings(command, host, bare.settings)
  const sources = { given, env: host.env, settings }
  const flags = resolveFlags(verb.flags as Flags, sources)
  const common = resolveFlags(COMMON_FLAGS, sources)
  const dryRun = verb.effects && resolveFlags({ 'dry-run': DRY_RUN_FLAG }, sources)['dry-run']
  const color = useColor(host, common['no-color'])
  const report = reportOptions(command, host, common, color)
  const overrides = overridesOf(verb.flags as Flags, given)
  const context = createContext(command, host, { common, dryRun, color, overrides }, streams)
  const resultFile =
    common.result === undefined ? undefined : await openResultFile(resolve(host.cwd, common.result))
  const output: OutputOptions = {
    stdout: flags['stdout'] === true ? undefined : streams.stdout,
    stdoutIsTerminal: host.stdoutIsTerminal,
    format: common.output ?? (host.stdoutIsTerminal ? 'table' : 'json'),
    resultFile,
    effects: verb.effects,
  }
  return { verb, context, flags, operands, progress: context.progress, output, report }
}

function reportOptions(command: Command, host: Host, common: CommonValues, color: boolean): ReportOptions {
  return {
    tool: command.name,
    version: command.version,
    format: common['log-format'],
    verbose: common.verbose,
    color,
    now: () => host.now(),
  }
}

interface Settled extends Pick<Context, 'dryRun' | 'overrides'> {
  readonly common: CommonValues
  readonly color: boolean
}

function createContext(
  command: Command,
  host: Host,
  { common, dryRun, color, overrides }: Settled,
  { lines, signal }: { readonly lines: Lines; readonly signal: AbortSignal },
): Context & { readonly progress: ProgressDisplay } {
  const { quiet, verbose, 'log-format': format } = common
  const now = (): Date => host.now()
  const log = createLog(lines, { tool: command.name, format, quiet, verbose, now })
  const progress = createProgress(lines, {
    tool: command.name,
    mode: common.progress,
    quiet,
    logFormat: format,
    terminal: host.stderrIsTerminal && host.env['TERM'] !== 'dumb',
    color,
    columns: () => host.columns,
    write: (text) => void host.stderr.write(text),
    ticks: () => host.ticks(),
    now,
  })
  return {
    tool: { name: command.name, version: command.version },
    env: host.env,
    cwd: host.cwd,
    // Opened when it is read: a stdin that nobody asked for must not keep the process alive
    get stdin() {
      return host.stdin
    },
    stdinIsInput: host.stdinKind === 'pipe' || host.stdinKind === 'file',
    stdout: host.stdout,
    signal,
    log,
    progress,
    dryRun,
    waitSeconds: common.wait,
    stateDir: stateDirectory(host, common['state-dir']),
    etc: host.etc,
    overrides,
    now: createClock(host),
    clock: now,
    askSecret: (prompt) => askSecret(host, prompt, signal),
    documents: (operands, kinds, options) => receive({ host, signal, log }, operands, kinds, options),
  }
}
