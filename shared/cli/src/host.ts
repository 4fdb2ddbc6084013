import type { Readable, Writable } from 'node:stream'

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** The terminal of the process while it answers a question: keys come as they are typed, and nothing of them is shown. */
export interface Terminal {
  readonly input: Readable
  write(text: string): void
  /** Gives the terminal back as it was. */
  close(): void
}

/** What `run` needs of the process around it; `main` takes it from `process`, tests make their own. */
export interface Host {
  /** Without the program and the script. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: Readable
  /** `none` is anything that nobody writes to, such as /dev/null. */
  readonly stdinKind: 'terminal' | 'pipe' | 'file' | 'none'
  readonly stdout: Writable
  readonly stderr: Writable
  readonly stdoutIsTerminal: boolean
  readonly stderrIsTerminal: boolean
  /** Opens the terminal of the process, whatever stdin is; undefined where it has none. */
  openTerminal(): Terminal | undefined
  /** Width of the terminal. */
  readonly columns: number
  readonly uid: number
  /** Directory of the system's settings: /etc/carryall. */
  readonly etc: string
  /** Version of Node, for `--version -o json`. */
  readonly node: string
  now(): Date
  /** A clock that never goes back, in milliseconds. */
  ticks(): number
  /** Calls `listener` at each signal; gives back what stops that. */
  onSignal(listener: (signal: SignalName) => void): () => void
  /** Ends the process at once, as the signal itself would. */
  endBy(signal: SignalName): void
}
