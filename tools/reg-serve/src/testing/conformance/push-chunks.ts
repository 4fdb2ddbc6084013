import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Checks } from './check.ts'
import { locationOf, sha256, type Answer } from './client.ts'
import { OCTETS, type Repository } from './repository.ts'

/** An upload in chunks, each of which goes where the answer before it says. */
class Upload {
  readonly bytes: Buffer
  readonly digest: string
  readonly chunk: number
  readonly #repository: Repository
  #last: Answer

  private constructor(repository: Repository, opened: Answer, chunk: number, bytes: Buffer) {
    this.#repository = repository
    this.#last = opened
    this.chunk = chunk
    this.bytes = bytes
    this.digest = sha256(bytes)
  }

  /** As large as three chunks that the registry likes, and a bit less. */
  static async open(repository: Repository): Promise<Upload> {
    const opened = await repository.open()
    const least = opened.headers['oci-chunk-min-length'] ?? '1000'
    expect(least).toMatch(/^\d+$/)
    const chunk = Math.max(Number(least), 1000)
    return new Upload(repository, opened, chunk, randomBytes(3 * chunk - 7))
  }

  async send(method: 'PATCH' | 'PUT', from: number, to = this.bytes.length): Promise<Answer> {
    const answer = await this.#repository.client.call(
      method,
      locationOf(this.#last, method === 'PUT' ? { digest: this.digest } : {}),
      {
        headers: { 'content-type': OCTETS, 'content-range': `${from}-${to - 1}` },
        body: this.bytes.subarray(from, to),
      },
    )
    if (answer.status === 202) this.#last = answer
    return answer
  }

  async append(from: number, to: number): Promise<void> {
    const answer = await this.send('PATCH', from, to)
    expect([answer.status, answer.headers.range]).toEqual([202, `0-${to - 1}`])
  }

  /** Asks how far it is; the next request goes where the answer says. */
  async reached(): Promise<string | undefined> {
    this.#last = await this.call('GET')
    expect(this.#last.status).toBe(204)
    return this.#last.headers.range
  }

  call(method: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#repository.client.call(method, locationOf(this.#last, query), {
      headers: { 'content-length': '0' },
    })
  }

  async close(last?: Answer): Promise<void> {
    const closed = last ?? (await this.call('PUT', { digest: this.digest }))
    expect(closed.status).toBe(201)
    expect((await this.#repository.client.call('GET', locationOf(closed))).body.equals(this.bytes)).toBe(true)
  }
}

/** distribution-spec: pushing a blob in chunks, cancelling it (end-5, end-6, end-13, end-14). */
export const pushChunkChecks: Checks = {
  'chunks, then an empty PUT': async (repository) => {
    const upload = await Upload.open(repository)
    const { chunk, bytes } = upload
    await upload.append(0, chunk)
    await upload.append(chunk, 2 * chunk)
    await upload.append(2 * chunk, bytes.length)
    await upload.close()
  },

  'chunks, the last in PUT': async (repository) => {
    const upload = await Upload.open(repository)
    await upload.append(0, upload.chunk)
    await upload.append(upload.chunk, 2 * upload.chunk)
    await upload.close(await upload.send('PUT', 2 * upload.chunk))
  },

  'one chunk with all': async (repository) => {
    const upload = await Upload.open(repository)
    await upload.append(0, upload.bytes.length)
    await upload.close()
  },

  'a stream, then PUT': async (repository) => {
    const bytes = randomBytes(5000)
    const patched = await repository.client.call('PATCH', locationOf(await repository.open()), {
      headers: { 'content-type': OCTETS },
      body: bytes,
      streamed: true,
    })
    expect(patched.status).toBe(202)
    const put = await repository.client.call('PUT', locationOf(patched, { digest: sha256(bytes) }), {
      headers: { 'content-length': '0' },
    })
    expect(put.status).toBe(201)
    expect((await repository.call('GET', `blobs/${sha256(bytes)}`)).body.equals(bytes)).toBe(true)
  },

  'how far an upload is': async (repository) => {
    const upload = await Upload.open(repository)
    expect((await upload.call('GET')).status).toBe(204)
    await upload.append(0, upload.chunk)
    expect(await upload.reached()).toBe(`0-${upload.chunk - 1}`)
    await upload.append(upload.chunk, upload.bytes.length)
    await upload.close()
  },

  'a chunk that leaves a gap, or comes again, is refused, and the upload goes on': async (repository) => {
    const upload = await Upload.open(repository)
    const { chunk, bytes } = upload
    expect((await upload.send('PATCH', chunk, 2 * chunk)).status).toBe(416)
    await upload.reached()
    await upload.append(0, chunk)
    for (const from of [2 * chunk, 0, chunk - 1]) {
      expect((await upload.send('PATCH', from, Math.min(from + chunk, bytes.length))).status).toBe(416)
      expect(await upload.reached()).toBe(`0-${chunk - 1}`)
    }
    await upload.append(chunk, bytes.length)
    await upload.close()
  },

  'a last chunk that leaves a gap is refused, and the upload goes on': async (repository) => {
    const upload = await Upload.open(repository)
    await upload.append(0, upload.chunk)
    expect((await upload.send('PUT', 2 * upload.chunk)).status).toBe(416)
    expect(await upload.reached()).toBe(`0-${upload.chunk - 1}`)
    await upload.append(upload.chunk, 2 * upload.chunk)
    await upload.close(await upload.send('PUT', 2 * upload.chunk))
  },

  'chunks that are not those of the digest': async (repository) => {
    const upload = await Upload.open(repository)
    await upload.append(0, upload.bytes.length)
    const digest = sha256('something else')
    expect((await upload.call('PUT', { digest })).status).toBe(400)
    await repository.lacks(`blobs/${digest}`)
  },

  'an upload that is cancelled is gone': async (repository) => {
    const upload = await Upload.open(repository)
    await upload.append(0, upload.chunk)
    expect((await upload.call('DELETE')).status).toBe(204)
    for (const method of ['GET', 'DELETE']) expect((await upload.call(method)).status).toBe(404)
    expect((await upload.send('PATCH', upload.chunk)).status).toBe(404)
    await repository.lacks(`blobs/${upload.digest}`)
  },

  'an upload that is finished is gone': async (repository) => {
    const upload = await Upload.open(repository)
    await upload.append(0, upload.bytes.length)
    await upload.close()
    expect((await upload.call('GET')).status).toBe(404)
  },
}
