import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const BUNDLE = resolve(import.meta.dirname, '../tools/seq-meta/dist/seq-meta.cjs')
/** Times of `node -e 0`. A ratio, since the time itself is the machine's. */
const LIMIT = 2.5
const RUNS = 15
const TRIES = 8

let folder: string
let shipment: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryall-startup-'))
  shipment = join(folder, 'content/seq1-baseline')
  await mkdir(shipment, { recursive: true })
  await writeFile(join(shipment, 'seq-metadata.yaml'), metadata())
})

afterAll(() => rm(folder, { recursive: true }))

test.each([
  { name: '--version', args: () => ['--version'] },
  { name: 'show', args: () => ['show', shipment] },
])(
  `seq-meta $name starts in at most ${LIMIT} times the time of node -e 0`,
  { timeout: 120_000 },
  ({ args }) => {
    let best = Infinity
    for (let attempt = 0; attempt < TRIES && best > LIMIT; attempt++)
      best = Math.min(best, ratio([BUNDLE, ...args()]))
    expect(best).toBeLessThanOrEqual(LIMIT)
  },
)

/** Median time of a command over the median of `node -e 0`; the two take turns, so that a busy host slows both. */
function ratio(args: readonly string[]): number {
  milliseconds(args)
  const pairs = Array.from({ length: RUNS }, () => [milliseconds(['-e', '0']), milliseconds(args)] as const)
  return median(pairs.map(([, ours]) => ours)) / median(pairs.map(([bare]) => bare))
}

function milliseconds(args: readonly string[]): number {
  // As the launchers run it.
  const env = { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: join(folder, 'cache') }
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  const elapsed = performance.now() - start
  if (status !== 0) throw new Error(`${args.join(' ')} failed with ${status}: ${stderr}`)
  return elapsed
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

function metadata(): string {
  const files = Array.from(
    { length: 20 },
    (_, index) => `  - path: mirror_${String(index + 1).padStart(6, '0')}.tar
    size_bytes: 4294967296
    sha256: '${index.toString(16).padStart(64, '0')}'
`,
  )
  return `apiVersion: carryall/v1
kind: Sequence
chain:
  id: 3f0c5a52-6f0d-4d11-9b39-0a4a4e6f3c55
  name: content
sequence_number: 1
name: seq1-baseline
description: baseline
timestamp: '2024-08-18T14:30:00Z'
content_type: baseline
complete: true
dependencies: []
tool:
  name: mirror-seq
  version: 1.0.0
config_file: imageset-config.yaml
config_source: imageset-config.yaml
images: 2
blobs:
  needed: 20
  held: 20
  borrowed: 0
  needed_bytes: 85899345920
  held_bytes: 85899345920
  borrowed_bytes: 0
archives: []
air_gapped_transfer:
  complete: true
  dependencies: []
  transfer_size: 85.9G
  transfer_size_bytes: 85899345920
  cumulative_size: 85.9G
  cumulative_size_bytes: 85899345920
files:
${files.join('')}`
}
