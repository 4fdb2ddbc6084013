import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import { readdir, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream'
import { createGzip } from 'node:zlib'
import { acquireLock, commitFile, readChunks, removeTree } from '@carryall/durable'
import { isCarryallError } from '@carryall/errors'

const MODE = 0o640
const STAMP_BYTES = 19

/** When a log begins anew, and what is kept of it. */
export interface Rotation {
  /** Bytes that it may have; any number if absent. */
  readonly rotateBytes?: number
  /** Age of its first line; any if absent. */
  readonly rotateSeconds?: number
  /** How many compressed files are kept; the oldest go first. */
  readonly keep: number
}

/**
 * Compresses a log that is too old, or would be too large with `more` bytes, to `NAME_YYYYMMDD_HHMMSS.log.gz` beside it, which
 * appears when it is durable; then empties it, and removes the oldest of these files. Its age is told by its first line. One of
 * several writers does it. What fails leaves all lines where they are; a crash may leave some twice. Throws as `commitFile` does.
 */
export async function rotateLog(
  handle: FileHandle,
  file: string,
  rotation: Rotation,
  more: number,
  now: Date,
): Promise<void> {
  if (!(await isDue(handle, rotation, more, now))) return
  try {
    await using _lock = await acquireLock(`${file}.lock`, { holder: 'log rotation' })
    // Another writer may have been quicker.
    if (!(await isDue(handle, rotation, more, now))) return
    const { size } = await handle.stat()
    await compress(handle, size, file, now)
    empty(handle, size)
    await removeOldest(file, rotation.keep)
  } catch (error) {
    if (!isCarryallError(error, 'LOCK_HELD')) throw error
  }
}

async function isDue(
  handle: FileHandle,
  { rotateBytes = Infinity, rotateSeconds = Infinity }: Rotation,
  more: number,
  now: Date,
): Promise<boolean> {
  const { size, birthtimeMs } = await handle.stat()
  if (size === 0) return false
  if (size + more > rotateBytes) return true
  if (rotateSeconds === Infinity) return false
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(STAMP_BYTES), 0, STAMP_BYTES, 0)
  const first = Date.parse(`${buffer.toString('latin1', 0, bytesRead).replace(' ', 'T')}Z`)
  return now.getTime() - (Number.isNaN(first) ? birthtimeMs : first) >= rotateSeconds * 1000
}

async function compress(handle: FileHandle, size: number, file: string, now: Date): Promise<void> {
  // Two in one second: the later one gets the next second.
  for (let time = now.getTime(); ; time += 1000) {
    const stamp = new Date(time).toISOString().replaceAll(/[-:]/g, '').replace('T', '_').slice(0, 15)
    const zipped = createGzip()
    // A failure destroys the stream, and so reaches who reads it.
    pipeline(copies(handle, size), zipped, () => undefined)
    try {
      return await commitFile(`${stem(file)}_${stamp}.log.gz`, zipped, { mode: MODE, replace: false })
    } catch (error) {
      if (!isCarryallError(error, 'OUTPUT_EXISTS')) throw error
    }
  }
}

/**
 * Drops what was compressed; what another writer has added meanwhile stays. Without a pause in between, in which that one could add
 * more.
 */
function empty({ fd }: FileHandle, compressed: number): void {
  const added = Buffer.alloc(fstatSync(fd).size - compressed)
  readSync(fd, added, 0, added.length, compressed)
  ftruncateSync(fd)
  for (let done = 0; done < added.length;) done += writeSync(fd, added, done)
}

/** The buffers of a stream have to stay as they are for longer than those of the pool do. */
async function* copies(handle: FileHandle, size: number): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of readChunks(handle, 0, size)) yield Buffer.from(chunk)
}

async function removeOldest(file: string, keep: number): Promise<void> {
  const directory = dirname(resolve(file))
  const start = `${basename(stem(file))}_`
  const old = (await readdir(directory)).filter(
    (name) => name.startsWith(start) && /^\d{8}_\d{6}\.log\.gz$/.test(name.slice(start.length)),
  )
  for (const name of old.toSorted().slice(0, Math.max(0, old.length - keep)))
    await removeTree(join(directory, name))
}

function stem(file: string): string {
  return file.replace(/\.log$/, '')
}
