import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { FinishedPrefix } from './finished-prefix.ts'
import { followDigest } from './follow-digest.ts'
import { planArchives } from './plan-archives.ts'
import { bytesOf } from './testing/arbitrary-contents.ts'
import { makeScratch } from './testing/scratch.ts'

const run = promisify(execFile)
const MIB = 1024 ** 2

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

describe('followDigest', () => {
  test('hashes files behind what is written of them', async () => {
    using scratch = makeScratch()
    const files = await Promise.all(
      ['a', 'b', 'c'].map(async (name, index) => {
        const data = bytesOf(name, 3 * MIB + index)
        const path = scratch.file(name, Buffer.alloc(data.length))
        const handle = await open(path, 'r+')
        return { data, handle, follower: followDigest(path, data.length) }
      }),
    )
    for (let at = 0; at < 3 * MIB; at += MIB / 2) {
      for (const { data, handle, follower } of files) {
        await handle.write(data, at, MIB / 2, at)
        follower.advance(at + MIB / 2)
        follower.advance(at)
      }
    }
    for (const { data, handle, follower } of files) {
      await handle.write(data, 3 * MIB, data.length - 3 * MIB, 3 * MIB)
      expect(await follower.finish()).toBe(sha256(data))
      await handle.close()
    }
  })

  test('reads no further than it was told', async () => {
    using scratch = makeScratch()
    const data = bytesOf('data', 2000)
    const path = scratch.file('data', Buffer.concat([data.subarray(0, 700), Buffer.alloc(1300)]))
    const follower = followDigest(path, data.length)
    follower.advance(700)
    // The thread takes turns: when this one is done, the first has had several.
    await followDigest(path, 700).finish()
    const handle = await open(path, 'r+')
    await handle.write(data, 700, 1300, 700)
    await handle.close()
    expect(await follower.finish()).toBe(sha256(data))
  })

  test('follows an open file whose name is gone', async () => {
    const scratch = makeScratch()
    const data = bytesOf('open', 5000)
    const handle = await open(scratch.file('open', data), 'r')
    scratch[Symbol.dispose]()
    expect(await followDigest(handle, data.length).finish()).toBe(sha256(data))
    await handle.close()
  })

  test('says what is wrong with the file', async () => {
    using scratch = makeScratch()
    await expect(followDigest(join(scratch.path, 'none'), 1).finish()).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
    })
    await expect(followDigest(scratch.path, 1).finish()).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
    await expect(followDigest(scratch.file('short', Buffer.alloc(9)), 10).finish()).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    })
    expect(await followDigest(scratch.file('empty', Buffer.alloc(0)), 0).finish()).toBe(
      sha256(Buffer.alloc(0)),
    )
  })

  test('is cancelled without disturbing others', async () => {
    using scratch = makeScratch()
    const data = bytesOf('data', 5 * MIB)
    const path = scratch.file('data', data)
    const cancelled = followDigest(path, data.length)
    const other = followDigest(path, data.length)
    cancelled.advance(data.length)
    cancelled.cancel()
    await expect(cancelled.finish()).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(await other.finish()).toBe(sha256(data))
    other.cancel()
    expect(await other.finish()).toBe(sha256(data))
  })

  test('works from one CommonJS file, minified, and lets the process end', async () => {
    using scratch = makeScratch()
    const data = bytesOf('bundled', 2 * MIB + 3)
    const file = scratch.file('data', data)
    await build({
      stdin: {
        contents: `import { followDigest } from './follow-digest.ts'
          followDigest('/nonexistent', 1).cancel()
          followDigest(process.argv[2], Number(process.argv[3])).finish().then((digest) => process.stdout.write(digest))`,
        resolveDir: join(process.cwd(), 'shared/archive/src'),
        loader: 'ts',
      },
      outfile: join(scratch.path, 'tool.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node24',
      minify: true,
      keepNames: true,
      logLevel: 'error',
    })
    const { stdout } = await run(
      process.execPath,
      [join(scratch.path, 'tool.cjs'), file, String(data.length)],
      { timeout: 10_000 },
    )
    expect(stdout).toBe(sha256(data))
  })
})

test('FinishedPrefix ends before the first entry that is not whole', () => {
  const plan = planArchives(
    ['a', 'b', 'c', 'd'].map((name, index) => ({ name, size: index === 1 ? 0 : 600 })),
  )[0]!
  const [a, , c, d] = plan.entries
  const prefix = new FinishedPrefix(plan)
  expect(prefix.offset).toBe(a!.offset)
  expect(prefix.finish('c')).toBe(a!.offset)
  expect(prefix.finish('a')).toBe(d!.offset)
  expect(c!.offset).toBeLessThan(d!.offset)
  expect(prefix.finish('d')).toBe(plan.size)
  expect(() => prefix.finish('e')).toThrow(RangeError)
  expect(new FinishedPrefix(planArchives([])[0]!).offset).toBe(1024)
})
