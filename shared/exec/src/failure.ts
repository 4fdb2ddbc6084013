import { CarryallError, escapeControls, fromSystemError } from '@carryall/errors'

const STDERR_KEPT = 4096

/** How a program ended, as far as an error tells it. */
export interface Ending {
  readonly exitCode?: number
  readonly signal?: string
  readonly timedOut: boolean
  readonly isMaxBuffer: boolean
  /** Why the program could not be started, or its pipes not be used. */
  readonly cause?: unknown
}

/** The error for a program that did not do its work: what happened, its last message, and the end of stderr as the cause. */
export function failure(
  program: string,
  ending: Ending,
  context: { readonly stderr: string; readonly timeoutMs: number; readonly maxBytes: number },
): unknown {
  const tail = escapeControls(Buffer.from(context.stderr).subarray(-STDERR_KEPT).toString('utf8')).trim()
  const subject = { kind: 'program', name: program } as const
  const cause = tail === '' ? ending.cause : new Error(tail)
  const said = tail === '' ? '' : `: ${tail.split('\n').at(-1)}`
  if (ending.timedOut) {
    return new CarryallError(
      'EXEC_TIMEOUT',
      `Program "${program}" did not end in ${context.timeoutMs / 1000} s${said}`,
      {
        hint: 'Run it by hand to see what it waits for',
        subject,
        cause,
      },
    )
  }
  if (ending.isMaxBuffer) {
    return new CarryallError(
      'EXEC_FAILED',
      `Program "${program}" wrote more than ${context.maxBytes} bytes`,
      {
        subject,
        expected: context.maxBytes,
        cause,
      },
    )
  }
  const actual = ending.exitCode ?? ending.signal
  if (actual === undefined) return notStarted(program, ending.cause)
  const how = ending.exitCode === undefined ? `was killed by ${actual}` : `failed with exit ${actual}`
  return new CarryallError('EXEC_FAILED', `Program "${program}" ${how}${said}`, { subject, actual, cause })
}

function notStarted(program: string, cause: unknown): unknown {
  const error = fromSystemError(cause, `start the program "${program}"`, {
    subject: { kind: 'program', name: program },
  })
  return error ?? new CarryallError('EXEC_FAILED', `Program "${program}" could not be started`)
}
