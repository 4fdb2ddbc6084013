import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { run } from './run.ts'

const sh = (script: string, options: Parameters<typeof run>[2] = {}) => run('sh', ['-c', script], options)

/** True while a process of that command line runs. */
const runs = async (marker: string) =>
  (await run('pgrep', ['-f', '--', marker], { okExits: [0, 1], package: 'procps' })).exitCode === 0

test('output comes byte for byte, arguments go without a shell', async () => {
  const odd = '$(id) `id` ; * "\' \n --x'
  const { stdout, stderr, exitCode } = await run('printf', ['%s', odd])
  expect({ stdout: stdout.toString(), stderr, exitCode }).toEqual({ stdout: odd, stderr: '', exitCode: 0 })
  expect((await run('printf', ['\\377\\000\n\n'])).stdout).toEqual(Buffer.from([255, 0, 10, 10]))
})

test('the environment is clean: nothing of ours reaches the child', async () => {
  process.env['CARRYALL_TEST_SECRET'] = 'hunter2'
  try {
    const { stdout } = await run('env', [], { env: { HOME: '/root', EXTRA: '1' } })
    expect(stdout.toString().trim().split('\n').toSorted()).toEqual([
      'EXTRA=1',
      'HOME=/root',
      'LC_ALL=C.UTF-8',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ])
    expect((await run('env', [])).stdout.toString()).toContain('HOME=/\n')
  } finally {
    delete process.env['CARRYALL_TEST_SECRET']
  }
})

test('stdin is what is given, or empty; who does not read it is no failure', async () => {
  expect((await run('cat', [], { stdin: Buffer.from([0, 255]) })).stdout).toEqual(Buffer.from([0, 255]))
  expect((await run('cat', [])).stdout).toEqual(Buffer.alloc(0))
  expect((await run('true', [], { stdin: Buffer.alloc(4 * 1024 * 1024) })).exitCode).toBe(0)
})

test('a working directory and descriptors are passed on', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'exec-'))
  await writeFile(join(directory, 'a'), 'first')
  await writeFile(join(directory, 'b'), 'second')
  const handles = [await open(join(directory, 'a')), await open(join(directory, 'b'))]
  try {
    const { stdout } = await sh('pwd; cat <&3; cat <&4', {
      cwd: directory,
      inheritFds: handles.map(({ fd }) => fd),
    })
    expect(stdout.toString()).toBe(`${directory}\nfirstsecond`)
    // Only what is named: all else of ours is closed on exec.
    const open = await sh('ls -l /proc/$$/fd')
    expect(open.stdout.toString()).not.toContain(directory)
  } finally {
    for (const handle of handles) await handle.close()
    await rm(directory, { recursive: true })
  }
})

test('another exit is EXEC_FAILED with program, code and escaped stderr', async () => {
  const failed = sh('echo before >&2; printf "bad \\033[31mred\\n" >&2; exit 3')
  await expect(failed).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    message: 'Program "sh" failed with exit 3: bad \\u{1b}[31mred',
    details: {
      actual: 3,
      subject: { kind: 'program', name: 'sh' },
      cause: { message: 'before\nbad \\u{1b}[31mred' },
    },
  })
  expect((await sh('exit 3', { okExits: [0, 3] })).exitCode).toBe(3)
  await expect(sh('exit 0', { okExits: [3] })).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { actual: 0 },
  })
})

test('a signal is EXEC_FAILED and named', async () => {
  await expect(sh('kill -SEGV $$')).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { actual: 'SIGSEGV' },
  })
})

test('a flood of stderr is drained and its end kept', async () => {
  const flood = 'head -c 50000000 /dev/zero | tr "\\0" x >&2; echo the end >&2'
  const { stderr } = await sh(flood, { maxBytes: 100_000 })
  expect(stderr).toHaveLength(100_000)
  expect(stderr.endsWith('xthe end\n')).toBe(true)
  const error = await sh(`${flood}; exit 1`).catch((caught: Error) => caught)
  expect(error).toMatchObject({
    code: 'EXEC_FAILED',
    cause: { message: expect.stringMatching(/^x+the end$/) },
  })
  expect(((error as Error).cause as Error).message.length).toBeLessThanOrEqual(4096)
})

