import type { HttpResponse } from '@carryall/http'
import { ownUrl } from './origin.ts'

/** An upload session of a registry, as far as we know it. */
export interface UploadSession {
  /** Where the next request goes; each answer may name another one. */
  location: URL
  /** Bytes that the registry holds, by its own word or by our count. */
  taken: number
  /** Bytes that were handed out to be sent: it cannot hold more. */
  sent: number
  /** Offsets at which it did not want to go on. */
  readonly refused: Set<number>
  /** The least that each request but the last has to bring (OCI-Chunk-Min-Length). */
  readonly chunkMin: number | undefined
}

/** The session that an answer (202) opens. Throws NET_ORIGIN_REFUSED, REG_PROTOCOL. */
export function sessionOf(answer: HttpResponse): UploadSession {
  const chunkMin = /^[1-9]\d{0,14}$/.exec(answer.header('oci-chunk-min-length') ?? '')?.[0]
  return {
    location: ownUrl(answer.header('location'), answer, 'upload location'),
    taken: 0,
    sent: 0,
    refused: new Set(),
    chunkMin: chunkMin === undefined ? undefined : Number(chunkMin),
  }
}

/** Goes on where the answer says, if it does. */
export function follow(session: UploadSession, answer: HttpResponse): void {
  session.location = ownUrl(answer.header('location') ?? session.location.href, answer, 'upload location')
}
