import type { Readable, Writable } from 'node:stream'
import type { ExitCode } from '@carryall/errors'
import type { Flags, FlagValues } from './flags.ts'
import type { Log } from './log.ts'
import type { Progress } from './progress.ts'
import type { ReceiveOptions, Received } from './input.ts'

/** A tool: its name, what it is for, and one verb or several. `main` runs it; tests run it with their own host. */
export interface Command {
  readonly name: string
  readonly version: string
  readonly summary: string
  readonly verbs: readonly AnyVerb[]
}

/** One action of a tool. A tool with a single action has one verb named ''. */
export interface Verb<F extends Flags = Flags> {
  readonly name: string
  readonly summary: string
  /** For the synopsis, e.g. `[SEQUENCE...]`. */
  readonly operands: { readonly synopsis: string; readonly min: number; readonly max: number }
  /** Document kinds it takes and writes: `--schema=KIND` knows these. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /** True if it writes anything but documents: gives it `-n, --dry-run`. */
  readonly effects: boolean
  /** A toggle named `stdout`, when on, gives stdout to payload: documents then go to `--result FILE` alone. */
  readonly flags: F
  readonly examples: readonly Example[]
  /** Loads the verb and runs it; heavy packages are imported in here. */
  run(context: Context, flags: FlagValues<F>, operands: readonly string[]): Promise<Outcome>
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of verbs, each with its own flags
export type AnyVerb = Verb<any>

export interface Example {
  readonly command: string
  readonly what: string
}

/** Everything of the outer world that a verb may use. Nothing in a tool reads `process`. */
export interface Context {
  readonly tool: { readonly name: string; readonly version: string }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: Readable
  /** Somebody writes to stdin: it is a pipe or a file. */
  readonly stdinIsInput: boolean
  /** For payload with `--stdout` only; documents are returned, never written. */
  readonly stdout: Writable
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
  readonly log: Log
  readonly progress: Progress
  readonly dryRun: boolean
  /** Seconds to wait for a lock. */
  readonly waitSeconds: number
  readonly stateDir: string
  /** Directory of the system's own files, such as the trust file: /etc/carryall. */
  readonly etc: string
  /** Flags given that weaken a check or overwrite, for the audit log: `allow-expired`, `dest-tls-verify=false`. */
  readonly overrides: readonly string[]
  /** The wall clock, or SOURCE_DATE_EPOCH where that is set: for what documents say. */
  now(): Date
  /** The wall clock, whatever the environment says: for what is judged and recorded. */
  clock(): Date
  /**
   * Asks for a secret at the terminal, which shows nothing of it; `redact` masks it from then on. Throws
   * USAGE_MISSING_OPERAND where there is no terminal, INTERRUPTED at Ctrl-C, and the signal's reason.
   */
  askSecret(prompt: string): Promise<string>
  /**
   * Documents from operands (paths, `-`) or, without operands, from stdin; of these kinds only, `result.ok: false` refused.
   * Without kinds any document that says its kind, which nothing has checked against a schema.
   */
  documents(
    operands: readonly string[],
    kinds?: readonly string[],
    options?: ReceiveOptions,
  ): AsyncIterable<Received>
}

/** The outcome of one item: on the pipe it is the key `result` of the document. */
export interface Result {
  readonly ok: boolean
  readonly changed: boolean
  readonly [key: string]: unknown
}

export interface Item {
  /** As it is in its file. */
  readonly document: object
  /** Left out for the lines of a plain list, such as Image. */
  readonly result?: Result
}

/** What a verb returns. An exit other than 0 needs `errors`, which are shown on stderr. */
export interface Outcome {
  readonly items: Iterable<Item> | AsyncIterable<Item>
  readonly exit?: ExitCode
  readonly errors?: readonly unknown[]
  /** For `-o table`: header and rows; without it a table of the items' top-level scalars is shown. */
  readonly table?: (items: readonly Item[]) => Table
}

export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** Lines shown under the table, such as what to do next. */
  readonly notes?: readonly string[]
}
