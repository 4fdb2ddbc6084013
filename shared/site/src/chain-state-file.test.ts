import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { ChainState } from '@carryall/schemas'
import { freshState, raise } from './chain-state.ts'
import { readChainState, updateChainState } from './chain-state-file.ts'
import { CHAIN, history, NOW, stateAt } from './testing/index.ts'

let stateDir: string
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'carryall-state-'))
  return () => rm(stateDir, { recursive: true })
})

const file = (): string => join(stateDir, 'chains', `${CHAIN.id}.json`)
const holder = { holder: 'test' }
const write = (state: ChainState): Promise<ChainState> =>
  updateChainState(stateDir, CHAIN.id, () => state, holder)

test('what was written is read again', async () => {
  expect(await readChainState(stateDir, CHAIN.id)).toBeUndefined()
  const state = stateAt(history(3))
  expect(await write(state)).toEqual(state)
  expect(await readChainState(stateDir, CHAIN.id)).toEqual(state)
  expect(Object.keys(JSON.parse(await readFile(file(), 'utf8')) as object)).toEqual([
    'apiVersion',
    'kind',
    'chain',
    'mark',
    'landed',
    'signed',
    'digests',
    'last_seen',
  ])
})

test('a file that is damaged, or of another chain, is no fresh start', async () => {
  await write(stateAt(history(2)))
  const other = { ...CHAIN, id: '00000000-0000-4000-8000-000000000002' }
  const whole = await readFile(file(), 'utf8')
  for (const bytes of [
    '',
    whole.slice(0, -20),
    '{}',
    whole.replace('"sha256:', '"md5:'),
    JSON.stringify(freshState(other, NOW)),
    ' '.repeat(17 * 1024 * 1024),
  ]) {
    await writeFile(file(), bytes)
    await expect(readChainState(stateDir, CHAIN.id)).rejects.toMatchObject({ code: 'SEQ_STATE_MISMATCH' })
    await expect(write(freshState(CHAIN, NOW))).rejects.toMatchObject({ code: 'SEQ_STATE_MISMATCH' })
    expect(await readFile(file(), 'utf8')).toBe(bytes)
  }
})

test('what is in the way of it is no fresh start', async () => {
  await write(stateAt(history(2)))
  await rm(file())
  await mkdir(file())
  await expect(readChainState(stateDir, CHAIN.id)).rejects.toMatchObject({ code: 'FILE_UNEXPECTED' })
  await expect(readChainState(join(stateDir, 'chains/.lock'), CHAIN.id)).rejects.toMatchObject({ exit: 66 })
})

test('a damaged file is replaced where the operator accepts that', async () => {
  await write(stateAt(history(2)))
  await writeFile(file(), 'damaged')
  const fresh = freshState(CHAIN, NOW)
  await updateChainState(stateDir, CHAIN.id, (before) => before ?? fresh, {
    ...holder,
    acceptStateReset: true,
  })
  expect(await readChainState(stateDir, CHAIN.id)).toEqual(fresh)
})

test('what a newer release wrote is neither damaged nor overwritten', async () => {
  await write(stateAt(history(2)))
  await writeFile(file(), (await readFile(file(), 'utf8')).replace('carryall/v1', 'carryall/v2'))
  await expect(readChainState(stateDir, CHAIN.id)).rejects.toMatchObject({ code: 'SCHEMA_NEWER' })
})

test('changes at one time follow one another, and none is lost', async () => {
  const all = history(6)
  await Promise.all(
    all.map((one) =>
      updateChainState(
        stateDir,
        CHAIN.id,
        (state) => raise(state ?? freshState(CHAIN, NOW), one, { now: NOW, signed: false, landed: true }),
        holder,
      ),
    ),
  )
  expect((await readChainState(stateDir, CHAIN.id))?.digests.map((link) => link.sequence_number)).toEqual([
    1, 2, 3, 4, 5, 6,
  ])
})

test('a change that fails, or changes nothing, writes nothing', async () => {
  await write(stateAt(history(2)))
  const before = await readFile(file(), 'utf8')
  await expect(
    updateChainState(
      stateDir,
      CHAIN.id,
      () => {
        throw new Error('no')
      },
      holder,
    ),
  ).rejects.toThrow('no')
  await updateChainState(stateDir, CHAIN.id, (state) => state!, holder)
  expect(await readFile(file(), 'utf8')).toBe(before)
  expect((await readdir(join(stateDir, 'chains'))).toSorted()).toEqual(['.lock', `${CHAIN.id}.json`])
})
