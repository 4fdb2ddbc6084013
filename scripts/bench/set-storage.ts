import { hash } from 'node:crypto'
import { access, cp, mkdir, mkdtemp, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDockerRegistry } from '../../shared/oci/src/testing/docker-registry.ts'
import { type DataSet, dataSets } from './data-set.ts'
import { publishSet, type SetFacts } from './publish-set.ts'

const TMPFS = 0x01021994
const FACTS = 'facts.json'

export interface SetStorage {
  /** Storage of a docker-registry, in memory. */
  readonly directory: string
  readonly facts: SetFacts
}

/**
 * The storage of a registry that holds a set, on tmpfs: made once under `cache`, and copied to `scratch`, which is on tmpfs,
 * unless the cache is on tmpfs itself.
 */
export async function setStorage(set: DataSet, cache: string, scratch: string): Promise<SetStorage> {
  const version = hash('sha256', JSON.stringify(dataSets[set.name])).slice(0, 12)
  const kept = join(cache, `${set.name}-${version}`)
  if (!(await exists(join(kept, FACTS)))) await make(set, cache, kept)
  const facts = JSON.parse(await readFile(join(kept, FACTS), 'utf8')) as SetFacts
  const storage = join(kept, 'registry')
  if ((await statfs(storage)).type === TMPFS) return { directory: storage, facts }
  const directory = join(scratch, `source-${set.name}`)
  await cp(storage, directory, { recursive: true })
  return { directory, facts }
}

/** Where sets are kept from one run to the next. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return env.CARRYALL_BENCH_DIR ?? join(tmpdir(), 'carryall-bench')
}

async function make(set: DataSet, cache: string, final: string): Promise<void> {
  process.stderr.write(`Making the data set ${set.name}, which is kept in ${final}\n`)
  await mkdir(cache, { recursive: true })
  const partial = await mkdtemp(join(cache, 'partial-'))
  try {
    await using registry = await startDockerRegistry({ storage: join(partial, 'registry') })
    const facts = await publishSet(set, registry.url)
    await writeFile(join(partial, FACTS), JSON.stringify(facts))
    await registry.stop()
    // Another run may have made the same in the meantime.
    await rename(partial, final).catch(async (error: unknown) => {
      if (!(await exists(join(final, FACTS)))) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
