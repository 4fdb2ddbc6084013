import { bad, both32, type Located } from './bytes.ts'
import { type Image, SECTOR } from './image.ts'

/** One system use entry (SUSP 4.1): `located` is its payload, behind signature, length and version. */
export interface SystemUseEntry {
  readonly signature: string
  readonly payload: Located
}

const HEAD = 4
const MAX_AREAS = 32
const MAX_AREA = 64 * 1024
const CONTINUATION = 24

/**
 * The entries of a system use area and of those that continue it elsewhere (CE), to the end or its terminator (ST). The
 * number of areas is bounded, so none can lead back for ever. Throws VOLUME_INVALID.
 */
export async function* systemUse(
  image: Image,
  area: Located,
): AsyncGenerator<SystemUseEntry, void, undefined> {
  let next: Located | undefined = area
  for (let areas = 1; next !== undefined; areas += 1) {
    if (areas > MAX_AREAS) throw bad('the continuations of a directory record have no end', next)
    let continuation: SystemUseEntry | undefined
    for (const entry of areaEntries(next)) {
      if (entry.signature !== 'CE') {
        yield entry
        continue
      }
      if (continuation !== undefined) throw bad('a directory record continues in two places', entry.payload)
      continuation = entry
    }
    next = continuation && (await continued(image, continuation.payload))
  }
}

function* areaEntries({ bytes, place, offset }: Located): Generator<SystemUseEntry> {
  for (let at = 0; at + HEAD <= bytes.length;) {
    const here = { place, offset: offset + at }
    const length = bytes[at + 2]!
    if (length < HEAD || at + length > bytes.length) {
      // Some writers fill an area up.
      if (bytes.subarray(at).every((byte) => byte === 0)) return
      throw bad('the length of a system use entry is wrong', here, 2)
    }
    const signature = bytes.toString('latin1', at, at + 2)
    if (bytes[at + 3] !== 1) throw bad('a system use entry is of another version', here, 3)
    if (signature === 'ST') return
    yield {
      signature,
      payload: { bytes: bytes.subarray(at + HEAD, at + length), place, offset: offset + at + HEAD },
    }
    at += length
  }
}

async function continued(image: Image, payload: Located): Promise<Located> {
  if (payload.bytes.length !== CONTINUATION) throw bad('the length of a system use entry is wrong', payload)
  const position = both32(payload, 0) * SECTOR + both32(payload, 8)
  const length = both32(payload, 16)
  if (length > MAX_AREA || position + length > image.size)
    throw bad('a directory record continues outside the image, or for too long', payload)
  return { bytes: await image.read(position, length), place: image.place, offset: position }
}
