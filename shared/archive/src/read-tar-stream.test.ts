import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { CarryallError } from '@carryall/errors'
import { describe, expect, test } from 'vitest'
import { readTarStream } from './read-tar-stream.ts'
import { arbitraryContents } from './testing/arbitrary-contents.ts'
import { END, paxHeader, paxRecord, rawEntry, rawHeader } from './testing/raw-tar.ts'
import { entriesOf, makeScratch, output, writeArchive } from './testing/scratch.ts'

const GIB = 1024 ** 3

async function* pieces(bytes: Buffer, ...sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

/** Entries with their data, each as it came. */
async function readAll(source: AsyncIterable<Buffer>) {
  const found: { name: string; type: string; offset: number; data: string }[] = []
  for await (const { name, type, offset, chunks } of readTarStream(source)) {
    const parts: Buffer[] = []
    for await (const chunk of chunks()) parts.push(Buffer.from(chunk))
    found.push({ name, type, offset, data: Buffer.concat(parts).toString('latin1') })
  }
  return found
}

test('gives the entries and data of any archive, however its bytes arrive', async () => {
  using scratch = makeScratch('/dev/shm')
  const path = `${scratch.path}/a.tar`
  const splits = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(arbitraryContents, splits, async (contents, sizes) => {
      await writeArchive(path, contents)
      const found = await readAll(pieces(await readFile(path), ...sizes))
      expect(found.map(({ name, offset }) => ({ name, offset }))).toEqual(
        (await entriesOf(path)).map(({ name, offset }) => ({ name, offset })),
      )
      expect(found.map(({ data }) => data)).toEqual(contents.map(({ data }) => data.toString('latin1')))
      await rm(path)
    }),
    { numRuns: 60 },
  )
})

