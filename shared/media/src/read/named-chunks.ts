import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'

/** Passes chunks on; what goes wrong names the file. Throws SIZE_MISMATCH where fewer than `size` bytes are there, IO_FAILED. */
export async function* namedChunks(
  chunks: AsyncIterable<Buffer>,
  file: { readonly path: string; readonly size: number; readonly place: string },
): AsyncGenerator<Buffer, void, undefined> {
  const subject = { kind: 'file', name: file.path } as const
  let done = 0
  try {
    for await (const chunk of chunks) {
      yield chunk
      done += chunk.length
    }
  } catch (error) {
    if (isCarryallError(error, 'SIZE_MISMATCH')) throw sizeMismatch(file, done)
    throw fromSystemError(error, `read ${file.path} of ${file.place}`, { subject })
  }
}

/** SIZE_MISMATCH of a file that has, or gave, `actual` bytes. */
export function sizeMismatch(
  file: { readonly path: string; readonly size: number; readonly place: string },
  actual: number,
): CarryallError {
  return new CarryallError(
    'SIZE_MISMATCH',
    `Cannot read ${file.path} of ${file.place}: there are ${actual} bytes of ${file.size}`,
    {
      hint: 'Carry this volume again',
      subject: { kind: 'file', name: file.path },
      expected: file.size,
      actual,
    },
  )
}
