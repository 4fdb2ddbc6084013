// Measures the tools against their peers: see README.md.
import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { compete, type Result } from './compete.ts'
import { plannedContests } from './contests.ts'
import { machine } from './machine.ts'
import { type BenchOptions, parseOptions, USAGE } from './options.ts'
import { openStage } from './stage.ts'
import { table } from './table.ts'

const NEEDED_BYTES = { S: 1e9, L: 12e9 }
const ENOUGH_ROUNDS = 5

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code))

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') process.stdout.write(USAGE)
  else await bench(options)
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function bench({ rounds, only, sets, json, gate }: BenchOptions): Promise<void> {
  const host = await machine()
  await using stage = await openStage(sets.has('L') ? NEEDED_BYTES.L : NEEDED_BYTES.S)
  const load = [loadavg()[0]!]
  const results: Result[] = []
  for (const { letter, prepare } of plannedContests(sets)) {
    if (!only.has(letter)) continue
    results.push(await compete(await prepare(stage), rounds, (text) => process.stderr.write(`${text}\n`)))
  }
  load.push(loadavg()[0]!)
  const facts = Object.fromEntries(
    await Promise.all([...sets].map(async (set) => [set, (await stage.storage(set)).facts] as const)),
  )
  process.stdout.write(
    `${host.cores} cores (${host.processor}), Node ${host.node}, ${host.skopeo}, ${rounds} rounds, load ${load.map((each) => each.toFixed(1)).join(' to ')}\n`,
  )
  if (rounds < ENOUGH_ROUNDS)
    process.stdout.write(`Fewer than ${ENOUGH_ROUNDS} rounds: an indication, no more\n`)
  process.stdout.write(`\n${table(results)}`)
  if (json !== undefined)
    await writeFile(json, `${JSON.stringify({ ...host, rounds, load, sets: facts, results }, null, 2)}\n`)
  if (gate && results.some((result) => result.met === false)) process.exitCode = 1
}
