import { CarryallError, Exit } from '@carryall/errors'
import type { Command } from './command.ts'
import { earlyReport } from './early-values.ts'
import type { Host } from './host.ts'
import { createLines } from './messages.ts'
import { processHost } from './process-host.ts'
import { reportErrors } from './report-error.ts'
import { run } from './run.ts'

/**
 * The whole of a `bin.ts`: runs the tool in this process and sets its exit code. What nobody caught ends it with 70, and
 * so does a verb that is never settled, which Node would let end with 0.
 */
export function main(command: Command): void {
  const host = processHost()
  let settled = false
  process.exitCode = Exit.SOFTWARE
  process.on('uncaughtException', (error) => {
    settled = true
    tell(command, host, error)
    // The one exit: nothing may go on after this, and 70 prints no document that it could cut
    process.exit(Exit.SOFTWARE)
  })
  process.on('exit', () => {
    if (!settled)
      tell(
        command,
        host,
        new CarryallError('INTERNAL', 'Ended while still waiting for something that never came'),
      )
  })
  void run(command, host).then((exit) => {
    settled = true
    host.release()
    process.exitCode = exit
  })
}

function tell(command: Command, host: Host, error: unknown): void {
  reportErrors(createLines(host.stderr), [error], earlyReport(command, host))
}
