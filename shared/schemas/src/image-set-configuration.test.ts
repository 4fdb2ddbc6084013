import { expect, test } from 'vitest'
import { checkImageSet } from './image-set-rules.ts'
import { imageSetConfigurationKind, type ImageSetConfiguration } from './image-set-configuration.ts'
import { parseKind } from './parse-document.ts'
import { readDocuments } from './read-documents.ts'
import { thrown } from './testing/thrown.ts'

const HEAD = 'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n'
const D = `sha256:${'ab'.repeat(32)}`

function parse(text: string): ImageSetConfiguration {
  const [document] = readDocuments(Buffer.from(text), 'imageset-config.yaml')
  return parseKind(imageSetConfigurationKind, document, 'imageset-config.yaml')
}

/** `mirror:` with these lines below it. */
const mirror = (...lines: readonly string[]): string =>
  `${HEAD}mirror:\n${lines.map((line) => `  ${line}\n`).join('')}`
const images = (...items: readonly string[]): string =>
  mirror('additionalImages:', ...items.map((item) => `- ${item}`))
const operators = (...items: readonly string[]): string =>
  mirror('operators:', ...items.map((item) => `- ${item}`))
const platform = (text: string): string => mirror(`platform: ${text}`)

const VALID: readonly (readonly [what: string, text: string])[] = [
  ['an empty mirror', `${HEAD}mirror: {}`],
  [
    'JSON',
    JSON.stringify({ kind: 'ImageSetConfiguration', apiVersion: 'mirror.openshift.io/v2alpha1', mirror: {} }),
  ],
  [
    'the older version',
    'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v1alpha2\nmirror: {}\n',
  ],
  [
    'keys in another order',
    'mirror: {}\napiVersion: mirror.openshift.io/v2alpha1\nkind: ImageSetConfiguration\n',
  ],
  [
    'keys in lower case',
    'KIND: ImageSetConfiguration\napiversion: mirror.openshift.io/v2alpha1\nmirror:\n  additionalimages:\n  - name: r.example/a:1\n',
  ],
  ['a byte order mark', `\ufeff${HEAD}mirror: {}`],
  ['CRLF', `${HEAD}mirror:\n  additionalImages:\n  - name: r.example/a:1\n`.replaceAll('\n', '\r\n')],
  [
    'comments everywhere',
    `# top\n${HEAD}# here\nmirror: # why\n  additionalImages: # what\n  # - name: not.this/one\n  - name: r.example/a:1 # this\n`,
  ],
  ['a document start and end', `---\n${HEAD}mirror: {}\n...\n`],
  ['empty documents around it', `---\n---\n${HEAD}mirror: {}\n---\n`],
  [
    'flow style',
    `{kind: ImageSetConfiguration, apiVersion: mirror.openshift.io/v2alpha1, mirror: {additionalImages: [{name: "r.example/a:1"}]}}`,
  ],
  ['quoted keys', `"kind": ImageSetConfiguration\n'apiVersion': mirror.openshift.io/v2alpha1\n"mirror": {}`],
  [
    'sections without anything in them',
    mirror('platform:', 'operators:', 'additionalImages:', 'helm:', 'blockedImages:', 'samples:'),
  ],
  [
    'a section that is commented out',
    mirror('operators:', '# - catalog: r.example/c:1', 'additionalImages:', '- name: r.example/a:1'),
  ],
  ['empty lists', mirror('operators: []', 'additionalImages: []', 'blockedImages: []', 'samples: []')],
  ['an empty platform and helm', mirror('platform: {}', 'helm: {}')],
  ['archiveSize 0', `${HEAD}archiveSize: 0\nmirror: {}`],
  ['archiveSize without a value', `${HEAD}archiveSize:\nmirror: {}`],
  ['archiveSize in hex', `${HEAD}archiveSize: 0x10\nmirror: {}`],
  ['a large archiveSize', `${HEAD}archiveSize: 1000000\nmirror: {}`],
  ['an image by tag', images('name: r.example/a:1')],
  ['an image by digest', images(`name: r.example/a@${D}`)],
  ['an image by tag and digest', images(`name: r.example/a:1@${D}`)],
  ['an image with a transport', images('name: docker://r.example:5000/a:1')],
  ['an image of Docker Hub', images('name: busybox:1.36')],
  ['an image of Docker Hub, written out', images('name: docker.io/busybox:1.36')],
  ['an image at an IPv6 address', images('name: "[::1]:5000/a:1"')],
  ['a long repository path', images('name: r.example/a/b/c/d/e/f/g:1')],
  ['a tag in quotes', images('name: r.example/a:1\n    targetTag: "1.10"')],
  ['a tag that is a word of YAML 1.1', images('name: r.example/a:1\n    targetTag: yes')],
  ['a tag that is a date', images('name: r.example/a:1\n    targetTag: 2024-08-18')],
  ['a tag of three numbers', images('name: r.example/a:1\n    targetTag: 4.16.8')],
  ['an OCI layout', images('name: oci:///srv/layouts/app')],
  ['an OCI layout with a tag', images('name: oci:/srv/layouts/app:v1')],
  [
    'an OCI layout with an odd path, but a targetRepo',
    images('name: oci:///srv/My Layouts/App\n    targetRepo: app'),
  ],
  ['a targetRepo with several components', images('name: r.example/a:1\n    targetRepo: x/y/z')],
  ['no platforms', images('name: r.example/a:1\n    platforms: []')],
  [
    'platforms',
    images(
      'name: r.example/a:1\n    platforms: [{os: linux, architecture: amd64}, {os: windows, architecture: amd64}]',
    ),
  ],
  ['one image twice', images('name: r.example/a:1', 'name: r.example/a:1')],
  ['a folded name', images('name: >-\n      r.example/a:1')],
  ['a name in a block', images('name: |-\n      r.example/a:1')],
  ['blocked images', mirror('blockedImages:', '- name: .*-debug$', '- name: ""')],
  [
    'a blocked image by a pattern of Go',
    mirror('blockedImages:', '- name: (?i)registry\\.example\\:5000\\/TEAM\\-x', '- name: "[[:digit:]]+"'),
  ],
  ['samples', mirror('samples:', '- name: x')],
  ['a release channel', platform('{channels: [{name: stable-4.16}]}')],
  [
    'a release channel with versions',
    platform('{channels: [{name: stable-4.16, minVersion: 4.16.1, maxVersion: 4.16.9}]}'),
  ],
  [
    'a release channel with one version twice',
    platform('{channels: [{name: stable-4.16, minVersion: 4.16.1, maxVersion: 4.16.1}]}'),
  ],
  [
    'a channel with empty versions',
    platform('{channels: [{name: stable-4.16, minVersion: "", maxVersion: ""}]}'),
  ],
  [
    'an OKD channel',
    platform('{channels: [{name: okd, type: okd, minVersion: 4.15.0-0.okd-2024-03-10-010116}]}'),
  ],
  ['several channels', platform('{channels: [{name: stable-4.15}, {name: stable-4.16}, {name: eus-4.16}]}')],
  ['a channel in full', platform('{graph: true, channels: [{name: stable-4.16, full: true}]}')],
  ['architectures', platform('{architectures: [amd64, multi]}')],
  ['platforms of a release', platform('{platforms: [{os: linux, architecture: arm64}], architectures: []}')],
  ['one release by digest', platform(`{release: r.example/release@${D}, kubeVirtContainer: true}`)],
  ['a catalog alone', operators('catalog: r.example/c:v4.16')],
  ['a catalog without a tag', operators('catalog: r.example/c')],
  ['a catalog in a layout', operators('catalog: oci:///srv/catalogs/c')],
  ['a catalog in full', operators('catalog: r.example/c:1\n    full: true')],
  [
    'a catalog in full with packages',
    operators('catalog: r.example/c:1\n    full: true\n    packages: [{name: a}]'),
  ],
  ['one catalog in two versions', operators('catalog: r.example/c:1', 'catalog: r.example/c:2')],
  [
    'one catalog for two destinations',
    operators('catalog: r.example/c:1\n    targetCatalog: x', 'catalog: r.example/c:1\n    targetCatalog: y'),
  ],
  [
    'one catalog under two tags',
    operators('catalog: r.example/c:1\n    targetTag: x', 'catalog: r.example/c:1\n    targetTag: y'),
  ],
  ['the same name at two registries', operators('catalog: r.example/c:1', 'catalog: s.example/c:1')],
  [
    'packages with versions',
    operators(
      'catalog: r.example/c:1\n    packages: [{name: a, minVersion: 1.2.3}, {name: b, maxVersion: v2}]',
    ),
  ],
  [
    'a version without its last part, in quotes',
    operators('catalog: r.example/c:1\n    packages: [{name: a, minVersion: "1.10"}]'),
  ],
  [
    'channels with versions',
    operators(
      'catalog: r.example/c:1\n    packages: [{name: a, channels: [{name: x, minVersion: 1.2.3}, {name: y}]}]',
    ),
  ],
  [
    'one package of two catalogs',
    operators(
      'catalog: r.example/c:1\n    packages: [{name: a}]',
      'catalog: r.example/d:1\n    packages: [{name: a}]',
    ),
  ],
  [
    'one channel of two packages',
    operators(
      'catalog: r.example/c:1\n    packages: [{name: a, channels: [{name: x}]}, {name: b, channels: [{name: x}]}]',
    ),
  ],
  [
    'a default channel and a template',
    operators(
      'catalog: r.example/c:1\n    targetCatalogSourceTemplate: t.yaml\n    packages: [{name: a, defaultChannel: x}]',
    ),
  ],
  [
    'Helm charts',
    mirror(
      'helm: {repositories: [{name: r, url: "https://charts.example/", charts: [{name: c, version: "6.10"}]}], local: [{name: l, path: /srv/l.tgz, imagePaths: ["{.x}"]}]}',
    ),
  ],
  ['a Helm repository in full', mirror('helm: {repositories: [{name: r, url: "https://charts.example/"}]}')],
]

