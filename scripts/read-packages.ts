import { glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface Import {
  /** Relative to the package. */
  readonly file: string
  readonly specifier: string
}

export interface Package {
  /** Relative to the root, as `shared/oci`. */
  readonly folder: string
  readonly name: string
  /** Of every kind, also for development. */
  readonly dependencies: readonly string[]
  readonly imports: readonly Import[]
}

/** The packages of the workspace at `root`, with what their sources import, statically or not. */
export async function readPackages(root: string): Promise<Package[]> {
  const manifests = await Array.fromAsync(
    glob(['{shared,tools}/*/package.json', 'test/package.json'], { cwd: root }),
  )
  return Promise.all(manifests.toSorted().map((path) => readPackage(root, dirname(path))))
}

async function readPackage(root: string, folder: string): Promise<Package> {
  const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'))
  const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
  const excluded = ['node_modules', 'dist', 'fixtures']
  const files = await Array.fromAsync(glob('**/*.ts', { cwd: join(root, folder), exclude: excluded }))
  const imports = await Promise.all(
    files.toSorted().map(async (file) => {
      const text = await readFile(join(root, folder, file), 'utf8')
      return importsOf(text).map((specifier) => ({ file, specifier }))
    }),
  )
  return { folder, name: manifest.name, dependencies, imports: imports.flat() }
}

// The formatter puts a statement at the start of its line.
const IMPORT = /(?:^(?:import|export)\s(?:[\w\s{},*$]*?\sfrom\s)?\s*|\bimport\(\s*)['"]([^'"]+)['"]/gm

/** What a source imports or exports from. */
export function importsOf(source: string): string[] {
  return Array.from(source.matchAll(IMPORT), (match) => match[1]!)
}
