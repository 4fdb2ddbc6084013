import { glob, mkdir, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { mustRun } from './run.ts'
import { makeScratch } from './scratch.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const SOURCES = ['tools/*/src/**/*.ts', 'tools/*/package.json', 'shared/*/src/**/*.ts', 'scripts/bundle.ts']

/** The bundled tools under their names, as after an installation. */
export interface Installed extends AsyncDisposable {
  /** PATH with the tools and the Node that they run with in front. */
  readonly path: string
  /** The tools' state directory: not the one of this machine. */
  readonly stateDir: string
  /** The bundle of a tool, to be run by `process.execPath`. */
  bundle(tool: string): string
}

/** Makes the bundles where a source is newer, and puts them on a PATH. */
export async function installBundles(): Promise<Installed> {
  const bundles = await Array.fromAsync(glob('tools/*/src/bin.ts', { cwd: ROOT }), (entry) => {
    const folder = join(ROOT, dirname(dirname(entry)))
    return join(folder, 'dist', `${basename(folder)}.cjs`)
  })
  if ((await newest(SOURCES)) >= Math.min(...(await Promise.all(bundles.map(modified)))))
    await mustRun(process.execPath, [join(ROOT, 'scripts/bundle.ts')])
  const scratch = await makeScratch()
  const bin = scratch.at('bin')
  await mkdir(bin)
  for (const bundle of bundles) await symlink(bundle, join(bin, basename(bundle, '.cjs')))
  return {
    path: [bin, dirname(process.execPath), process.env['PATH']].join(':'),
    stateDir: scratch.at('state'),
    bundle: (tool) => join(ROOT, 'tools', tool, 'dist', `${tool}.cjs`),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}

async function newest(patterns: readonly string[]): Promise<number> {
  const files = await Array.fromAsync(glob(patterns, { cwd: ROOT }))
  return Math.max(...(await Promise.all(files.map((file) => modified(join(ROOT, file))))))
}

async function modified(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? 0
}
