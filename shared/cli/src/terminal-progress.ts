import type { ProgressDisplay } from './create-progress.ts'
import type { Lines } from './messages.ts'
import { oneLine } from './messages.ts'
import { failureNote } from './plain-progress.ts'
import { Tally } from './tally.ts'

const REFRESH_MS = 200

export interface TerminalOptions {
  readonly ticks: () => number
  readonly color: boolean
  readonly columns: () => number
  write(text: string): void
}

/**
 * One listr2 task a phase, whose output line has the numbers and the items in work: never a bar per layer. listr2 is
 * loaded at the first phase. Messages that come meanwhile are put above it.
 */
export function terminalProgress(lines: Lines, options: TerminalOptions): ProgressDisplay {
  let shown = Promise.resolve()
  return {
    phase(title, total = {}) {
      const tally = new Tally(title, total, options.ticks)
      const ended = Promise.withResolvers<void>()
      shown = shown
        .then(() => show(tally, ended.promise, lines, options))
        // A display that breaks must not take the work with it
        .catch(() => {
          lines.through = undefined
        })
      return {
        started: (item) => tally.start(item),
        advanced: (bytes) => tally.advance(bytes),
        finished: (item) => tally.end(item, false),
        failed(item, error) {
          tally.end(item, true)
          lines.write(oneLine(`${item}  ${failureNote(error)}`))
        },
        end: ended.resolve,
      }
    },
    close: () => shown,
  }
}

async function show(
  tally: Tally,
  ended: Promise<void>,
  lines: Lines,
  { color, columns, write }: TerminalOptions,
): Promise<void> {
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import('listr2')
  const terminal = stderrOnly(write, columns, color)
  class LiveRenderer extends DefaultRenderer {
    // listr2 asks whether stdout is a terminal; it is stderr that matters here
    static override nonTTY = true
    override async render(): Promise<void> {
      await super.render()
      // What is written meanwhile goes above the live lines, which are then drawn anew
      lines.through = (line) => (this['updater'] as { persist(text: string): void }).persist(line)
    }
    override end(): void {
      lines.through = undefined
      super.end()
    }
  }
  const task = {
    title: tally.title,
    rendererOptions: { outputBar: true },
    task: async (_: unknown, live: { title: string; output: string }): Promise<void> => {
      const refresh = (): void => void (live.output = oneLine(`${tally.status}${inWork(tally)}`))
      const timer = setInterval(refresh, REFRESH_MS)
      refresh()
      await ended
      clearInterval(timer)
      live.title = oneLine(tally.summary)
      if (tally.failures > 0) throw new Error(live.title)
    },
  }
  await new Listr([task], {
    renderer: LiveRenderer,
    rendererOptions: {
      formatOutput: 'truncate',
      logger: new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(terminal, terminal) }),
    },
    exitOnError: false,
    // Its own handler would end the process with 127
    registerSignalListeners: false,
  }).run()
}

function inWork({ inWork: items }: Tally): string {
  const [first, second, ...more] = items
  const names = [first, second].filter((name) => name !== undefined).join(', ')
  return names === '' ? '' : `  ${names}${more.length === 0 ? '' : ` +${more.length}`}`
}

/** What listr2 gets for both of its streams, so that nothing of it reaches stdout. Only the members that it uses. */
function stderrOnly(
  write: (text: string) => void,
  columns: () => number,
  color: boolean,
): NodeJS.WriteStream {
  // eslint-disable-next-line no-control-regex -- colours are control sequences
  const paint = (text: string): string => (color ? text : text.replaceAll(/\u001b\[[0-9;]*m/g, ''))
  const stream = {
    isTTY: true,
    get columns() {
      return columns()
    },
    write: (text: string | Uint8Array): boolean => {
      write(paint(typeof text === 'string' ? text : Buffer.from(text).toString()))
      return true
    },
  }
  return stream as unknown as NodeJS.WriteStream
}
