import { createHash } from 'node:crypto'
import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInProcess } from '@carryall/cli/testing'
import type { ErrorObject } from '@carryall/errors'
import type { AuditEntry, ChainState } from '@carryall/schemas'
import { command } from '@carryall/transfer-unpack'
import type { Installed } from './bundles.ts'
import { run } from './run.ts'
import { CHAIN } from './transfer-world.ts'

/** A far side: its content root and what it remembers. */
export interface Far {
  readonly content: string
  readonly state: string
}

export const farAt = (root: string): Far => ({ content: join(root, 'content'), state: join(root, 'state') })
export const chainDirectory = (far: Far): string => join(far.content, CHAIN.name)
export const stateFile = (far: Far, chain = CHAIN.id): string => join(far.state, 'chains', `${chain}.json`)

/** A copy of a far side, as if it were the original: its content directories say that they are themselves. */
export async function cloneFar(far: Far, root: string): Promise<Far> {
  const copy = farAt(root)
  for (const part of ['content', 'state'] as const)
    if ((await stat(far[part]).catch(() => undefined)) !== undefined)
      await cp(far[part], copy[part], { recursive: true })
  for (const chain of await readdir(copy.content).catch(() => [])) await adoptHead(join(copy.content, chain))
  return copy
}

/** Lets the head of a copied content directory name the copy. */
export async function adoptHead(directory: string): Promise<void> {
  const file = join(directory, '.carryall/head.json')
  const head = JSON.parse(await readFile(file, 'utf8')) as object
  const { ino, birthtimeNs } = await stat(directory, { bigint: true })
  await writeFile(file, `${JSON.stringify({ ...head, inode: String(ino), born: String(birthtimeNs) })}\n`)
}

/** Every file and directory of a far side but locks and the audit log, which alone a refusal may change. */
export async function snapshot(far: Far): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const part of ['content', 'state'] as const) {
    const entries = await readdir(far[part], { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name)
      const name = part + path.slice(far[part].length)
      if (/^state\/audit\.|\/\.?lock$/.test(name)) continue
      found[name] = entry.isFile() ? await hashOf(path) : 'directory'
    }
  }
  return found
}

/** Names of the shipments that are published, of all chains, as `<chain>/<name>`. */
export async function published(far: Far): Promise<readonly string[]> {
  const names: string[] = []
  for (const chain of await readdir(far.content).catch(() => []))
    for (const name of await readdir(join(far.content, chain)))
      if (!name.startsWith('.')) names.push(`${chain}/${name}`)
  return names.sort()
}

/** The same of those of which only the metadata is known. */
export async function passed(far: Far): Promise<readonly string[]> {
  const names = await readdir(join(chainDirectory(far), '.carryall/passed')).catch(() => [])
  return names.map((name) => `${CHAIN.name}/.carryall/passed/${name}`).sort()
}

export async function stateOf(far: Far, chain = CHAIN.id): Promise<ChainState | undefined> {
  const text = await readFile(stateFile(far, chain), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as ChainState)
}

export async function auditOf(far: Far): Promise<readonly AuditEntry[]> {
  const text = await readFile(join(far.state, 'audit.ndjson'), 'utf8').catch(() => '')
  return lines<AuditEntry>(text)
}

/** How a run ended. */
export interface Unpacked {
  readonly exit: number | string
  /** In the order in which they are told. */
  readonly errors: readonly ErrorObject[]
  readonly documents: readonly Record<string, unknown>[]
}

export type Unpack = (
  far: Far,
  operands: readonly string[],
  options?: { readonly flags?: readonly string[]; readonly now?: Date; readonly stdin?: Buffer },
) => Promise<Unpacked>

const argvFor = ({ content, state }: Far, operands: readonly string[], flags: readonly string[] = []) => [
  ...operands,
  ...['--content', content, '--state-dir', state],
  ...['--log-format', 'json', '--progress', 'none', ...flags],
]

/** In this process. */
export const unpack: Unpack = async (far, operands, { flags, now, stdin } = {}) => {
  const ran = await runInProcess(command, argvFor(far, operands, flags), {
    ...(now === undefined ? {} : { now: () => now }),
    ...(stdin === undefined ? {} : { stdin }),
  })
  return { exit: ran.exit, errors: errorsIn(ran.stderr), documents: ran.documents }
}

/** The installed program, as its users run it; the clock is the real one. */
export function unpackBinary(installed: Installed): Unpack {
  return async (far, operands, { flags } = {}) => {
    const argv = [installed.bundle('transfer-unpack'), ...argvFor(far, operands, flags)]
    const ended = await run(process.execPath, argv, { env: { PATH: installed.path, HOME: '/nonexistent' } })
    return {
      exit: ended.exit,
      errors: errorsIn(ended.stderr),
      documents: lines(ended.stdout.toString()),
    }
  }
}

function errorsIn(stderr: string): readonly ErrorObject[] {
  return lines<ErrorObject & { level?: string }>(stderr).filter((line) => line.level === 'error')
}

function lines<T>(text: string): readonly T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}
