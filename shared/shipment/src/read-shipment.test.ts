import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { digestOf, readShipment } from './index.ts'
import { makeShipment } from './testing/index.ts'

test('what is said of a shipment is believed only where it is what the file says', async () => {
  const content = await mkdtemp(join(tmpdir(), 'read-'))
  onTestFinished(() => rm(content, { recursive: true }))
  const made = await makeShipment(content, { number: 1 })
  const { directory, metadata, value } = made
  expect(await readShipment(directory, structuredClone(value))).toEqual(made)
  // The very value is taken, and no other is made of the bytes.
  expect((await readShipment(directory, value)).value).toBe(value)
  for (const lie of [{ ...metadata, complete: false }, { ...(value as object), more: 1 }, {}, null, 'text'])
    expect(await readShipment(directory, lie)).toEqual(made)
  const file = join(directory, 'seq-metadata.yaml')
  await writeFile(file, `${await readFile(file, 'utf8')}more: 1\n`)
  expect(await readShipment(directory, value)).toMatchObject({
    metadataDigest: digestOf(await readFile(file)),
    value: { more: 1 },
  })
})

test('a pipe where metadata should be is refused, and not waited for', async () => {
  const content = await mkdtemp(join(tmpdir(), 'read-'))
  onTestFinished(() => rm(content, { recursive: true }))
  const file = join(content, 'seq-metadata.yaml')
  execFileSync('mkfifo', [file])
  await expect(readShipment(content)).rejects.toMatchObject({ code: 'FILE_UNEXPECTED' })
})
