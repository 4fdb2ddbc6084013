import { expect, test } from 'vitest'
import { type Name, placesOf } from './places.ts'
import { parseRegistriesConf } from './registries-conf.ts'

const CONF = `
[[registry]]
prefix = "quay.example"
location = "quay.example"
[[registry.mirror]]
location = "near.example:5000/quay"
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"

[[registry]]
prefix = "quay.example/team"
location = "inner.example/quay/our-team"

[[registry]]
prefix = "quay.example/team/one:v1"
location = "inner.example/one:pinned"

[[registry]]
prefix = "*.wild.example"
[[registry.mirror]]
location = "mirror.example"

[[registry]]
prefix = "*.moved.example"
location = "all.example"

[[registry]]
location = "evil.example/bad"
blocked = true

[[registry]]
prefix = "docker.io/library"
location = "hub.example/official"
`

const DIGEST = `sha256:${'0'.repeat(64)}`
const entries = await parseRegistriesConf(CONF, 'registries.conf')

function look(host: string, repository: string, reference?: string): readonly string[] {
  const name: Name = { host, repository, ...(reference === undefined ? {} : { reference }) }
  return placesOf(entries, name).map(
    (place) =>
      `${place.host}/${place.repository}${place.reference === undefined ? '' : ` ${place.reference}`}`,
  )
}

test.each<[string, string, string | undefined, readonly string[]]>([
  ['other.example', 'a', 'v1', ['other.example/a v1']],
  [
    'quay.example',
    'a/b',
    'v1',
    ['near.example:5000/quay/a/b v1', 'tags.example/a/b v1', 'quay.example/a/b v1'],
  ],
  [
    'quay.example',
    'a',
    undefined,
    ['near.example:5000/quay/a', 'digests.example/a', 'quay.example/a', 'tags.example/a'],
  ],
  [
    'Quay.example',
    'teams/a',
    undefined,
    [
      'near.example:5000/quay/teams/a',
      'digests.example/teams/a',
      'quay.example/teams/a',
      'tags.example/teams/a',
    ],
  ],
  ['quay.example', 'team/a', 'v1', ['inner.example/quay/our-team/a v1']],
  ['quay.example', 'team/one', 'v1', ['inner.example/one pinned']],
  ['quay.example', 'team/one', 'v10', ['inner.example/quay/our-team/one v10']],
  ['quay.example:443', 'a', 'v1', ['quay.example:443/a v1']],
  ['a.wild.example', 'x', 'v1', ['mirror.example/x v1', 'a.wild.example/x v1']],
  ['a.b.wild.example:5000', 'x', 'v1', ['mirror.example:5000/x v1', 'a.b.wild.example:5000/x v1']],
  ['wild.example', 'x', 'v1', ['wild.example/x v1']],
  ['notwild.example', 'x', 'v1', ['notwild.example/x v1']],
  ['a.moved.example', 'x', 'v1', ['all.example/x v1']],
  ['docker.io', 'alpine', '3', ['hub.example/official/alpine 3']],
  ['registry-1.docker.io', 'library/alpine', '3', ['hub.example/official/alpine 3']],
  ['evil.example', 'badly', 'v1', ['evil.example/badly v1']],
])('%s/%s %s is read from %j', (host, repository, reference, expected) => {
  expect(look(host, repository, reference)).toEqual(expected)
})

test('a digest is read from mirrors for digests, and last from one for tags', () => {
  expect(look('quay.example', 'a', DIGEST)).toEqual([
    `near.example:5000/quay/a ${DIGEST}`,
    `digests.example/a ${DIGEST}`,
    `quay.example/a ${DIGEST}`,
    `tags.example/a ${DIGEST}`,
  ])
})

test('what is blocked is REG_BLOCKED', () => {
  for (const reference of ['v1', DIGEST, undefined])
    expect(() => look('evil.example', 'bad/app', reference)).toThrow(
      expect.objectContaining({ code: 'REG_BLOCKED', exit: 77 }),
    )
})
