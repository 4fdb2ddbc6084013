import { createHash } from 'node:crypto'
import { CarryallError, Exit, isCarryallError } from '@carryall/errors'
import { collectFile, type VolumeFile, type VolumeSource } from '@carryall/media'
import { parseKind, readDocuments, volumeKind, type Volume, type VolumeEntry } from '@carryall/schemas'
import { byByte, parseSums, SIGNATURE, SUMS_FILE } from '@carryall/shipment'
import type { SignatureFile } from '@carryall/trust'
import { hashed } from './hashed.ts'
import type { Proven } from './stage.ts'
import { begins, differs, invalid, missing, unexpected } from './volume-faults.ts'

const PASSED_OVER = 'passed over'
const VOLUME_FILE = /^volume\.json(?:\.(gpg|age))?$/
const MAX_SMALL = 16 * 1024 * 1024
const MAX_VOLUME = 256 * 1024 * 1024

/** What a volume is asked to do with what is on it. */
export interface VolumeVisitor {
  /** Decrypts what is stored, by the suffix of its name. */
  decrypt(format: 'openpgp' | 'age', chunks: AsyncIterable<Uint8Array>): AsyncIterable<Buffer>
  /** All that says what the volume is has arrived. False: nothing more of it is read. Throws to refuse the whole volume. */
  admit(volume: Volume, small: SmallFiles): Promise<boolean>
  wants(entry: VolumeEntry): boolean
  /** What is wrong with the volume's own signatures over its `SHA256SUMS`, where they can be checked. */
  checkSums(sums: Buffer, signatures: readonly SignatureFile[]): Promise<readonly CarryallError[]>
  take(entry: VolumeEntry, chunks: AsyncIterable<Buffer>, proven: Proven): Promise<void>
  /** An entry is damaged, or cannot be read; the others still are. */
  failed(error: CarryallError): void
}

/** Metadata, sums and signatures of shipments, by `<chain>/<shipment>`, then by name. */
export type SmallFiles = ReadonlyMap<string, ReadonlyMap<string, Buffer>>

/** What was read of a volume. */
export interface VolumeReading {
  readonly volume: Volume
  readonly faults: readonly CarryallError[]
}

/**
 * Reads a volume from its first file to its last, as it comes: entries that nobody wants are passed over. What is missing,
 * more than there should be, or other than `SHA256SUMS` says comes back by name; entries that were read are wrong on their
 * own. Throws VOLUME_INVALID where it cannot be told what the volume is, and what `admit` throws.
 */
