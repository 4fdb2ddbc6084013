import { CarryallError } from '@carryall/errors'
import type { ImageSetConfiguration } from '@carryall/schemas'
import { expect, test } from 'vitest'
import { wantedImages } from './wanted-images.ts'

const D = `sha256:${'ab'.repeat(32)}`

function config(mirror: ImageSetConfiguration['mirror']): ImageSetConfiguration {
  return { kind: 'ImageSetConfiguration', apiVersion: 'mirror.openshift.io/v2alpha1', mirror }
}

function refusal(mirror: ImageSetConfiguration['mirror']): CarryallError {
  try {
    wantedImages(config(mirror))
  } catch (error) {
    if (error instanceof CarryallError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test.each([
  [{ name: 'r.example/team/app:v1' }, 'team/app', 'v1'],
  [{ name: `r.example/team/app@${D}` }, 'team/app', D.replace(':', '-')],
  [{ name: `r.example/team/app:v1@${D}` }, 'team/app', 'v1'],
  [{ name: 'busybox:1.36' }, 'busybox', '1.36'],
  [{ name: 'docker.io/busybox:1.36' }, 'busybox', '1.36'],
  [{ name: 'r.example/team/app:v1', targetRepo: 'x/y', targetTag: '1.10' }, 'x/y', '1.10'],
  [{ name: 'oci:///srv/layouts/app' }, 'srv/layouts/app', 'latest'],
  [{ name: 'oci:///srv/layouts/app:v1', targetRepo: 'app' }, 'app', 'latest'],
])('%j becomes %s:%s at its destination', (asked, repository, tag) => {
  expect(wantedImages(config({ additionalImages: [asked] })).images).toMatchObject([
    { repository, tag, platforms: [] },
  ])
})

test('what makes no sense is refused first, the other faults named, too', () => {
  const error = refusal({
    platform: { channels: [{ name: 'a' }, { name: 'a' }] },
    additionalImages: [{ name: 'r.example/app' }, { name: 'r.example/App:v1' }],
  })
  expect(error).toMatchObject({
    code: 'CONFIG_INVALID',
    exit: 78,
    details: { pointer: '#/mirror/platform/channels/1/name' },
  })
  for (const index of [0, 1]) expect(error.message).toContain(`#/mirror/additionalImages/${index}/name`)
})

test.each(['platform', 'operators', 'helm'] as const)(
  'mirror.%s is refused by name, but not where it is empty',
  (key) => {
    const images = [{ name: 'r.example/app:v1' }]
    const sections = {
      platform: { graph: true },
      operators: [{ catalog: 'r.example/c:1' }],
      helm: { local: [] },
    }
    const error = refusal({ [key]: sections[key], additionalImages: images })
    expect(error).toMatchObject({
      code: 'CONFIG_UNSUPPORTED',
      exit: 78,
      details: { pointer: `#/mirror/${key}` },
    })
    const empty = { platform: {}, operators: [], helm: {} }
    expect(wantedImages(config({ ...empty, additionalImages: images })).images).toHaveLength(1)
  },
)

test('blocked images are left out by name or destination, with patterns as Go has them', () => {
  const additionalImages = ['app:v1', 'debug:v1', 'tool:v1'].map((name) => ({
    name: `docker://r.example:5000/team/${name}`,
  }))
  const wanted = wantedImages(
    config({
      additionalImages,
      blockedImages: [{ name: '(?i)^R\\.example\\:5000/team/DEBUG' }, { name: '^team/tool:' }],
    }),
  )
  expect(wanted.images.map((image) => image.repository)).toEqual(['team/app'])
  expect(wanted.blocked).toEqual(additionalImages.slice(1).map((image) => image.name))
  expect(refusal({ additionalImages, blockedImages: [{ name: '' }] })).toMatchObject({
    code: 'CONFIG_EMPTY',
    exit: 78,
  })
})

test('an image that is asked for twice is wanted once; two for one destination are refused', () => {
  const twice = [{ name: 'r.example/app:v1' }, { name: 'r.example/app:v1' }]
  expect(wantedImages(config({ additionalImages: twice })).images).toHaveLength(1)
  const clash = [{ name: 'r.example/app:v1' }, { name: 's.example/app:v1' }]
  expect(refusal({ additionalImages: clash })).toMatchObject({
    code: 'CONFIG_INVALID',
    details: { pointer: '#/mirror/additionalImages/1/name' },
  })
})

test('no image at all is refused', () => {
  expect(refusal({})).toMatchObject({
    code: 'CONFIG_EMPTY',
    details: { pointer: '#/mirror/additionalImages' },
  })
})
