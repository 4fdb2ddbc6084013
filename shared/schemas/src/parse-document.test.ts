import * as z from 'zod'
import { expect, test } from 'vitest'
import { imageSetConfigurationKind } from './image-set-configuration.ts'
import { blobLineSchema } from './index-lines.ts'
import { defineKind } from './kind.ts'
import { parseDocument, parseKind } from './parse-document.ts'
import { parseValue } from './parse-value.ts'
import { quickest } from './testing/quickest.ts'
import { thrown } from './testing/thrown.ts'

const FAILURE = { apiVersion: 'carryall/v1', kind: 'Failure', tool: 'seq-push', errors: [] }
const CONFIG = {
  apiVersion: 'mirror.openshift.io/v2alpha1',
  kind: 'ImageSetConfiguration',
  mirror: { additionalImages: [{ name: 'registry.example/app:v1' }] },
}
const refuse = (value: unknown, kinds?: readonly string[]) =>
  thrown(() => parseDocument(value, 'file', kinds))

test.each([null, undefined, 1, 'text', true, [], [FAILURE]])(
  'parseDocument() refuses %j, which is no document',
  (value) => {
    expect(refuse(value)).toMatchObject({
      code: 'SCHEMA_INVALID',
      exit: 65,
      details: { pointer: '#', location: { file: 'file' } },
    })
  },
)

test.each([
  [{}, 'SCHEMA_INVALID', undefined],
  [{ kind: 1 }, 'SCHEMA_INVALID', undefined],
  [{ kind: '' }, 'SCHEMA_UNKNOWN_KIND', undefined],
  [{ kind: 'Sequnce' }, 'SCHEMA_UNKNOWN_KIND', 'Did you mean "Sequence"?'],
  [{ kind: 'imagesetconfiguration' }, 'SCHEMA_UNKNOWN_KIND', 'Did you mean "ImageSetConfiguration"?'],
  [{ kind: 'DeploymentPlanOfAnotherTool' }, 'SCHEMA_UNKNOWN_KIND', undefined],
  [{ kind: 'constructor' }, 'SCHEMA_UNKNOWN_KIND', undefined],
  [{ kind: 'toString' }, 'SCHEMA_UNKNOWN_KIND', undefined],
  [{ kind: '__proto__' }, 'SCHEMA_UNKNOWN_KIND', undefined],
])('parseDocument(%j) is refused with %s', (value, code, hint) => {
  const error = refuse(value)
  expect(error).toMatchObject({ code, details: { pointer: '#/kind' } })
  if (hint !== undefined) expect(error.details.hint).toBe(hint)
})

test('another kind than is wanted is refused, although it is known', () => {
  expect(refuse(FAILURE, ['Sequence', 'MirrorPlan'])).toMatchObject({
    code: 'SCHEMA_UNKNOWN_KIND',
    details: { actual: 'Failure' },
  })
  expect(refuse({ kind: 'constructor' }, ['constructor'])).toMatchObject({ code: 'SCHEMA_UNKNOWN_KIND' })
  expect(parseDocument(FAILURE, 'file', ['Sequence', 'Failure'])).toEqual(FAILURE)
  expect(thrown(() => parseKind(imageSetConfigurationKind, FAILURE, 'file')).code).toBe('SCHEMA_UNKNOWN_KIND')
})

test.each([
  [{ ...FAILURE, apiVersion: 'carryall/v2' }, 'SCHEMA_NEWER', /release/],
  [{ ...FAILURE, apiVersion: 'carryall/v2beta1' }, 'SCHEMA_NEWER', /release/],
  [{ ...FAILURE, apiVersion: 'carryall/v0' }, 'SCHEMA_INVALID', /carryall\/v1/],
  [{ ...FAILURE, apiVersion: 'Carryall/v1' }, 'SCHEMA_INVALID', /carryall\/v1/],
  [{ ...FAILURE, apiVersion: 'mirror.openshift.io/v2alpha1' }, 'SCHEMA_INVALID', /carryall\/v1/],
  [{ ...CONFIG, apiVersion: 'mirror.openshift.io/v3' }, 'SCHEMA_NEWER', /v2alpha1/],
  [{ ...CONFIG, apiVersion: 'mirror.openshift.io/v1' }, 'SCHEMA_INVALID', /v2alpha1/],
  [{ ...CONFIG, apiVersion: 'carryall/v1' }, 'SCHEMA_INVALID', /v2alpha1/],
])('a document of another version is refused: %j', (value, code, hint) => {
  expect(refuse(value)).toMatchObject({
    code,
    exit: 65,
    details: { pointer: '#/apiVersion', hint: expect.stringMatching(hint) },
  })
})

