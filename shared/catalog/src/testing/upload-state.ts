import { createHmac } from 'node:crypto'

// That of `startDockerRegistry`.
const SECRET = 'carryall-test'

/** The query with which docker-registry 2.8 takes more bytes for an upload that holds `offset` (its `_state`). */
export function uploadState(repository: string, id: string, offset: number): string {
  const state = JSON.stringify({
    Name: repository,
    UUID: id,
    Offset: offset,
    StartedAt: new Date().toISOString(),
  })
  const mac = createHmac('sha256', SECRET).update(state).digest()
  const packed = Buffer.concat([mac, Buffer.from(state)]).toString('base64')
  return new URLSearchParams({ _state: packed.replaceAll('+', '-').replaceAll('/', '_') }).toString()
}
