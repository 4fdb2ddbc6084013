import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { layerFaults } from './check-layers.ts'
import { importsOf, readPackages, type Package } from './read-packages.ts'

function pack(folder: string, dependencies: readonly string[], imports: Package['imports'] = []): Package {
  return { folder, name: `@carryall/${folder.split('/').at(-1)}`, dependencies, imports }
}

test('the workspace keeps its layers', async () => {
  const packages = await readPackages(resolve(import.meta.dirname, '..'))
  expect(packages.length).toBeGreaterThan(10)
  expect(packages.find((one) => one.folder === 'shared/exec')?.imports).toContainEqual({
    file: 'src/run.ts',
    specifier: 'execa',
  })
  expect(layerFaults(packages)).toEqual([])
})

test.each([
  ['a higher layer', 'shared/errors', '@carryall/schemas'],
  ['the same layer', 'shared/oci', '@carryall/trust'],
  ['the same layer, the wrong way round', 'shared/exec', '@carryall/durable'],
  ['more than errors and schemas from the command line', 'shared/cli', '@carryall/durable'],
  ['the command line from below', 'shared/schemas', '@carryall/cli'],
  ['another tool', 'tools/seq-push', '@carryall/seq-meta'],
  ['a library that another package owns', 'shared/oci', 'undici'],
  ['a library from a tool', 'tools/seq-push', 'zod'],
  ['a library that nobody owns', 'shared/http', 'axios'],
])('layerFaults() refuses to depend on %s', (_what, folder, dependency) => {
  expect(layerFaults([pack(folder, [dependency])])).toEqual([`${folder} must not depend on ${dependency}`])
})

test('layerFaults() allows what the layers allow', () => {
  const packages = [
    pack('shared/durable', ['@carryall/errors', '@carryall/exec']),
    pack('shared/http', ['@carryall/errors', 'undici']),
    pack('shared/oci', ['@carryall/http', '@carryall/durable']),
    pack('tools/seq-push', ['@carryall/cli', '@carryall/sequence']),
    pack('test', ['@carryall/seq-push', '@carryall/cli']),
  ]
  expect(layerFaults(packages)).toEqual([])
})

test('layerFaults() keeps a transfer tool from registries, also at second hand', () => {
  const packages = [
    pack('shared/shipment', ['@carryall/oci']),
    pack('tools/transfer-plan', ['@carryall/shipment']),
  ]
  expect(layerFaults(packages)).toEqual(['tools/transfer-plan must not reach @carryall/oci'])
})

test('layerFaults() refuses imports that are not declared, and programs started past shared/exec', () => {
  const imports = [
    '@carryall/http/testing',
    'node:child_process',
    'vitest',
    './beside.ts',
    '@carryall/oci',
  ].map((specifier) => ({
    file: 'src/a.ts',
    specifier,
  }))
  expect(layerFaults([pack('shared/oci', [], imports)])).toEqual([
    'shared/oci/src/a.ts imports @carryall/http/testing, which its package.json does not name',
    'shared/oci/src/a.ts imports node:child_process, which only shared/exec does',
    'shared/oci/src/a.ts imports vitest, which its package.json does not name',
  ])
  const inTests = ['node:child_process', 'vitest'].map((specifier) => ({ file: 'src/a.test.ts', specifier }))
  expect(layerFaults([pack('shared/oci', [], inTests)])).toEqual([])
})

test('importsOf() finds every form of import and nothing else', () => {
  const source = `
import 'a'
import type { B } from "b"
import c, {
  type C,
  d as $d,
} from 'c'
import * as d from 'd'
export { e } from 'e'
export * from 'f'
export const text = 'not from', more = "import 'x' from 'y'"
export function g(from: 'h'): void {}
const i = await import('i')
/** import 'j' from 'j' */`
  expect(importsOf(source)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'i'])
})
