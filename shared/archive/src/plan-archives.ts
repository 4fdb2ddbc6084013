import { CarryallError } from '@carryall/errors'
import { BLOCK, padding } from './block.ts'
import { nameKey } from './entry-name.ts'
import { type EntryFacts, tarHeader } from './tar-header.ts'

/** One regular file of an archive. All positions are bytes from the start of the archive. */
export interface PlannedEntry extends EntryFacts {
  /** Where its header blocks start. */
  readonly header: number
  /** Where its data starts. */
  readonly offset: number
}

/** An archive before its first byte is written: every position in it is known. */
export interface ArchivePlan {
  /** `mirror_000001.tar`, the names that oc-mirror reads. */
  readonly name: string
  /** Exact size of the file: headers, data, padding and the two zero blocks. */
  readonly size: number
  readonly entries: readonly PlannedEntry[]
}

const END = 2 * BLOCK

/**
 * Distributes entries, in their order, over archives of at most `maxBytes`, counted exactly. An entry that is alone
 * larger gets an archive of its own, or with `strict` throws CONFIG_INVALID. Always at least one archive, if need be an empty one.
 * Throws PATH_UNSAFE for a name that no archive may hold.
 */
export function planArchives(
  entries: readonly EntryFacts[],
  {
    maxBytes = Infinity,
    strict = false,
  }: { readonly maxBytes?: number | undefined; readonly strict?: boolean | undefined } = {},
): readonly ArchivePlan[] {
  const plans: ArchivePlan[] = []
  const names = new Set<string>()
  let open: PlannedEntry[] = []
  let used = 0
  const close = () => {
    plans.push({ name: archiveName(plans.length + 1), size: used + END, entries: open })
    open = []
    used = 0
  }

  for (const { name, size } of entries) {
    if (names.has(nameKey(name))) throw new RangeError(`Entry planned twice: ${name}`)
    names.add(nameKey(name))
    const headerSize = tarHeader({ name, size }).length
    const needed = headerSize + size + padding(size)
    if (strict && needed + END > maxBytes) throw tooLarge(name, needed + END, maxBytes)
    if (open.length > 0 && used + needed + END > maxBytes) close()
    open.push({ name, size, header: used, offset: used + headerSize })
    used += needed
  }
  if (open.length > 0 || plans.length === 0) close()
  return plans
}

function archiveName(number: number): string {
  return `mirror_${String(number).padStart(6, '0')}.tar`
}

function tooLarge(name: string, needed: number, maxBytes: number): CarryallError {
  return new CarryallError(
    'CONFIG_INVALID',
    `Cannot place ${name} in an archive: it needs ${needed} bytes, the limit is ${maxBytes}`,
    {
      hint: 'Raise the archive size, or allow single archives that are larger',
      subject: { kind: 'file', name },
      expected: maxBytes,
      actual: needed,
    },
  )
}
