import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile, ensureDirectory } from '@carryall/durable'
import type { Pair } from './pairs.ts'

/** Bytes that say something about a rate: below, it is the latency that was measured. */
const ENOUGH = 16 * 1024 * 1024

type Rates = Readonly<Record<string, number>>

const fileIn = (stateDir: string): string => join(stateDir, 'reg-sync', 'rates.json')

/** Bytes per second of the last run to the first of these destinations; undefined where there was none. */
export async function lastRate(
  stateDir: string,
  pairs: readonly Pick<Pair, 'destination'>[],
): Promise<number | undefined> {
  const rates = await readRates(stateDir)
  const registry = pairs[0]?.destination.registry ?? ''
  return Object.hasOwn(rates, registry) ? rates[registry] : undefined
}

/** Keeps the rate of a run for the estimates of later ones. A small run says nothing. */
export async function keepRate(
  stateDir: string,
  registry: string,
  bytes: number,
  seconds: number,
): Promise<void> {
  if (bytes < ENOUGH || seconds <= 0) return
  const rates = { ...(await readRates(stateDir)), [registry]: Math.round(bytes / seconds) }
  await ensureDirectory(join(stateDir, 'reg-sync'))
  await commitFile(fileIn(stateDir), `${JSON.stringify(rates)}\n`)
}

/** An estimate is all that it is for: what cannot be read counts as none. */
async function readRates(stateDir: string): Promise<Rates> {
  try {
    const rates = JSON.parse(await readFile(fileIn(stateDir), 'utf8')) as unknown
    const entries = Object.entries(rates ?? {}).filter(([, rate]) => typeof rate === 'number' && rate > 0)
    return Object.fromEntries(entries) as Rates
  } catch {
    return {}
  }
}
