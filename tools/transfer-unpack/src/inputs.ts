import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { openVolumes, type VolumeSource } from '@carryall/media'

/** Where the magic of a tar header is, and how much of a stream tells it from a document. */
const MAGIC_AT = 257
const MAGIC = 'ustar'

/**
 * Volumes by operand: directories, ISO images, tar files; `-` or a pipe is a tar stream, or Volume documents that name
 * where volumes are. Throws USAGE_MISSING_OPERAND, INPUT_EMPTY, INPUT_NOT_FOUND, VOLUME_INVALID.
 */
export async function* volumesOf(
  context: Context,
  operands: readonly string[],
): AsyncGenerator<VolumeSource> {
  const { signal, cwd } = context
  for (const operand of operands.length === 0 ? [undefined] : operands) {
    if (operand !== undefined && operand !== '-') {
      yield* openVolumes(resolve(cwd, operand), { signal })
      continue
    }
    if (operand === '-' && (await isTar(context.stdin))) {
      yield* openVolumes(context.stdin, { signal })
      continue
    }
    if (operand === undefined && (await isPipedTar(context))) {
      yield* openVolumes(context.stdin, { signal })
      continue
    }
    for await (const { document, result, origin } of context.documents(operand === undefined ? [] : ['-'], [
      'Volume',
    ])) {
      const place = result?.['directory'] ?? result?.['file']
      if (typeof place !== 'string') {
        throw new CarryallError(
          'INPUT_NOT_FOUND',
          `The ${document.kind} in ${origin} does not say where it is`,
          {
            pointer: '#/result/directory',
            hint: 'Name the directory of the volume, or its ISO image',
          },
        )
      }
      yield* openVolumes(resolve(cwd, place), { signal })
    }
  }
}

/** Without an operand stdin is only looked at where somebody writes to it. */
async function isPipedTar(context: Context): Promise<boolean> {
  return context.stdinIsInput && isTar(context.stdin)
}

/** Looks at the first bytes of a stream and puts them back. */
async function isTar(stream: Readable): Promise<boolean> {
  const held: Buffer[] = []
  let size = 0
  while (size < MAGIC_AT + MAGIC.length) {
    const chunk = await nextChunk(stream)
    if (chunk === undefined) break
    held.push(chunk)
    size += chunk.length
  }
  const bytes = Buffer.concat(held)
  if (bytes.length > 0) stream.unshift(bytes)
  return bytes.subarray(MAGIC_AT, MAGIC_AT + MAGIC.length).toString('latin1') === MAGIC
}

function nextChunk(stream: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      stream.off('readable', onReadable).off('end', onEnd).off('error', onError)
    }
    const onReadable = (): void => {
      const chunk = stream.read() as Buffer | null
      if (chunk === null) return
      settle()
      resolve(chunk)
    }
    const onEnd = (): void => {
      settle()
      resolve(undefined)
    }
    const onError = (error: Error): void => {
      settle()
      reject(error)
    }
    if (stream.readableEnded) return resolve(undefined)
    stream.on('readable', onReadable).on('end', onEnd).on('error', onError)
    onReadable()
  })
}
