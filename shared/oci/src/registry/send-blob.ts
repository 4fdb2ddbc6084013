import type { Descriptor } from '@carryall/schemas'
import { sizeMismatch } from '../verified.ts'
import type { Connection } from './connection.ts'
import { ownUrl } from './origin.ts'
import { checkStored, closingUrl, uploadError, type UploadTarget } from './upload-target.ts'

// Below this a blob goes out in one write, headers and all.
const SMALL = 256 * 1024
const NOT_WHOLE = new Set([405, 411, 415, 501])
const BYTES = { 'content-type': 'application/octet-stream' }

export type Open = () => AsyncIterable<Buffer>

/** Sends a blob to an upload session with one PUT; false where the registry wants it by PATCH. */
export async function sendWhole(
  registry: Connection,
  target: UploadTarget,
  location: URL,
  open: Open,
): Promise<boolean> {
  const answer = await registry.request({
    method: 'PUT',
    path: closingUrl(location, target),
    access: target.access,
    headers: BYTES,
    ...(await bodyOf(target.blob, open)),
    ...target.ask,
  })
  if (NOT_WHOLE.has(answer.status)) {
    await answer.dump()
    return false
  }
  if (answer.status !== 201 && answer.status !== 204) throw await uploadError(answer, target)
  await answer.dump()
  checkStored(answer, target)
  return true
}

/** Sends a blob with one PATCH and closes the upload with an empty PUT. */
export async function sendPatched(
  registry: Connection,
  target: UploadTarget,
  location: URL,
  open: Open,
): Promise<void> {
  const { blob, access, ask } = target
  const range: Record<string, string> = blob.size > 0 ? { 'content-range': `0-${blob.size - 1}` } : {}
  const patched = await registry.request({
    method: 'PATCH',
    path: location,
    access,
    headers: { ...BYTES, ...range },
    ...(await bodyOf(blob, open)),
    ...ask,
  })
  if (patched.status < 200 || patched.status > 299) throw await uploadError(patched, target)
  await patched.dump()
  // Some registries close the upload with its last byte.
  if (patched.status === 201) return checkStored(patched, target)
  const next = ownUrl(patched.header('location') ?? location.href, patched, 'upload location')
  const closed = await registry.request({ method: 'PUT', path: closingUrl(next, target), access, ...ask })
  if (closed.status !== 201 && closed.status !== 204) throw await uploadError(closed, target)
  await closed.dump()
  checkStored(closed, target)
}

async function bodyOf(
  blob: Descriptor,
  open: Open,
): Promise<{ readonly body: Buffer | Open; readonly size: number }> {
  if (blob.size > SMALL) return { body: open, size: blob.size }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of open()) {
    chunks.push(chunk)
    size += chunk.length
    if (size > blob.size) break
  }
  if (size !== blob.size) throw sizeMismatch(blob, size)
  return { body: Buffer.concat(chunks, size), size }
}
