import { open, type FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { CHUNK_BYTES } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { connectionBuffers } from './connection-buffers.ts'
import { PATIENCE_MS } from './patience.ts'

/**
 * Sends a part of a file and ends the response: one chunk is read while the one before is on its way, and their buffers are
 * used again, which a stream cannot do. Throws SIZE_MISMATCH where the file ends early, IO_*, and what breaks the connection.
 */
export async function sendFile(
  response: ServerResponse,
  path: string,
  offset: number,
  length: number,
): Promise<void> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw fromSystemError(error, `open "${path}"`)
  })
  // A slow reader keeps its buffers for long: where the pool has none left, nobody waits.
  const taken = [
    connectionBuffers.takeFree(),
    length > CHUNK_BYTES ? connectionBuffers.takeFree() : undefined,
  ]
  const buffers = taken.map((buffer) => buffer ?? Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, length)))
  let sending: Promise<void> = Promise.resolve()
  try {
    for (let at = 0, turn = 0; at < length; turn ^= 1) {
      const chunk = await readChunk(file, buffers[turn]!, offset + at, length - at, path)
      at += chunk.length
      await sending
      sending = send(response, chunk)
      sending.catch(() => undefined)
    }
    await sending
  } finally {
    // Nothing of a buffer may be on its way when it is given to another.
    await sending.catch(() => undefined)
    for (const buffer of taken) if (buffer !== undefined) connectionBuffers.give(buffer)
    await file.close()
  }
  response.end()
}

async function readChunk(
  file: FileHandle,
  buffer: Buffer,
  position: number,
  wanted: number,
  path: string,
): Promise<Buffer> {
  try {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, wanted), position)
    if (bytesRead > 0) return buffer.subarray(0, bytesRead)
  } catch (error) {
    throw fromSystemError(error, `read "${path}"`)
  }
  throw new CarryallError('SIZE_MISMATCH', `"${path}" ends ${wanted} bytes early`, {
    subject: { kind: 'file', name: path },
    actual: position,
  })
}

/** Resolves when the kernel has it. A client that takes too long is cut off. */
function send(response: ServerResponse, chunk: Buffer): Promise<void> {
  const patience = setTimeout(() => response.destroy(), PATIENCE_MS)
  return new Promise<void>((resolve, reject) => {
    response.write(chunk, (error) => (error ? reject(error) : resolve()))
  }).finally(() => clearTimeout(patience))
}
