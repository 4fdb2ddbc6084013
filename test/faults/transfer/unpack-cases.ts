import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeVolumes } from '@carryall/media/testing'
import { countCalls, output, runWithInjection } from '../harness/index.ts'
import { restoreHead } from './restore-head.ts'
import { readFarSide, reportedLandings } from './far-side.ts'
import { makeChain, PART_BYTES } from './shipments.ts'
import type { Site } from './site.ts'
import { ENVIRONMENT, type TransferCase, undisturbedRun } from './transfer-case.ts'

export interface UnpackCase extends TransferCase {
  readonly name: 'a fresh site' | 'a run that goes on'
}

/** `transfer-unpack` of these volumes, into a far side below `root`. */
export function unpackArgv(site: Site, root: string, media: readonly string[]): readonly string[] {
  const places = ['--content', join(root, 'content'), '--state-dir', join(root, 'state')]
  return site.argv(...media, ...places, '--receipt', join(root, 'receipt.json'))
}

/** Three volumes with a chain of which number 2 is carried as metadata alone. */
export async function makeMedia(directory: string): Promise<readonly string[]> {
  const shipments = await makeChain(join(directory, 'source'))
  return makeVolumes(join(directory, 'media'), {
    shipments,
    carried: [1, 3],
    partBytes: PART_BYTES,
    volumes: 3,
  })
}

/**
 * The cases: a site where nothing has landed takes in all three volumes; and one where two of them were read before, the
 * second time by a run that was killed in the middle, while it published.
 */
export async function makeUnpackCases(site: Site): Promise<readonly UnpackCase[]> {
  const media = await makeMedia(site.scratch.path)
  const argv = (root: string) => unpackArgv(site, root, media)
  const halfway = site.scratch.at('halfway')
  await mkdir(halfway)
  await undisturbedRun(unpackArgv(site, halfway, [media[2]!]), 83)
  await killPublishing(argv, halfway)
  const fresh = async (root: string) => {
    await rm(root, { recursive: true, force: true })
    await mkdir(root)
  }
  const restored = async (root: string) => {
    await rm(root, { recursive: true, force: true })
    await output('cp', '-a', halfway, root)
    await restoreHead(join(root, 'content', 'sample'))
  }
  const reading = { read: readFarSide, reported: reportedLandings }
  return [
    { name: 'a fresh site', argv, prepare: fresh, ...reading },
    { name: 'a run that goes on', argv, prepare: restored, ...reading },
  ]
}

/** Kills a run right before the second shipment gets its name. */
async function killPublishing(argv: (root: string) => readonly string[], root: string): Promise<void> {
  const copy = `${root}-copy`
  await output('cp', '-a', root, copy)
  await restoreHead(join(copy, 'content', 'sample'))
  const calls = await countCalls(argv(copy), ENVIRONMENT)
  await rm(copy, { recursive: true })
  const renames = calls.filter(
    ({ name, paths }) => name === 'rename' && /\/sample\/seq[^/]*$/.test(paths[1]!),
  )
  const { fired } = await runWithInjection(
    argv(root),
    { call: 'rename', when: renames[1]!.nth, what: 'SIGKILL' },
    ENVIRONMENT,
  )
  if (!fired) throw new Error('A run was to be killed while it publishes, and ended before')
}
