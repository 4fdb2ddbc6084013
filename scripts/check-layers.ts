// Holds the packages to the layers of ARCHITECTURE.md, by their manifests and their imports.
import { isBuiltin } from 'node:module'
import { resolve } from 'node:path'
import { readPackages, type Import, type Package } from './read-packages.ts'

/** The shared packages, lowest first. Each may depend on those of lower layers and on what `ASIDE` adds. */
const LAYERS = [
  ['errors'],
  ['schemas'],
  ['durable', 'exec', 'http'],
  ['archive', 'oci', 'trust'],
  ['catalog', 'shipment'],
  ['sequence', 'media', 'site'],
]
const ASIDE: Readonly<Record<string, readonly string[]>> = {
  durable: ['exec'],
  http: ['durable'],
  oci: ['archive'],
  cli: ['errors', 'schemas'],
}

/** The one package that may depend on a library, or import a Node module that reaches outside. */
const OWNERS: Readonly<Record<string, string>> = {
  zod: 'schemas',
  'js-yaml': 'schemas',
  execa: 'exec',
  'node:child_process': 'exec',
  undici: 'http',
  tar: 'archive',
  cac: 'cli',
  listr2: 'cli',
  bcryptjs: 'reg-serve',
  picomatch: 'catalog',
  semver: 'catalog',
  'smol-toml': 'oci',
}

/** What a tool must not reach, not even through others. */
const UNREACHABLE = [{ tools: /^transfer-/, packages: ['oci', 'sequence'] }]

/** What the root has for the tests of all packages. */
const FOR_TESTS = ['vitest', 'fast-check', 'esbuild']
const TEST_FILE = /\.test\.ts$|-suite\.ts$|\/testing\//
const SCOPE = '@carryall/'

/** The faults of these packages against the tables above, one line each. */
export function layerFaults(packages: readonly Package[]): string[] {
  return packages.flatMap((one) => [
    ...one.dependencies
      .filter((name) => !mayDepend(one.folder, name))
      .map((name) => `${one.folder} must not depend on ${name}`),
    ...forbiddenReach(one, packages).map((name) => `${one.folder} must not reach ${name}`),
    ...one.imports.flatMap((found) => importFault(one, found) ?? []),
  ])
}

function mayDepend(folder: string, dependency: string): boolean {
  const [group, own = ''] = folder.split('/')
  if (group === 'test') return true
  if (!dependency.startsWith(SCOPE)) return OWNERS[dependency.replace('@types/', '')] === own
  const wanted = dependency.slice(SCOPE.length)
  if (group === 'tools') return wanted === 'cli' || LAYERS.flat().includes(wanted)
  const layer = LAYERS.findIndex((names) => names.includes(own))
  return (
    LAYERS.slice(0, Math.max(layer, 0)).flat().includes(wanted) || (ASIDE[own]?.includes(wanted) ?? false)
  )
}

function forbiddenReach({ folder, dependencies }: Package, packages: readonly Package[]): string[] {
  const reached = new Set(dependencies)
  for (const name of reached)
    packages.find((one) => one.name === name)?.dependencies.forEach((next) => reached.add(next))
  const [group, tool = ''] = folder.split('/')
  const forbidden = UNREACHABLE.filter(({ tools }) => group === 'tools' && tools.test(tool)).flatMap(
    (rule) => rule.packages,
  )
  return forbidden.map((name) => SCOPE + name).filter((name) => reached.has(name))
}

function importFault(
  { folder, name, dependencies }: Package,
  { file, specifier }: Import,
): string | undefined {
  if (specifier.startsWith('.')) return undefined
  const inTest = folder === 'test' || TEST_FILE.test(file)
  const owner = OWNERS[specifier]
  if (isBuiltin(specifier)) {
    const free = inTest || owner === undefined || folder === `shared/${owner}`
    return free ? undefined : `${folder}/${file} imports ${specifier}, which only shared/${owner} does`
  }
  const wanted = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const declared = wanted === name || dependencies.includes(wanted) || (inTest && FOR_TESTS.includes(wanted))
  return declared ? undefined : `${folder}/${file} imports ${specifier}, which its package.json does not name`
}

if (import.meta.main) {
  const faults = layerFaults(await readPackages(resolve(import.meta.dirname, '..')))
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exitCode = 1
}
