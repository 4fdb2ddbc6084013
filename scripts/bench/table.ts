import type { Result, SideResult } from './compete.ts'
import { spread, type Spread } from './spread.ts'
import type { Served } from './watch-registry.ts'

const HEAD = [
  'measure',
  'side',
  'wall s (min-max)',
  'CPU s',
  'peak MB',
  'registry: requests, CPU s',
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
  const { letter, title, own, ratio, cpuRatio, met } = result
  const { goal, differenceGoal, cpuGoal, requestsGoal, memoryGoal } = result
  const limits = [
    goal === undefined ? '' : `<= ${goal.toFixed(2)}`,
    differenceGoal === undefined ? '' : `<= +${differenceGoal.toFixed(2)} s`,
    cpuGoal === undefined ? '' : `<= ${cpuGoal} s CPU`,
    requestsGoal === undefined ? '' : `<= ${requestsGoal} requests`,
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
  const registries = (['source', 'destination'] as const).map((role) =>
    registry(
      role,
      runs.flatMap((run) => run[role] ?? []),
    ),
  )
  return [
    name,
    seconds(wallSeconds),
    cpuSeconds.median.toFixed(2),
    peakMegabytes.max.toFixed(0),
    registries.filter(Boolean).join('; '),
  ]
}

function seconds({ median, min, max }: Spread): string {
  const digits = median < 1 ? 3 : 2
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}

/** Requests of the first run, and the median of the processor time that they cost the registry. */
function registry(role: string, served: readonly Served[]): string {
  if (served.length === 0) return ''
  const counts = Object.entries(served[0]!.requests)
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  const cpu = spread(served.map((each) => each.cpuSeconds)).median
  return `${role} ${total} (${counts.map(([method, count]) => `${method} ${count}`).join(' ')}), ${cpu.toFixed(2)}`
}
