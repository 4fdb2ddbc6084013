import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { output, readTree } from '../harness/index.ts'

/** What a content directory holds, read without the product. */
export interface State {
  /** Its sequences by name: each path in them with mode, size and sha256. */
  readonly sequences: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Every other path in it: what is in `.carryall`, and names that are none of ours. */
  readonly others: readonly string[]
  /** What may not be at any moment. */
  readonly faults: readonly string[]
  /** The number in head.json, undefined where there is none. */
  readonly head: number | undefined
}

/** Reads a content directory, which may be absent. With `drawnId` the random id of the chain, and its traces, are left out. */
export async function readState(content: string, drawnId = false): Promise<State> {
  const top = await readdir(content).catch(() => [] as string[])
  const names = top.filter((name) => numberOf(name) > 0).toSorted()
  const sequences: Record<string, Record<string, string>> = {}
  const faults: string[] = []
  for (const name of names) {
    const directory = join(content, name)
    const mode = ((await stat(directory)).mode & 0o7777).toString(8)
    sequences[name] = { '.': `directory ${mode}`, ...(await readTree(directory)) }
    if (drawnId) Object.assign(sequences[name], await withoutId(directory))
    faults.push(...(await sumFaults(directory)).map((fault) => `${name}: ${fault}`))
  }
  const own = await readdir(join(content, '.carryall'), { recursive: true }).catch(() => [])
  const others = [
    ...top.filter((name) => !names.includes(name)),
    ...own.map((name) => join('.carryall', name)),
  ]
  const head = await readHead(content, names)
  return { sequences, others: others.toSorted(), faults: [...faults, ...head.faults], head: head.number }
}

function numberOf(name: string): number {
  return Number(/^seq(\d+)-/.exec(name)?.[1] ?? 0)
}

/** `sha256sum` has to agree with all that is there, and with nothing else. */
async function sumFaults(directory: string): Promise<readonly string[]> {
  const script = 'cd "$1" && sha256sum --check --strict --quiet SHA256SUMS >&2'
  const faults: string[] = []
  await output('sh', '-c', script, 'sh', directory).catch((error: Error) => faults.push(error.message))
  const sums = await readFile(join(directory, 'SHA256SUMS'), 'utf8').catch(() => '')
  const named = [...sums.matchAll(/^[0-9a-f]{64} {2}(.+)$/gm)].map(([, name]) => name).join()
  const there = (await readdir(directory)).filter((name) => name !== 'SHA256SUMS').toSorted()
  if (there.join() !== named) faults.push(`it holds ${there.join()}, its sums are of ${named}`)
  return faults
}

/** The head is whole, of this directory, and at the newest sequence, or at the one before: a run that was cut after its rename. */
async function readHead(
  content: string,
  names: readonly string[],
): Promise<{ number: number | undefined; faults: readonly string[] }> {
  const newest = Math.max(0, ...names.map(numberOf))
  const text = await readFile(join(content, '.carryall', 'head.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return { number: undefined, faults: newest === 0 ? [] : ['there is no head.json'] }
  const head = JSON.parse(text) as Record<string, unknown>
  const number = Number(head['sequence_number'])
  const named = names.find((name) => numberOf(name) === number)
  const { ino, birthtimeNs } = await stat(content, { bigint: true })
  const digest = named && `sha256:${await sha256(join(content, named, 'seq-metadata.yaml'))}`
  const faults: string[] = []
  if (number !== newest && number !== newest - 1) faults.push(`head.json is at ${number}, not at ${newest}`)
  if (number <= newest && head['metadata_digest'] !== digest)
    faults.push(`head.json has ${String(head['metadata_digest'])}, not ${digest}`)
  if (head['inode'] !== String(ino) || head['born'] !== String(birthtimeNs))
    faults.push('head.json is of another directory')
  return { number, faults }
}

async function withoutId(directory: string): Promise<Record<string, string>> {
  const text = (name: string) => readFile(join(directory, name), 'utf8').catch(() => 'absent')
  return {
    'seq-metadata.yaml': (await text('seq-metadata.yaml')).replace(/^ {2}id: [0-9a-f-]{36}$/m, '  id: drawn'),
    SHA256SUMS: (await text('SHA256SUMS')).replace(/^[0-9a-f]{64}(?= {2}seq-metadata\.yaml$)/m, 'drawn'),
  }
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}
