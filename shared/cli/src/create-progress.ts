import { jsonProgress } from './json-progress.ts'
import type { Lines } from './messages.ts'
import { plainProgress } from './plain-progress.ts'
import type { Phase, Progress } from './progress.ts'
import { terminalProgress, type TerminalOptions } from './terminal-progress.ts'

/** A form of progress; `close` waits until its last line is out. */
export interface ProgressDisplay extends Progress {
  close(): Promise<void>
}

export interface ProgressOptions extends TerminalOptions {
  readonly tool: string
  /** `--progress`. */
  readonly mode: 'auto' | 'plain' | 'json' | 'none'
  readonly quiet: boolean
  readonly logFormat: 'text' | 'json'
  readonly terminal: boolean
  now(): Date
}

/** Progress as `--progress` asks for it; `auto` is quiet with -q, JSON where the log is, live on a terminal, else plain. */
export function createProgress(lines: Lines, options: ProgressOptions): ProgressDisplay {
  return onePhaseAtATime(display(lines, options))
}

function display(
  lines: Lines,
  { mode, quiet, logFormat, terminal, tool, now, ...options }: ProgressOptions,
): ProgressDisplay {
  const chosen =
    mode !== 'auto' ? mode : quiet ? 'none' : logFormat === 'json' ? 'json' : terminal ? 'live' : 'plain'
  if (chosen === 'none') return silentProgress
  if (chosen === 'json') return jsonProgress(lines, tool, now, options.ticks)
  return chosen === 'live' ? terminalProgress(lines, options) : plainProgress(lines, options.ticks)
}

const silentPhase: Phase = { started() {}, advanced() {}, finished() {}, failed() {}, end() {} }
const silentProgress: ProgressDisplay = { phase: () => silentPhase, close: async () => {} }

/** Ends a phase once, at the latest when the next begins or all is over, however its verb was left. */
function onePhaseAtATime(inner: ProgressDisplay): ProgressDisplay {
  let endLast = (): void => {}
  return {
    phase(title, total) {
      endLast()
      const phase = inner.phase(title, total)
      let open = true
      const end = (): void => {
        if (open) phase.end()
        open = false
      }
      endLast = end
      return { ...phase, end }
    },
    close() {
      endLast()
      return inner.close()
    },
  }
}
