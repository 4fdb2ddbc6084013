import { spawn } from 'node:child_process'
import { access, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { mustRun } from '../support/run.ts'
import { makeScratch } from '../support/scratch.ts'
import { runInGuest } from './guest.ts'
import { makeFat32 } from './images.ts'
import { namespacesBelow, processesIn } from './namespaces.ts'

const MIB = 2 ** 20

test('a script has its output, its exit code, its environment and a directory of the host', async () => {
  await using scratch = await makeScratch()
  await writeFile(scratch.at('given'), 'given\n')
  const { exitCode, stdout, stderr } = await runInGuest({
    disks: [],
    share: scratch.path,
    env: { SHARE: scratch.path, ODD: `it's "odd" $HOME\n` },
    script: `
      cat "$SHARE/given"; printf %s "$ODD"; echo wrong >&2
      node -e 'fs.writeFileSync(process.env.SHARE + "/made", process.version)'
      env | sort | cut -d= -f1 >"$SHARE/names"
      touch "${join(import.meta.dirname, 'refused')}" || exit 7`,
    timeoutMs: 120_000,
  })
  expect(exitCode).toBe(7)
  expect(stdout).toBe(`given\nit's "odd" $HOME\n`)
  expect(stderr).toMatch(/^wrong\n.*Read-only file system\n$/)
  expect(await readFile(scratch.at('made'), 'utf8')).toBe(process.version)
  const names = (await readFile(scratch.at('names'), 'utf8')).split('\n')
  expect(names.filter((name) => !['PWD', 'SHLVL', '_', ''].includes(name))).toEqual([
    'HOME',
    'LANG',
    'ODD',
    'PATH',
    'SHARE',
    'TMPDIR',
  ])
  await expect(access(join(import.meta.dirname, 'refused'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('what was synced is there after a power cut, what was not is lost', async () => {
  await using scratch = await makeScratch()
  const file = scratch.at('a stick, with: odd signs.img')
  await makeFat32(file, 64 * MIB)
  const disks = [{ file, type: 'vfat', at: '/media/stick' }]
  const cut = await runInGuest({
    disks,
    script: `cd /media/stick; echo kept >kept; sync; echo lost >lost; echo o >/proc/sysrq-trigger; sleep 60`,
    timeoutMs: 120_000,
  })
  expect(cut.exitCode).toBeNull()
  const after = await runInGuest({ disks, script: 'cd /media/stick; cat *', timeoutMs: 120_000 })
  expect(after).toMatchObject({ exitCode: 0, stdout: 'kept\n' })
})

test('a write-protected disk stays as it is', async () => {
  await using scratch = await makeScratch()
  const file = scratch.at('stick')
  await makeFat32(file, 64 * MIB)
  const before = await mustRun('sha256sum', [file])
  const { exitCode } = await runInGuest({
    disks: [{ file, type: 'vfat', at: '/media/stick', readOnly: true }],
    script: 'mount -o remount,rw /media/stick && exit 1; ! echo x >/media/stick/x && ! echo x >/dev/ubda',
    timeoutMs: 120_000,
  })
  expect(exitCode).toBe(0)
  expect(await mustRun('sha256sum', [file])).toEqual(before)
})

test('a disk that cannot be mounted and one that stays in use are errors', async () => {
  await using scratch = await makeScratch()
  const file = scratch.at('stick')
  await makeFat32(file, 64 * MIB)
  const stick = { file, type: 'vfat', at: '/media/stick' }
  await expect(
    runInGuest({ disks: [{ ...stick, type: 'udf' }], script: 'true', timeoutMs: 120_000 }),
  ).rejects.toMatchObject({ cause: 'set-up' })
  await expect(
    runInGuest({ disks: [stick], script: 'sleep 600 >/media/stick/open &', timeoutMs: 120_000 }),
  ).rejects.toMatchObject({ cause: 'busy' })
})

test('no process is left of a guest that ends', async () => {
  const run = runInGuest({ disks: [], script: 'true', timeoutMs: 120_000 })
  const seen = await until(
    () => namespacesBelow(process.pid),
    ({ size }) => size > 0,
  )
  expect((await processesIn(seen)).length).toBeGreaterThan(0)
  expect(await run).toMatchObject({ exitCode: 0 })
  expect(await processesIn(seen)).toEqual([])
})

test('no process is left of a guest that takes too long', async () => {
  await using scratch = await makeScratch()
  const script = `sleep 600 & echo written; touch ${scratch.at('started')}; wait`
  const run = runInGuest({ disks: [], share: scratch.path, script, timeoutMs: 8_000 })
  const failed = run.catch((error: unknown) => error)
  await until(
    () => readdir(scratch.path),
    (names) => names.includes('started'),
  )
  const seen = await namespacesBelow(process.pid)
  // Those of init, bash and sleep beside the kernel's own.
  expect((await processesIn(seen)).length).toBeGreaterThan(3)
  expect(await failed).toMatchObject({ cause: 'late', message: expect.stringContaining('\nwritten\n') })
  await until(
    () => processesIn(seen),
    (left) => left.length === 0,
  )
})

test('no process is left when the caller is killed', async () => {
  await using scratch = await makeScratch()
  const options = {
    disks: [],
    share: scratch.path,
    script: `sleep 600 & touch ${scratch.at('started')}; wait`,
    timeoutMs: 600_000,
  }
  const caller = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { runInGuest } from ${JSON.stringify(join(import.meta.dirname, 'guest.ts'))}
       await runInGuest(${JSON.stringify(options)})`,
    ],
    // Its own directory for what it cannot take away any more.
    { env: { ...process.env, TMPDIR: scratch.path }, stdio: 'ignore' },
  )
  try {
    await until(
      () => readdir(scratch.path),
      (names) => names.includes('started'),
    )
    const seen = await namespacesBelow(caller.pid!)
    expect((await processesIn(seen)).length).toBeGreaterThan(3)
    caller.kill('SIGKILL')
    await until(
      () => processesIn(seen),
      (left) => left.length === 0,
    )
  } finally {
    caller.kill('SIGKILL')
  }
})

/** Asks until the answer will do; the test's time limit ends it otherwise. */
async function until<T>(ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (done(answer)) return answer
    await wait(50)
  }
}
