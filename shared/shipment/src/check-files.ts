import { lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs'
import { join } from 'node:path'
import { CarryallError, errorObject, fromSystemError } from '@carryall/errors'
import type { Fault } from '@carryall/schemas'
import { hashFile } from './hash-file.ts'
import { readSmall } from './metadata-file.ts'
import type { Shipment } from './read-shipment.ts'
import { byByte, parseSums, SIGNATURE, SUMS_FILE } from './sums.ts'

export interface CheckOptions {
  /** `fast`: names and sizes; `full`: the sha256 of each file as well. */
  readonly mode: 'fast' | 'full'
  /** Files whose bytes another check reads; only their size is looked at here. */
  readonly except?: ReadonlySet<string>
  readonly signal?: AbortSignal
  readonly onBytes?: (count: number) => void
}

/**
 * Compares a shipment's directory with its metadata and `SHA256SUMS`: nothing missing, nothing more, nothing other than
 * regular files, sizes, sums. Every fault is reported, none thrown.
 */
export async function checkFiles(
  shipment: Shipment,
  options: CheckOptions,
): Promise<{ faults: readonly Fault[]; files: number; bytes: number }> {
  const faults: Fault[] = []
  let bytes = 0
  for (const file of shipment.metadata.files) {
    const path = join(shipment.directory, file.path)
    const found = statOf(path)
    if (found === undefined) faults.push(fault('FILE_MISSING', file.path, 'is missing'))
    else if (!found.isFile()) faults.push(fault('FILE_UNEXPECTED', file.path, 'is not a regular file'))
    else if (found.size !== file.size_bytes)
      faults.push({
        ...fault('SIZE_MISMATCH', file.path, 'has another size'),
        expected: file.size_bytes,
        actual: found.size,
      })
    else if (options.mode === 'full' && !options.except?.has(file.path)) {
      const actual = await hashed(path, options)
      bytes += found.size
      if (actual !== file.sha256)
        faults.push({
          ...fault('DIGEST_MISMATCH', file.path, 'has other bytes'),
          expected: file.sha256,
          actual,
        })
    }
  }
  faults.push(...(await compareSums(shipment)), ...unexpected(shipment))
  return { faults, files: shipment.metadata.files.length + 2, bytes }
}

/** As in `readSmall`, asking another thread would take longer than to look. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

async function hashed(path: string, options: CheckOptions): Promise<string> {
  try {
    return (await hashFile(path, options)).sha256
  } catch (error) {
    if (options.signal?.aborted) throw error
    return `unreadable: ${errorObject(error).message}`
  }
}

/** `SHA256SUMS` has to say what the metadata says, and the metadata's own digest. */
async function compareSums(shipment: Shipment): Promise<Fault[]> {
  try {
    const sums = parseSums((await readSmall(join(shipment.directory, SUMS_FILE))).toString('utf8'), SUMS_FILE)
    const wanted = new Map(shipment.metadata.files.map((file) => [file.path, file.sha256]))
    wanted.set(shipment.metadataFile, shipment.metadataDigest.slice('sha256:'.length))
    const names = [...new Set([...sums.keys(), ...wanted.keys()])].sort(byByte)
    return names
      .filter((name) => sums.get(name) !== wanted.get(name))
      .map((name) => ({
        ...fault(
          name === shipment.metadataFile ? 'DIGEST_MISMATCH' : 'INDEX_MISMATCH',
          name,
          `differs between ${SUMS_FILE} and ${name === shipment.metadataFile ? 'the file' : 'the metadata'}`,
        ),
        expected: sums.get(name) ?? 'absent',
        actual: wanted.get(name) ?? 'absent',
      }))
  } catch (error) {
    if (!(error instanceof CarryallError)) throw error
    return [
      fault(
        error.code === 'INPUT_NOT_FOUND' ? 'FILE_MISSING' : error.code,
        SUMS_FILE,
        error.code === 'INPUT_NOT_FOUND' ? 'is missing' : error.message,
      ),
    ]
  }
}

function unexpected(shipment: Shipment): Fault[] {
  const known = new Set([
    ...shipment.metadata.files.map((file) => file.path),
    shipment.metadataFile,
    SUMS_FILE,
  ])
  return listAll(shipment.directory)
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(shipment.directory.length + 1))
    .filter((path) => !known.has(path) && !SIGNATURE.test(path))
    .sort(byByte)
    .map((path) => fault('FILE_UNEXPECTED', path, 'does not belong to the shipment'))
}

function fault(code: string, path: string, why: string): Fault {
  return { code, message: `${path} ${why}`, path }
}

function listAll(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
  } catch (error) {
    throw fromSystemError(error, `read ${directory}`)
  }
}
