import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { filter } from './filter.ts'
import { run } from './run.ts'

type Source = AsyncIterable<Uint8Array>

const sh = (script: string, source: Source, options: Parameters<typeof filter>[3] = {}) =>
  filter('sh', ['-c', script], source, options)

async function* bytes(...chunks: readonly string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

async function drain(iterable: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of iterable) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const runs = async (marker: string) =>
  (await run('pgrep', ['-f', '--', marker], { okExits: [0, 1], package: 'procps' })).exitCode === 0

test('bytes go in and come out, without a shell, in a clean environment', async () => {
  expect(await drain(filter('tr', ['a-z', 'A-Z'], bytes('one ', '', 'two')))).toEqual(Buffer.from('ONE TWO'))
  expect(await drain(filter('cat', [], bytes()))).toEqual(Buffer.alloc(0))
  const env = await drain(filter('env', [], bytes(), { env: { EXTRA: '1' } }))
  expect(env.toString().trim().split('\n').toSorted()).toEqual([
    'EXTRA=1',
    'HOME=/',
    'LC_ALL=C.UTF-8',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ])
})

test('the buffer of a chunk may be used again when the next one is asked for', async () => {
  const buffer = Buffer.alloc(1024 * 1024)
  const expected = createHash('sha256')
  async function* reusing(): AsyncGenerator<Buffer> {
    for (let round = 0; round < 40; round++) {
      buffer.fill(round)
      expected.update(buffer)
      yield buffer
      buffer.fill(255)
    }
  }
  const actual = createHash('sha256')
  for await (const chunk of filter('cat', [], reusing())) actual.update(chunk)
  expect(actual.digest('hex')).toBe(expected.digest('hex'))
})

test('the source is not asked for more than the pipes and the consumer take', async () => {
  let given = 0
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) yield Buffer.alloc(64 * 1024, (given += 1))
  }
  const stream = filter('cat', [], endless())
  await stream.next()
  await wait(200)
  const before = given
  await wait(200)
  expect(given).toBe(before)
  expect(given).toBeLessThan(32)
  await stream.return()
})

test('a failure after output was given out is thrown after the last byte', async () => {
  const seen: string[] = []
  const failing = async () => {
    for await (const chunk of sh('cat; echo "no \\033good" >&2; exit 3', bytes('some')))
      seen.push(chunk.toString())
  }
  await expect(failing()).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { actual: 3, cause: { message: 'no \\u{1b}good' } },
  })
  expect(seen.join('')).toBe('some')
  await expect(drain(sh('cat; kill -KILL $$', bytes('some')))).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { actual: 'SIGKILL' },
  })
  expect(await drain(sh('cat; exit 3', bytes('some'), { okExits: [0, 3] }))).toEqual(Buffer.from('some'))
})

test('a program that ends before it has read everything is a failure, by its exit if that tells', async () => {
  async function* much(): AsyncGenerator<Buffer> {
    for (let round = 0; round < 64; round++) yield Buffer.alloc(64 * 1024)
  }
  await expect(drain(sh('head -c 10', much()))).rejects.toMatchObject({ code: 'EXEC_FAILED' })
  await expect(drain(sh('head -c 10; exit 4', much()))).rejects.toMatchObject({ details: { actual: 4 } })
})

test('what the source throws is thrown, and the program ended', async () => {
  const reason = new Error('medium was pulled')
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('some')
    throw reason
  }
  await expect(drain(sh('cat; sleep 431.25', broken()))).rejects.toBe(reason)
  await expect.poll(() => runs('sleep 431\\.2[5]'), { timeout: 10_000 }).toBe(false)
})

test('a consumer that stops early ends the program with its children, and the source', async () => {
  let ended = false
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.alloc(1000)
    } finally {
      ended = true
    }
  }
  for await (const chunk of sh('sleep 432.25 & cat; wait', endless())) {
    expect(chunk.length).toBeGreaterThan(0)
    break
  }
  expect(ended).toBe(true)
  await expect.poll(() => runs('sleep 432\\.2[5]'), { timeout: 10_000 }).toBe(false)
})

test('an abort ends the program and throws the reason', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped')
  const running = drain(sh('cat; sleep 433.25', bytes('some'), { signal: stop.signal }))
  await wait(100)
  stop.abort(reason)
  await expect(running).rejects.toBe(reason)
  await expect.poll(() => runs('sleep 433\\.2[5]'), { timeout: 10_000 }).toBe(false)
  await expect(drain(sh('cat', bytes(), { signal: stop.signal }))).rejects.toBe(reason)
})

test('a report comes on a descriptor of its own, before the exit is judged', async () => {
  const reports: string[] = []
  const onReport = (report: string) => void reports.push(report)
  expect(await drain(sh('cat; echo fine >&3', bytes('some'), { onReport }))).toEqual(Buffer.from('some'))
  await using handle = await open('/dev/null')
  await drain(sh('cat <&3; echo behind >&4', bytes(), { onReport, inheritFds: [handle.fd] }))
  await expect(drain(sh('echo why >&3; exit 1', bytes(), { onReport }))).rejects.toMatchObject({
    code: 'EXEC_FAILED',
  })
  expect(reports).toEqual(['fine\n', 'behind\n', 'why\n'])
  const reason = new Error('judged')
  const judge = () => {
    throw reason
  }
  await expect(drain(sh('exit 1', bytes(), { onReport: judge }))).rejects.toBe(reason)
})

test('what is not there or cannot be started is an error of ours', async () => {
  await expect(drain(filter('carryall-no-such-program', [], bytes()))).rejects.toMatchObject({
    code: 'EXEC_NOT_FOUND',
  })
  await expect(drain(filter('cat', [], bytes('some'), { cwd: '/no/such/place' }))).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
  })
})

test('memory stays constant', async () => {
  const chunk = Buffer.alloc(1024 * 1024)
  async function* much(): AsyncGenerator<Buffer> {
    for (let round = 0; round < 512; round++) yield chunk
  }
  let size = 0
  const before = process.memoryUsage().rss
  for await (const { length } of filter('cat', [], much())) size += length
  expect(size).toBe(512 * chunk.length)
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
})
