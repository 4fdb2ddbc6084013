import type { Item, Outcome } from './command.ts'
import type { OutputFormat } from './common-flags.ts'
import type { ResultFile } from './result-file.ts'
import { serializer, type Style } from './serialize.ts'
import type { Stdout } from './stdout.ts'
import { formatTable, plainTable } from './table.ts'

export interface OutputOptions {
  /** Undefined where payload has stdout: documents then go to the result file alone. */
  readonly stdout: Stdout | undefined
  readonly stdoutIsTerminal: boolean
  readonly format: OutputFormat
  readonly resultFile: ResultFile | undefined
  /** A reader that has gone stops a verb without effects; any other is finished first. */
  readonly effects: boolean
}

/**
 * Writes the items of an outcome as they come, each waiting for its reader: JSON in lines (indented where one looks at
 * it), YAML documents, or a table at the end. The result file gets the same, a table excepted, which becomes JSON.
 */
export async function emit(outcome: Pick<Outcome, 'items' | 'table'>, options: OutputOptions): Promise<void> {
  const { stdout, format, resultFile, effects } = options
  const show = await serializer(styleOf(options))
  const save = await serializer(format === 'yaml' ? 'yaml' : 'compact')
  const kept: Item[] = []
  let index = 0
  for await (const item of outcome.items) {
    await resultFile?.write(save(item, index))
    if (format === 'table') kept.push(item)
    else await stdout?.write(show(item, index))
    index++
    if (stdout?.closed && !effects) break
  }
  if (format === 'table' && kept.length > 0)
    await stdout?.write(formatTable((outcome.table ?? plainTable)(kept)))
}

function styleOf({ format, stdoutIsTerminal }: OutputOptions): Style {
  if (format === 'yaml') return 'yaml'
  return format === 'json' && stdoutIsTerminal ? 'pretty' : 'compact'
}
