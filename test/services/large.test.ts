import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PushReport, Sequence } from '@carryall/schemas'
import { sampleImage, startDockerRegistry } from '@carryall/oci/testing'
import { startLane } from '../support/lane.ts'
import { only } from '../support/ran.ts'
import { nameOf } from '../support/sample-set.ts'
import { rawManifest } from '../support/skopeo.ts'
import { seqMeta, seqPush } from '../support/tools.ts'

const MIB = 2 ** 20

test('slow: an image of 300 MB is mirrored, verified and pushed', async () => {
  const image = {
    repository: 'large',
    tag: '1',
    sample: sampleImage('large', {
      layers: [200 * MIB, 86 * MIB, 5],
      layerType: 'application/vnd.oci.image.layer.v1.tar',
    }),
  }
  await using lane = await startLane([image])
  await using target = await startDockerRegistry()
  await lane.configure([image])
  const { document, result } = only<Sequence>(await lane.mirror())
  expect(document.blobs.held_bytes).toBeGreaterThan(299_000_000)
  expect(document.archives).toHaveLength(1)
  expect((await seqMeta(['verify', result.directory])).exit).toBe(0)
  const pushed = only<PushReport>(await seqPush([lane.content, `docker://${target.host}`]))
  expect(pushed.document.totals).toMatchObject({
    pushed: 1,
    uploaded_bytes: document.blobs.held_bytes - image.sample.manifest.bytes.length,
  })
  expect(await rawManifest(`docker://${target.host}/${nameOf(image)}`)).toEqual(image.sample.manifest.bytes)
  await rm(join(result.directory, 'mirror_000001.tar'))
  expect(only(await seqPush([lane.content, `docker://${target.host}`])).result.changed).toBe(false)
})
