import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseImageReference, type ImageReference } from './reference.ts'
import { thrown } from './testing/thrown.ts'

const D = `sha256:${'ab'.repeat(32)}`

type Parts = Omit<ImageReference, 'text' | 'transport'>

const REGISTRY: readonly (readonly [text: string, parts: Parts])[] = [
  ['busybox', { host: 'docker.io', repository: 'library/busybox', path: 'busybox' }],
  ['busybox:1.36', { host: 'docker.io', repository: 'library/busybox', path: 'busybox', tag: '1.36' }],
  [`busybox@${D}`, { host: 'docker.io', repository: 'library/busybox', path: 'busybox', digest: D }],
  ['docker:dind', { host: 'docker.io', repository: 'library/docker', path: 'docker', tag: 'dind' }],
  ['docker.io/busybox', { host: 'docker.io', repository: 'library/busybox', path: 'busybox' }],
  ['docker.io/busybox:1', { host: 'docker.io', repository: 'library/busybox', path: 'busybox', tag: '1' }],
  [
    'docker.io/library/busybox',
    { host: 'docker.io', repository: 'library/busybox', path: 'library/busybox' },
  ],
  ['docker://docker.io/busybox', { host: 'docker.io', repository: 'library/busybox', path: 'busybox' }],
  ['docker://busybox:1', { host: 'docker.io', repository: 'library/busybox', path: 'busybox', tag: '1' }],
  // Below the first component, as oc-mirror names it, although that is no host here.
  ['grafana/grafana:11', { host: 'docker.io', repository: 'grafana/grafana', path: 'grafana', tag: '11' }],
  ['team/sub/app', { host: 'docker.io', repository: 'team/sub/app', path: 'sub/app' }],
  ['registry.example/app', { host: 'registry.example', repository: 'app', path: 'app' }],
  ['registry.example/app:v1', { host: 'registry.example', repository: 'app', path: 'app', tag: 'v1' }],
  [`registry.example/app@${D}`, { host: 'registry.example', repository: 'app', path: 'app', digest: D }],
  [
    `registry.example/app:v1@${D}`,
    { host: 'registry.example', repository: 'app', path: 'app', tag: 'v1', digest: D },
  ],
  ['registry.example:5000/app', { host: 'registry.example:5000', repository: 'app', path: 'app' }],
  [
    'registry.example:5000/team/app:1.10',
    { host: 'registry.example:5000', repository: 'team/app', path: 'team/app', tag: '1.10' },
  ],
  [
    `docker://registry.example:5000/a/b/c:x@${D}`,
    { host: 'registry.example:5000', repository: 'a/b/c', path: 'a/b/c', tag: 'x', digest: D },
  ],
  ['registry:5000/app', { host: 'registry:5000', repository: 'app', path: 'app' }],
  ['registry:5000', { host: 'docker.io', repository: 'library/registry', path: 'registry', tag: '5000' }],
  ['localhost/app', { host: 'localhost', repository: 'app', path: 'app' }],
  ['localhost:5000/app:1', { host: 'localhost:5000', repository: 'app', path: 'app', tag: '1' }],
  ['127.0.0.1:5000/app', { host: '127.0.0.1:5000', repository: 'app', path: 'app' }],
  ['10.0.0.1/app', { host: '10.0.0.1', repository: 'app', path: 'app' }],
  ['[::1]:5000/app:1', { host: '[::1]:5000', repository: 'app', path: 'app', tag: '1' }],
  [
    `[2001:db8::1]/team/app@${D}`,
    { host: '[2001:db8::1]', repository: 'team/app', path: 'team/app', digest: D },
  ],
  ['REGISTRY.example/app', { host: 'REGISTRY.example', repository: 'app', path: 'app' }],
  [
    'registry.example/a__b/c-d.e_f:_',
    { host: 'registry.example', repository: 'a__b/c-d.e_f', path: 'a__b/c-d.e_f', tag: '_' },
  ],
  ['registry.example/oci:v1', { host: 'registry.example', repository: 'oci', path: 'oci', tag: 'v1' }],
]

const LAYOUTS: readonly (readonly [text: string, parts: Parts])[] = [
  ['oci:layout', { repository: 'layout', path: 'layout' }],
  ['oci:layout:v1', { repository: 'layout', path: 'layout', tag: 'v1' }],
  ['oci:./layout:v1', { repository: './layout', path: './layout', tag: 'v1' }],
  ['oci:../layout', { repository: '../layout', path: '../layout' }],
  ['oci:/srv/layouts/app:v1', { repository: '/srv/layouts/app', path: 'srv/layouts/app', tag: 'v1' }],
  ['oci:///srv/layouts/app', { repository: '/srv/layouts/app', path: 'srv/layouts/app' }],
  ['oci:///srv/layouts/app:1.10', { repository: '/srv/layouts/app', path: 'srv/layouts/app', tag: '1.10' }],
  ['oci://srv/layouts/app', { repository: 'srv/layouts/app', path: 'srv/layouts/app' }],
  ['oci:/srv/a:b/c', { repository: '/srv/a:b/c', path: 'srv/a:b/c' }],
  ['oci:/srv/with space/app', { repository: '/srv/with space/app', path: 'srv/with space/app' }],
  ['oci:///srv/Layouts/App', { repository: '/srv/Layouts/App', path: 'srv/Layouts/App' }],
]