test.each(VALID)('a configuration is accepted: %s', (_what, text) => {
  expect(checkImageSet(parse(text))).toEqual([])
})

type Invalid = readonly [what: string, text: string, code: string, pointer: string | undefined]

const MISSHAPEN: readonly Invalid[] = [
  ['nothing', '', 'INPUT_EMPTY', undefined],
  [
    'another kind',
    `kind: DeleteImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\ndelete: {}`,
    'SCHEMA_UNKNOWN_KIND',
    '#/kind',
  ],
  ['no kind', 'apiVersion: mirror.openshift.io/v2alpha1\nmirror: {}', 'SCHEMA_INVALID', '#/kind'],
  ['no version', 'kind: ImageSetConfiguration\nmirror: {}', 'SCHEMA_INVALID', '#/apiVersion'],
  [
    'a newer version',
    'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v3\nmirror: {}',
    'SCHEMA_NEWER',
    '#/apiVersion',
  ],
  [
    'a version of something else',
    'kind: ImageSetConfiguration\napiVersion: v1\nmirror: {}',
    'SCHEMA_INVALID',
    '#/apiVersion',
  ],
  ['no mirror', HEAD, 'SCHEMA_INVALID', '#/mirror'],
  ['a mirror without anything', `${HEAD}mirror:`, 'SCHEMA_INVALID', '#/mirror'],
  ['a mirror that is a list', `${HEAD}mirror: []`, 'SCHEMA_INVALID', '#/mirror'],
  [
    'the storage of oc-mirror v1',
    `${HEAD}storageConfig: {local: {path: x}}\nmirror: {}`,
    'SCHEMA_UNKNOWN_KEY',
    '#/storageConfig',
  ],
  ['an unknown section', mirror('additionalimage: []'), 'SCHEMA_UNKNOWN_KEY', '#/mirror/additionalimage'],
  [
    'an unknown section without a value',
    mirror('additionalimage:'),
    'SCHEMA_UNKNOWN_KEY',
    '#/mirror/additionalimage',
  ],
  ['a section twice', mirror('operators: []', 'operators: []'), 'INPUT_SYNTAX', undefined],
  [
    'a section twice in two spellings',
    mirror('operators: []', 'Operators: []'),
    'SCHEMA_INVALID',
    '#/mirror/Operators',
  ],
  ['an anchor', mirror('additionalImages: &x []'), 'INPUT_SYNTAX', undefined],
  ['archiveSize in words', `${HEAD}archiveSize: 4GiB\nmirror: {}`, 'SCHEMA_INVALID', '#/archiveSize'],
  ['archiveSize in quotes', `${HEAD}archiveSize: "4"\nmirror: {}`, 'SCHEMA_INVALID', '#/archiveSize'],
  ['archiveSize below 0', `${HEAD}archiveSize: -1\nmirror: {}`, 'SCHEMA_INVALID', '#/archiveSize'],
  ['a broken archiveSize', `${HEAD}archiveSize: 1.5\nmirror: {}`, 'SCHEMA_INVALID', '#/archiveSize'],
  ['an immense archiveSize', `${HEAD}archiveSize: 1000001\nmirror: {}`, 'SCHEMA_INVALID', '#/archiveSize'],
  [
    'images as a mapping',
    mirror('additionalImages: {name: x}'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages',
  ],
  ['images as texts', images('r.example/a:1'), 'SCHEMA_INVALID', '#/mirror/additionalImages/0'],
  ['an image of nothing', mirror('additionalImages:', '-'), 'SCHEMA_INVALID', '#/mirror/additionalImages/0'],
  ['an image without a name', images('targetRepo: x'), 'SCHEMA_INVALID', '#/mirror/additionalImages/0/name'],
  ['an image with an empty name', images('name: ""'), 'SCHEMA_INVALID', '#/mirror/additionalImages/0/name'],
  [
    'an image with a key too many',
    images('name: r.example/a:1\n    tag: x'),
    'SCHEMA_UNKNOWN_KEY',
    '#/mirror/additionalImages/0/tag',
  ],
  [
    'a tag without quotes',
    images('name: r.example/a:1\n    targetTag: 1.10'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetTag',
  ],
  [
    'a tag with a slash',
    images('name: r.example/a:1\n    targetTag: a/b'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetTag',
  ],
  [
    'an empty tag',
    images('name: r.example/a:1\n    targetTag: ""'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetTag',
  ],
  [
    'a targetRepo in upper case',
    images('name: r.example/a:1\n    targetRepo: Team/App'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetRepo',
  ],
  [
    'a targetRepo with a tag',
    images('name: r.example/a:1\n    targetRepo: a:1'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetRepo',
  ],
  [
    'a targetRepo with a slash in front',
    images('name: r.example/a:1\n    targetRepo: /a'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetRepo',
  ],
  [
    'a targetRepo that leads out',
    images('name: r.example/a:1\n    targetRepo: ../a'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetRepo',
  ],
  [
    'a targetRepo with a host and port',
    images('name: r.example/a:1\n    targetRepo: r.example:5000/a'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/targetRepo',
  ],
  [
    'platforms as texts',
    images('name: r.example/a:1\n    platforms: [linux/amd64]'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/platforms/0',
  ],
  [
    'a platform without an architecture',
    images('name: r.example/a:1\n    platforms: [{os: linux}]'),
    'SCHEMA_INVALID',
    '#/mirror/additionalImages/0/platforms/0/architecture',
  ],
  [
    'a platform with a variant',
    images('name: r.example/a:1\n    platforms: [{os: linux, architecture: arm, variant: v7}]'),
    'SCHEMA_UNKNOWN_KEY',
    '#/mirror/additionalImages/0/platforms/0/variant',
  ],
  [
    'a pattern that does not compile',
    mirror('blockedImages:', '- name: "["'),
    'SCHEMA_INVALID',
    '#/mirror/blockedImages/0/name',
  ],
  [
    'a pattern that Go does not know',
    mirror('blockedImages:', '- name: (?!x)'),
    'SCHEMA_INVALID',
    '#/mirror/blockedImages/0/name',
  ],
  ['blocked images as texts', mirror('blockedImages:', '- x'), 'SCHEMA_INVALID', '#/mirror/blockedImages/0'],
  [
    'a release channel as a text',
    platform('{channels: [stable-4.16]}'),
    'SCHEMA_INVALID',
    '#/mirror/platform/channels/0',
  ],
  [
    'a channel of an unknown type',
    platform('{channels: [{name: x, type: ocpp}]}'),
    'SCHEMA_INVALID',
    '#/mirror/platform/channels/0/type',
  ],
  [
    'a version without quotes',
    platform('{channels: [{name: x, minVersion: 4.16}]}'),
    'SCHEMA_INVALID',
    '#/mirror/platform/channels/0/minVersion',
  ],
  ['a switch as a text', platform('{graph: yes}'), 'SCHEMA_INVALID', '#/mirror/platform/graph'],
  [
    'one architecture as a text',
    platform('{architectures: amd64}'),
    'SCHEMA_INVALID',
    '#/mirror/platform/architectures',
  ],
  ['a catalog without an address', operators('full: true'), 'SCHEMA_INVALID', '#/mirror/operators/0/catalog'],
  [
    'packages as texts',
    operators('catalog: r.example/c:1\n    packages: [a]'),
    'SCHEMA_INVALID',
    '#/mirror/operators/0/packages/0',
  ],
  [
    'the start version of oc-mirror v1',
    operators('catalog: r.example/c:1\n    packages: [{name: a, startingVersion: 1.2.3}]'),
    'SCHEMA_UNKNOWN_KEY',
    '#/mirror/operators/0/packages/0/startingVersion',
  ],
  [
    'a targetCatalog with a tag',
    operators('catalog: r.example/c:1\n    targetCatalog: c:1'),
    'SCHEMA_INVALID',
    '#/mirror/operators/0/targetCatalog',
  ],
  [
    'the targetName of oc-mirror v1',
    operators('catalog: r.example/c:1\n    targetName: c'),
    'SCHEMA_UNKNOWN_KEY',
    '#/mirror/operators/0/targetName',
  ],
  [
    'a Helm repository without an address',
    mirror('helm: {repositories: [{name: r}]}'),
    'SCHEMA_INVALID',
    '#/mirror/helm/repositories/0/url',
  ],
  [
    'a chart without a name',
    mirror('helm: {local: [{path: x}]}'),
    'SCHEMA_INVALID',
    '#/mirror/helm/local/0/name',
  ],
  [
    'a chart version without quotes',
    mirror('helm: {local: [{name: x, version: 6.10}]}'),
    'SCHEMA_INVALID',
    '#/mirror/helm/local/0/version',
  ],
  ['JSON that is cut', '{"kind":"ImageSetConfiguration","mirror":{', 'INPUT_SYNTAX', undefined],
  ['YAML with a tab', `${HEAD}mirror:\n\toperators: []`, 'INPUT_SYNTAX', undefined],
]

test.each(MISSHAPEN)('a configuration is refused by its shape: %s', (_what, text, code, pointer) => {
  const error = thrown(() => parse(text))
  expect([error.code, error.details.pointer]).toEqual([code, pointer])
  expect(error.details.hint === undefined && error.code === 'SCHEMA_INVALID').toBe(false)
})

const SENSELESS: readonly (readonly [what: string, text: string, pointers: readonly string[]])[] = [
  ['an image without tag and digest', images('name: r.example/a'), ['#/mirror/additionalImages/0/name']],
  [
    'an image without them, but a targetTag',
    images('name: r.example/a\n    targetTag: x'),
    ['#/mirror/additionalImages/0/name'],
  ],
  ['an image in upper case', images('name: r.example/App:1'), ['#/mirror/additionalImages/0/name']],
  [
    'an image with a short digest',
    images('name: r.example/a@sha256:abc'),
    ['#/mirror/additionalImages/0/name'],
  ],
  [
    'an image with a transport of another tool',
    images('name: docker-archive:a.tar'),
    ['#/mirror/additionalImages/0/name'],
  ],
  ['an image by URL', images('name: https://r.example/a:1'), ['#/mirror/additionalImages/0/name']],
  [
    'a layout whose path is no repository',
    images('name: oci:///srv/Layouts/App'),
    ['#/mirror/additionalImages/0/name'],
  ],
  ['a layout beside here', images('name: oci:./app'), ['#/mirror/additionalImages/0/name']],
  [
    'several images',
    images('name: r.example/a', 'name: r.example/b:1', 'name: r.example/B:1'),
    ['#/mirror/additionalImages/0/name', '#/mirror/additionalImages/2/name'],
  ],
  [
    'a release that is no reference',
    platform('{release: "r.example/Release:1"}'),
    ['#/mirror/platform/release'],
  ],
  [
    'a channel twice',
    platform('{channels: [{name: a}, {name: b}, {name: a}]}'),
    ['#/mirror/platform/channels/2/name'],
  ],
  [
    'versions that are none',
    platform('{channels: [{name: a, minVersion: latest, maxVersion: 4.16.x}]}'),
    ['#/mirror/platform/channels/0/minVersion', '#/mirror/platform/channels/0/maxVersion'],
  ],
  [
    'versions the wrong way round',
    platform('{channels: [{name: a, minVersion: 4.16.10, maxVersion: 4.16.9}]}'),
    ['#/mirror/platform/channels/0/maxVersion'],
  ],
  [
    'the shortest path of a full channel',
    platform('{channels: [{name: a, full: true, shortestPath: true}]}'),
    ['#/mirror/platform/channels/0/shortestPath'],
  ],
  [
    'platforms and architectures',
    platform('{architectures: [amd64], platforms: [{os: linux, architecture: amd64}]}'),
    ['#/mirror/platform/architectures'],
  ],
  ['a catalog that is no reference', operators('catalog: r.example/C:1'), ['#/mirror/operators/0/catalog']],
  [
    'a catalog twice',
    operators('catalog: r.example/c:1', 'catalog: r.example/c:1'),
    ['#/mirror/operators/1/catalog'],
  ],
  [
    'a catalog twice, with and without a transport',
    operators('catalog: r.example/c:1', 'catalog: docker://r.example/c:1'),
    ['#/mirror/operators/1/catalog'],
  ],
  [
    'two catalogs for one destination',
    operators('catalog: r.example/c:1\n    targetCatalog: x', 'catalog: r.example/d:1\n    targetCatalog: x'),
    ['#/mirror/operators/1/catalog'],
  ],
  [
    'a layout twice',
    operators('catalog: oci:///srv/c', 'catalog: oci:/srv/c'),
    ['#/mirror/operators/1/catalog'],
  ],
  [
    'a package twice',
    operators('catalog: r.example/c:1\n    packages: [{name: a}, {name: a}]'),
    ['#/mirror/operators/0/packages/1/name'],
  ],
  [
    'a package channel twice',
    operators('catalog: r.example/c:1\n    packages: [{name: a, channels: [{name: x}, {name: x}]}]'),
    ['#/mirror/operators/0/packages/0/channels/1/name'],
  ],
  [
    'a package version that is none',
    operators('catalog: r.example/c:1\n    packages: [{name: a, minVersion: ">=1"}]'),
    ['#/mirror/operators/0/packages/0/minVersion'],
  ],
  [
    'a channel version that is none',
    operators(
      'catalog: r.example/c:1\n    packages: [{name: a, channels: [{name: x, maxVersion: 1.2.3.4}]}]',
    ),
    ['#/mirror/operators/0/packages/0/channels/0/maxVersion'],
  ],
  [
    'package versions the wrong way round',
    operators('catalog: r.example/c:1\n    packages: [{name: a, minVersion: 2.0.0, maxVersion: 1.9.9}]'),
    ['#/mirror/operators/0/packages/0/maxVersion'],
  ],
  [
    'versions of a package and of its channel',
    operators(
      'catalog: r.example/c:1\n    packages: [{name: a, minVersion: 1.0.0, channels: [{name: w}, {name: x, maxVersion: 2.0.0}]}]',
    ),
    ['#/mirror/operators/0/packages/0/channels/1'],
  ],
  [
    'all versions and a range',
    operators('catalog: r.example/c:1\n    full: true\n    packages: [{name: a, minVersion: 1.0.0}]'),
    ['#/mirror/operators/0/packages/0'],
  ],
  [
    'all versions and a range of a channel',
    operators(
      'catalog: r.example/c:1\n    full: true\n    packages: [{name: b}, {name: a, channels: [{name: x, minVersion: 1.0.0}]}]',
    ),
    ['#/mirror/operators/0/packages/1'],
  ],
  [
    'faults in several sections',
    `${platform('{channels: [{name: a}, {name: a}]}')}  operators: [{catalog: "r.example/C"}]\n  additionalImages: [{name: r.example/a}]\n`,
    ['#/mirror/platform/channels/1/name', '#/mirror/operators/0/catalog', '#/mirror/additionalImages/0/name'],
  ],
]

test.each(SENSELESS)('a configuration is refused by its meaning: %s', (_what, text, pointers) => {
  const faults = checkImageSet(parse(text))
  expect(faults.map((fault) => fault.pointer)).toEqual(pointers)
  for (const fault of faults) expect(fault.message).not.toBe('')
})

test('there are enough of each', () => {
  expect(VALID.length).toBeGreaterThanOrEqual(60)
  expect(MISSHAPEN.length + SENSELESS.length).toBeGreaterThanOrEqual(60)
})
