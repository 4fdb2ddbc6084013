import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { pushSample, sampleImage } from '../testing/samples.ts'
import { openedArchives } from './opened-archives.ts'

test('each archive is opened once to read and once to write; closing publishes nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'opened-archives-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'app.tar')
  const first = openedArchives()
  const store = await first.open(file, { write: true })
  await pushSample(store, 'a', sampleImage('opened'), 'v1')
  expect(await first.open(file, { write: true })).toBe(store)
  await expect(first.open(file)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  await first.close()
  expect(await readdir(directory)).toEqual(['.app.tar.carryall'])

  const second = openedArchives()
  const again = await second.open(file, { write: true })
  await again.publish()
  const source = await second.open(file)
  expect(await second.open(file)).toBe(source)
  expect(await source.head('a', 'v1')).toMatchObject(sampleImage('opened').descriptor)
  await second.close()
  expect(await readdir(directory)).toEqual(['app.tar'])
})