export async function readVolume(source: VolumeSource, visitor: VolumeVisitor): Promise<VolumeReading> {
  // sha256 of what was read, or PASSED_OVER.
  const seen = new Map<string, string>()
  const faults: CarryallError[] = []
  const signatures: SignatureFile[] = []
  let sumsBytes: Buffer = Buffer.alloc(0)
  let sums: ReadonlyMap<string, string> | undefined
  let volume: Volume | undefined
  let admitted: boolean | undefined
  const small = new Map<string, Map<string, Buffer>>()
  let byStored: ReadonlyMap<string, VolumeEntry> = new Map()
  let metadata: ReadonlyMap<string, Volume['metadata'][number]> = new Map()

  const compare = (path: string, actual: string): void => {
    const expected = sums?.get(path)
    if (sums !== undefined && expected !== actual) throw differs(source, path, expected, actual)
  }
  const admit = async (): Promise<void> => {
    if (admitted !== undefined || volume === undefined) return
    const lacking = [...metadata.values()].find(({ stored }) => !seen.has(stored))
    if (lacking !== undefined) throw missing(source, lacking.stored)
    admitted = await visitor.admit(volume, small)
  }
  async function readSmallFile(file: VolumeFile, limit = MAX_SMALL): Promise<Buffer> {
    if (file.size > limit)
      throw invalid(source, `${file.path} has ${file.size} bytes, at most ${limit} are read`)
    const chunks: Buffer[] = []
    for await (const chunk of file.chunks()) chunks.push(Buffer.from(chunk))
    const bytes = Buffer.concat(chunks)
    const actual = sha256(bytes)
    seen.set(file.path, actual)
    compare(file.path, actual)
    return bytes
  }
  async function plain(file: VolumeFile, limit?: number): Promise<Buffer> {
    const bytes = await readSmallFile(file, limit)
    const format = file.path.endsWith('.gpg') ? 'openpgp' : file.path.endsWith('.age') ? 'age' : undefined
    return format === undefined ? bytes : collect(visitor.decrypt(format, only(bytes)), limit ?? MAX_SMALL)
  }
  async function entry(file: VolumeFile, of: VolumeEntry): Promise<void> {
    await admit()
    if (admitted !== true || !visitor.wants(of)) {
      seen.set(file.path, PASSED_OVER)
      return
    }
    const note = (actual: string): void => {
      seen.set(file.path, actual)
      compare(file.path, actual)
    }
    const medium = { failed: false }
    const stored = watched(file.chunks(), () => (medium.failed = true))
    const format = volume!.encryption
    try {
      if (format === undefined) await visitor.take(of, stored, note)
      else {
        await using cipher = hashed(stored)
        const proven = (): void => note(cipher.digest())
        try {
          await visitor.take(of, visitor.decrypt(format, cipher.chunks()), proven)
        } catch (error) {
          if (sums === undefined || !isCarryallError(error, 'EXEC_FAILED')) throw error
          // What is damaged may look as if it were for another key; the sums tell.
          await cipher.drain()
          proven()
          throw error
        }
      }
    } catch (error) {
      // A bad place on the medium, or bad bytes: that entry is lost. What fails on this side concerns them all.
      if (!isCarryallError(error) || !(medium.failed || error.exit === Exit.INTEGRITY)) throw error
      seen.set(file.path, PASSED_OVER)
      visitor.failed(error)
    }
  }

  /** What says what the volume is: true if the file was that. */
  async function readAbout(file: VolumeFile): Promise<boolean> {
    if (file.path === SUMS_FILE) {
      sumsBytes = await readSmallFile(file, MAX_VOLUME)
      sums = parseSums(sumsBytes.toString('utf8'), `${source.place}/${SUMS_FILE}`)
      for (const [path, actual] of seen)
        if (path !== SUMS_FILE && actual !== PASSED_OVER) compare(path, actual)
    } else if (SIGNATURE.test(file.path)) {
      seen.set(file.path, PASSED_OVER)
      signatures.push({ name: file.path, bytes: await collectFile(file, MAX_SMALL) })
    } else if (VOLUME_FILE.test(file.path) && volume === undefined) {
      const where = `${source.place}/${file.path}`
      volume = parseKind(volumeKind, readDocuments(await plain(file, MAX_VOLUME), where)[0], where)
      byStored = new Map(volume.entries.map((one) => [one.stored, one]))
      metadata = new Map(volume.metadata.map((one) => [one.stored, one]))
    } else {
      const known = metadata.get(file.path)
      if (known === undefined) return false
      const of = `${known.chain}/${known.shipment}`
      small.set(of, (small.get(of) ?? new Map<string, Buffer>()).set(known.path, await plain(file)))
    }
    return true
  }
  async function readEntry(file: VolumeFile): Promise<void> {
    const listed = byStored.get(file.path)
    if (volume === undefined) throw begins(source, file.path)
    if (listed !== undefined) await entry(file, listed)
    else faults.push(unexpected(source, file.path))
  }

  const met = new Set<string>()
  for await (const file of source.files()) {
    if (met.has(file.path)) throw invalid(source, `${file.path} is there twice`)
    met.add(file.path)
    // Where the files can be asked for again, all that says what the volume is comes before the rest.
    if (!(await readAbout(file)) && !source.replayable) await readEntry(file)
  }
  if (source.replayable && volume !== undefined)
    for await (const file of source.files()) if (!seen.has(file.path)) await readEntry(file)
  if (volume === undefined) throw invalid(source, 'it has no volume.json')
  if (sums === undefined) throw missing(source, SUMS_FILE)
  await admit()
  faults.push(...(await visitor.checkSums(sumsBytes, signatures)))
  const wanted = new Set([...byStored.keys(), ...sums.keys()])
  for (const path of [...wanted].sort(byByte)) if (!seen.has(path)) faults.push(missing(source, path))
  for (const path of [...seen.keys()].sort(byByte))
    if (path !== SUMS_FILE && !SIGNATURE.test(path) && !sums.has(path)) faults.push(unexpected(source, path))
  return { volume, faults }
}

/** Tells where the medium, not the taker, failed. */
async function* watched(chunks: AsyncIterable<Buffer>, onFailure: () => void): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        onFailure()
        throw error
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function collect(chunks: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > limit)
      throw new CarryallError('INPUT_TOO_LARGE', `More than ${limit} bytes came out of an encrypted file`)
    parts.push(Buffer.from(chunk))
  }
  return Buffer.concat(parts)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
