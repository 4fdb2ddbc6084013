import type { ListedImage } from '@carryall/catalog'
import { CarryallError } from '@carryall/errors'
import { isDigest, isRepository, type SyncConfig, type SyncPair } from '@carryall/schemas'
import { checkPair } from './check-pair.ts'
import { below, parseEnd, under, type End } from './ends.ts'
import { inConfiguration } from './in-configuration.ts'
import { mapPath } from './map-path.ts'

export type Policies = Readonly<Record<string, 'never' | 'move'>>
export type Api = NonNullable<SyncPair['api']>

/** What is kept equal to what, and how. */
export interface Pair {
  readonly source: End
  readonly destination: End
  readonly repositories: SyncPair['repositories']
  readonly tags: SyncPair['tags']
  /** `repository[:tag|@digest]` below the source, in place of its list. */
  readonly images: readonly string[] | undefined
  /** What somebody has listed already, in place of asking. */
  readonly listed?: readonly ListedImage[]
  /** Somebody's list did not come to its end. */
  readonly cut?: true
  readonly pathMap: NonNullable<SyncPair['path_map']>
  /** The first table that knows the tag counts. */
  readonly policies: readonly Policies[]
  readonly backup: string | undefined
  readonly platforms: readonly string[]
  readonly attachments: boolean
  readonly api: Api
  readonly destinationApi: Api
}

/** What flags say for all pairs; it beats what a configuration says. */
export interface PairDefaults {
  readonly repositories: SyncPair['repositories']
  readonly tags: SyncPair['tags']
  readonly policies: readonly Policies[]
  readonly backup: string | undefined
  readonly platforms: readonly string[]
  /** Undefined where no flag says it. */
  readonly attachments: boolean | undefined
  readonly api: Api | undefined
  readonly destinationApi: Api | undefined
}

export interface ConfiguredWhere {
  /** Makes the directories and files of the configuration absolute. */
  readonly resolve: (path: string) => string
  readonly now: Date
  /** Of the configuration. */
  readonly file: string
}

/** The pairs of a configuration. Throws CONFIG_INVALID. */
export function configuredPairs(
  config: SyncConfig,
  flags: PairDefaults,
  { resolve, now, file }: ConfiguredWhere,
): readonly Pair[] {
  const end = (text: string): End => collective(parseEnd(text, resolve))
  return config.sync.map((one, index) =>
    inConfiguration(
      `#/sync/${index}`,
      () => {
        const pair = {
          source: inConfiguration('#/source', () => end(one.source)),
          destination: inConfiguration('#/destination', () => end(one.destination)),
          repositories: flags.repositories ?? one.repositories,
          tags: flags.tags ?? one.tags,
          images: one.images,
          pathMap: one.path_map ?? [],
          policies: [...flags.policies, one.policies ?? {}, config.defaults?.policies ?? {}],
          backup: flags.backup ?? one.backup,
          platforms: flags.platforms.length > 0 ? flags.platforms : (one.platforms ?? []),
          attachments: flags.attachments ?? one.attachments ?? true,
          api: flags.api ?? one.api ?? 'auto',
          destinationApi: flags.destinationApi ?? one.destination_api ?? 'auto',
        }
        checkPair(pair, now)
        return pair
      },
      file,
    ),
  )
}

/** The pair of two operands: everything below a path, or one image. Throws USAGE_BAD_VALUE, USAGE_CONFLICT. */
export function operandPair(source: End, destination: End, flags: PairDefaults): Pair {
  const single = source.reference !== undefined
  if (!single) collective(destination)
  return {
    source,
    destination,
    repositories: flags.repositories,
    tags: flags.tags,
    images: undefined,
    ...(single ? { listed: [imageOf(source)] } : {}),
    pathMap: [],
    policies: flags.policies,
    backup: flags.backup,
    platforms: flags.platforms,
    attachments: flags.attachments ?? true,
    api: flags.api ?? 'auto',
    destinationApi: flags.destinationApi ?? 'auto',
  }
}

/**
 * The pairs of a list of images: one for each registry in it. Repositories keep their whole path below the destination. `cut` are the
 * registries whose list was not complete. Throws USAGE_CONFLICT.
 */
export function listedPairs(
  { images, cut }: { readonly images: readonly ListedImage[]; readonly cut: ReadonlySet<string> },
  destination: End,
  flags: PairDefaults,
  resolve: (path: string) => string,
): readonly Pair[] {
  const registries = [...new Set([...images.map(({ registry }) => registry), ...cut])]
  return registries.map((registry) => ({
    ...operandPair(
      collective(parseEnd(isPlace(registry) ? registry : `docker://${registry}`, resolve)),
      collective(destination),
      flags,
    ),
    listed: images.filter((image) => image.registry === registry),
    ...(cut.has(registry) ? { cut: true as const } : {}),
  }))
}

const isPlace = (registry: string): boolean => /^oci(?:-archive)?:/.test(registry)

/**
 * The name of a source's repository at the destination: what is below the source's path comes below the destination's. A source
 * that is one repository gives it the destination's name, or keeps its own where that has none. Throws REFERENCE_INVALID.
 */
export function destinationOf({ source, destination, pathMap }: Pair, repository: string): string {
  const relative = below(source.path, repository) ?? repository
  const name = under(destination.path, mapPath(relative, pathMap)) || mapPath(repository, pathMap)
  if (isRepository(name)) return name
  throw new CarryallError('REFERENCE_INVALID', `Cannot name ${repository} "${name}" at ${destination.text}`, {
    subject: { kind: 'repository', name: repository },
    actual: name,
    hint: 'Give it a shorter path there: a name has 255 characters at most',
  })
}

/** The pairs as they were given. */
export function namesOf(
  pairs: readonly Pair[],
): readonly { readonly source: string; readonly destination: string }[] {
  return pairs.map(({ source, destination }) => ({ source: source.text, destination: destination.text }))
}

/** The registries of each side, by `host[:port]`. */
export function hostsOf(pairs: readonly Pair[]): {
  readonly src: readonly string[]
  readonly dest: readonly string[]
} {
  const hosts = (ends: readonly End[]): readonly string[] => [
    ...new Set(ends.filter(({ kind }) => kind === 'registry').map(({ place }) => place)),
  ]
  return {
    src: hosts(pairs.map(({ source }) => source)),
    dest: hosts(pairs.map(({ destination }) => destination)),
  }
}

function imageOf({ registry, path, reference = '' }: End): ListedImage {
  return { registry, repository: path, ...(isDigest(reference) ? { digest: reference } : { tag: reference }) }
}

/** True where each image was asked for by name, so that one which is not there is an error. */
export function isExplicit({ images, listed }: Pair): boolean {
  return images !== undefined || listed !== undefined
}

/** `repository:tag` or `repository@digest`. */
export function nameOf(repository: string, reference: string): string {
  return `${repository}${reference.includes(':') ? '@' : ':'}${reference}`
}

function collective(end: End): End {
  if (end.reference === undefined) return end
  throw new CarryallError('USAGE_CONFLICT', `"${end.text}" names one image where many are wanted`, {
    actual: end.text,
    hint: 'Leave the tag out, or name one image on both sides; in a configuration use "images"',
  })
}
