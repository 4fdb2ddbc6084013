import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SyncReport } from '@carryall/schemas'
import { only } from '../support/ran.ts'
import { baseImages, laterImages } from '../support/sample-set.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { publish, startSyncSite } from '../support/sync-site.ts'
import { regSync } from '../support/tools.ts'

// Bytes that are left: for some directories, for the names, for some blobs, for all blobs but not for the archive that is made of them.
const LEFT = [8, 12, 16, 20, 28, 40, 64].map((kibibytes) => kibibytes * 1024)

test.each(['oci:layout', 'oci-archive:all.tar'])(
  '%s on a full disk says so, and is gone on with',
  async (end) => {
    const [kind = '', name = ''] = end.split(':')
    await using site = await startSyncSite(baseImages)
    await using disk = await mountSmallDisk(site.scratch, 4)
    const sync = () =>
      regSync([`docker://${site.prod.host}`, `${kind}:${join(disk.path, name)}`, '--retry-times', '0'])
    for (const left of LEFT) {
      await disk.fill(left)
      const ran = await sync()
      expect(ran.exit).toBe(74)
      expect(codesOf(ran.documents[0])).toEqual(['IO_NO_SPACE'])
      if (kind === 'oci-archive') expect(await readdir(disk.path)).not.toContain(name)
      await disk.free()
      await rm(join(disk.path, name), { recursive: true, force: true })
      await rm(join(disk.path, `.${name}.carryall`), { recursive: true, force: true })
    }
    await disk.fill(LEFT.at(-1)!)
    expect((await sync()).exit).toBe(74)
    await disk.free()
    expect(only<SyncReport>(await sync()).document.readiness.ready).toBe(true)
  },
)

/** Of the images that failed, or of the whole run where nothing could be said of any. */
function codesOf(document: unknown): readonly (string | undefined)[] {
  const { images = [], errors = [] } = document as Partial<SyncReport> & {
    readonly errors?: readonly { code: string }[]
  }
  const failed = images.filter(({ outcome }) => outcome === 'failed').map(({ error }) => error?.code)
  return [...new Set([...failed, ...errors.map(({ code }) => code)])]
}

test('an archive that cannot be extended for want of space is as it was', async () => {
  await using site = await startSyncSite(baseImages)
  await using disk = await mountSmallDisk(site.scratch, 4)
  const file = join(disk.path, 'all.tar')
  const sync = () => regSync([`docker://${site.prod.host}`, `oci-archive:${file}`, '--retry-times', '0'])
  only(await sync())
  const before = await readFile(file)
  await publish(site.prod.host, laterImages)
  await disk.fill(40 * 1024)
  expect((await sync()).exit).toBe(74)
  expect((await readFile(file)).equals(before)).toBe(true)
  await disk.free()
  expect(only<SyncReport>(await sync()).document.readiness.ready).toBe(true)
})
