import { badValue } from '@carryall/cli'

/** How what is there is proven: by tag, by asking for all that belongs to it, or by pulling some images whole. */
export interface VerifyMode {
  readonly depth: 'tag' | 'deep' | 'sample'
  /** How many are pulled, with `sample`. */
  readonly images: number
}

/** `tag`, `deep` or `sample:N`. Throws USAGE_BAD_VALUE. */
export function parseVerify(text: string): VerifyMode {
  if (text === 'tag' || text === 'deep') return { depth: text, images: 0 }
  const images = Number(/^sample:([1-9]\d{0,6})$/.exec(text)?.[1])
  if (Number.isInteger(images)) return { depth: 'sample', images }
  throw badValue(text, 'tag, deep or sample:N')
}

/** Which images are proven: all, or as many as asked for, chosen by chance. */
export function chosen<T>(images: readonly T[], mode: VerifyMode, random: () => number): readonly T[] {
  if (mode.depth === 'tag') return []
  if (mode.depth === 'deep' || images.length <= mode.images) return images
  const left = [...images]
  return Array.from({ length: mode.images }, () => left.splice(Math.floor(random() * left.length), 1)[0]!)
}
