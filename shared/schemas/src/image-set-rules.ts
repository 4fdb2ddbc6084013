import { pointer } from './faults.ts'
import { isRepository } from './grammar.ts'
import type { ImageSetConfiguration } from './image-set-configuration.ts'
import { parseImageReference, type ImageReference } from './reference.ts'
import { isBelow, parseVersion } from './version.ts'

/** Something that a configuration says and the schema cannot judge. */
export interface ConfigurationFault {
  /** RFC 6901 pointer, starting with `#`. */
  readonly pointer: string
  readonly message: string
}

type Path = readonly (string | number)[]
type Mirror = ImageSetConfiguration['mirror']
type Rule = (mirror: Mirror) => Iterable<ConfigurationFault>
type Operator = NonNullable<Mirror['operators']>[number]
interface Range {
  readonly minVersion?: string | undefined
  readonly maxVersion?: string | undefined
}

const RULES: readonly Rule[] = [
  releaseImage,
  releaseChannels,
  platformsOrArchitectures,
  catalogs,
  packages,
  packageRanges,
  additionalImages,
]

/** What is wrong with the meaning of a configuration whose shape is right; all faults, in the order of the document. Pure. */
export function checkImageSet(config: ImageSetConfiguration): readonly ConfigurationFault[] {
  return RULES.flatMap((rule) => [...rule(config.mirror)])
}

function* releaseImage({ platform }: Mirror): Iterable<ConfigurationFault> {
  if (platform?.release !== undefined) yield* reference(platform.release, ['mirror', 'platform', 'release'])
}

function* releaseChannels({ platform }: Mirror): Iterable<ConfigurationFault> {
  const at = ['mirror', 'platform', 'channels']
  const channels = platform?.channels ?? []
  yield* duplicates(
    channels.map((channel) => channel.name),
    'channel',
    (index) => [...at, index, 'name'],
  )
  for (const [index, channel] of channels.entries()) {
    yield* range(channel, [...at, index])
    if (channel.full && channel.shortestPath)
      yield fault([...at, index, 'shortestPath'], 'full and shortestPath exclude each other')
  }
}

function* platformsOrArchitectures({ platform }: Mirror): Iterable<ConfigurationFault> {
  if ((platform?.platforms ?? []).length > 0 && (platform?.architectures ?? []).length > 0)
    yield fault(['mirror', 'platform', 'architectures'], 'platforms and architectures exclude each other')
}

function* catalogs({ operators = [] }: Mirror): Iterable<ConfigurationFault> {
  for (const [index, { catalog }] of operators.entries())
    yield* reference(catalog, ['mirror', 'operators', index, 'catalog'])
  yield* duplicates(operators.map(uniqueName), 'catalog', (index) => [
    'mirror',
    'operators',
    index,
    'catalog',
  ])
}

function* packages({ operators = [] }: Mirror): Iterable<ConfigurationFault> {
  for (const [index, operator] of operators.entries()) {
    const at = ['mirror', 'operators', index, 'packages']
    const all = operator.packages ?? []
    yield* duplicates(
      all.map((one) => one.name),
      'package',
      (found) => [...at, found, 'name'],
    )
    for (const [number, { channels = [] }] of all.entries()) {
      const names = channels.map((channel) => channel.name)
      yield* duplicates(names, 'channel', (found) => [...at, number, 'channels', found, 'name'])
    }
  }
}

function* packageRanges({ operators = [] }: Mirror): Iterable<ConfigurationFault> {
  for (const [index, { full, packages: all = [] }] of operators.entries()) {
    for (const [number, one] of all.entries()) {
      const at = ['mirror', 'operators', index, 'packages', number]
      const channels = one.channels ?? []
      yield* range(one, at)
      for (const [found, channel] of channels.entries()) yield* range(channel, [...at, 'channels', found])
      const narrow = channels.findIndex(isRange)
      if (isRange(one) && narrow >= 0)
        yield fault(
          [...at, 'channels', narrow],
          'versions are given for the package and for its channel, which exclude each other',
        )
      if (full && (isRange(one) || narrow >= 0))
        yield fault(at, 'full takes all versions, so that none can be given')
    }
  }
}

function* additionalImages({ additionalImages: all = [] }: Mirror): Iterable<ConfigurationFault> {
  for (const [index, { name, targetRepo }] of all.entries()) {
    const at = ['mirror', 'additionalImages', index, 'name']
    yield* reference(name, at)
    const parsed = tryReference(name)
    if (typeof parsed === 'string') continue
    if (parsed.transport === 'docker' && parsed.tag === undefined && parsed.digest === undefined)
      yield fault(at, `"${name}" has neither a tag nor a digest, and none is assumed`)
    if (targetRepo === undefined && !isRepository(parsed.path))
      yield fault(at, `"${parsed.path}" cannot be a repository at the destination: give a targetRepo`)
  }
}

function* duplicates(
  names: readonly string[],
  what: string,
  at: (index: number) => Path,
): Iterable<ConfigurationFault> {
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) yield fault(at(index), `the ${what} "${name}" is given twice`)
    seen.add(name)
  }
}

function* range({ minVersion, maxVersion }: Range, at: Path): Iterable<ConfigurationFault> {
  for (const [key, version] of Object.entries({ minVersion, maxVersion })) {
    if (version && parseVersion(version) === undefined)
      yield fault([...at, key], `"${version}" is not a semantic version`)
  }
  if (minVersion && maxVersion && isBelow(maxVersion, minVersion))
    yield fault([...at, 'maxVersion'], `"${maxVersion}" is below the minVersion "${minVersion}"`)
}

function isRange({ minVersion, maxVersion }: Range): boolean {
  return Boolean(minVersion) || Boolean(maxVersion)
}

/** What oc-mirror knows a catalog by: its reference, with the path and the tag that it gets. */
function uniqueName({ catalog, targetCatalog, targetTag }: Operator): string {
  const parsed = tryReference(catalog)
  if (typeof parsed === 'string') return catalog
  const tag = targetTag ?? parsed.tag
  const name = `${parsed.host ?? 'oci:'}/${targetCatalog ?? parsed.repository}`
  return `${name}${tag === undefined ? '' : `:${tag}`}${parsed.digest === undefined || targetTag !== undefined ? '' : `@${parsed.digest}`}`
}

function* reference(text: string, at: Path): Iterable<ConfigurationFault> {
  const parsed = tryReference(text)
  if (typeof parsed === 'string') yield fault(at, parsed)
}

function tryReference(text: string): ImageReference | string {
  try {
    return parseImageReference(text)
  } catch (error) {
    return (error as Error).message
  }
}

function fault(path: Path, message: string): ConfigurationFault {
  return { pointer: pointer(path), message }
}
