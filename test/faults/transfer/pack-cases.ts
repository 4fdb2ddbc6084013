import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInProcess } from '@carryall/cli/testing'
import { command } from '@carryall/transfer-plan'
import { readMedium } from './medium.ts'
import { killPublishing, makeEmpty, restore } from './prepare.ts'
import { makeChain } from './shipments.ts'
import type { Site } from './site.ts'
import type { TransferCase } from './transfer-case.ts'

export interface PackCase extends TransferCase {
  readonly name: 'an empty medium' | 'a run that goes on'
}

/** `transfer-pack` of this plan, onto a medium below `root`. */
export function packArgv(site: Site, root: string, plan: string): readonly string[] {
  return site.argv(plan, '--out', join(root, 'out'))
}

/** The file of a plan for three volumes, and the content directory that it is of. */
export async function makePlan(
  directory: string,
): Promise<{ readonly plan: string; readonly source: string }> {
  const [plan, source] = [join(directory, 'plan.json'), join(directory, 'source')]
  await makeChain(source)
  const media = ['--media', '3800000', '--filesystem', 'exfat']
  const planned = await runInProcess(command, [source, '--have-nothing', ...media], { cwd: directory })
  if (planned.exit !== 0) throw new Error(planned.stderr)
  await writeFile(plan, planned.stdout)
  return { plan, source }
}

/** The cases: an empty medium; and one where a run was killed right before the second volume got its name. */
export async function makePackCases(site: Site): Promise<readonly PackCase[]> {
  const { plan } = await makePlan(site.scratch.path)
  const argv = (root: string) => packArgv(site, root, plan)
  const reading = {
    read: readMedium,
    // It reports all of them at its end.
    reported: () => Promise.resolve([]),
  }
  const halfway = site.scratch.at('halfway')
  const asItIs = () => Promise.resolve()
  await makeEmpty(halfway)
  await killPublishing(argv, halfway, /\/out\/carryall-[^/]*$/, asItIs)
  const restored = (root: string) => restore(halfway, root, asItIs)
  return [
    { name: 'an empty medium', argv, prepare: makeEmpty, ...reading },
    { name: 'a run that goes on', argv, prepare: restored, ...reading },
  ]
}