test.each([
  { ...FAILURE, apiVersion: 1 },
  { ...FAILURE, apiVersion: undefined },
  { ...FAILURE, apiVersion: null },
])('a document without a version is refused: %j', (value) => {
  expect(refuse(value)).toMatchObject({ code: 'SCHEMA_INVALID', details: { pointer: '#/apiVersion' } })
})

test('unknown keys of what tools write are left out, unless "critical" names them', () => {
  const later = {
    ...FAILURE,
    later: 1,
    errors: [{ code: 'X', exit: 1, message: 'm', retryable: true, later: 2 }],
  }
  expect(parseDocument(later, 'file')).toEqual({
    ...FAILURE,
    errors: [{ code: 'X', exit: 1, message: 'm', retryable: true }],
  })
  const error = refuse({ ...later, critical: ['errors', 'later', 'another'] })
  expect(error).toMatchObject({ code: 'SCHEMA_NEWER', details: { pointer: '#/critical' } })
  expect(error.message).toContain('"later", "another"')
  expect(parseDocument({ ...later, critical: ['errors', 'tool'] }, 'file')).toMatchObject({
    critical: ['errors', 'tool'],
  })
  expect(refuse({ ...FAILURE, critical: ['toString'] }).code).toBe('SCHEMA_NEWER')
  expect(refuse({ ...FAILURE, critical: [1] }).code).toBe('SCHEMA_NEWER')
  expect(refuse({ ...FAILURE, critical: 'later' })).toMatchObject({
    code: 'SCHEMA_INVALID',
    details: { pointer: '#/critical' },
  })
})

test('"critical" means nothing in what people write: it is an unknown key', () => {
  expect(refuse({ ...CONFIG, critical: ['mirror'] })).toMatchObject({
    code: 'SCHEMA_UNKNOWN_KEY',
    details: { pointer: '#/critical' },
  })
})

test.each<[object, string, string | undefined]>([
  [{ ...CONFIG, archivesize2: 1 }, '#/archivesize2', 'Did you mean "archiveSize"?'],
  [
    { ...CONFIG, mirror: { additionalImage: [] } },
    '#/mirror/additionalImage',
    'Did you mean "additionalImages"?',
  ],
  [
    { ...CONFIG, mirror: { additionalImages: [{ name: 'a:1' }, { nmae: 'b' }] } },
    '#/mirror/additionalImages/1/nmae',
    'Did you mean "name"?',
  ],
  [
    { ...CONFIG, mirror: { platform: { channels: [{ name: 'a', minversions: '1' }] } } },
    '#/mirror/platform/channels/0/minversions',
    'Did you mean "minVersion"?',
  ],
  [
    {
      ...CONFIG,
      mirror: {
        operators: [{ catalog: 'a:1', packages: [{ name: 'p', channels: [{ name: 'c', min: '1' }] }] }],
      },
    },
    '#/mirror/operators/0/packages/0/channels/0/min',
    undefined,
  ],
  [{ ...CONFIG, mirror: { 'a/b~c': 1 } }, '#/mirror/a~1b~0c', undefined],
  [{ ...CONFIG, mirror: {}, storageConfig: {} }, '#/storageConfig', undefined],
])('an unknown key of what people write is refused with its place: %j', (value, pointer, hint) => {
  const error = refuse(value)
  expect(error).toMatchObject({ code: 'SCHEMA_UNKNOWN_KEY', exit: 65, details: { pointer } })
  if (hint !== undefined) expect(error.details.hint).toBe(hint)
  else expect(error.details.hint).not.toMatch(/mean/)
})

test('several faults are all named, the first with its pointer, from the sixth on by their number', () => {
  const images = Array.from({ length: 8 }, () => ({ name: 1 }))
  const error = refuse({ ...CONFIG, archiveSize: -1, mirror: { additionalImages: images } })
  expect(error.details.pointer).toBe('#/archiveSize')
  for (const at of [0, 1, 2, 3]) expect(error.message).toContain(`#/mirror/additionalImages/${at}/name: `)
  expect(error.message).not.toContain('additionalImages/4')
  expect(error.message).toContain('and 4 more')
})

