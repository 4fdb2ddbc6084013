import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { volumeName } from '@carryall/media'
import type { TransferPlan } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeContent, makePlan, MEDIUM } from './testing/sample-plan.ts'

const run = promisify(execFile)
const BIN = join(import.meta.dirname, 'bin.ts')
let root: string
let shipments: readonly [Shipment, Shipment]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'stream-'))
  shipments = await makeContent(root)
})
afterEach(() => rm(root, { recursive: true }))

/** Runs the tool as a program, its payload into a file. */
async function stream(plan: TransferPlan, ...flags: readonly string[]) {
  const tar = join(root, 'stream.tar')
  const result = join(root, 'result.json')
  await rm(result, { force: true })
  await writeFile(join(root, 'plan.json'), JSON.stringify(plan))
  const argv = [BIN, join(root, 'plan.json'), '--stdout', '--result', result, ...flags]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [[exit]] = await Promise.all([once(child, 'close'), pipeline(child.stdout, createWriteStream(tar))])
  const text = await readFile(result, 'utf8').catch(() => '')
  return {
    exit: exit as number,
    tar,
    documents: text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown),
  }
}

async function list(tar: string): Promise<readonly string[]> {
  return (await run('tar', ['--quoting-style=literal', '-tf', tar])).stdout.trim().split('\n')
}

test('any tar takes the stream apart, and the sums come last', async () => {
  const plan = await makePlan(shipments, [MEDIUM])
  const { exit, tar, documents } = await stream(plan)
  expect(exit).toBe(0)
  expect(documents).toMatchObject(
    plan.volumes.map(({ number }) => ({ kind: 'Volume', number, result: { ok: true } })),
  )
  const names = await list(tar)
  const at = join(root, 'read')
  await mkdir(at)
  await run('tar', ['-xf', tar, '-C', at])
  for (const { number } of plan.volumes) {
    const name = volumeName(plan.set, number)
    const own = names.filter((path) => path.startsWith(`${name}/`))
    expect(own[0]).toBe(`${name}/volume.json`)
    expect(own.at(-1)).toBe(`${name}/SHA256SUMS`)
    await run('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: join(at, name) })
  }
  const first = await readFile(tar)
  await stream(plan)
  expect((await readFile(tar)).equals(first)).toBe(true)
})

test('a source that is damaged ends it before the sums', async () => {
  const plan = await makePlan(shipments, [MEDIUM])
  const file = join(shipments[1].directory, 'middle.tar')
  await writeFile(file, Buffer.alloc((await readFile(file)).length))
  const volume = plan.volumes.find(({ entries }) => entries.some((entry) => entry.path === 'middle.tar'))!
  const { exit, tar } = await stream(plan, '--volume', String(volume.number))
  expect(exit).toBe(82)
  const names = (await run('sh', ['-c', 'tar -tf "$1" 2>/dev/null; true', 'sh', tar])).stdout
  expect(names).toContain('middle.tar')
  expect(names).not.toMatch(/-00\d\/SHA256SUMS/)
})

test('a reader that goes away ends it quietly', async () => {
  const plan = await makePlan(shipments, [MEDIUM])
  await writeFile(join(root, 'plan.json'), JSON.stringify(plan))
  const script = '"$0" "$1" "$2" --stdout --result "$3" | head -c 100000 >/dev/null; echo "${PIPESTATUS[0]}"'
  const argv = ['-c', script, process.execPath, BIN, join(root, 'plan.json'), join(root, 'result.json')]
  expect((await run('bash', argv)).stdout).toBe('141\n')
})
