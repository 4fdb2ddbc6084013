import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Checks } from './check.ts'
import { sha256 } from './client.ts'
import { descriptorOf, OCTETS } from './repository.ts'

/** distribution-spec: content management, and what HTTP says (end-9, end-10). */
export const managementChecks: Checks = {
  'a tag is deleted, its manifest and other tags stay': async (repository) => {
    const image = await repository.image()
    const pushed = await repository.pushManifest(image, 'v1')
    await repository.pushManifest(image, 'v2')
    expect((await repository.call('DELETE', 'manifests/v1')).status).toBe(202)
    await repository.lacks('manifests/v1')
    for (const reference of ['v2', pushed.digest]) await repository.holds(`manifests/${reference}`, pushed)
    const { tags } = JSON.parse((await repository.call('GET', 'tags/list')).body.toString()) as {
      tags: string[]
    }
    expect(tags).toEqual(['v2'])
  },

  'a manifest is deleted with all its tags': async (repository) => {
    const image = await repository.image()
    const other = await repository.pushManifest(await repository.image(), 'other')
    const { digest } = await repository.pushManifest(image, 'v1')
    await repository.pushManifest(image, 'v2')
    expect((await repository.call('DELETE', `manifests/${digest}`)).status).toBe(202)
    for (const reference of ['v1', 'v2', digest]) await repository.lacks(`manifests/${reference}`)
    await repository.holds('manifests/other', other)
  },

  'what is not there is not deleted': async (repository) => {
    const absent = sha256('never pushed')
    expect((await repository.call('DELETE', `manifests/${absent}`)).status).toBe(404)
    await repository.pushManifest(await repository.image(), 'v1')
    expect((await repository.call('DELETE', `manifests/${absent}`)).status).toBe(404)
  },

  'a tag that is not there is not deleted': async (repository) => {
    await repository.pushManifest(await repository.image(), 'v1')
    expect((await repository.call('DELETE', 'manifests/none')).status).toBe(404)
  },

  'a deleted manifest is pushed again': async (repository) => {
    const image = await repository.image()
    const pushed = await repository.pushManifest(image, 'v1')
    await repository.call('DELETE', `manifests/${pushed.digest}`)
    await repository.pushManifest(image, 'v1')
    await repository.holds('manifests/v1', pushed)
  },

  'a deleted referrer is none': async (repository) => {
    const subject = descriptorOf(await repository.pushManifest(await repository.image(), 'v1'))
    const { digest } = await repository.pushManifest(
      await repository.artifact('application/vnd.example.a', { subject }),
    )
    expect((await repository.call('DELETE', `manifests/${digest}`)).status).toBe(202)
    const list = (await repository.call('GET', `referrers/${subject.digest}`)).body.toString()
    expect(JSON.parse(list)).toMatchObject({ manifests: [] })
  },

  'a blob is deleted, or that is said to be impossible': async (repository) => {
    const bytes = randomBytes(100)
    const { digest } = await repository.pushBlob(bytes)
    const { status } = await repository.call('DELETE', `blobs/${digest}`)
    expect([202, 400, 405]).toContain(status)
    if (status === 202) await repository.lacks(`blobs/${digest}`)
    else await repository.holds(`blobs/${digest}`, { bytes, digest, mediaType: OCTETS })
  },

  'what the API does not have': async (repository) => {
    expect((await repository.client.call('GET', '/v2/what/is/this')).status).toBe(404)
    for (const [method, path] of [
      ['POST', 'manifests/v1'],
      ['PUT', 'tags/list'],
      ['PATCH', `blobs/${sha256('x')}`],
    ] as const)
      expect((await repository.call(method, path)).status).toBe(405)
  },
}