test.each([
  [1.1, /quotes/],
  [416, /quotes/],
  [true, /quotes/],
  [undefined, /--schema=ImageSetConfiguration/],
  [['1.10'], /--schema/],
])('text that was written as %j gets a hint', (targetTag, hint) => {
  const [value, key] =
    targetTag === undefined ? [{ platforms: [] }, 'name'] : [{ name: 'a:1', targetTag }, 'targetTag']
  const error = refuse({ ...CONFIG, mirror: { additionalImages: [value] } })
  expect(error).toMatchObject({
    code: 'SCHEMA_INVALID',
    details: { pointer: `#/mirror/additionalImages/0/${key}`, hint: expect.stringMatching(hint) },
  })
  if (targetTag === undefined) expect(error.message).toMatch(/is missing/)
})

test('one of several words that is misspelled gets a suggestion', () => {
  const channels = [{ name: 'stable', type: 'ocpp' }]
  expect(refuse({ ...CONFIG, mirror: { platform: { channels } } })).toMatchObject({
    details: { pointer: '#/mirror/platform/channels/0/type', hint: 'Did you mean "ocp"?' },
  })
})

test('the keys of an ImageSetConfiguration match without regard to case, at every level', () => {
  const spelled = {
    APIVERSION: CONFIG.apiVersion,
    KIND: CONFIG.kind,
    archivesize: 4,
    Mirror: {
      PLATFORM: {
        Graph: true,
        Channels: [{ NAME: 'stable-4.16', minversion: '4.16.1', SHORTESTPATH: true }],
        architectures: ['amd64'],
      },
      Operators: [
        {
          Catalog: 'r.example/c:1',
          TargetCatalog: 'c',
          PACKAGES: [{ Name: 'p', DEFAULTCHANNEL: 'x', channels: [{ nAmE: 'x', MaxVersion: '2' }] }],
        },
      ],
      additionalimages: [
        {
          NAME: 'r.example/a:1',
          targetrepo: 'a',
          TARGETTAG: 't',
          PlatForms: [{ OS: 'linux', Architecture: 'amd64' }],
        },
      ],
      HELM: {
        Repositories: [{ name: 'r', URL: 'https://c.example', Charts: [{ Name: 'c', imagepaths: ['x'] }] }],
        LOCAL: [{ Name: 'l', PATH: 'p' }],
      },
      blockedimages: [{ Name: 'x' }],
      SAMPLES: [{ NAME: 's' }],
    },
  }
  expect(parseKind(imageSetConfigurationKind, spelled, 'file')).toEqual({
    apiVersion: CONFIG.apiVersion,
    kind: CONFIG.kind,
    archiveSize: 4,
    mirror: {
      platform: {
        graph: true,
        channels: [{ name: 'stable-4.16', minVersion: '4.16.1', shortestPath: true }],
        architectures: ['amd64'],
      },
      operators: [
        {
          catalog: 'r.example/c:1',
          targetCatalog: 'c',
          packages: [{ name: 'p', defaultChannel: 'x', channels: [{ name: 'x', maxVersion: '2' }] }],
        },
      ],
      additionalImages: [
        {
          name: 'r.example/a:1',
          targetRepo: 'a',
          targetTag: 't',
          platforms: [{ os: 'linux', architecture: 'amd64' }],
        },
      ],
      helm: {
        repositories: [{ name: 'r', url: 'https://c.example', charts: [{ name: 'c', imagePaths: ['x'] }] }],
        local: [{ name: 'l', path: 'p' }],
      },
      blockedImages: [{ name: 'x' }],
      samples: [{ name: 's' }],
    },
  })
})

test.each<[object, string]>([
  [{ ...CONFIG, Mirror: {} }, '#/Mirror'],
  [{ ...CONFIG, KIND: 'ImageSetConfiguration' }, '#/KIND'],
  [
    { ...CONFIG, mirror: { additionalImages: [{ Name: 'a:1', name: 'b:1' }] } },
    '#/mirror/additionalImages/0/name',
  ],
  [{ ...CONFIG, mirror: { helm: null, HELM: {} } }, '#/mirror/HELM'],
])('a key that is given in two spellings is refused: %j', (value, pointer) => {
  expect(refuse(value)).toMatchObject({
    code: 'SCHEMA_INVALID',
    details: { pointer, hint: expect.stringMatching(/case/) },
  })
})

