import type { Phase } from '@carryall/cli'

/** Passes chunks on and tells the progress of them; ends where the run was told to. */
export async function* counted(
  chunks: AsyncIterable<Buffer>,
  phase: Phase,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    phase.advanced(chunk.length)
    yield chunk
  }
}
