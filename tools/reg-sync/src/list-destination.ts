import { selectRepositories, type Catalog, type ListedImage } from '@carryall/catalog'
import type { Log } from '@carryall/cli'
import { isCarryallError } from '@carryall/errors'
import { pool } from '@carryall/oci'
import type { RegistryApi } from '@carryall/schemas'
import { byRepository, type Listed } from './by-repository.ts'
import { destinationOf, isExplicit, type Pair } from './pairs.ts'
import type { Ends } from './ports.ts'

/** What the destination of a pair has. */
export interface DestinationList {
  readonly known: Listed
  readonly api: RegistryApi
  /** What is not in it is not there, but for tags of cosign where it hides them. */
  readonly complete: boolean
  readonly hidesAttached: boolean
}

export interface ListDestinationOptions {
  readonly ends: Ends
  readonly parallel: number
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Lists all repositories of the destination where they can be listed, else those that images go to. Where only some images were
 * named it lists nothing, unless the API tells digests: each image is asked for then.
 */
export async function listDestination(
  pair: Pair,
  images: readonly ListedImage[],
  { ends, parallel, log, signal }: ListDestinationOptions,
): Promise<DestinationList> {
  const catalog = await ends.catalog('dest', pair.destination, pair.destinationApi)
  const targets = new Set(images.map(({ repository }) => destinationOf(pair, repository)))
  const named = isExplicit(pair)
  if (named && catalog.api === 'distribution')
    return { known: new Map(), api: 'list', complete: false, hidesAttached: false }
  const names = named ? undefined : await repositoriesOf(catalog, signal, log)
  const mayHaveExtra = new Set(names === undefined ? [] : comparable(pair, names))
  const asked =
    names === undefined ? [...targets] : names.filter((name) => targets.has(name) || mayHaveExtra.has(name))
  const known = new Map<string, ReadonlyMap<string, string | undefined>>()
  await pool(asked, parallel, signal, async (repository) => {
    const tags = await Array.fromAsync(catalog.images(repository, signal))
    known.set(repository, byRepository(tags).get(repository) ?? new Map())
  })
  return {
    known,
    api: catalog.api,
    complete: names !== undefined && catalog.complete(),
    hidesAttached: catalog.hidesAttached === true,
  }
}

/** Undefined where the registry does not list its repositories, or not for us. */
async function repositoriesOf(
  catalog: Catalog,
  signal: AbortSignal,
  log: Log,
): Promise<readonly string[] | undefined> {
  try {
    return (await Array.fromAsync(catalog.repositories(signal))).map(({ name }) => name)
  } catch (error) {
    if (!isCarryallError(error, 'API_UNSUPPORTED', 'AUTH_DENIED', 'AUTH_REQUIRED', 'REG_REFUSED')) throw error
    log.warn(`What is extra at the destination cannot be told: ${error.message}`)
    return undefined
  }
}

/** Repositories that the filters let pass; where paths are mapped, only those that images go to can be compared. */
function comparable(
  { pathMap, destination, repositories }: Pair,
  names: readonly string[],
): readonly string[] {
  return pathMap.length > 0 ? [] : selectRepositories(names, destination.path, repositories)
}
