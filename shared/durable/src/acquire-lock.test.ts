import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquireLock } from './acquire-lock.ts'

let root: string
let path: string
const children: ChildProcess[] = []
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lock-'))
  path = join(root, 'lock')
})
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  await rm(root, { recursive: true })
})

/** Another process that takes the lock, then runs a program as the tools do, and lives until it is killed. */
async function otherHolder(): Promise<ChildProcess> {
  const script = `
    const { acquireLock } = await import(${JSON.stringify(new URL('./acquire-lock.ts', import.meta.url).href)})
    const { run } = await import(${JSON.stringify(import.meta.resolve('@carryall/exec'))})
    const lock = await acquireLock(${JSON.stringify(path)}, { holder: 'other 1.0 \\u001b[31m' })
    await run('sh', ['-c', 'echo $$ >"$1"; exec sleep 5', 'sh', ${JSON.stringify(join(root, 'child'))}])`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  children.push(child)
  const started = () => readFile(join(root, 'child'), 'utf8').catch(() => '')
  await expect.poll(started, { timeout: 10_000 }).toMatch(/\n/)
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test('one holds it, release gives it to the next, the file stays', async () => {
  const first = await acquireLock(path, { holder: 'first' })
  expect(await readFile(path, 'utf8')).toMatch(
    new RegExp(`^first, process ${process.pid}, since \\d{4}-.*Z\n$`),
  )
  await expect(acquireLock(path, { holder: 'second' })).rejects.toMatchObject({ code: 'LOCK_HELD' })
  await first.release()
  await first.release()
  expect(await readFile(path, 'utf8')).toBe('')
  {
    await using second = await acquireLock(path, { holder: 'second' })
    expect(second).toBeDefined()
    expect(await readFile(path, 'utf8')).toMatch(/^second/)
  }
  await (await acquireLock(path, { holder: 'third' })).release()
})

test('the refusal names the holder, escaped, and may be repeated', async () => {
  const other = await otherHolder()
  const refusal = await acquireLock(path, { holder: 'me' }).catch((error: unknown) => error)
  expect(refusal).toMatchObject({
    code: 'LOCK_HELD',
    exit: 75,
    details: {
      retryable: true,
      hint: expect.stringContaining('--wait'),
      actual: expect.stringContaining(`other 1.0 \\u{1b}[31m, process ${other.pid}`),
    },
  })
})

test('kill -9 of the holder frees it, though a program that it started goes on', async () => {
  await kill(await otherHolder())
  const program = Number(await readFile(join(root, 'child'), 'utf8'))
  expect(process.kill(program, 0)).toBe(true)
  const lock = await acquireLock(path, { holder: 'me' })
  expect(await readFile(path, 'utf8')).toMatch(/^me/)
  await lock.release()
})

test('waiting ends with the lock when it comes free, with LOCK_HELD when it does not', async () => {
  const other = await otherHolder()
  await expect(acquireLock(path, { holder: 'me', waitSeconds: 0.3 })).rejects.toMatchObject({
    code: 'LOCK_HELD',
  })
  const waiting = acquireLock(path, { holder: 'me', waitSeconds: 20 })
  await kill(other)
  await (await waiting).release()
})

test('an abort ends the waiting', async () => {
  const held = await acquireLock(path, { holder: 'first' })
  const stop = new AbortController()
  const waiting = acquireLock(path, { holder: 'me', waitSeconds: 20, signal: stop.signal })
  const reason = new Error('stopped')
  setTimeout(() => stop.abort(reason), 200)
  await expect(waiting).rejects.toBe(reason)
  await held.release()
})

test('of many at once one gets it', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, n) => acquireLock(path, { holder: `${n}` })),
  )
  const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  expect(held).toHaveLength(1)
  await held[0]!.release()
})

test('a lock file that is a link, and one without a directory, are refused', async () => {
  await writeFile(join(root, 'victim'), 'keep')
  await symlink('victim', path)
  await expect(acquireLock(path, { holder: 'me' })).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' })
  await expect(acquireLock(join(root, 'none/lock'), { holder: 'me' })).rejects.toMatchObject({
    code: 'OUTPUT_NOT_WRITABLE',
  })
  expect(await readFile(join(root, 'victim'), 'utf8')).toBe('keep')
})
