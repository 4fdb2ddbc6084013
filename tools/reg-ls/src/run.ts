import { resolve } from 'node:path'
import {
  asFlagError,
  type CatalogPorts,
  type ImageList,
  listImages,
  openCatalog,
  type Unread,
} from '@carryall/catalog'
import { type Context, type Item, type Outcome, registryAccess } from '@carryall/cli'
import { CarryallError, errorObject, Exit, type ExitCode, strongest } from '@carryall/errors'
import { connectStores, type Source, type Stores } from '@carryall/oci'
import { API_VERSION } from '@carryall/schemas'
import type { ListFlags } from './command.ts'
import { parsePlace, type Place } from './place.ts'
import { readNames } from './read-names.ts'
import { selectionOf } from './selection-of.ts'
import { table } from './table.ts'

/** `reg-ls`: an Image for each tag, while they are found; with `--summary` a Listing behind the last. */
export async function run(
  context: Context,
  flags: ListFlags,
  [operand]: readonly string[],
): Promise<Outcome> {
  const place = parsePlace(operand!, (path) => resolve(context.cwd, path))
  if (flags.images === '-' && flags['password-stdin'])
    throw new CarryallError('USAGE_CONFLICT', '--images - and --password-stdin both want stdin')
  const names = flags.images === undefined ? undefined : await readNames(context, flags.images, place)
  const hosts = place.kind === 'registry' ? [place.at] : []
  const { mirrors: _, ...access } = await registryAccess(context, flags, '', hosts)
  const stores = await connectStores(access)
  // Ends what was asked for ahead where the reader has gone.
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  const failures: unknown[] = []
  const onFailure = (image: Unread, error: unknown): void => {
    failures.push(error)
    const { code, message } = errorObject(error)
    context.log.warn(`Cannot read ${nameOf(image)}: ${message}`, { code })
  }
  try {
    const store = await openStore(stores, place)
    const catalog = await openCatalog(
      place.namespace,
      apiOf(flags, names),
      await ports(stores, store, place, flags),
      signal,
    )
    const list = listImages(catalog, store, place.namespace, {
      selection: selectionOf(flags),
      names,
      digests: flags.digests,
      parallel: flags.parallel,
      now: context.now(),
      signal,
      onFailure,
    })
    const errors: unknown[] = []
    return {
      items: items(context, list, { stop, stores, failures, errors, summary: flags.summary }),
      errors,
      get exit() {
        return exitOf(failures, list)
      },
      table,
    }
  } catch (error) {
    await stores.close()
    throw asFlagError(error)
  }
}

interface Ending {
  readonly stop: AbortController
  readonly stores: Stores
  readonly failures: readonly unknown[]
  /** Filled when the list is over. */
  readonly errors: unknown[]
  readonly summary: boolean
}

async function* items(
  { log, signal }: Context,
  list: ImageList,
  { stop, stores, failures, errors, summary }: Ending,
): AsyncGenerator<Item> {
  try {
    for await (const image of list.images) {
      signal.throwIfAborted()
      yield { document: { apiVersion: API_VERSION, kind: 'Image', ...image } }
    }
    const listing = list.listing()
    const { registry, namespace, images, complete } = listing
    const what = namespace === undefined ? registry : `${registry}/${namespace}`
    if (images === 0 && failures.length === 0) log.warn(`Nothing is listed of ${what}`)
    if (!complete && failures.length === 0)
      log.warn(`${registry} has no catalog for us: there may be more than ${what} itself`)
    if (failures.length > 0)
      errors.push(...(images === 0 ? failures : [someFailed(what, failures.length, images)]))
    if (summary) yield { document: { apiVersion: API_VERSION, kind: 'Listing', ...listing } }
  } finally {
    stop.abort()
    await stores.close()
  }
}

/** Some failed: 1. All did: why they did. */
function exitOf(failures: readonly unknown[], list: ImageList): ExitCode {
  if (failures.length === 0) return Exit.OK
  return list.listing().images > 0
    ? Exit.PARTIAL
    : strongest(failures.map((error) => errorObject(error).exit as ExitCode))
}

function someFailed(what: string, failed: number, images: number): CarryallError {
  return new CarryallError(
    'ITEMS_FAILED',
    `The list of ${what} is incomplete: ${failed} could not be read, ${images} images are listed`,
    { hint: 'The warnings above name what is missing; run the same command again when it can be read' },
  )
}

function openStore(stores: Stores, { kind, at }: Place): Source | Promise<Source> {
  if (kind === 'registry') return stores.registry(at)
  return kind === 'layout' ? stores.layout(at) : stores.archive(at)
}

/** What is named needs no API to find it. */
function apiOf({ api }: ListFlags, names: readonly string[] | undefined): ListFlags['api'] | 'list' {
  return api === 'auto' && names !== undefined ? 'list' : api
}

async function ports(
  stores: Stores,
  store: Source,
  { kind, registry }: Place,
  flags: ListFlags,
): Promise<CatalogPorts> {
  return {
    store,
    http: stores.http,
    registry,
    credential: stores.credential,
    apiToken: kind === 'registry' ? await stores.apiToken(registry) : undefined,
    allowedRealms: flags['allow-realm'],
  }
}

function nameOf({ registry, repository, tag, digest }: Unread): string {
  const reference = tag === undefined ? (digest === undefined ? '' : `@${digest}`) : `:${tag}`
  return `${registry}/${repository}${reference}`
}