describe('goes at the pace of its consumer', () => {
  const MIB = Buffer.alloc(1024 * 1024, 'x')
  async function* endless(pulled: { count: number }) {
    yield rawHeader({ size: 4 * GIB })
    for (;;) {
      pulled.count += 1
      yield MIB
    }
  }

  test('and asks for nothing before it is needed', async () => {
    const pulled = { count: 0 }
    const entries = readTarStream(endless(pulled))
    const { value } = await entries.next()
    expect(pulled.count).toBe(0)
    const chunks = value!.chunks()
    for (let count = 1; count <= 5; count += 1) {
      expect((await chunks.next()).value).toHaveLength(MIB.length)
      expect(pulled.count).toBe(count)
    }
    await entries.return()
    expect(pulled.count).toBe(5)
  })

  test('gives chunks of at most 1 MiB', async () => {
    const whole = Buffer.concat([rawEntry({}, Buffer.alloc(3 * MIB.length + 1)), END])
    const sizes: number[] = []
    for await (const { chunks } of readTarStream(pieces(whole, whole.length)))
      for await (const chunk of chunks()) sizes.push(chunk.length)
    expect(sizes).toEqual([MIB.length, MIB.length, MIB.length, 1])
  })

  test('passes over what is not read, also the rest of an entry', async () => {
    const whole = Buffer.concat([
      rawEntry({ name: 'a' }, 'x'.repeat(3000)),
      rawEntry({ name: 'b' }, 'y'.repeat(3000)),
      rawEntry({ name: 'c' }, 'z'),
      END,
    ])
    const names: string[] = []
    for await (const { name, chunks } of readTarStream(pieces(whole, 700))) {
      names.push(name)
      if (name === 'b') for await (const chunk of chunks()) if (chunk.length > 0) break
    }
    expect(names).toEqual(['a', 'b', 'c'])
  })

  test('refuses to read an entry twice or too late', async () => {
    const entries = readTarStream(
      pieces(Buffer.concat([rawEntry({ name: 'a' }, 'x'), rawEntry({ name: 'b' }), END]), 512),
    )
    const first = (await entries.next()).value!
    for await (const chunk of first.chunks()) expect(chunk.toString()).toBe('x')
    await expect(first.chunks().next()).rejects.toThrow(RangeError)
    const second = (await entries.next()).value!
    await entries.next()
    await expect(second.chunks().next()).rejects.toThrow(RangeError)
  })

  test('leaves a stream that it does not need any more as it is', async () => {
    const stream = Readable.from(
      pieces(Buffer.concat([rawEntry({ name: 'a' }), rawEntry({ name: 'b' }), END]), 512),
      {
        objectMode: false,
      },
    )
    for await (const { name } of readTarStream(stream)) {
      expect(name).toBe('a')
      break
    }
    expect(stream.destroyed).toBe(false)
    stream.resume()
    await once(stream, 'end')
  })

  test('stops when it is told to, also while the stream stalls', async () => {
    const stalled = new Readable({ read: () => undefined })
    stalled.push(rawHeader({ size: 100 }))
    const stop = new AbortController()
    const entries = readTarStream(stalled, { signal: stop.signal })
    const entry = (await entries.next()).value!
    const chunk = entry.chunks().next()
    stop.abort(new Error('enough'))
    await expect(chunk).rejects.toThrow('enough')
    await expect(entries.next()).rejects.toThrow('enough')
    expect(stalled.destroyed).toBe(false)
    stalled.destroy()
  })

  test('stops at the signal of the one who reads the entry', async () => {
    const stop = new AbortController()
    const entries = readTarStream(endless({ count: 0 }), { signal: new AbortController().signal })
    const chunks = (await entries.next()).value!.chunks(stop.signal)
    await chunks.next()
    stop.abort(new Error('enough'))
    await expect(chunks.next()).rejects.toThrow('enough')
    await entries.return()
  })

  test.each([
    ['fails', Object.assign(new Error('read EIO'), { code: 'EIO', errno: -5 }), 'IO_FAILED'],
    ['is cut off', undefined, 'ARCHIVE_MALFORMED'],
  ])('a stream that %s', async (_what, error, code) => {
    const stream = new Readable({ read: () => undefined })
    stream.push(rawHeader({ size: 100 }))
    const entries = readTarStream(stream)
    await entries.next()
    stream.destroy(error)
    await expect(entries.next()).rejects.toMatchObject({ code })
  })

  test('a stream of text is a mistake', async () => {
    await expect(readAll(Readable.from(['text']))).rejects.toThrow(TypeError)
  })
})

describe('takes what common programs write', () => {
  const gnu = 'ustar  \0'
  const huge = (value: bigint) => Buffer.from(`80${value.toString(16).padStart(22, '0')}`, 'hex')

  test('GNU headers, a leading ./ and zeros of any length', async () => {
    const whole = Buffer.concat([
      rawEntry({ type: '5', name: './', magic: gnu }),
      rawEntry({ type: '5', name: './d/', magic: gnu }),
      rawEntry({ name: './d/a', magic: gnu }, 'data'),
      paxHeader([
        paxRecord('path', './d/b'),
        paxRecord('atime', '1.5'),
        paxRecord('LIBARCHIVE.creationtime', '1'),
      ]),
      rawEntry({ name: 'stand-in' }, 'more'),
      END,
    ])
    for (const zeros of [0, 512, 9 * 1024, 3 * 1024 * 1024]) {
      expect(await readAll(pieces(Buffer.concat([whole, Buffer.alloc(zeros)]), 700))).toMatchObject([
        { type: 'directory', name: 'd' },
        { type: 'file', name: 'd/a', data: 'data' },
        { type: 'file', name: 'd/b', data: 'more' },
      ])
    }
  })

  test.each([8n * 1024n ** 3n, 2n ** 53n - 1n])('a GNU size of %d in base-256', async (size) => {
    const entries = readTarStream(pieces(rawHeader({ size: huge(size), magic: gnu }), 512))
    expect((await entries.next()).value).toMatchObject({ size: Number(size) })
    await entries.return()
  })

  test.each([
    '12345',
    '0',
    '007',
    '1e5',
    '0x10',
    'NaN',
    'Infinity',
    '-1',
    '__proto__',
    'constructor',
    'C:a',
    'c:..a',
  ])('the PAX path %s as text', async (name) => {
    const bytes = Buffer.concat([paxHeader([paxRecord('path', name)]), rawEntry({}, 'data'), END])
    expect(await readAll(pieces(bytes, 512))).toMatchObject([{ name, data: 'data' }])
  })
})

