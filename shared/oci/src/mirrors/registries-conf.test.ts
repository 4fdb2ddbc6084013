import { expect, test } from 'vitest'
import { parseRegistriesConf } from './registries-conf.ts'

const parse = (text: string) => parseRegistriesConf(text, 'registries.conf')

test('registries, mirrors, and what else may be in the file', async () => {
  const entries = await parse(`
unqualified-search-registries = ["docker.io"]
short-name-mode = "enforcing"
[aliases]
"app" = "quay.example/team/app"
[[registry]]
prefix = "Quay.example/Team/"
location = "inner.example:5000/quay/Team"
[[registry.mirror]]
location = "near.example/quay"
insecure = true
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
[[registry]]
location = "blocked.example"
blocked = true
[[registry]]
prefix = "*.example.net"
mirror-by-digest-only = true
[[registry.mirror]]
location = "net.example"
`)
  const file = 'registries.conf'
  expect(entries).toEqual([
    {
      file,
      prefix: 'quay.example/Team',
      location: 'inner.example:5000/quay/Team',
      insecure: false,
      blocked: false,
      mirrors: [
        { location: 'near.example/quay', insecure: true, use: 'all' },
        { location: 'tags.example', insecure: false, use: 'tag-only' },
      ],
    },
    {
      file,
      prefix: 'blocked.example',
      location: 'blocked.example',
      insecure: false,
      blocked: true,
      mirrors: [],
    },
    {
      file,
      prefix: '*.example.net',
      location: '',
      insecure: false,
      blocked: false,
      mirrors: [{ location: 'net.example', insecure: false, use: 'digest-only' }],
    },
  ])
})

test('a file of comments says nothing', async () => {
  expect(await parse('# unqualified-search-registries = []\n')).toEqual([])
})

test.each([
  ['[[registry]]\nlocation = 7', '#/registry/0/location'],
  ['[[registry]]\nprefix = "a.example"', '#/registry/0/location'],
  ['[[registry]]\n', '#/registry/0/prefix'],
  ['[[registry]]\nlocation = "https://a.example"', '#/registry/0/prefix'],
  ['[[registry]]\nprefix = "a.*.example"\nlocation = "b"', '#/registry/0/prefix'],
  ['[[registry]]\nlocation = "a"\nblocked = "yes"', '#/registry/0/blocked'],
  ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true', '#/registry/0/mirror/0/location'],
  ['[registry]\nlocation = "a"', '#/registry'],
  [
    '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "never"',
    '#/registry/0/mirror/0/pull-from-mirror',
  ],
])('%j is CONFIG_INVALID at %s', async (text, pointer) => {
  await expect(parse(text)).rejects.toMatchObject({ code: 'CONFIG_INVALID', exit: 78, details: { pointer } })
})

test('what is no TOML is told by its line, and version 1 is refused', async () => {
  await expect(parse('[[registry]]\nlocation = a.example\n')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    details: { location: { file: 'registries.conf', line: 2 } },
  })
  await expect(parse('[registries.search]\nregistries = ["a"]')).rejects.toMatchObject({
    code: 'CONFIG_UNSUPPORTED',
  })
})