const REFUSED = [
  '',
  ' ',
  ':',
  '@',
  '/',
  ':v1',
  `@${D}`,
  'app:',
  'app@',
  'app:v1:v2',
  ' app',
  'app ',
  'app\n',
  'App',
  'registry.example/App',
  'registry.example/',
  'registry.example//app',
  '/app',
  'registry.example/app/',
  'registry.example/app:',
  'registry.example/app:.x',
  'registry.example/app:a+b',
  `registry.example/app:${'x'.repeat(129)}`,
  'registry.example/app@sha256:abc',
  `registry.example/app@${D.toUpperCase()}`,
  `registry.example/app@sha512:${'ab'.repeat(64)}`,
  `registry.example/app@${D}@${D}`,
  `registry.example/app@${D}:v1`,
  'registry.example:0/app',
  'registry.example:65536/app',
  'registry.example:port/app',
  'registry_1.example/app',
  'user:password@registry.example/app',
  '[::1/app',
  '::1/app',
  '[::1]5000/app',
  '[zz]/app',
  'registry.example/../app',
  'registry.example/a/../../app',
  'registry.example/app?tag=v1',
  'registry.example/app#v1',
  'registry.example/%61pp',
  `registry.example/${'x'.repeat(256)}`,
  'https://registry.example/app:v1',
  'http://registry.example/app',
  'file:///srv/app',
  'DOCKER://registry.example/app',
  'docker://',
  'docker:///app',
  'docker:/app',
  'dir:/srv/app',
  'dir:app',
  'docker-archive:app.tar',
  'docker-daemon:app',
  'oci-archive:app.tar',
  'containers-storage:app',
  'oci:',
  'oci://',
  'oci::v1',
  'oci:layout:',
  'oci:layout:a b',
  'oci:lay\0out',
  'oci:lay\nout',
  `oci:layout@${D}`,
  'oci:layout@sha256:abc',
]

test.each(REGISTRY)('parseImageReference(%j)', (text, parts) => {
  expect(parseImageReference(text)).toEqual({ text, transport: 'docker', ...parts })
})

test.each(LAYOUTS)('parseImageReference(%j)', (text, parts) => {
  expect(parseImageReference(text)).toEqual({ text, transport: 'oci', ...parts })
})

test.each(REFUSED)('parseImageReference() refuses %j', (text) => {
  expect(thrown(() => parseImageReference(text))).toMatchObject({ code: 'REFERENCE_INVALID', exit: 65 })
})

test('what is put together from good parts comes apart into the same parts', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,6}$/)
  const repository = fc
    .tuple(word, fc.array(fc.tuple(fc.constantFrom('.', '_', '__', '-', '/'), word), { maxLength: 5 }))
    .map(([first, rest]) => first + rest.flat().join(''))
  const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined })
  const name = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.constant('localhost'),
  )
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const tag = optional(fc.stringMatching(/^\w[\w.-]{0,20}$/))
  const digest = optional(fc.stringMatching(/^sha256:[0-9a-f]{64}$/))
  fc.assert(
    fc.property(name, port, repository, tag, digest, fc.boolean(), (host, number, path, t, d, scheme) => {
      const place = number === undefined ? host : `${host}:${number}`
      const text = `${scheme ? 'docker://' : ''}${place}/${path}${t === undefined ? '' : `:${t}`}${d === undefined ? '' : `@${d}`}`
      expect(parseImageReference(text)).toEqual({
        text,
        transport: 'docker',
        host: place,
        repository: path,
        path,
        ...(t === undefined ? {} : { tag: t }),
        ...(d === undefined ? {} : { digest: d }),
      })
    }),
    { numRuns: 500 },
  )
})

test('any text is either taken apart or refused with our own code', () => {
  const piece = fc.constantFrom(
    'oci:',
    'docker://',
    'a',
    'A',
    ':',
    '/',
    '@',
    '.',
    '[',
    ']',
    '-',
    D,
    '//',
    ' ',
    '\0',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      try {
        const { text, repository } = parseImageReference(pieces.join(''))
        expect(text).toBe(pieces.join(''))
        expect(repository).not.toBe('')
      } catch (error) {
        expect(error).toMatchObject({ code: 'REFERENCE_INVALID' })
      }
    }),
    { numRuns: 3000 },
  )
})