test('a key without a value is as good as absent in an ImageSetConfiguration, but not where it is needed or unknown', () => {
  const value = {
    ...CONFIG,
    archiveSize: null,
    mirror: { operators: null, HELM: null, additionalImages: [{ name: 'a:1', targetTag: null }] },
  }
  expect(parseKind(imageSetConfigurationKind, value, 'file').mirror).toEqual({
    additionalImages: [{ name: 'a:1' }],
  })
  expect(refuse({ ...CONFIG, mirror: null })).toMatchObject({
    code: 'SCHEMA_INVALID',
    details: { pointer: '#/mirror' },
  })
  expect(refuse({ ...CONFIG, mirror: { additionalImages: [{ name: null }] } })).toMatchObject({
    details: { pointer: '#/mirror/additionalImages/0/name' },
  })
  expect(refuse({ ...CONFIG, mirror: { additionalImages: [null] } })).toMatchObject({
    details: { pointer: '#/mirror/additionalImages/0' },
  })
  expect(refuse({ ...CONFIG, unknown: null })).toMatchObject({ code: 'SCHEMA_UNKNOWN_KEY' })
})

test('other kinds keep the case of their keys, and null', () => {
  expect(refuse({ ...FAILURE, tool: undefined, TOOL: 'seq-push' })).toMatchObject({
    details: { pointer: '#/tool' },
  })
  expect(refuse({ ...FAILURE, critical: null })).toMatchObject({ details: { pointer: '#/critical' } })
  expect(parseDocument({ Kind: 'Sequence', ...FAILURE }, 'file')).toEqual(FAILURE)
})

test('a flag of Settings that is nothing of what flags are gets a message of its own', () => {
  const error = refuse({ apiVersion: 'carryall/v1', kind: 'Settings', common: { wait: { seconds: 1 } } })
  expect(error).toMatchObject({ code: 'SCHEMA_INVALID', details: { pointer: '#/common/wait' } })
  expect(error.message).toMatch(/a list of texts/)
})

test('a document with a hundred thousand unknown keys is refused without looking each of them up', () => {
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`aditionalImages${i}`, 1]))
  expect(refuse({ ...CONFIG, mirror: keys })).toMatchObject({ code: 'SCHEMA_UNKNOWN_KEY' })
  expect(quickest(() => refuse({ ...CONFIG, mirror: keys }))).toBeLessThan(1000)
})

test('parseValue() names the place, and for one of several shapes what keeps it from the nearest', () => {
  const digest = `sha256:${'ab'.repeat(32)}`
  const held = { digest, size: 1, media_type: 'x', archive: 'mirror_000001.tar', offset: 512 }
  expect(parseValue(blobLineSchema, held, 'blobs.ndjson line 1')).toEqual(held)
  expect(parseValue(blobLineSchema, { digest, size: 1, sequence: 2, later: 1 }, 'x')).toEqual({
    digest,
    size: 1,
    sequence: 2,
  })
  const fault = (value: object): unknown =>
    thrown(() => parseValue(blobLineSchema, value, 'blobs.ndjson line 7')).details
  expect(fault({ ...held, offset: -1 })).toMatchObject({
    pointer: '#/offset',
    location: { file: 'blobs.ndjson line 7' },
  })
  expect(fault({ ...held, archive: '../x.tar' })).toMatchObject({ pointer: '#/archive' })
  expect(fault({ digest, size: 1, sequence: 0 })).toMatchObject({ pointer: '#/sequence' })
  expect(fault({ digest: 'x', size: 1, sequence: 1 })).toMatchObject({ pointer: '#/digest' })
  expect(thrown(() => parseValue(blobLineSchema, null, 'x'))).toMatchObject({
    code: 'SCHEMA_INVALID',
    details: { pointer: '#' },
  })
})

test('parseKind() goes by the kind that it is given, also one that the table does not know', () => {
  const kind = defineKind({
    kind: 'Another',
    writtenBy: 'people',
    apiVersions: ['another/v1'],
    schema: () =>
      z.strictObject({
        apiVersion: z.string(),
        kind: z.string(),
        list: z.array(z.strictObject({ one: z.int() })).default([]),
      }),
  })
  expect(parseKind(kind, { apiVersion: 'another/v1', kind: 'Another' }, 'x')).toMatchObject({ list: [] })
  expect(
    thrown(() =>
      parseKind(kind, { apiVersion: 'another/v1', kind: 'Another', list: [{ one: 1, ome: 1 }] }, 'x'),
    ).details,
  ).toMatchObject({
    pointer: '#/list/0/ome',
    hint: 'Did you mean "one"?',
  })
})
