import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  countCalls,
  findBreaches,
  need,
  output,
  parseCalls,
  places,
  runWithInjection,
  sample,
  start,
} from './index.ts'

let root: string
let argv: readonly string[]

beforeAll(async () => {
  await need('strace')
  root = await mkdtemp(join(tmpdir(), 'harness-'))
  const program = join(root, 'program.mjs')
  // Calls that end in Sync are Node's main thread, where modules are loaded, too: they must not count.
  await writeFile(
    program,
    `import { mkdir, rename, rmdir } from 'node:fs/promises'
     import { mkdirSync, rmdirSync } from 'node:fs'
     const at = (name) => process.argv[2] + '/' + name
     mkdirSync(at('sync')); rmdirSync(at('sync'))
     await mkdir(at('one')).catch((error) => console.log(error.code))
     await mkdir(at('two')).catch((error) => console.log(error.code))
     await rename(at('one'), at('three')).catch((error) => console.log(error.code))
     await rmdir(at('two')); await rmdir(at('three')).catch(() => rmdir(at('one')))`,
  )
  argv = [process.execPath, program, root]
})
afterAll(() => rm(root, { recursive: true }))

test('calls are counted from the first line on, with their paths', async () => {
  const calls = await countCalls(argv)
  expect(
    calls.map(({ name, nth, paths }) => [name, nth, ...paths.map((path) => path.slice(root.length))]),
  ).toEqual([
    ['mkdir', 1, '/one'],
    ['mkdir', 2, '/two'],
    ['rename', 1, '/one', '/three'],
    ['rmdir', 1, '/two'],
    ['rmdir', 2, '/three'],
  ])
  expect(places(calls, 'EIO')).toHaveLength(5)
})

test('an error meets the call that was named, and no other', async () => {
  const run = await runWithInjection(argv, { call: 'rename', when: 1, what: 'EIO' })
  expect(run).toMatchObject({ fired: true, exitCode: 0, signal: null, stdout: 'EIO\n' })
})

test('a kill comes before the call is done', async () => {
  const run = await runWithInjection(argv, { call: 'mkdir', when: 2, what: 'SIGKILL' })
  expect(run).toMatchObject({ fired: true, exitCode: null, signal: 'SIGKILL' })
  await rm(join(root, 'one'), { recursive: true })
  await expect(rm(join(root, 'two'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a fault that does not happen is told', async () => {
  const run = await runWithInjection(argv, { call: 'mkdir', when: 3, what: 'SIGKILL' })
  expect(run).toMatchObject({ fired: false, exitCode: 0 })
  await expect(runWithInjection(argv, { call: 'write', when: 1, what: 'SIGKILL' })).rejects.toThrow(
    'pwrite64',
  )
})

test('a program that does not end well is no measure', async () => {
  await expect(countCalls([process.execPath, '-e', 'process.exit(3)'])).rejects.toThrow('ended with 3')
  await expect(countCalls(['/bin/sh', '-c', 'echo no node >&2'])).rejects.toThrow('no node')
})

test('a log is read with descriptors, flags, faults and calls that wake the loop', () => {
  const log = `openat(-100</w>, "a b", 0xa00c1, 0600) = 21</w/a b>
write(20<anon_inode:[eventfd]>, ""..., 8) = 8
write(21</w/a b>, ""..., 8)       = 8
close(21</w/a b>)                       = -1 EIO (Input/output error) (INJECTED)
renameat2(-100</w>, "/w/a b", 3</x>, "c", 0) = ?
+++ killed by SIGKILL +++
`
  const call = { flags: 0, injected: false, result: 8 }
  expect(parseCalls(log)).toEqual([
    { name: 'openat', nth: 1, paths: ['/w/a b'], flags: 0xa00c1, result: 21, injected: false },
    { ...call, name: 'write', nth: 2, paths: ['/w/a b'] },
    { ...call, name: 'close', nth: 1, paths: ['/w/a b'], result: -1, injected: true },
    { ...call, name: 'renameat2', nth: 1, paths: ['/w/a b', '/w/c'], result: '?' },
  ])
})

test('a name that nobody gave, and one given without a sync of its directory, are breaches', () => {
  const log = 'mkdir("/d/a", 0755)                     = 0\n'
  expect(findBreaches(parseCalls(log), ['/d/a', '/d/b'])).toEqual([
    { rule: 'a name is given by rename, link or mkdir', path: '/d/b' },
    { rule: 'a directory is synced after a name changed in it', path: '/d/a' },
  ])
})

test('a sample is the same each time, in order, and holds no more than there is', () => {
  const items = Array.from({ length: 50 }, (_, index) => index)
  const drawn = sample(items, 5)
  expect(sample(items, 5)).toEqual(drawn)
  expect(drawn.toSorted((a, b) => a - b)).toEqual(drawn)
  expect(new Set(drawn).size).toBeGreaterThanOrEqual(5)
  expect(sample([1, 2], 5)).toEqual([1, 2])
})

test('programs tell how they ended', async () => {
  expect(await output('printf', 'x')).toBe('x')
  await expect(output('sh', '-c', 'echo why >&2; exit 4')).rejects.toThrow(/4: why/)
  await expect(output('/no/such/program')).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await start(['sleep', '60']).kill()).toEqual({ exitCode: null, signal: 'SIGKILL' })
  await expect(need('no-such-program')).rejects.toThrow('no-such-program')
})
