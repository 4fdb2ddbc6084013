import { join } from 'node:path'
import { makeVolumes } from '@carryall/media/testing'
import { restoreHead } from '../restore-head.ts'
import { readFarSide, reportedLandings } from './far-side.ts'
import { killPublishing, makeEmpty, restore } from './prepare.ts'
import { makeChain, PART_BYTES } from './shipments.ts'
import type { Site } from './site.ts'
import { type TransferCase, undisturbedRun } from './transfer-case.ts'

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
 * The cases: a site where nothing has landed takes in all three volumes; and one where a run has read one of them, and another
 * one was killed right before the second shipment got its name.
 */
export async function makeUnpackCases(site: Site): Promise<readonly UnpackCase[]> {
  const media = await makeMedia(site.scratch.path)
  const argv = (root: string) => unpackArgv(site, root, media)
  const halfway = site.scratch.at('halfway')
  const mend = (root: string) => restoreHead(join(root, 'content', 'sample'))
  await makeEmpty(halfway)
  await undisturbedRun(unpackArgv(site, halfway, [media[2]!]), 83)
  await killPublishing(argv, halfway, /\/sample\/seq[^/]*$/, mend)
  const restored = (root: string) => restore(halfway, root, mend)
  const reading = { read: readFarSide, reported: reportedLandings }
  return [
    { name: 'a fresh site', argv, prepare: makeEmpty, ...reading },
    { name: 'a run that goes on', argv, prepare: restored, ...reading },
  ]
}
