import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Checks } from './check.ts'
import { locationOf, sha256, type Answer } from './client.ts'
import { OCTETS, Repository } from './repository.ts'

const BYTES = { 'content-type': OCTETS }
const WRONG = sha256('something else')

const holds = (repository: Repository, bytes: Buffer) =>
  repository.holds(`blobs/${sha256(bytes)}`, { bytes, digest: sha256(bytes), mediaType: OCTETS })

/** That an upload was finished, and where the blob is now. */
async function created(repository: Repository, answer: Answer, bytes: Buffer): Promise<void> {
  expect(answer.status).toBe(201)
  expect((await repository.client.call('GET', locationOf(answer))).body.equals(bytes)).toBe(true)
  await holds(repository, bytes)
}

/** distribution-spec: pushing blobs, whole and from another repository (end-4a, end-4b, end-4c, end-6, end-11). */
export const pushBlobChecks: Checks = {
  'POST, then PUT': async (repository) => {
    for (const bytes of [randomBytes(2000), Buffer.from('{}'), Buffer.alloc(0)]) {
      const location = locationOf(await repository.open(), { digest: sha256(bytes) })
      expect(location.href).toMatch(/[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}/i)
      await created(
        repository,
        await repository.client.call('PUT', location, { headers: BYTES, body: bytes }),
        bytes,
      )
    }
  },

  'POST with all, or an upload that takes it': async (repository) => {
    const bytes = randomBytes(2000)
    const digest = sha256(bytes)
    const send = { headers: BYTES, body: bytes }
    const posted = await repository.call('POST', `blobs/uploads/?digest=${digest}`, send)
    expect([201, 202]).toContain(posted.status)
    const done =
      posted.status === 201
        ? posted
        : await repository.client.call('PUT', locationOf(posted, { digest }), send)
    await created(repository, done, bytes)
  },

  'POST with all, in one request': async (repository) => {
    const bytes = randomBytes(2000)
    const posted = await repository.call('POST', `blobs/uploads/?digest=${sha256(bytes)}`, {
      headers: BYTES,
      body: bytes,
    })
    await created(repository, posted, bytes)
  },

  'a blob that is there is pushed again': async (repository) => {
    const bytes = randomBytes(2000)
    for (let each = 0; each < 2; each++) await repository.pushBlob(bytes)
    await holds(repository, bytes)
  },

  'bytes that are not those of the digest': async (repository) => {
    const bytes = randomBytes(2000)
    const put = await repository.client.call('PUT', locationOf(await repository.open(), { digest: WRONG }), {
      headers: BYTES,
      body: bytes,
    })
    expect(put.status).toBe(400)
    const posted = await repository.call('POST', `blobs/uploads/?digest=${WRONG}`, {
      headers: BYTES,
      body: bytes,
    })
    expect([400, 202]).toContain(posted.status)
    await repository.lacks(`blobs/${WRONG}`)
  },

  'a digest that is none, or of an algorithm that nobody knows': async (repository) => {
    for (const digest of ['sha256:short', 'sha256', `md2:${'0'.repeat(32)}`]) {
      const location = locationOf(await repository.open(), { digest })
      expect((await repository.client.call('PUT', location, { headers: BYTES, body: 'x' })).status).toBe(400)
    }
    const opened = await repository.open()
    expect((await repository.client.call('PUT', locationOf(opened), { body: 'x' })).status).toBe(400)
  },

  'the algorithm named ahead': async (repository) => {
    const bytes = randomBytes(2000)
    const location = locationOf(await repository.open('?digest-algorithm=sha256'), { digest: sha256(bytes) })
    await created(
      repository,
      await repository.client.call('PUT', location, { headers: BYTES, body: bytes }),
      bytes,
    )
  },

  'an algorithm named ahead that nobody knows': async (repository) => {
    expect((await repository.call('POST', 'blobs/uploads/?digest-algorithm=md2')).status).toBe(400)
  },

  'a blob from another repository': async (repository) => {
    const bytes = randomBytes(2000)
    const other = new Repository(repository.client)
    const { digest } = await other.pushBlob(bytes)
    const mounted = await repository.call('POST', `blobs/uploads/?mount=${digest}&from=${other.name}`)
    await created(repository, mounted, bytes)
  },

  'a blob from wherever it is, or an upload': async (repository) => {
    const bytes = randomBytes(2000)
    const { digest } = await new Repository(repository.client).pushBlob(bytes)
    const mounted = await repository.call('POST', `blobs/uploads/?mount=${digest}`)
    expect([201, 202]).toContain(mounted.status)
    const done =
      mounted.status === 201
        ? mounted
        : await repository.client.call('PUT', locationOf(mounted, { digest }), {
            headers: BYTES,
            body: bytes,
          })
    await created(repository, done, bytes)
  },

  'a blob from another repository that lacks it becomes an upload': async (repository) => {
    const other = new Repository(repository.client)
    const bytes = randomBytes(2000)
    const digest = sha256(bytes)
    const opened = await repository.open(`?mount=${digest}&from=${other.name}`)
    const put = await repository.client.call('PUT', locationOf(opened, { digest }), {
      headers: BYTES,
      body: bytes,
    })
    await created(repository, put, bytes)
  },

  'no upload into what is no repository': async ({ client }) => {
    for (const name of ['Upper', 'a/-/b', 'a//b']) {
      const answer = await client.call('POST', `/v2/${name}/blobs/uploads/`)
      expect([400, 404]).toContain(answer.status)
    }
  },
}
