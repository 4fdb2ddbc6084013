import { createHash, type Hash } from 'node:crypto'
import { entryAt } from './entry-at.ts'
import { type Frame, framing } from './framing.ts'
import type { ArchivePlan, PlannedEntry } from './plan-archives.ts'

/** One thing in an archive that is not as planned. */
export interface ArchiveFault {
  /** The entry, or the archive where it is about the whole file. */
  readonly name: string
  readonly code: 'ARCHIVE_MALFORMED' | 'DIGEST_MISMATCH' | 'SIZE_MISMATCH' | 'INDEX_MISMATCH'
  /** Byte of the archive: the first wrong one, or where the entry's data starts. */
  readonly offset: number
  readonly expected: string | number
  readonly actual: string | number
}

type Stretch =
  | { readonly start: number; readonly length: number; readonly frame: Frame }
  | { readonly start: number; readonly length: number; readonly entry: PlannedEntry }

/**
 * Compares the bytes of an archive, as they come, with its plan and the digests of its entries. It goes on after a fault.
 * Throws INDEX_MISMATCH where the plan contradicts itself.
 */
export class ArchiveChecker {
  readonly faults: ArchiveFault[] = []
  readonly #plan: ArchivePlan
  readonly #digests: ReadonlyMap<string, string>
  readonly #stretches: Iterator<Stretch, void>
  #stretch: Stretch | undefined
  #position = 0
  #hash: Hash | undefined
  #frameIsWrong = false

  constructor(plan: ArchivePlan, digests: ReadonlyMap<string, string>) {
    this.#plan = plan
    this.#digests = digests
    this.#stretches = stretches(plan)
    this.#next()
  }

  /** Takes the next bytes of the archive; those after its planned end are passed over. */
  update(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && this.#stretch !== undefined) {
      const { start, length } = this.#stretch
      const bytes = chunk.subarray(at, at + start + length - this.#position)
      if ('entry' in this.#stretch) this.#hash?.update(bytes)
      else this.#compare(this.#stretch.frame, bytes)
      at += bytes.length
      this.#position += bytes.length
      this.#finishWhole()
    }
  }

  /** Says that the file ends after `size` bytes and gives all faults. */
  end(size: number): readonly ArchiveFault[] {
    if (size !== this.#plan.size) {
      this.#fault('SIZE_MISMATCH', this.#plan.name, Math.min(size, this.#plan.size), this.#plan.size, size)
    }
    for (; this.#stretch !== undefined; this.#next()) {
      // That the file is short says all about an empty entry.
      if (!('entry' in this.#stretch) || this.#stretch.length === 0) continue
      const { name, offset, size: whole } = this.#stretch.entry
      this.#fault('SIZE_MISMATCH', name, offset, whole, Math.max(0, this.#position - offset))
    }
    return this.faults
  }

  #compare(frame: Frame, bytes: Buffer): void {
    const from = this.#position - frame.position
    const planned = frame.bytes.subarray(from, from + bytes.length)
    if (this.#frameIsWrong || planned.equals(bytes)) return
    this.#frameIsWrong = true
    const wrong = bytes.findIndex((byte, index) => byte !== planned[index])
    const offset = this.#position + wrong
    this.#fault('ARCHIVE_MALFORMED', this.#nameAt(offset), offset, hex(planned[wrong]!), hex(bytes[wrong]!))
  }

  #nameAt(offset: number): string {
    const inEnd = offset >= this.#plan.size - END
    return (inEnd ? undefined : entryAt(this.#plan, offset)?.name) ?? this.#plan.name
  }

  /** Goes on to the stretch that the next byte belongs to; an empty entry is whole at once. */
  #finishWhole(): void {
    while (this.#stretch !== undefined && this.#position === this.#stretch.start + this.#stretch.length) {
      if ('entry' in this.#stretch) this.#judge(this.#stretch.entry)
      this.#next()
    }
  }

  #judge({ name, offset }: PlannedEntry): void {
    const actual = `sha256:${this.#hash!.digest('hex')}`
    const expected = this.#digests.get(name)
    if (expected === undefined) this.#fault('INDEX_MISMATCH', name, offset, 'a known digest', actual)
    else if (actual !== expected) this.#fault('DIGEST_MISMATCH', name, offset, expected, actual)
  }

  #next(): void {
    const { value } = this.#stretches.next()
    this.#stretch = value ?? undefined
    this.#frameIsWrong = false
    this.#hash = this.#stretch !== undefined && 'entry' in this.#stretch ? createHash('sha256') : undefined
  }

  #fault(
    code: ArchiveFault['code'],
    name: string,
    offset: number,
    expected: string | number,
    actual: string | number,
  ): void {
    this.faults.push({ name, code, offset, expected, actual })
  }
}

const END = 1024

function* stretches(plan: ArchivePlan): Generator<Stretch, void, void> {
  let index = 0
  for (const frame of framing(plan)) {
    yield { start: frame.position, length: frame.bytes.length, frame }
    const entry = plan.entries[index]
    index += 1
    if (entry !== undefined) yield { start: entry.offset, length: entry.size, entry }
  }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}