describe('ends with the whole', () => {
  const whole = Buffer.concat([paxHeader([paxRecord('path', 'p')]), rawEntry({}, 'x'.repeat(600)), END])

  test('at no byte before', async () => {
    for (let size = 0; size < whole.length; size += size % 512 === 1 ? 509 : 1)
      await expect(readAll(pieces(whole.subarray(0, size), 512))).rejects.toMatchObject({
        code: 'ARCHIVE_MALFORMED',
      })
    expect(await readAll(pieces(whole, 512))).toHaveLength(1)
  })

  test.each<[string, Buffer]>([
    ['another archive', whole],
    ['a byte', Buffer.from('x')],
    ['a zero byte', Buffer.alloc(1)],
    ['zeros and a byte', Buffer.concat([Buffer.alloc(1024 * 1024), Buffer.from('x')])],
    ['zeros that end within a block', Buffer.alloc(10 * 1024 + 1)],
  ])('and is not followed by %s', async (_what, tail) => {
    await expect(readAll(pieces(Buffer.concat([whole, tail]), 4096))).rejects.toMatchObject({
      code: 'ARCHIVE_MALFORMED',
    })
  })
})

test('whatever bytes change, it refuses with a code or lists what GNU tar and bsdtar list', async () => {
  using scratch = makeScratch('/dev/shm')
  const magic = 'ustar  \0'
  const whole = Buffer.concat([
    rawEntry({ type: '5', name: './', magic }),
    rawEntry({ type: '5', name: './d/', magic }),
    rawEntry({ name: './d/a', magic }, 'data'),
    rawEntry({ name: 'b', magic }, 'x'.repeat(600)),
    paxHeader([paxRecord('path', './c'), paxRecord('atime', '1.5')]),
    rawEntry({ name: 'stand-in' }, 'data'),
    END,
  ])
  const headers = [0, 512, 1024, 2048, 3584, 4608]
  const inHeader = fc.tuple(fc.constantFrom(...headers), fc.nat(511)).map(([header, at]) => header + at)
  // Where the meaning is: name, size, type, link, magic, prefix.
  const telling = fc
    .tuple(
      fc.constantFrom(...headers),
      fc.constantFrom(0, 1, 2, 3, 4, 124, 125, 134, 135, 156, 157, 257, 262, 263, 345, 482),
    )
    .map(([header, at]) => header + at)
  const place = fc.oneof(inHeader, telling, fc.integer({ min: 4096, max: 4140 }))
  const value = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('01789 \0/.=\nxgLKS5-')))
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 3 }), async (changes) => {
      const bytes = Buffer.from(whole)
      for (const [at, byte] of changes) bytes[at] = byte
      for (const at of headers) {
        bytes.fill(' ', at + 148, at + 156)
        const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
        bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
      }
      const found = await readAll(pieces(bytes, 700)).catch((error: unknown) => {
        expect(error).toBeInstanceOf(CarryallError)
        return undefined
      })
      if (found === undefined) return
      accepted += 1
      const path = scratch.file('a.tar', bytes)
      const listings = await Promise.all([
        output('tar', '--quoting-style=literal', '-tf', path),
        output('bsdtar', '-tf', path),
      ])
      for (const listing of listings)
        expect(
          listing
            .split('\n')
            .map(plain)
            .filter((name) => name !== '' && name !== '.'),
        ).toEqual(found.map(({ name }) => name))
    }),
    { numRuns: 400 },
  )
  expect(accepted).toBeGreaterThan(20)
})

function plain(name: string): string {
  return name.replace(/^\.\//, '').replace(/\/$/, '')
}
