import { closeSync, openSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inTree } from '../testing/make-image.ts'
import { allVolumes, makeScratch, output, VOLUME } from '../testing/scratch.ts'

test('reads a file of more than 4 GiB, in several extents', { timeout: 120_000 }, async () => {
  using scratch = makeScratch()
  const size = 4 * 1024 ** 3 + 5_000_001
  scratch.write(inTree({ [`${VOLUME}/volume.json`]: '{}', [`${VOLUME}/large`]: '' }))
  const path = join(scratch.path, 'tree', VOLUME, 'large')
  truncateSync(path, size)
  // Where extents end, and at both ends, there is something to be seen.
  const marks = [0, 4_294_965_247, 4_294_965_248, 4 * 1024 ** 3 - 1, 4 * 1024 ** 3, size - 1]
  const handle = openSync(path, 'r+')
  marks.forEach((at, index) => writeSync(handle, Buffer.from([index + 1]), 0, 1, at))
  closeSync(handle)
  const image = join(scratch.path, 'image.iso')
  // With holes: nobody should have to write 4 GiB for this.
  const pipe =
    'xorriso -as mkisofs -quiet -R -iso-level 3 -o - "$1" | dd of="$2" bs=1M iflag=fullblock conv=sparse'
  await output('bash', '-o', 'pipefail', '-c', pipe, '-', join(scratch.path, 'tree'), image)
  const volumes = await allVolumes(image)
  const zeros = Buffer.alloc(1024 * 1024)
  const seen: [number, number][] = []
  for await (const file of volumes[0]!.files()) {
    if (file.path !== 'large') continue
    expect(file.size).toBe(size)
    let position = 0
    for await (const chunk of file.chunks()) {
      if (!chunk.equals(zeros.subarray(0, chunk.length)))
        chunk.forEach((byte, at) => byte !== 0 && seen.push([position + at, byte]))
      position += chunk.length
    }
    expect(position).toBe(size)
  }
  await volumes[0]!.close()
  expect(seen).toEqual(marks.map((at, index) => [at, index + 1]))
})
