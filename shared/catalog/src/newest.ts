import { compare, parse, type SemVer } from 'semver'
import { isCosignTag, isReferrersTag } from '@carryall/oci'
import type { ListedImage } from './catalog.ts'

const natural = new Intl.Collator('en', { numeric: true }).compare

type Compare = (a: ListedImage, b: ListedImage) => number

/**
 * The newest `count` of a repository's images, newest first: by semver where all tags are versions, with or without a leading
 * `v`; else by time where the API gives it for all; else by natural order, in which `1.10` comes after `1.9`. Tags of signatures
 * and the like are none of them.
 */
export function newest(listed: readonly ListedImage[], count: number): readonly ListedImage[] {
  const images = listed.filter(({ tag = '' }) => !isCosignTag(tag) && !isReferrersTag(tag))
  const first = byVersion(images) ?? byTime(images)
  const order: Compare = (a, b) =>
    first?.(a, b) || natural(nameOf(a), nameOf(b)) || (nameOf(a) < nameOf(b) ? -1 : 1)
  return images.toSorted((a, b) => order(b, a)).slice(0, count)
}

function byVersion(images: readonly ListedImage[]): Compare | undefined {
  const versions = new Map<ListedImage, SemVer>()
  for (const image of images) {
    const version = parse(image.tag)
    if (version === null) return undefined
    versions.set(image, version)
  }
  return (a, b) => compare(versions.get(a)!, versions.get(b)!)
}

function byTime(images: readonly ListedImage[]): Compare | undefined {
  if (images.some(({ created }) => created === undefined)) return undefined
  return (a, b) => Date.parse(a.created!) - Date.parse(b.created!)
}

function nameOf({ tag, digest }: ListedImage): string {
  return tag ?? digest ?? ''
}
