import { CarryallError } from '@carryall/errors'
import { validRange, satisfies } from 'semver'
import type { ListedImage } from './catalog.ts'
import { changedSince } from './changed-since.ts'
import { glob } from './glob.ts'
import { linearPattern } from './linear-pattern.ts'
import type { Selection } from './selection.ts'

/** A selection that can be asked. */
export interface Selected {
  /** False where nothing is ever left out. */
  readonly filters: boolean
  /** By the name below the namespace, and by when it changed where that is known. */
  repository(name: string, changed?: Date): boolean
  /** All but `newest`. Throws API_UNSUPPORTED where times are needed and not told. */
  image(image: ListedImage): boolean
  /** Of what is left, that many of each repository. */
  readonly newest: number | undefined
}

/** Throws CONFIG_INVALID with a pointer into the selection. */
export function compileSelection({ repositories = {}, tags = {} }: Selection, now: Date): Selected {
  const { newest, changed_since: age } = tags
  const since = age === undefined ? undefined : changedSince(age, now)
  if (age !== undefined && since === undefined)
    throw invalid('changed_since', age, 'an age such as 30d, or a time such as 2026-01-31T00:00:00Z')
  const isNamed = among(repositories)
  const tests = tagTests(tags)
  return {
    filters: [repositories, tags].some((part) => Object.values(part).some((value) => value !== undefined)),
    repository: (name, changed) =>
      isNamed(name) && (since === undefined || changed === undefined || changed >= since),
    // What is named by its digest has no tag that could speak against it.
    image: (image) =>
      (image.tag === undefined || tests.every((test) => test(image.tag!))) &&
      (since === undefined || isYounger(image, since)),
    newest,
  }
}

type Test = (text: string) => boolean

function tagTests({ regex, semver, ...globs }: NonNullable<Selection['tags']>): readonly Test[] {
  if (semver !== undefined && validRange(semver) === null)
    throw invalid('semver', semver, 'a range of versions such as ">=1.2 <2"')
  return [
    among(globs),
    ...(regex === undefined ? [] : [anchored(regex)]),
    ...(semver === undefined ? [] : [(tag: string) => satisfies(tag, semver)]),
  ]
}

function among({
  include,
  exclude = [],
}: {
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
}): Test {
  const [wanted, unwanted] = [include?.map(glob), exclude.map(glob)]
  return (name) => (wanted?.some((test) => test(name)) ?? true) && !unwanted.some((test) => test(name))
}

function anchored(regex: string): Test {
  try {
    return linearPattern(regex)
  } catch (cause) {
    const why = (cause as Error).message.replace(/^Invalid regular expression: .*: /s, '')
    throw new CarryallError('CONFIG_INVALID', `Cannot select by regex "${regex}": ${why}`, {
      pointer: '#/tags/regex',
      expected: 'a regular expression in RE2 syntax',
      actual: regex,
      hint: 'Write it in RE2 syntax, which has no look-around and no back-references',
      cause,
    })
  }
}

function isYounger({ registry, repository, created }: ListedImage, since: Date): boolean {
  if (created !== undefined) return new Date(created) >= since
  throw new CarryallError(
    'API_UNSUPPORTED',
    `${registry} does not tell when the tags of ${repository} changed`,
    {
      subject: { kind: 'repository', name: `${registry}/${repository}` },
      hint: 'Quay (with a token), Harbor and Docker Hub tell it by their own APIs; else select by names or versions',
    },
  )
}

function invalid(key: string, actual: string, expected: string): CarryallError {
  return new CarryallError('CONFIG_INVALID', `Cannot select by ${key} "${actual}": ${expected} is wanted`, {
    pointer: `#/tags/${key}`,
    expected,
    actual,
  })
}
