import type { Result, SideResult } from './compete.ts'
import type { Requests } from './count-requests.ts'
import type { Spread } from './spread.ts'

const HEAD = [
  'measure',
  'side',
  'wall s (min-max)',
  'CPU s',
  'peak MB',
  'requests',
  'ratio',
  'CPU',
  'goal',
  '',
]

/** The results for people: two lines each, ours first. */
export function table(results: readonly Result[]): string {
  const rows = [HEAD, ...results.flatMap((result) => [ownRow(result), peerRow(result)])]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function ownRow(result: Result): string[] {
  const { letter, title, own, ratio, cpuRatio, goal, memoryGoal, met } = result
  const limits = [
    goal === undefined ? '' : `<= ${goal.toFixed(2)}`,
    memoryGoal === undefined ? '' : `<= ${memoryGoal} MB`,
  ]
  const verdict = met === undefined ? '' : met ? 'ok' : 'missed'
  return [
    `${letter} ${title}`,
    ...cells(own),
    ratio.toFixed(3),
    cpuRatio.toFixed(2),
    limits.filter(Boolean).join(', '),
    verdict,
  ]
}

function peerRow({ peer }: Result): string[] {
  return ['', ...cells(peer), '', '', '', '']
}

function cells({ name, wallSeconds, cpuSeconds, peakMegabytes, runs }: SideResult): string[] {
  const { source, destination } = runs[0]!
  const requests = [counts('from', source), counts('to', destination)].filter(Boolean).join(', ')
  return [name, seconds(wallSeconds), cpuSeconds.median.toFixed(2), peakMegabytes.max.toFixed(0), requests]
}

function seconds({ median, min, max }: Spread): string {
  const digits = median < 1 ? 3 : 2
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}

function counts(label: string, requests: Requests | undefined): string {
  if (requests === undefined) return ''
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0)
  return `${label} ${total}: ${Object.entries(requests)
    .map(([method, count]) => `${method} ${count}`)
    .join(' ')}`
}
