import { CarryallError, errorObject, Exit, strongest, type ExitCode } from '@carryall/errors'
import { actionText } from './actions.ts'
import type { AnyVerb, Command, Item, Outcome } from './command.ts'
import { earlyFormat, earlyReport } from './early-values.ts'
import { failureItem, printsDocument } from './failure.ts'
import { synopsis } from './help.ts'
import type { Host } from './host.ts'
import { createLines, type Lines } from './messages.ts'
import { createLog } from './create-log.ts'
import { emit, type OutputOptions } from './output.ts'
import { parseArgv, type Parsed } from './parse-argv.ts'
import { prepare, type Prepared } from './prepare.ts'
import { reportErrors, type ReportOptions } from './report-error.ts'
import { watchSignals } from './signals.ts'
import { createStdout, isGone, type Stdout } from './stdout.ts'

/**
 * Runs one command line of a tool from argv to exit code: documents on stdout, everything for people on stderr, both
 * complete when it returns (specification: The pipe). Never throws: a failure is told on stderr, as a Failure document on
 * stdout (but for 64 and 70), and by the exit code.
 */
export async function run(command: Command, host: Host): Promise<ExitCode> {
  const stdout = createStdout(host.stdout)
  const lines = createLines(host.stderr)
  const controller = new AbortController()
  const unwatch = watchSignals(host, controller, (signal) => {
    createLog(lines, { ...earlyReport(command, host), quiet: false }).info(
      `${signal}: stopping; a second one ends at once`,
    )
  })
  let parsed: Parsed | undefined
  try {
    parsed = await parseArgv(command, host.argv)
    const text = await actionText(command, parsed, host)
    if (text !== undefined) {
      await stdout.write(text)
      return stdout.closed ? Exit.SIGPIPE : Exit.OK
    }
    // parseArgv lets a missing verb pass for actions only
    const verb = parsed.verb as AnyVerb
    const prepared = await prepare(command, host, verb, parsed, { stdout, lines, signal: controller.signal })
    return await perform(command, prepared, { stdout, lines, signal: controller.signal })
  } catch (error) {
    const given = parsed?.given
    const report = earlyReport(command, host, given)
    const format = (given && earlyFormat(host, given)) ?? (host.stdoutIsTerminal ? 'table' : 'json')
    const output: OutputOptions = {
      stdout,
      stdoutIsTerminal: host.stdoutIsTerminal,
      format,
      resultFile: undefined,
      effects: true,
    }
    return await settle(
      command,
      { errors: [error], threw: true, verb: namedVerb(command, host.argv) },
      { stdout, lines, output, report },
    )
  } finally {
    unwatch()
  }
}

interface Streams {
  readonly stdout: Stdout
  readonly lines: Lines
  readonly signal: AbortSignal
}

async function perform(command: Command, prepared: Prepared, streams: Streams): Promise<ExitCode> {
  const ending = await runVerb(prepared, streams)
  await prepared.progress.close()
  return settle(command, ending, { ...streams, ...prepared })
}

async function runVerb(
  { verb, context, flags, operands, output }: Prepared,
  { signal, stdout }: Streams,
): Promise<Ending> {
  try {
    const outcome: Outcome = await verb.run(context, flags, operands)
    await emit(outcome, output)
    return { verb, errors: outcome.errors ?? [], threw: false, exit: outcome.exit }
  } catch (error) {
    return { verb, errors: causesOf(error, signal, stdout), threw: true }
  }
}

interface Ending {
  readonly verb: AnyVerb | undefined
  readonly errors: readonly unknown[]
  /** The verb made no document of its own. */
  readonly threw: boolean
  readonly exit?: ExitCode | undefined
}

interface Outlets {
  readonly stdout: Stdout
  readonly lines: Lines
  readonly output: OutputOptions
  readonly report: ReportOptions
}

/** Tells the errors, writes the Failure document, gives the result file its name, and finds the one exit code. */
async function settle(
  command: Command,
  { verb, errors, threw, exit: given }: Ending,
  { stdout, lines, output, report }: Outlets,
): Promise<ExitCode> {
  const exits = errors.map((error) => errorObject(error).exit as ExitCode)
  let exit = given ?? strongest(exits)
  const late: unknown[] = []
  const attempt = async (work: (() => Promise<void>) | undefined): Promise<void> => {
    await work?.().catch((error: unknown) => late.push(error))
  }
  if (threw && printsDocument(exit)) {
    const failure: Item = failureItem(command.name, errors, exit)
    // A table is for people, who have the errors on stderr
    const shown = output.format === 'table' ? { ...output, stdout: undefined } : output
    await attempt(() => emit({ items: [failure] }, shown))
  }
  await attempt(printsDocument(exit) ? output.resultFile?.commit : output.resultFile?.discard)
  if (late.length > 0) exit = strongest([exit, ...late.map((error) => errorObject(error).exit as ExitCode)])
  const told = [...errors, ...late].filter(
    (error) => !(error instanceof CarryallError && error.code === 'PIPE_CLOSED'),
  )
  reportErrors(lines, told, report)
  if (report.format === 'text' && told.some(wantsUsage)) {
    for (const line of synopsis(command, verb).split('\n')) lines.write(`usage: ${line}`)
    lines.write(`       ${command.name} -h shows flags and examples`)
  }
  // A reader that has gone is no failure of the work, and takes nothing away from one
  return exit === Exit.OK && stdout.closed ? Exit.SIGPIPE : exit
}

/** What a thrown error means: after a signal the signal first, and nothing but it where the error only says "aborted". */
function causesOf(error: unknown, signal: AbortSignal, stdout: Stdout): readonly unknown[] {
  if (signal.aborted) {
    const echo =
      error === signal.reason ||
      (error instanceof Error && (error.name === 'AbortError' || error.cause === signal.reason))
    return echo ? [signal.reason] : [signal.reason, error]
  }
  // Several failures at once, such as images that cannot be read, are told one by one
  if (error instanceof AggregateError) return error.errors
  return [
    isGone(error) && stdout.closed
      ? new CarryallError('PIPE_CLOSED', 'The reader of stdout has gone')
      : error,
  ]
}

function wantsUsage(error: unknown): boolean {
  return (
    error instanceof CarryallError &&
    (error.code === 'USAGE_MISSING_OPERAND' || error.code === 'USAGE_EXTRA_OPERAND')
  )
}

/** The verb that a command line which cannot be parsed seems to mean. */
function namedVerb(command: Command, argv: readonly string[]): AnyVerb | undefined {
  const word = argv.find((one) => !one.startsWith('-'))
  return command.verbs.find((verb) => verb.name === word)
}
