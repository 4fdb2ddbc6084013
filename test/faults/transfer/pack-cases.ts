import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInProcess } from '@carryall/cli/testing'
import { command } from '@carryall/transfer-plan'
import { countCalls, output, runWithInjection } from '../harness/index.ts'
import { readMedium } from './medium.ts'
import { makeChain } from './shipments.ts'
import type { Site } from './site.ts'
import { ENVIRONMENT, type TransferCase } from './transfer-case.ts'

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
  await killPublishing(argv, halfway)
  const fresh = async (root: string) => {
    await rm(root, { recursive: true, force: true })
    await mkdir(root)
  }
  const restored = async (root: string) => {
    await rm(root, { recursive: true, force: true })
    await output('cp', '-a', halfway, root)
  }
  return [
    { name: 'an empty medium', argv, prepare: fresh, ...reading },
    { name: 'a run that goes on', argv, prepare: restored, ...reading },
  ]
}

async function killPublishing(argv: (root: string) => readonly string[], root: string): Promise<void> {
  await mkdir(root)
  const calls = await countCalls(argv(root), ENVIRONMENT)
  await rm(root, { recursive: true })
  await mkdir(root)
  const renames = calls.filter(
    ({ name, paths }) => name === 'rename' && /\/out\/carryall-[^/]*$/.test(paths[1]!),
  )
  const { fired } = await runWithInjection(
    argv(root),
    { call: 'rename', when: renames[1]!.nth, what: 'SIGKILL' },
    ENVIRONMENT,
  )
  if (!fired) throw new Error('A run was to be killed while it publishes, and ended before')
}
