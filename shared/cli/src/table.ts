import type { Item, Table } from './command.ts'
import { oneLine } from './messages.ts'

type Cell = string | number

/** Columns two spaces apart, numbers to the right, notes below; safe for a terminal. Empty for a table without rows. */
export function formatTable({ columns, rows, notes = [] }: Table): string {
  const cells = rows.map((row) => row.map((cell) => oneLine(String(cell))))
  const heading = columns.some((column) => column !== '')
    ? [columns.map((column) => column.toUpperCase())]
    : []
  const lines = [...heading, ...cells]
  const widths = columns.map((_, at) => Math.max(0, ...lines.map((line) => line[at]?.length ?? 0)))
  const right = columns.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number'))
  const text = (rows.length === 0 ? [] : lines).map((line) =>
    line
      .map((cell, at) => (right[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd(),
  )
  return [...text, ...(notes.length > 0 && text.length > 0 ? [''] : []), ...notes.map(oneLine)]
    .map((line) => `${line}\n`)
    .join('')
}

/** The top-level scalars of the items: one row each, or for a single item one row a key. */
export function plainTable(items: readonly Item[]): Table {
  const rows = items.map(({ document }) => scalars(document))
  if (rows.length === 1) return { columns: ['', ''], rows: [...rows[0]!] }
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  return { columns, rows: rows.map((row) => columns.map((column) => row.get(column) ?? '')) }
}

function scalars(document: object): Map<string, Cell> {
  return new Map(
    Object.entries(document)
      .filter(
        ([key, value]) =>
          key !== 'apiVersion' && key !== 'kind' && ['string', 'number', 'boolean'].includes(typeof value),
      )
      .map(([key, value]) => [key, typeof value === 'number' ? value : String(value)]),
  )
}
