import { createHash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { collectFile, openVolumes, VOLUME_FILE, type VolumeFile } from '@carryall/media'
import { parseKind, readDocuments, volumeKind, type Volume } from '@carryall/schemas'
import { parseSums, SIGNATURE, SUMS_FILE } from '@carryall/shipment'
import type { VolumeJob } from './volume-job.ts'

const MAX_TEXT = 256 * 2 ** 20

export interface CheckPorts {
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

/** A volume that is there and whole. */
export interface FinishedVolume {
  /** As its file has it; undefined where that is encrypted. */
  readonly document: Volume | undefined
  /** The bytes of its `SHA256SUMS`. */
  readonly sums: Buffer
  /** Names of its signatures. */
  readonly signatures: readonly string[]
}

/**
 * Reads a volume, directory or image, and proves that it is the one of this job and whole: every file that its sums name, no
 * other, and all that the job says. Undefined where nothing has the name. Throws DIGEST_MISMATCH, FILE_MISSING,
 * FILE_UNEXPECTED (82), OUTPUT_EXISTS (73) for a volume of another set.
 */
export async function checkVolume(
  path: string,
  job: VolumeJob,
  ports: CheckPorts,
): Promise<FinishedVolume | undefined> {
  if ((await lstat(path).catch(() => undefined)) === undefined) return undefined
  try {
    for await (const source of openVolumes(path, { signal: ports.signal })) {
      try {
        return await check(source.files(), path, job, ports)
      } finally {
        await source.close()
      }
    }
  } catch (error) {
    if (isCarryallError(error, 'VOLUME_INVALID', 'INDEX_MISMATCH', 'SIZE_MISMATCH', 'PATH_UNSAFE'))
      throw damaged(path, error.message, { cause: error })
    throw error
  }
  throw damaged(path, 'it holds no volume')
}

async function check(
  files: AsyncIterable<VolumeFile>,
  path: string,
  job: VolumeJob,
  { signal, onBytes }: CheckPorts,
): Promise<FinishedVolume> {
  const found = new Map<string, string>()
  const signatures: string[] = []
  let sums: Buffer | undefined
  let document: Volume | undefined
  for await (const file of files) {
    if (file.path === SUMS_FILE) sums = await collectFile(file, MAX_TEXT, signal)
    else if (SIGNATURE.test(file.path)) signatures.push(file.path)
    else {
      const hash = createHash('sha256')
      if (file.path === VOLUME_FILE) {
        const text = await collectFile(file, MAX_TEXT, signal)
        document = ownDocument(text, path, job)
        hash.update(text)
      } else
        for await (const chunk of file.chunks(signal)) {
          hash.update(chunk)
          onBytes(chunk.length)
        }
      found.set(file.path, hash.digest('hex'))
    }
  }
  if (sums === undefined) throw damaged(path, `${SUMS_FILE} is missing`)
  compare(parseSums(sums.toString('utf8'), `${path}/${SUMS_FILE}`), found, path)
  compareJob(found, path, job)
  return { document, sums, signatures }
}

function ownDocument(text: Buffer, path: string, { document }: VolumeJob): Volume {
  const found = parseKind(volumeKind, readDocuments(text, path)[0], `${path}/${VOLUME_FILE}`)
  if (found.set === document.set && found.number === document.number) return found
  throw new CarryallError('OUTPUT_EXISTS', `${path} is a volume of another set`, {
    subject: { kind: 'volume', name: path },
    expected: document.set,
    actual: found.set,
    hint: 'Move it away, or write to another directory',
  })
}

function compare(sums: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>, path: string): void {
  for (const [name, expected] of sums) {
    const actual = found.get(name)
    if (actual !== expected)
      throw damaged(path, `${name} is ${actual === undefined ? 'missing' : 'damaged'}`, {
        expected,
        actual: actual ?? 'absent',
      })
  }
  for (const name of found.keys()) if (!sums.has(name)) throw damaged(path, `${name} does not belong to it`)
}

/** Ciphertext says nothing about what is in it, and neither do sums of parts. */
function compareJob(
  found: ReadonlyMap<string, string>,
  path: string,
  { document, entries }: VolumeJob,
): void {
  for (const { stored, sha256, part } of entries) {
    const actual = found.get(stored)
    const isProven = document.encryption === undefined && part === undefined
    if (actual === undefined || (isProven && actual !== sha256))
      throw damaged(path, `${stored} is not as it was planned`, {
        expected: sha256,
        actual: actual ?? 'absent',
      })
  }
}

function damaged(
  path: string,
  why: string,
  details: { readonly expected?: string; readonly actual?: string; readonly cause?: unknown } = {},
): CarryallError {
  return new CarryallError('DIGEST_MISMATCH', `The volume ${path} is damaged: ${why}`, {
    ...details,
    subject: { kind: 'volume', name: path },
    hint: 'Make it again: add --force, and --volume N where the others are whole',
  })
}
