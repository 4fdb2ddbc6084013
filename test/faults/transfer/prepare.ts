import { mkdir, rm } from 'node:fs/promises'
import { countCalls, output, runWithInjection } from '../harness/index.ts'
import { ENVIRONMENT, type TransferCase } from './transfer-case.ts'

/** A directory with nothing in it. */
export async function makeEmpty(root: string): Promise<void> {
  await rm(root, { recursive: true, force: true })
  await mkdir(root)
}

/** A directory with what is in `prepared`. `mend` makes the copy an original. */
export async function restore(
  prepared: string,
  root: string,
  mend: (root: string) => Promise<void>,
): Promise<void> {
  await rm(root, { recursive: true, force: true })
  await output('cp', '-a', prepared, root)
  await mend(root)
}

/** Kills a run right before the second of what it publishes, by the paths that match, gets its name. */
export async function killPublishing(
  argv: TransferCase['argv'],
  root: string,
  published: RegExp,
  mend: (root: string) => Promise<void>,
): Promise<void> {
  const copy = `${root}-copy`
  await restore(root, copy, mend)
  const calls = await countCalls(argv(copy), ENVIRONMENT)
  await rm(copy, { recursive: true })
  const renames = calls.filter(({ name, paths }) => name === 'rename' && published.test(paths[1]!))
  const fault = { call: 'rename', when: renames[1]!.nth, what: 'SIGKILL' } as const
  const { fired } = await runWithInjection(argv(root), fault, ENVIRONMENT)
  if (!fired) throw new Error('A run was to be killed while it publishes, and ended before')
}