test('a flood of stdout is refused and its maker ended', async () => {
  await expect(sh('yes flood-by-exec-test', { maxBytes: 1000 })).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { expected: 1000 },
  })
  expect((await sh('head -c 1000 /dev/zero', { maxBytes: 1000 })).stdout).toHaveLength(1000)
  await expect.poll(() => runs('yes flood-by-exec-tes[t]'), { timeout: 10_000 }).toBe(false)
})

test('a hang is EXEC_TIMEOUT, with children and those that ignore SIGTERM ended', async () => {
  const start = Date.now()
  const hang = 'trap "" TERM; echo waiting >&2; sleep 417.25 & sleep 418.25'
  await expect(sh(hang, { timeoutMs: 300 })).rejects.toMatchObject({
    code: 'EXEC_TIMEOUT',
    message: 'Program "sh" did not end in 0.3 s: waiting',
  })
  expect(Date.now() - start).toBeLessThan(15_000)
  await expect.poll(() => runs('sleep 41[78]\\.25'), { timeout: 10_000 }).toBe(false)
})

test('a program that ends and leaves a child with the pipes does not hang us', async () => {
  const start = Date.now()
  await expect(sh('sleep 419.25 & exit 0', { timeoutMs: 500 })).rejects.toMatchObject({
    code: 'EXEC_TIMEOUT',
  })
  expect(Date.now() - start).toBeLessThan(15_000)
  await expect.poll(() => runs('sleep 419\\.2[5]'), { timeout: 10_000 }).toBe(false)
})

test('an abort ends the program and throws the reason', async () => {
  const stop = new AbortController()
  const running = sh('sleep 420.25', { signal: stop.signal })
  const reason = new Error('stopped')
  await wait(100)
  stop.abort(reason)
  await expect(running).rejects.toBe(reason)
  await expect.poll(() => runs('sleep 420\\.2[5]'), { timeout: 10_000 }).toBe(false)
  await expect(sh('true', { signal: stop.signal })).rejects.toBe(reason)
})

test('what is not there is EXEC_NOT_FOUND, with its package', async () => {
  await expect(run('carryall-no-such-program', [], { package: 'some-package' })).rejects.toMatchObject({
    code: 'EXEC_NOT_FOUND',
    details: { hint: expect.stringContaining('apt-get install some-package') },
  })
  await expect(run('./sh', [])).rejects.toMatchObject({ code: 'EXEC_NOT_FOUND' })
  await expect(run('/etc/passwd', [])).rejects.toMatchObject({ code: 'EXEC_NOT_FOUND' })
  await expect(run('/', [])).rejects.toMatchObject({ code: 'EXEC_NOT_FOUND' })
})

test('PATH of the caller does not count', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'exec-'))
  const before = process.env['PATH']
  try {
    await writeFile(join(directory, 'uname'), '#!/bin/sh\necho forged\n', { mode: 0o755 })
    process.env['PATH'] = directory
    expect((await run('uname', [])).stdout.toString()).not.toContain('forged')
  } finally {
    process.env['PATH'] = before
    await rm(directory, { recursive: true })
  }
})

test('a program that cannot be started is an error of ours', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'exec-'))
  try {
    const broken = join(directory, 'broken')
    await writeFile(broken, '#!/no/such/interpreter\n', { mode: 0o755 })
    await expect(run(broken, [])).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
    await expect(run('true', [], { cwd: join(directory, 'gone') })).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
    })
    expect(await readFile(broken, 'utf8')).toContain('interpreter')
  } finally {
    await rm(directory, { recursive: true })
  }
})
