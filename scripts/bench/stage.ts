import { copyFile, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type DockerRegistry, startDockerRegistry } from '../../shared/oci/src/testing/docker-registry.ts'
import { dataSets, type ImageSpec, type SetName } from './data-set.ts'
import type { Place } from './measured.ts'
import { cacheDirectory, setStorage, type SetStorage } from './set-storage.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const MEMORY = '/dev/shm'
const TOOLS = [
  'mirror-seq',
  'seq-push',
  'seq-meta',
  'transfer-plan',
  'transfer-pack',
  'transfer-unpack',
  'reg-sync',
] as const

export const NODE = join(ROOT, 'node_modules/node/bin/node')

/** Where the contests take place: everything in it is on tmpfs and goes with it. */
export interface Stage extends Place, AsyncDisposable {
  /** The command of one of our tools: its bundle as it was when the stage was opened. */
  own(tool: (typeof TOOLS)[number], ...args: readonly string[]): readonly string[]
  /** The command that runs all these one after the other and ends with the first that fails. */
  script(name: string, commands: readonly (readonly string[])[]): Promise<readonly string[]>
  /** An empty directory of this name, whatever was there before. */
  fresh(name: string): Promise<string>
  /** A registry that holds a set. The same one each time it is asked for. */
  source(set: SetName, options?: { readonly tls?: boolean }): Promise<DockerRegistry>
  /** The path of an ImageSetConfiguration that asks for these images of a registry. */
  configuration(name: string, host: string, images: readonly ImageSpec[]): Promise<string>
  storage(set: SetName): Promise<SetStorage>
}

/** Bundles the tools and opens a stage on tmpfs. Throws where it has fewer than `bytes` free. */
export async function openStage(bytes: number): Promise<Stage> {
  const { bavail, bsize } = await statfs(MEMORY)
  const free = Math.min(bavail * bsize, process.availableMemory())
  if (free < bytes)
    throw new Error(
      `${MEMORY} has room for ${gigabytes(free)} GB, and ${gigabytes(bytes)} GB are needed; --sets S needs less`,
    )
  await promisify(execFile)(NODE, ['scripts/bundle.ts', ...TOOLS.map((tool) => `tools/${tool}`)], {
    cwd: ROOT,
  })
  const scratch = await mkdtemp(join(MEMORY, 'carryall-bench-'))
  const clean = () => rmSync(scratch, { recursive: true, force: true })
  process.once('exit', clean)
  for (const tool of TOOLS)
    await copyFile(join(ROOT, `tools/${tool}/dist/${tool}.cjs`), join(scratch, `${tool}.cjs`))
  const home = join(scratch, 'home')
  await mkdir(join(scratch, 'tmp'))
  await mkdir(home)
  const stack = new AsyncDisposableStack()
  const storages = new Map<SetName, Promise<SetStorage>>()
  const sources = new Map<string, Promise<DockerRegistry>>()

  const storage = (set: SetName) =>
    once(storages, set, () => setStorage(dataSets[set], cacheDirectory(process.env), scratch))
  return {
    scratch,
    env: {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: home,
      CARRYALL_STATE_DIR: join(home, 'state'),
      // As the launchers start them: Node keeps what it compiled.
      NODE_COMPILE_CACHE: join(scratch, 'compile-cache'),
      TMPDIR: join(scratch, 'tmp'),
      // So that skopeo, even of root, keeps what it knows of blobs in HOME, where each of its runs begins anew.
      _CONTAINERS_ROOTLESS_UID: '1000',
    },
    own: (tool, ...args) => [NODE, join(scratch, `${tool}.cjs`), ...args],
    script: async (name, commands) => {
      const path = join(scratch, `${name}.sh`)
      await writeFile(
        path,
        `set -e\n${commands.map((command) => `${command.map(quote).join(' ')}\n`).join('')}`,
      )
      return ['sh', path]
    },
    fresh: async (name) => {
      const path = join(scratch, name)
      await rm(path, { recursive: true, force: true })
      await mkdir(path)
      return path
    },
    storage,
    source: (set, { tls = false } = {}) =>
      once(sources, `${set} ${tls}`, async () =>
        stack.use(
          await startDockerRegistry({ storage: (await storage(set)).directory, readOnly: true, tls }),
        ),
      ),
    configuration: async (name, host, images) => {
      const path = join(scratch, `${name}.yaml`)
      const lines = images.map(({ repository, tag }) => `    - name: ${host}/${repository}:${tag}\n`)
      await writeFile(
        path,
        `kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  additionalImages:\n${lines.join('')}`,
      )
      return path
    },
    [Symbol.asyncDispose]: async () => {
      await stack.disposeAsync()
      clean()
      process.off('exit', clean)
    },
  }
}

function once<K, V>(known: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const value = known.get(key) ?? make()
  known.set(key, value)
  return value
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}
