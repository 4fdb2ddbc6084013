import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { readTree } from '../harness/index.ts'
import { filesOf } from './medium.ts'
import type { Picture } from './picture.ts'
import { sumFaults, type Summed } from './sum-faults.ts'

/** Below the directory of a far side: `content`, `state` and `receipt.json`, as `transfer-unpack` is told. */
export async function readFarSide(root: string): Promise<Picture> {
  const paths = await readdir(root, { recursive: true }).catch(() => [] as string[])
  const whole: Record<string, unknown> = {}
  const memory: Record<string, unknown> = {}
  const shipments = paths.filter((path) => SHIPMENT.test(path)).toSorted()
  const published: Summed[] = []
  for (const path of shipments) {
    const directory = join(root, path)
    const tree = await readTree(directory)
    whole[path] = { '.': (await stat(directory)).mode & 0o7777, ...tree }
    if (!path.includes('.carryall')) published.push([directory, filesOf(tree)])
  }
  const faults = [...(await sumFaults(published))]
  const known = paths.filter((path) => !shipments.some((one) => path === one || path.startsWith(`${one}/`)))
  for (const path of known) {
    const text = async () => readFile(join(root, path), 'utf8')
    if (path === 'receipt.json') whole[path] = { ...(JSON.parse(await text()) as object), ...OF_THIS_RUN }
    else if (/^state\/chains\/[^.][^/]*$/.test(path))
      memory[path] = { ...(JSON.parse(await text()) as object), last_seen: 'left out' }
    else if (path.endsWith('.carryall/head.json'))
      memory[path] = { ...(JSON.parse(await text()) as object), ...OF_THIS_COPY }
    else if (path === 'state/audit.ndjson') {
      const log = readLog(await text())
      memory[path] = log.landed
      faults.push(...log.faults)
    }
  }
  const others = known.filter((path) => !(path in whole) && !(path in memory) && !BESIDE_RECEIPT.test(path))
  return { whole, memory, others: others.toSorted(), faults }
}

/** Shipments that the audit log says have landed, by their path. */
export async function reportedLandings(root: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'state', 'audit.ndjson'), 'utf8').catch(() => '')
  return (text.match(/.*\n/g) ?? []).map((line) => {
    const { target, subject } = JSON.parse(line) as Entry
    return relative(root, join(target, subject.name))
  })
}

const SHIPMENT = /^content\/[^/.]+\/(?:\.carryall\/(?:headstones|passed)\/)?seq[^/]*$/
/** The directory of the receipt is the operator's, and no lock guards it: what a killed run leaves there stays. */
const BESIDE_RECEIPT = /^\.carryall-tmp-[^/]*$/
/** What a receipt says of when it was written. */
const OF_THIS_RUN = { audit_head: 'left out', time: 'left out' }
const OF_THIS_COPY = { inode: 'left out', born: 'left out' }

interface Entry {
  readonly previous?: string
  readonly action: string
  readonly outcome: string
  readonly target: string
  readonly subject: { readonly name: string; readonly digest: string }
}

/** What the audit log says has landed, each once; every line names the one before it. A cut last line is for the next run. */
function readLog(text: string): { readonly landed: readonly string[]; readonly faults: readonly string[] } {
  const landed = new Set<string>()
  const faults: string[] = []
  let previous: string | undefined
  for (const line of text.match(/.*\n/g) ?? []) {
    const entry = JSON.parse(line) as Entry
    if (entry.previous !== previous) faults.push(`the audit log does not go on from ${previous}: ${line}`)
    previous = `sha256:${createHash('sha256').update(line).digest('hex')}`
    if (entry.action === 'land' && entry.outcome === 'done') landed.add(entry.subject.digest)
    else faults.push(`the audit log has ${line}`)
  }
  return { landed: [...landed].toSorted(), faults }
}
