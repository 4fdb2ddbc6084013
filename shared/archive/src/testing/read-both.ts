import { expect } from 'vitest'
import type { ArchiveEntry } from '../parse-archive.ts'
import { walkArchive } from '../walk-archive.ts'
import { entriesOf, makeScratch } from './scratch.ts'

/** The entries of an archive of these bytes, as both readers find them: they must find the same, or fail in the same way. */
export async function readBoth(...parts: readonly Buffer[]): Promise<readonly ArchiveEntry[]> {
  using scratch = makeScratch('/dev/shm')
  const path = scratch.file('a.tar', Buffer.concat(parts))
  const walked: ArchiveEntry[] = []
  const [list, walk] = await Promise.allSettled([
    entriesOf(path),
    walkArchive(path, { onEntry: (entry) => void walked.push(entry) }),
  ])
  expect(walk.status).toBe(list.status)
  if (list.status === 'fulfilled') {
    expect(walked).toEqual(list.value)
    return list.value
  }
  expect((walk as PromiseRejectedResult).reason).toEqual(list.reason)
  throw list.reason
}
